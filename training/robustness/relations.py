"""The expectations that a robustness case can have of a classifier.

Behavioural tests like CheckList's (Ribeiro et al. 2020): a label if the text is clear, otherwise a
relation between the predictions for two texts.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

from model.types import Prediction, Sentiment

_NOISE = 0.02
_MILDER = 0.05
_CLEARLY = 0.1
_SURE = 0.9
_SUM = 1e-6


class Relation(StrEnum):
    """An expectation of the prediction for one text, or for a text and its variant.

    For one text:
        POSITIVE, NEGATIVE: the label.
        NOT_POSITIVE, NOT_NEGATIVE: any label but this one.
        UNSURE: no class above .9.
        VALID: every probability is in [0, 1], and those of the three classes sum to 1.

    For a text and its variant:
        SAME: no probability differs by more than .02.
        SAME_SIGN: the same label, or one of the two is neutral and no probability differs by more
            than .1 (a text on the border may cross it).
        NOT_MILDER: P(negative) of the variant is at most .05 lower.
        ANGRIER: the variant is labelled negative, its P(negative) at most .02 lower.
        MORE_NEGATIVE: P(negative) of the variant is at least .1 higher.
    """

    POSITIVE = "positive"
    NEGATIVE = "negative"
    NOT_POSITIVE = "not_positive"
    NOT_NEGATIVE = "not_negative"
    UNSURE = "unsure"
    VALID = "valid"
    SAME = "same"
    SAME_SIGN = "same_sign"
    NOT_MILDER = "not_milder"
    ANGRIER = "angrier"
    MORE_NEGATIVE = "more_negative"

    @property
    def texts(self) -> int:
        """Number of texts that it needs: 1, or 2 with a variant."""
        return 1 if self in _OF_ONE else 2


def holds(relation: Relation, said: Sequence[Prediction]) -> bool:
    """Whether predictions meet an expectation.

    Args:
        relation: the expectation.
        said: ``relation.texts`` predictions, the variant's last.
    """
    if relation in _OF_ONE:
        (only,) = said
        return _OF_ONE[relation](only)
    plain, variant = said
    return _OF_TWO[relation](plain, variant)


def _valid(said: Prediction) -> bool:
    shares = (said.negative, said.neutral, said.positive)
    offensive = 0.0 if said.offensive is None else said.offensive
    in_range = all(0.0 <= share <= 1.0 for share in (*shares, offensive))
    return in_range and abs(sum(shares) - 1.0) <= _SUM


def _furthest(one: Prediction, two: Prediction) -> float:
    return max(
        abs(one.negative - two.negative),
        abs(one.neutral - two.neutral),
        abs(one.positive - two.positive),
    )


def _same_sign(plain: Prediction, variant: Prediction) -> bool:
    if plain.label is variant.label:
        return True
    on_the_border = Sentiment.NEUTRAL in (plain.label, variant.label)
    return on_the_border and _no_more(_furthest(plain, variant), _CLEARLY)


def _no_more(value: float, bound: float) -> bool:
    """Whether a value is at most a bound, up to float rounding."""
    return value <= bound + _SUM


_OF_ONE: dict[Relation, Callable[[Prediction], bool]] = {
    Relation.POSITIVE: lambda said: said.label is Sentiment.POSITIVE,
    Relation.NEGATIVE: lambda said: said.label is Sentiment.NEGATIVE,
    Relation.NOT_POSITIVE: lambda said: said.label is not Sentiment.POSITIVE,
    Relation.NOT_NEGATIVE: lambda said: said.label is not Sentiment.NEGATIVE,
    Relation.UNSURE: lambda said: max(said.negative, said.neutral, said.positive) <= _SURE,
    Relation.VALID: _valid,
}
_OF_TWO: dict[Relation, Callable[[Prediction, Prediction], bool]] = {
    Relation.SAME: lambda plain, variant: _no_more(_furthest(plain, variant), _NOISE),
    Relation.SAME_SIGN: _same_sign,
    Relation.NOT_MILDER: lambda plain, variant: _no_more(
        plain.negative - variant.negative, _MILDER
    ),
    Relation.ANGRIER: lambda plain, variant: (
        variant.label is Sentiment.NEGATIVE and _no_more(plain.negative - variant.negative, _NOISE)
    ),
    Relation.MORE_NEGATIVE: lambda plain, variant: _no_more(
        _CLEARLY, variant.negative - plain.negative
    ),
}
