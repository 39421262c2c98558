"""What a relation demands, how cases are counted, and what the command prints."""

from collections.abc import Sequence

import pytest
from typer.testing import CliRunner

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from model.types import Prediction
from training.cli import app
from training.robustness.cases import Case, Family, load_families
from training.robustness.measure import Count, FamilyResult, measure_robustness
from training.robustness.relations import Relation, holds

Shares = tuple[float, float, float]

BAD: Shares = (0.7, 0.2, 0.1)
PLAIN: Shares = (0.2, 0.6, 0.2)
GOOD: Shares = (0.1, 0.2, 0.7)

JUDGED: list[tuple[Relation, list[Shares], bool]] = [
    (Relation.POSITIVE, [GOOD], True),
    (Relation.POSITIVE, [PLAIN], False),
    (Relation.NEGATIVE, [BAD], True),
    (Relation.NEGATIVE, [PLAIN], False),
    (Relation.NOT_POSITIVE, [PLAIN], True),
    (Relation.NOT_POSITIVE, [BAD], True),
    (Relation.NOT_POSITIVE, [GOOD], False),
    (Relation.NOT_NEGATIVE, [PLAIN], True),
    (Relation.NOT_NEGATIVE, [GOOD], True),
    (Relation.NOT_NEGATIVE, [BAD], False),
    (Relation.UNSURE, [(0.9, 0.05, 0.05)], True),
    (Relation.UNSURE, [(0.91, 0.05, 0.04)], False),
    (Relation.UNSURE, [(0.04, 0.91, 0.05)], False),
    (Relation.UNSURE, [(0.04, 0.05, 0.91)], False),
    (Relation.VALID, [(0.3333, 0.3334, 0.3333)], True),
    (Relation.VALID, [(0.0, 1.0, 0.0)], True),
    (Relation.VALID, [(0.3, 0.3, 0.3)], False),
    (Relation.VALID, [(-0.1, 0.6, 0.5)], False),
    (Relation.VALID, [(1.2, -0.1, -0.1)], False),
    (Relation.VALID, [(float("nan"), 0.5, 0.5)], False),
    (Relation.SAME, [(0.50, 0.30, 0.20), (0.52, 0.29, 0.19)], True),
    (Relation.SAME, [(0.50, 0.30, 0.20), (0.48, 0.32, 0.20)], True),
    (Relation.SAME, [(0.50, 0.30, 0.20), (0.53, 0.28, 0.19)], False),
    (Relation.SAME, [(0.50, 0.30, 0.20), (0.51, 0.26, 0.23)], False),
    (Relation.SAME_SIGN, [BAD, (0.4, 0.35, 0.25)], True),
    (Relation.SAME_SIGN, [(0.45, 0.40, 0.15), (0.40, 0.45, 0.15)], True),
    (Relation.SAME_SIGN, [(0.55, 0.30, 0.15), (0.40, 0.45, 0.15)], False),
    (Relation.SAME_SIGN, [(0.42, 0.18, 0.40), (0.40, 0.18, 0.42)], False),
    (Relation.SAME_SIGN, [GOOD, BAD], False),
    (Relation.NOT_MILDER, [BAD, (0.9, 0.05, 0.05)], True),
    (Relation.NOT_MILDER, [BAD, (0.65, 0.25, 0.10)], True),
    (Relation.NOT_MILDER, [BAD, (0.64, 0.26, 0.10)], False),
    (Relation.ANGRIER, [PLAIN, BAD], True),
    (Relation.ANGRIER, [BAD, (0.68, 0.22, 0.10)], True),
    (Relation.ANGRIER, [BAD, (0.67, 0.23, 0.10)], False),
    (Relation.ANGRIER, [PLAIN, (0.4, 0.5, 0.1)], False),
    (Relation.ANGRIER, [PLAIN, GOOD], False),
    (Relation.MORE_NEGATIVE, [PLAIN, (0.3, 0.5, 0.2)], True),
    (Relation.MORE_NEGATIVE, [PLAIN, (0.29, 0.51, 0.2)], False),
    (Relation.MORE_NEGATIVE, [BAD, PLAIN], False),
]

MADE = Family(
    "made",
    "a family for a test",
    "none",
    (
        Case("en", Relation.NEGATIVE, ("bad",)),
        Case("en", Relation.NEGATIVE, ("lovely [red] weather",)),
        Case("ko", Relation.NOT_MILDER, ("별로", "별로 별로")),
        Case("en", Relation.ANGRIER, ("love, great", "love, great 😡")),
    ),
)


@pytest.fixture
def fake() -> SentimentClassifier:
    return SentimentClassifier.from_backend(FakeBackend())


@pytest.mark.parametrize(("relation", "said", "met"), JUDGED)
def test_a_relation_is_judged(relation: Relation, said: list[Shares], met: bool) -> None:
    assert holds(relation, [Prediction(*shares) for shares in said]) is met


def test_every_relation_is_judged_both_ways_and_knows_its_texts() -> None:
    for relation in Relation:
        assert {met for kind, _, met in JUDGED if kind is relation} == {True, False}
        assert {len(said) for kind, said, _ in JUDGED if kind is relation} == {relation.texts}


def test_an_impossible_offensiveness_is_not_valid() -> None:
    assert holds(Relation.VALID, [Prediction(0.2, 0.6, 0.2, offensive=1.0)])
    assert not holds(Relation.VALID, [Prediction(0.2, 0.6, 0.2, offensive=1.1)])


def test_cases_are_counted_by_family_and_language(fake: SentimentClassifier) -> None:
    (result,) = measure_robustness(fake, [MADE])
    assert [outcome.passed for outcome in result.outcomes] == [True, False, True, False]
    assert result.total == Count(passed=2, cases=4)
    assert result.total.rate == 0.5
    assert result.by_language == {"en": Count(1, 3), "ko": Count(1, 1)}
    assert [outcome.case for outcome in result.failures] == [MADE.cases[1], MADE.cases[3]]
    assert result.as_dict() == {
        "name": "made",
        "all": {"passed": 2, "cases": 4},
        "en": {"passed": 1, "cases": 3},
        "ko": {"passed": 1, "cases": 1},
    }


def test_each_case_keeps_its_own_answers(fake: SentimentClassifier) -> None:
    (result,) = measure_robustness(fake, [MADE])
    for outcome in result.outcomes:
        assert list(outcome.said) == fake.predict(outcome.case.texts)


def test_the_shipped_families_are_the_default(fake: SentimentClassifier) -> None:
    results = measure_robustness(fake)
    assert [result.family for result in results] == load_families()
    valid = [o for r in results for o in r.outcomes if o.case.expect is Relation.VALID]
    assert valid
    assert all(outcome.passed for outcome in valid)


@pytest.fixture(scope="module")
def shipped() -> Sequence[FamilyResult]:
    """Of the model that comes with the package."""
    return measure_robustness(SentimentClassifier.load())


def test_the_shipped_model_answers_validly_and_alike_whoever_is_named(
    shipped: Sequence[FamilyResult],
) -> None:
    outcomes = [outcome for result in shipped for outcome in result.outcomes]
    assert all(o.passed for o in outcomes if o.case.expect is Relation.VALID)
    named = [o for o in outcomes if o.case.texts[0].startswith("@lena.vane ")]
    assert [outcome.said[0] == outcome.said[1] for outcome in named] == [True]


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, ["evaluate", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def on_made(monkeypatch: pytest.MonkeyPatch, fake: SentimentClassifier) -> None:
    """The command with the fake model and the family made here."""
    monkeypatch.setattr(SentimentClassifier, "load", lambda *_, **__: fake)
    monkeypatch.setattr("training.robustness.measure.load_families", lambda: [MADE])


@pytest.mark.usefixtures("on_made")
def test_the_command_prints_rates() -> None:
    code, output = run("--robustness")
    assert code == 0, output
    assert "fake-lexicon-1" in output
    row = next(line for line in output.splitlines() if "made" in line)
    assert [cell.strip() for cell in row.strip("│ ").split("│")] == [
        "made",
        "2/4 50%",
        "1/3 33%",
        "1/1 100%",
    ]
    assert "lovely" not in output


@pytest.mark.usefixtures("on_made")
def test_the_command_shows_failures(fake: SentimentClassifier) -> None:
    code, output = run("some-model", "--robustness", "--failures")
    assert code == 0, output
    lines = output[output.index("made en negative") :].splitlines()
    said = fake.predict(["lovely [red] weather", "love, great", "love, great 😡"])
    shares = [f"{p.negative:.3f} {p.neutral:.3f} {p.positive:.3f}" for p in said]
    assert lines == [
        "made en negative",
        f"    {shares[0]}  lovely [red] weather",
        "made en angrier",
        f"    {shares[1]}  love, great",
        f"    {shares[2]}  love, great 😡",
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--failures"], "--failures needs --robustness"),
        (["--robustness", "--stream", "x.csv"], "not both"),
    ],
)
def test_options_that_do_not_go_together(arguments: list[str], says: str) -> None:
    code, output = run(*arguments)
    assert code == 2
    assert says in output
