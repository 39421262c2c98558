"""Every value that a detector gives for an alert can be had from the stored evidence alone.

The formulas are those of docs/detection.md, written anew with scipy; no detector is called.
"""

import json
from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from scipy.special import betaln

from monitoring.alerts import AlertEvent
from monitoring.engine import Engine
from monitoring.evidence import DetectorScore, Evidence
from monitoring.windows import WindowStats
from tests.monitoring.streams import MINUTE, START

DAYS = 6
END = DAYS * 1440


def stream(
    begin: int, added: float, dark: float, bright: float, hush: float = 0.0
) -> Iterator[WindowStats]:
    """Six calm days and one on which a crowd comes; a part of the normal praise falls silent."""
    rng = np.random.default_rng(11)
    for minute in range(END + 1440):
        n = int(rng.poisson(0.6))
        k = float(rng.binomial(n, 0.12))
        positive = float(rng.binomial(n - int(k), 0.5))
        if minute >= begin:
            more = int(rng.poisson(added))
            worse = int(rng.binomial(more, dark))
            n, k = n + more, k + 0.9 * worse
            positive = (1 - hush) * positive + 0.95 * int(rng.binomial(more - worse, bright))
        if n:
            yield WindowStats("lena", START + minute * MINUTE, n, k, positive)


CROWDS = {
    "storm": (END + 600, 4.0, 0.8, 0.1),
    "slow burn": (END + 120, 0.15, 0.75, 0.1, 0.6),
    "praise": (END + 600, 4.0, 0.02, 0.9),
}


@pytest.fixture(scope="module")
def events() -> list[AlertEvent]:
    """All that three engines reported on the three crowds, through JSON and back."""
    found = []
    for crowd in CROWDS.values():
        engine = Engine()
        for window in stream(*crowd):
            found += engine.observe_window(window)
    return found


def said(events: list[AlertEvent], name: str) -> list[DetectorScore]:
    stored = (json.loads(json.dumps(event.evidence.to_dict())) for event in events)
    scores = (score for data in stored for score in Evidence.from_dict(data).scores)
    return [score for score in scores if score.name == name and score.value > 0]


def ratio(n: float, k: float, other: float, usual: float, kappa: float) -> float:
    """Log of the beta-binomial probability of k in n at `other`, less that at `usual`."""

    def log_probability(share: float) -> float:
        a, b = share * kappa, (1 - share) * kappa
        return float(betaln(k + a, n - k + b) - betaln(a, b))

    return log_probability(other) - log_probability(usual)


def by_share(i: Mapping[str, float]) -> float:
    return ratio(i["n"] / i["phi"], i["k"] / i["phi"], i["p1"], i["p"], i["kappa"])


def by_hours(i: Mapping[str, float]) -> tuple[float, float, float]:
    darker = min(i["k"] / i["n"], 0.995)
    share = ratio(i["n"] / i["phi"], i["k"] / i["phi"], darker, i["p"], i["kappa"])
    rest, silence = i["n"] - i["k"], 0.0
    if i["positive"] < i["b"] * rest:
        fewer = max(i["positive"] / rest, 0.005)
        phi = i["phi_b"]
        silence = min(ratio(rest / phi, i["positive"] / phi, fewer, i["b"], i["kappa"]), 3.0)
    z = np.log((i["k"] + 1) / (i["expected"] * i["p"] + 1))
    return share, silence, float(min(z * z / i["s2"] / 2, 4.0))


@pytest.mark.parametrize("name", ["share_shift", "praise_shift"])
def test_a_shift_is_recomputed_from_what_is_stored(events, name):
    scores = said(events, name)
    assert any(score.value >= score.threshold for score in scores)
    for score in scores:
        assert by_share(score.inputs) == pytest.approx(score.value, rel=1e-9)


def test_hour_scan_is_recomputed_from_what_is_stored(events):
    scores = said(events, "hour_scan")
    assert any(score.value >= score.threshold for score in scores)
    for score in scores:
        parts = by_hours(score.inputs)
        told = [score.inputs[part] for part in ("share_nats", "silence_nats", "count_nats")]
        assert parts == pytest.approx(told, rel=1e-9)
        assert sum(parts) == pytest.approx(score.value, rel=1e-9)
    assert any(score.inputs["silence_nats"] > 0 for score in scores)


def test_the_stretch_of_an_opening_is_the_one_that_is_shown(events):
    openings = [event for event in events if event.reason == "opened" and event.pages]
    assert openings
    for event in openings:
        shown = event.evidence
        top = max(shown.scores, key=lambda score: score.value / score.threshold)
        told = [top.inputs[name] for name in ("n", "k", "p")]
        assert told == [shown.comments, shown.negative, shown.expected_negative_share]


def test_what_said_nothing_has_no_inputs(events):
    silent = [s for event in events for s in event.evidence.scores if s.value == 0]
    assert silent
    assert not any(score.inputs for score in silent)


def test_evidence_stored_before_there_were_inputs_is_read(events):
    data = events[0].evidence.to_dict()
    for score in data["scores"]:
        del score["inputs"]
    assert all(score.inputs == {} for score in Evidence.from_dict(data).scores)
