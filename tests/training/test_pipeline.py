"""The whole way of a recipe, on a tiny model."""

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from typer.testing import CliRunner

from model.artifact import ModelArtifact
from model.classifier import SentimentClassifier
from model.torch_backend import TorchBackend
from tests.conftest import Smoke
from tests.training import tiny
from training.checkpoint import load_base
from training.cli import app
from training.errors import BaseModelError, ParityError
from training.evaluate import measure
from training.export import PRECISIONS, parity, quantise
from training.graph_weights import read_graph
from training.prepare import prepare
from training.recipe import load_recipe
from training.robustness.measure import measure_robustness

PICTURES = {
    "reliability-sentiment.svg", "reliability-offensive.svg", "reliability-languages.svg",
}  # fmt: skip


def test_artifact_learnt_its_sets(smoke: Smoke) -> None:
    classifier = SentimentClassifier.load(smoke.artifact)
    bad, plain, good, rude = classifier.predict(
        ["awful monday train", "blue table train", "lovely monday train", "moron blue table"]
    )
    assert [said.label for said in (bad, plain, good)] == ["negative", "neutral", "positive"]
    assert rude.offensive is not None
    assert plain.offensive is not None
    assert rude.offensive > 0.8 > 0.2 > plain.offensive


def test_manifest_names_recipe_data_and_versions(smoke: Smoke) -> None:
    artifact = ModelArtifact.load(smoke.artifact)
    artifact.verify()
    assert set(artifact.details["data"]) == {path.name for path in smoke.data.iterdir()}
    assert artifact.details["recipe"]["sha256"]
    assert artifact.details["versions"]["onnxruntime"]
    assert {"moods", "stars", "insults"} <= {m["name"] for m in artifact.details["metrics"]}
    assert set(artifact.files) == {
        "model.onnx", "tokenizer.json", "config.json", "MODEL_CARD.md", *PICTURES,
    }  # fmt: skip


def test_card_holds_the_measured_figures_and_the_terms(smoke: Smoke) -> None:
    card = (smoke.artifact / "MODEL_CARD.md").read_text()
    metrics = ModelArtifact.load(smoke.artifact).details["metrics"]
    moods = next(m for m in metrics if m["name"] == "moods")
    assert f"| moods | sentiment | {moods['rows']} | {100 * moods['macro_f1']:.1f}" in card
    assert "| stars | sentiment | made for a test |" in card


def test_card_shows_calibration_beside_what_chance_would_give(smoke: Smoke) -> None:
    card = (smoke.artifact / "MODEL_CARD.md").read_text()
    details = ModelArtifact.load(smoke.artifact).details
    moods = next(m for m in details["metrics"] if m["name"] == "moods")
    assert f"| {moods['calibration_error']:.3f} | {moods['calibration_floor']:.3f} |" in card
    for head, found in details["calibration"].items():
        assert f"* `{head}`: temperature {details['temperatures'][head]:.3f}; ECE" in card
        assert f"{found['held_out_floor']:.3f} by chance" in card
    assert set(re.findall(r"!\[Reliability of [a-z ]+\]\(([^)]+)\)", card)) == PICTURES


def test_card_and_manifest_hold_the_robustness_of_what_is_shipped(smoke: Smoke) -> None:
    found = measure_robustness(SentimentClassifier.load(smoke.artifact))
    written = ModelArtifact.load(smoke.artifact).details["robustness"]
    assert written == [family.as_dict() for family in found]
    card = (smoke.artifact / "MODEL_CARD.md").read_text()
    assert "| family | all | en | vi | ko |" in card
    for family in found:
        counts = [family.total, *family.by_language.values()]
        cells = [f"{n.passed}/{n.cases} ({100 * n.rate:.0f}%)" for n in counts]
        assert f"| {' | '.join([family.family.name, *cells])} |" in card


def test_packaging_again_gives_the_same_artifact(smoke: Smoke, tmp_path: Path) -> None:
    run = tmp_path / "run"
    shutil.copytree(smoke.run, run)
    (run / "int8" / "model.onnx").write_bytes(b"cut short")
    arguments = ["train", "smoke", "--data", smoke.data, "--base", smoke.base, "--run", run]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    assert "resuming at step 60" in result.output
    again, before = ModelArtifact.load(run / "artifact"), ModelArtifact.load(smoke.artifact)
    again.verify()
    assert again.files == before.files
    assert again.details == before.details


def test_eight_bits_cost_at_most_half_a_point(smoke: Smoke) -> None:
    lost = ModelArtifact.load(smoke.artifact).details["parity"]
    assert set(lost) == {"moods", "stars", "insults"}
    assert max(lost.values()) <= 0.005


def test_torch_weights_answer_as_the_graph(smoke: Smoke) -> None:
    texts = ["awful monday train", "lovely blue", "idiot", "xyz 好 😡"]
    graph = SentimentClassifier.load(smoke.run / "float32-onnx").predict(texts)
    assert SentimentClassifier.load(smoke.run / "float32").model_id.endswith("+float32")
    artifact = replace(ModelArtifact.load(smoke.run / "float32"), temperatures={})
    weights = SentimentClassifier.from_backend(TorchBackend.from_artifact(artifact))
    for a, b in zip(graph, weights.predict(texts), strict=True):
        assert a.negative == pytest.approx(b.negative, abs=1e-4)
        assert a.offensive == pytest.approx(b.offensive, abs=1e-4)


def test_a_run_starts_from_an_earlier_one(smoke: Smoke) -> None:
    base = load_base(str(smoke.run / "float32"))
    earlier = load_file(smoke.run / "float32" / "model.safetensors")
    for name, value in base.encoder.state_dict().items():
        assert torch.equal(value, earlier[f"encoder.{name}"]), name
    assert base.pad_id == ModelArtifact.load(smoke.artifact).pad_id
    assert "smoke-" in base.origin
    assert (
        base.tokenizer.encode("awful").ids
        == Tokenizer.from_file(str(smoke.artifact / "tokenizer.json")).encode("awful").ids
    )


def test_a_run_starts_from_a_model_folder(smoke: Smoke) -> None:
    base = load_base(str(smoke.artifact))
    exact = load_file(smoke.run / "float32" / "model.safetensors")
    state = {f"encoder.{name}": value for name, value in base.encoder.state_dict().items()}
    for name, head in base.heads.items():
        state |= {f"heads.{name}.weight": head.weight, f"heads.{name}.bias": head.bias}
    assert state.keys() == exact.keys()
    for name, value in state.items():
        largest = float(exact[name].abs().max())
        assert torch.allclose(value, exact[name], atol=largest / 127), name


@pytest.mark.parametrize("precision", PRECISIONS)
def test_either_precision_can_be_read_back(smoke: Smoke, tmp_path: Path, precision: str) -> None:
    quantise(smoke.run / "float32-onnx" / "model.onnx", tmp_path / "model.onnx", precision)
    exact = load_file(smoke.run / "float32" / "model.safetensors")
    found = read_graph(tmp_path / "model.onnx")
    assert found.keys() == exact.keys()
    for name, value in exact.items():
        assert np.abs(found[name] - value.numpy()).max() <= float(value.abs().max()) / 127, name


def test_kept_heads_answer_before_any_step(smoke: Smoke) -> None:
    plan = replace(load_recipe("smoke"), bases=(str(smoke.artifact),), keep_heads=True)
    plan = replace(plan, vocabulary=replace(plan.vocabulary, trim=False))
    start = prepare(plan, smoke.data)
    start.network.eval()
    ids = torch.tensor([start.tokenizer.encode("awful monday train").ids])
    sentiment, _ = start.network(ids, torch.ones_like(ids))
    assert sentiment.argmax().item() == 0
    fresh = prepare(replace(plan, keep_heads=False), smoke.data).network
    assert not torch.equal(fresh.heads["sentiment"].weight, start.network.heads["sentiment"].weight)


def test_a_changed_run_is_no_base(smoke: Smoke, tmp_path: Path) -> None:
    broken = shutil.copytree(smoke.run / "float32", tmp_path / "float32")
    with (broken / "tokenizer.json").open("a") as stream:
        stream.write(" ")
    with pytest.raises(BaseModelError, match="does not match its manifest"):
        load_base(str(broken))


def test_evaluate_prints_every_set(smoke: Smoke) -> None:
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["evaluate", str(smoke.artifact), "--data", str(smoke.data), "--recipe", "smoke"]
    )
    assert result.exit_code == 0, result.output
    for name in ("moods", "stars", "insults", "all sentiment sets"):
        assert name in result.output


def test_evaluate_a_stream(smoke: Smoke, tmp_path: Path) -> None:
    stream = tmp_path / "stream.csv"
    tiny.write_rows(stream, [("awful train", "negative"), ("lovely train", "positive")] * 3)
    result = CliRunner(env={"COLUMNS": "200"}).invoke(
        app, ["evaluate", str(smoke.artifact), "--stream", str(stream)]
    )
    assert result.exit_code == 0, result.output
    assert "100.0" in result.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "no-such-recipe"], "no recipe"),
        (["train", "smoke", "--data", "no-such-folder"], "no data folder"),
        (["evaluate", "--stream", "no-such.parquet"], "no-such.parquet"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    arguments: list[str], says: str, smoke: Smoke
) -> None:
    if arguments[0] == "evaluate":
        arguments = [*arguments[:1], str(smoke.artifact), *arguments[1:]]
    result = CliRunner(env={"COLUMNS": "200"}).invoke(app, arguments)
    assert result.exit_code == 2
    assert says in result.output


def test_parity_gate_fails_on_a_set_that_lost() -> None:
    truth = np.array([0, 1] * 100)
    right = np.eye(2)[truth]
    wrong = right.copy()
    wrong[:4] = wrong[:4, ::-1]
    before = [measure("a", "sentiment", truth, right)]
    assert parity(before, before) == {"a": 0.0}
    with pytest.raises(ParityError, match=r"costs a 2\.0"):
        parity(before, [measure("a", "sentiment", truth, wrong)])
    worse = [measure("a", "sentiment", truth, wrong)]
    assert parity(worse, before)["a"] < -0.015  # a gain is no reason to refuse


def test_parity_gate_spares_two_texts_of_a_small_set() -> None:
    truth = np.array([0, 1] * 50)
    right = np.eye(2)[truth]
    flipped = right.copy()
    flipped[:2] = flipped[:2, ::-1]
    before = [measure("a", "sentiment", truth, right)]
    assert parity(before, [measure("a", "sentiment", truth, flipped)])["a"] <= 0.0201
    flipped[2] = flipped[2, ::-1]
    with pytest.raises(ParityError, match=r"the limit is 2\.0"):
        parity(before, [measure("a", "sentiment", truth, flipped)])


def test_journal_is_one_json_object_a_line(smoke: Smoke) -> None:
    lines = (smoke.run / "journal.jsonl").read_text().splitlines()
    notes = [json.loads(line) for line in lines]
    assert notes[-1]["step"] == 60
    assert "moods.f1" in notes[-1]
