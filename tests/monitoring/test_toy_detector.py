"""One file adds a detector: toy_detector.py, which nothing in the product names."""

import importlib
import sys
from collections.abc import Callable, Iterator

import pytest

from monitoring.alerts import AlertEvent
from monitoring.detectors import registry
from monitoring.detectors.registry import detector_types
from monitoring.engine import Engine
from monitoring.errors import SnapshotError
from monitoring.windows import WindowStats
from tests.monitoring.detector_contract import CHECKS
from tests.monitoring.streams import MINUTE, START, windows

MODULE = "tests.monitoring.toy_detector"
DAY = 1440
CALM = list(windows(21, 0.5, 3 * DAY))
# Too little for the shipped detectors, and enough for the toy.
BRIEF = [WindowStats("lena", START + (3 * DAY + at) * MINUTE, 1, 1.0, 0.0) for at in range(5)]


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The toy's file, imported; afterwards the table is as before."""
    before = detector_types()
    with monkeypatch.context() as patch:
        patch.setattr(registry, "_TYPES", dict(before))
        importlib.import_module(MODULE)
        assert set(detector_types()) - set(before) == {"toy"}
        yield
    del sys.modules[MODULE]
    assert detector_types() == before


def feed(engine: Engine, stream: list[WindowStats]) -> list[AlertEvent]:
    return [event for window in stream for event in engine.observe_window(window)]


def test_the_shipped_detectors_open_nothing() -> None:
    assert feed(Engine(), CALM + BRIEF) == []


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_toy_keeps_the_contract(check: Callable[[str], None]) -> None:
    check("toy")


@pytest.mark.usefixtures("toy")
def test_the_toy_opens_an_alert_and_is_in_its_evidence() -> None:
    engine = Engine()
    (opened,) = feed(engine, CALM + BRIEF)
    assert (opened.reason, opened.pages) == ("opened", True)
    scores = {score.name: score for score in opened.evidence.scores}
    assert list(scores) == ["share_shift", "toy", "hour_scan"]
    assert scores["toy"].value >= scores["toy"].threshold
    assert scores["toy"].inputs["k"] == opened.evidence.negative
    assert scores["share_shift"].value < scores["share_shift"].threshold
    assert engine.status("lena").score >= 1.0
    # The stretch that is shown is the toy's.
    assert opened.evidence.incident_start >= START + 3 * DAY * MINUTE - 30 * MINUTE


@pytest.mark.usefixtures("toy")
@pytest.mark.parametrize("cut", [1, 3, 4])
def test_the_toy_survives_a_snapshot(cut: int) -> None:
    whole, broken = Engine(), Engine()
    expected = feed(whole, CALM + BRIEF)
    feed(broken, CALM + BRIEF[:cut])
    again = Engine()
    again.restore("lena", broken.snapshot("lena"))
    assert again.snapshot("lena") == broken.snapshot("lena")
    assert feed(again, BRIEF[cut:]) == (expected if cut < 5 else [])
    assert again.snapshot("lena") == whole.snapshot("lena")


def test_a_snapshot_without_the_toy_is_refused_by_a_build_that_has_it(
    toy: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine()
    feed(engine, CALM[:100])
    with monkeypatch.context() as patch:
        without = {name: one for name, one in detector_types().items() if name != "toy"}
        patch.setattr(registry, "_TYPES", without)
        with pytest.raises(SnapshotError, match=r"detectors .*toy.*, this build has"):
            Engine().restore("lena", engine.snapshot("lena"))
