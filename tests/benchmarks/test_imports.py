"""The benchmark of imports measures imports that took everything."""

from pathlib import Path

import pytest

from benchmarks import imports


@pytest.mark.parametrize("way", ["read", "unscored"])
@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_every_row_is_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str, ending: str
) -> None:
    monkeypatch.setattr(imports.SentimentClassifier, "load", imports.SentimentClassifier.load)
    path = tmp_path / f"c.{ending}"
    imports.write_file(path, 300, ending)
    measured = imports.measure(way, path)
    assert measured["rows"] == 300
    assert measured["seconds"] >= 0
    assert measured["peak_mib"] > 10


def test_each_way_gets_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def one(way: str, path: Path) -> dict[str, float]:
        lines = path.read_text(encoding="utf-8").count("\n")
        asked.append((way, path.suffix, lines))
        return {"rows": lines, "seconds": 2.0, "peak_mib": 99}

    found = imports.run(50, 20, one)
    assert asked == [
        ("read", ".csv", 51),
        ("unscored", ".csv", 51),
        ("scored", ".csv", 21),
        ("read", ".ndjson", 50),
    ]
    assert [row["rows_a_second"] for row in found] == [26, 26, 10, 25]
