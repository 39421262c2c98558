"""What a model says of one text."""

from dataclasses import dataclass
from enum import StrEnum


class Sentiment(StrEnum):
    """The three classes, in the order of every probability vector of this project."""

    NEGATIVE = "negative"
    NEUTRAL = "neutral"
    POSITIVE = "positive"


@dataclass(frozen=True, slots=True)
class Prediction:
    """Calibrated probabilities for one text, to four decimals.

    Attributes:
        negative: P(negative), in [0, 1].
        neutral: P(neutral), in [0, 1].
        positive: P(positive), in [0, 1]; the three sum to 1 within 1e-6.
        offensive: P(offensive), in [0, 1]; None where the model has no such head.
        empty: True where nothing was left to read after normalisation; such a text is
            neutral by definition (0, 1, 0) and was not shown to the model.
        windows: how many windows of the model's length the text was read in; 0 if empty.
        language: ISO 639-1 code, a longer one where a language has none, or ``und`` (unknown, or
            too short to tell); see :func:`model.language.identify`.
        in_scope: False where the text is unlike all that the model was measured on, so that the
            model card says nothing of how far the probabilities can be trusted: no letters, a
            known language without figures, mostly characters that the vocabulary lacks, or so
            long that only parts were read.
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
        """The likeliest class; a tie goes to neutral, then negative."""
        best = max(self.neutral, self.negative, self.positive)
        if self.neutral == best:
            return Sentiment.NEUTRAL
        return Sentiment.NEGATIVE if self.negative == best else Sentiment.POSITIVE
