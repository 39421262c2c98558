"""A model's prediction for one text."""

from dataclasses import dataclass
from enum import StrEnum


class Sentiment(StrEnum):
    """The three classes, in the order of every probability vector of this project."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Calibrated probabilities of one text, rounded to four decimals.

    Attributes:
        negative: P(negative), in [0, 1].
        neutral: P(neutral), in [0, 1].
        positive: P(positive), in [0, 1]; the three sum to 1 within 1e-6.
        offensive: P(offensive), in [0, 1]; None if the model has no such head.
        empty: True if the text is empty after normalisation. It is then neutral by definition
            (0, 1, 0) and the model does not read it.
        windows: number of windows that the text was split into; 0 if empty.
        language: ISO 639-1 code (longer for languages without one), or ``und`` if unknown or too
            short to tell; see :func:`model.language.identify`.
        in_scope: False if the model was not measured on texts like this one, so the model card does
            not tell how far to trust the probabilities: no letters, a known language that was not
            measured, mostly unknown characters, or so long that only parts were read.
    """

    negative: float
    neutral: float
    positive: float
    offensive: float | None = None
    empty: bool = False
    windows: int = 1
    language: str = "und"
    in_scope: bool = True

    @property
    def label(self) -> Sentiment:
        """The most likely class; ties go to neutral, then negative."""
        best = max(self.neutral, self.negative, self.positive)
        if self.neutral == best:
            return Sentiment.NEUTRAL
        return Sentiment.NEGATIVE if self.negative == best else Sentiment.POSITIVE
