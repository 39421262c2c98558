"""Counts the robustness cases that a classifier passes, by family and language."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from model.classifier import SentimentClassifier
from model.types import Prediction
from training.robustness.cases import Case, Family, load_families
from training.robustness.relations import holds


@dataclass(frozen=True, slots=True)
class CaseResult:
    """A case, the predictions for its texts, and whether it passed."""

    case: Case
    said: tuple[Prediction, ...]
    passed: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Number of passed cases and of all cases."""

    passed: int
    cases: int

    @property
    def rate(self) -> float:
        """Share of passed cases, in [0, 1]."""
        return self.passed / self.cases


@dataclass(frozen=True, slots=True)
class FamilyResult:
    """The results of one family, in the order of its cases."""

    family: Family
    outcomes: tuple[CaseResult, ...]

    @property
    def total(self) -> Count:
        """Over all languages."""
        return _count(self.outcomes)

    @property
    def by_language(self) -> dict[str, Count]:
        """Counts per language, in the order of the family's file."""
        languages = dict.fromkeys(outcome.case.language for outcome in self.outcomes)
        return {
            language: _count([o for o in self.outcomes if o.case.language == language])
            for language in languages
        }

    @property
    def failures(self) -> tuple[CaseResult, ...]:
        """Cases that did not pass."""
        return tuple(outcome for outcome in self.outcomes if not outcome.passed)

    def as_dict(self) -> dict[str, Any]:
        """Counts for a manifest."""
        counts = {"all": self.total, **self.by_language}
        return {
            "name": self.family.name,
            **{key: {"passed": n.passed, "cases": n.cases} for key, n in counts.items()},
        }


def measure_robustness(
    classifier: SentimentClassifier, families: Sequence[Family] | None = None
) -> Sequence[FamilyResult]:
    """Run all cases on a classifier.

    Args:
        classifier: is called once, with all texts of all cases.
        families: the shipped families if ``None``.

    Returns:
        One result per family, in their order.

    Raises:
        BackendError: the runtime failed.
    """
    families = load_families() if families is None else families
    texts = [text for family in families for case in family.cases for text in case.texts]
    said = iter(classifier.predict(texts))
    return [
        FamilyResult(
            family,
            tuple(_outcome(case, tuple(next(said) for _ in case.texts)) for case in family.cases),
        )
        for family in families
    ]


def _outcome(case: Case, said: tuple[Prediction, ...]) -> CaseResult:
    return CaseResult(case, said, holds(case.expect, said))


def _count(outcomes: Sequence[CaseResult]) -> Count:
    return Count(sum(outcome.passed for outcome in outcomes), len(outcomes))
