"""The documents have the figures of the committed result files."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import figures
from benchmarks.load import report as load_report
from benchmarks.load.loads import LOADS
from benchmarks.soak import report as soak_report

DOCUMENTS = {path.stem: path for path in figures.DOCUMENTS}
ROW = {"load": "rest", "p50": 0.061, "p99": 0.3}
LOAD = {
    "machine": {"cpus": 2}, "day": "2026-03-01", "seconds": 60.0, "every": 0.2, "scale": 1.0,
    "databases": {
        "SQLite": {"capacity": 1234, "loads": [ROW, ROW | {"load": "storm", "p99": 1.25}]},
        "PostgreSQL": {"capacity": 99, "loads": [ROW, ROW | {"load": "storm"}]},
    },
}  # fmt: skip
SOAK = {
    "day": "2026-03-01", "minutes": 60.0, "warm_up_minutes": 10.0, "cores": 1, "kols": 12,
    "capacity": 100.0, "rate": 70.0, "comments": 123_456, "alerts": 9, "notifications": 80,
    "actions": 30, "readers": 20, "events_read": 1600, "delay": {"p50": 0.25, "p99": 0.75},
    "memory": {
        name: {"first": 500.0, "last": 510.0, "change": 0.02} for name in ("resident", "own")
    },
    "faults": {"lost": 0, "diverging_alerts": 0},
}  # fmt: skip


def committed(name: str) -> Any:
    path = figures.RESULTS / f"{name}.json"
    if not path.exists():
        pytest.skip(f"there is no result of a run of benchmarks.{name} yet")
    return json.loads(path.read_text())


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_have_the_figures_of_the_results(name: str) -> None:
    text = DOCUMENTS[name].read_text()
    assert figures.renewed(text) == text, "run: python -m benchmarks.figures"


def test_all_results_have_a_place() -> None:
    shown = "".join(path.read_text() for path in figures.DOCUMENTS)
    assert all(f"<!-- figures: {name} -->" in shown for name in figures.WRITERS)


def test_new_results_change_the_documents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, found in (("load", LOAD), ("soak", SOAK)):
        (tmp_path / f"{name}.json").write_text(json.dumps(found))
    monkeypatch.setattr(figures, "RESULTS", tmp_path)
    reliability = figures.renewed(DOCUMENTS["reliability"].read_text())
    assert "Last run, 1 March 2026: 60 minutes on one core" in reliability
    assert "| comments | 123,456 |" in reliability
    assert "| diverging alerts | 0 |" in reliability
    security = figures.renewed(DOCUMENTS["security"].read_text())
    assert "| a storm on one KOL, at half of the capacity | 0.06 | 1.25 | 0.06 | 0.30 |" in security
    assert figures.renewed(security) == security
    (tmp_path / "load.json").unlink()
    assert figures.renewed(security) == security


def test_the_committed_loads_are_a_whole_run_and_within_the_limit() -> None:
    found = committed("load")
    assert list(found["databases"]) == ["SQLite", "PostgreSQL"]
    for one in found["databases"].values():
        assert [row["load"] for row in one["loads"]] == list(LOADS)
    assert found["scale"] == 1
    assert load_report.failures(found) == []


def test_the_committed_soak_is_a_whole_run_without_faults() -> None:
    found = committed("soak")
    assert found["minutes"] >= 60
    assert soak_report.failures(found) == []
