"""Models measured side by side, on the tiny one."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks.classifier import main, turns, val_texts
from model.artifact import ModelArtifact
from tests.conftest import Smoke


def test_everybody_has_a_turn_a_round_and_nobody_is_always_first() -> None:
    assert list(turns(3, 3)) == [0, 1, 2, 1, 2, 0, 2, 0, 1]
    assert list(turns(1, 2)) == [0, 0]


def test_texts_are_the_same_and_of_every_set(smoke: Smoke) -> None:
    texts = val_texts("smoke", smoke.data, 10)
    assert texts == val_texts("smoke", smoke.data, 10)
    assert len(texts) >= 30
    assert any("moron" in text or "idiot" in text for text in texts)


def test_table_and_file_hold_every_model(
    smoke: Smoke,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    models = [smoke.artifact, smoke.run / "float32-onnx"]
    out = tmp_path / "result.json"
    given = [*models, "--data", smoke.data, "--recipe", "smoke", "--rows", "3", "--rounds", "1"]
    command = ["classifier", *given, "--threads", "1", "--out", out]
    monkeypatch.setattr(sys, "argv", [str(part) for part in command])
    main()
    printed = capsys.readouterr().out
    result = json.loads(out.read_text())
    assert [row["model"] for row in result["models"]] == [
        ModelArtifact.load(path).model_id for path in models
    ]
    shipped, whole = result["models"]
    for row in result["models"]:
        assert row["model"] in printed
    assert shipped["megabytes"] > 0
    pooled = next(
        m for m in ModelArtifact.load(smoke.artifact).details["metrics"]
        if m["name"] == "all sentiment sets"
    )  # fmt: skip
    assert shipped["sentiment"] == pooled["macro_f1"]
    assert whole["sentiment"] is None  # an intermediate folder, nothing measured
    for row in result["models"]:
        for name in ("single", "batched", "cpu_seconds", "load_seconds"):
            middle, low, high = row[name]
            assert 0 < low <= middle <= high
    assert result["machine"]["onnxruntime"]
    assert result["how"]["threads"] == 1
