"""A student of fewer layers that learns from a trained model."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional
from typer.testing import CliRunner

from model.artifact import ModelArtifact
from model.classifier import SentimentClassifier
from model.network import Network
from tests.training import tiny
from training.checkpoint import load_base
from training.cli import app
from training.errors import RecipeError, TrainingError
from training.export import export_weights
from training.finetune import Trainer, TrainingProgress, drawn, order, pad
from training.inference import quick_metrics
from training.package import special_pieces, write_manifest
from training.prepare import Prepared, prepare, tokenise
from training.recipe import Distillation, Recipe, load_recipe
from training.soft_targets import SoftTargets
from training.teacher import ANSWERS, predict

LAYERS = 4
pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_sets(tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def untaught(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    """The smoke recipe on four layers and the whole vocabulary."""
    base = tiny.write_base(tmp_path_factory.mktemp("base"), LAYERS)
    plan = load_recipe("smoke")
    optimisation = replace(plan.optimisation, dropout=0.0, learning_rate=3e-3)
    vocabulary = replace(plan.vocabulary, trim=False)
    return replace(plan, bases=(str(base),), vocabulary=vocabulary, optimisation=optimisation)


@pytest.fixture(scope="module")
def teacher(untaught: Recipe, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A trained model of four layers."""
    start = prepare(untaught, data)
    run = Trainer(start.network, untaught, start.train, tmp_path_factory.mktemp("run"), 1)
    run.run()
    assert min(f1(start).values()) > 0.9
    return write(start, untaught, tmp_path_factory.mktemp("teacher"))


@pytest.fixture
def recipe(untaught: Recipe, teacher: Path) -> Recipe:
    learning = Distillation(str(teacher), layers=2, weight=0.9)
    return replace(untaught, bases=(str(teacher),), distillation=learning)


def write(start: Prepared, recipe: Recipe, folder: Path) -> Path:
    export_weights(start.network, folder)
    start.tokenizer.save(str(folder / "tokenizer.json"))
    before, after = special_pieces(start.tokenizer)
    write_manifest(
        folder,
        {
            "name": "taught",
            "labels": {head.name: list(head.labels) for head in recipe.heads},
            "temperatures": {},
            "max_tokens": 128,
            "special": {"before": before, "after": after, "pad": start.pad_id},
            "base": start.origin,
        },
    )
    return folder


def f1(start: Prepared) -> dict[str, float]:
    val = [tokenise(split, start.tokenizer, 16) for split in start.corpus.val]
    figures = quick_metrics(start.network, val, start.pad_id, rows=1000)
    return {name: value for name, value in figures.items() if name.endswith(".f1")}


def answers(start: Prepared, recipe: Recipe, folder: Path) -> SoftTargets:
    assert start.teacher is not None
    return predict(start.teacher, start.train, drawn(recipe, start.train), start.pad_id, folder)


def trainer(recipe: Recipe, data: Path, folder: Path) -> tuple[Trainer, Prepared]:
    start = prepare(recipe, data)
    soft = answers(start, recipe, folder)
    return Trainer(start.network, recipe, start.train, folder, start.pad_id, soft), start


def test_no_more_layers_than_there_are(recipe: Recipe, data: Path) -> None:
    assert recipe.distillation is not None
    many = replace(recipe, distillation=replace(recipe.distillation, layers=5))
    with pytest.raises(RecipeError, match=r"layers = 5, but the base's encoder has 4"):
        prepare(many, data)


def test_a_student_starts_with_its_teachers_layers_and_heads(
    recipe: Recipe, data: Path, teacher: Path
) -> None:
    start = prepare(replace(recipe, keep_heads=True), data)
    theirs = load_base(str(teacher))
    mine = start.network.state_dict()
    whole = theirs.encoder.state_dict()
    bias = "encoder.layer.{}.output.dense.bias"
    assert torch.equal(mine["encoder." + bias.format(0)], whole[bias.format(1)])
    assert torch.equal(mine["encoder." + bias.format(1)], whole[bias.format(3)])
    assert torch.equal(mine["heads.sentiment.weight"], theirs.heads["sentiment"].weight)
    assert start.origin == f"layers 2, 4 of: {theirs.origin}"
    assert start.teacher is not None
    assert start.teacher.model_id == theirs.model_id


def test_teachers_that_do_not_fit(
    recipe: Recipe, untaught: Recipe, data: Path, tmp_path: Path
) -> None:
    start = prepare(untaught, data)
    bare = replace(recipe, distillation=Distillation(untaught.bases[0], layers=2))
    with pytest.raises(RecipeError, match="is not a model of an earlier run"):
        prepare(bare, data)
    sentiment, offensive = untaught.heads
    order_of_labels = replace(sentiment, labels=("positive", "neutral", "negative"))
    turned = replace(untaught, heads=(order_of_labels, offensive))
    other = write(start, turned, tmp_path / "labels")
    with pytest.raises(
        RecipeError, match="has the labels positive, neutral, negative; the recipe has neg"
    ):
        prepare(replace(recipe, distillation=Distillation(str(other), layers=2)), data)
    network = Network(start.network.encoder, {"sentiment": 3})
    single = replace(untaught, heads=(sentiment,))
    other = write(replace(start, network=network), single, tmp_path / "heads")
    with pytest.raises(RecipeError, match="has no head 'offensive'"):
        prepare(replace(recipe, distillation=Distillation(str(other), layers=2)), data)
    trimmed = replace(recipe, vocabulary=replace(recipe.vocabulary, trim=True, size=40))
    with pytest.raises(RecipeError, match="differ in vocabulary"):
        prepare(trimmed, data)


def test_loss_is_labels_and_teacher_by_their_shares(
    recipe: Recipe, data: Path, tmp_path: Path
) -> None:
    """The first step's loss equals one computed directly from the teacher."""
    assert recipe.distillation is not None
    run, start = trainer(recipe, data, tmp_path / "both")
    batch = next(order(recipe, start.train))
    ids, mask = pad(
        [start.train[s].ids[r] for s, r in zip(batch.sets, batch.rows, strict=True)], start.pad_id
    )
    assert start.teacher is not None
    with torch.no_grad():
        mine, theirs = start.network.eval()(ids, mask), start.teacher.network(ids, mask)
    heat = recipe.distillation.temperature
    soft = sum(
        (
            functional.softmax(their / heat, 1)
            * (functional.log_softmax(their / heat, 1) - functional.log_softmax(own / heat, 1))
        ).sum(1)
        for own, their in zip(mine, theirs, strict=True)
    )
    assert isinstance(soft, torch.Tensor)

    plain = replace(recipe, distillation=replace(recipe.distillation, weight=0.0))
    labels, _ = trainer(plain, data, tmp_path / "labels")
    expected = 0.1 * first_loss(labels) + 0.9 * heat**2 * float(soft.mean())
    assert first_loss(run) == pytest.approx(expected, rel=1e-4)


def first_loss(run: Trainer) -> float:
    seen: list[TrainingProgress] = []
    run.run(until=1, watch=seen.append)
    return seen[0].loss


def test_kept_answers_are_those_of_the_teacher(recipe: Recipe, data: Path, tmp_path: Path) -> None:
    start = prepare(recipe, data)
    assert start.teacher is not None
    first = answers(start, recipe, tmp_path)
    reported: list[tuple[int, int]] = []
    rows = drawn(recipe, start.train)
    again = predict(
        start.teacher, start.train, rows, start.pad_id, tmp_path,
        watch=lambda done, of: reported.append((done, of)),
    )  # fmt: skip
    assert reported == []
    for one, two in zip(first.logits, again.logits, strict=True):
        assert np.array_equal(one, two, equal_nan=True)
    batch = next(order(recipe, start.train))
    ids, mask = pad(
        [start.train[s].ids[r] for s, r in zip(batch.sets, batch.rows, strict=True)], start.pad_id
    )
    with torch.no_grad():
        live = start.teacher.network(ids, mask)
    for kept, now in zip(again.of(batch), live, strict=True):
        assert torch.allclose(kept, now, atol=1e-5)


def test_only_drawn_rows_are_predicted_and_more_later(
    recipe: Recipe, data: Path, tmp_path: Path
) -> None:
    start = prepare(recipe, data)
    assert start.teacher is not None
    short = replace(recipe, optimisation=replace(recipe.optimisation, steps=2))
    few = answers(start, short, tmp_path)
    before = sum(int((~np.isnan(logits).any(axis=1)).sum()) for logits in few.logits)
    assert before == sum(int(rows.sum()) for rows in drawn(short, start.train)) <= 32
    reported: list[tuple[int, int]] = []
    rows = drawn(recipe, start.train)
    predict(
        start.teacher, start.train, rows, start.pad_id, tmp_path,
        watch=lambda done, of: reported.append((done, of)),
    )  # fmt: skip
    every = sum(int(some.sum()) for some in rows)
    assert reported == [(every - before, every - before)]


def test_answers_of_another_teacher_or_to_other_rows_are_not_taken(
    recipe: Recipe, data: Path, tmp_path: Path
) -> None:
    start = prepare(recipe, data)
    assert start.teacher is not None
    first = answers(start, recipe, tmp_path)
    with torch.no_grad():
        start.teacher.network.heads["sentiment"].bias += 1
    other = replace(start, teacher=replace(start.teacher, model_id="another"))
    changed = answers(other, recipe, tmp_path)
    shift = changed.logits[0][:, :3] - first.logits[0][:, :3]
    assert np.nanmin(shift) == pytest.approx(1, abs=1e-5)
    rewritten = [*start.train[0].ids]
    rewritten[0] = rewritten[0][::-1].copy()
    moved = replace(other, train=(replace(start.train[0], ids=rewritten), *start.train[1:]))
    with torch.no_grad():
        start.teacher.network.heads["sentiment"].bias += 1
    shift = answers(moved, recipe, tmp_path).logits[0][1:, :3] - changed.logits[0][1:, :3]
    assert np.nanmin(shift) == pytest.approx(1, abs=1e-5)
    (tmp_path / ANSWERS).write_bytes(b"cut short")
    assert not np.isnan(answers(moved, recipe, tmp_path).logits[0][0]).any()


def test_the_teacher_outweighs_labels_that_are_wrong(
    recipe: Recipe, data: Path, tmp_path: Path
) -> None:
    """Every training label of the three moods is moved on by one; val is as it was."""
    assert recipe.distillation is not None

    def learn(weight: float) -> float:
        assert recipe.distillation is not None
        plan = replace(recipe, distillation=replace(recipe.distillation, weight=weight))
        start = prepare(plan, data)
        moods, *rest = start.train
        wrong = replace(moods.split, labels=(moods.split.labels + 1) % 3)
        start = replace(start, train=(replace(moods, split=wrong), *rest))
        soft = answers(start, plan, tmp_path)
        folder = tmp_path / f"{weight}"
        Trainer(start.network, plan, start.train, folder, start.pad_id, soft).run()
        return f1(start)["moods.f1"]

    misled, taught = learn(0.0), learn(0.9)
    assert misled < 0.34  # worse than guessing
    assert taught > 0.9


def test_the_teachers_neutral_reaches_a_student_that_sees_no_neutral_label(
    recipe: Recipe, data: Path, tmp_path: Path
) -> None:
    """Fresh heads, a set of stars without neutral: its rows alone say where neutral is not."""
    stars = tuple(one for one in recipe.sets if one.name == "stars")
    plan = replace(recipe, sets=stars)
    run, start = trainer(plan, data, tmp_path)
    run.run()
    assert start.teacher is not None
    part = start.train[0]
    ids, mask = pad(part.ids[:20], start.pad_id)
    with torch.no_grad():
        mine, theirs = start.network.eval()(ids, mask)[0], start.teacher.network(ids, mask)[0]
    neutral = [functional.softmax(logits, 1)[:, 1] for logits in (mine, theirs)]
    assert torch.allclose(neutral[0], neutral[1], atol=0.05)


def test_resumed_run_equals_uninterrupted_run(recipe: Recipe, data: Path, tmp_path: Path) -> None:
    optimisation = replace(
        recipe.optimisation, batch_size=4, dropout=0.2, encoder_dropout=0.1, precision="bf16"
    )
    plan = replace(recipe, optimisation=optimisation)
    whole, _ = trainer(plan, data, tmp_path / "whole")
    whole.run()
    first, _ = trainer(plan, data, tmp_path / "cut")
    first.run(until=31)
    second, _ = trainer(plan, data, tmp_path / "cut")
    assert second.resume()
    second.run()
    assert second.step == whole.step == 60
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_a_run_with_another_teacher_is_another_run(
    recipe: Recipe, data: Path, tmp_path: Path
) -> None:
    start = prepare(recipe, data)
    soft = answers(start, recipe, tmp_path)
    Trainer(start.network, recipe, start.train, tmp_path, start.pad_id, soft).save()
    other = replace(soft, teacher="another")
    run = Trainer(start.network, recipe, start.train, tmp_path, start.pad_id, other)
    with pytest.raises(TrainingError, match="another run"):
        run.resume()


def test_a_distillation_and_its_answers_go_together(
    recipe: Recipe, untaught: Recipe, data: Path, tmp_path: Path
) -> None:
    start = prepare(recipe, data)
    soft = answers(start, recipe, tmp_path)
    for plan, given in ((recipe, None), (untaught, soft)):
        with pytest.raises(TrainingError, match="a distillation needs"):
            Trainer(start.network, plan, start.train, tmp_path, start.pad_id, given)


def test_a_recipe_makes_a_student_from_the_command_line(
    teacher: Path, data: Path, tmp_path: Path
) -> None:
    table = f'[distillation]\nteacher = "{teacher}"\nlayers = 2\nweight = 0.7\n\n[vocabulary]'
    shipped = (files("training") / "recipes" / "smoke.toml").read_text()
    path = tmp_path / "student.toml"
    path.write_text(
        shipped.replace("[vocabulary]", table)
        .replace('name = "smoke"', 'name = "student"')
        .replace('base = "smoke-base"', f'base = "{teacher}"\nkeep_heads = true')
        .replace("trim = true", "trim = false")
        .replace("rate = 1e-2", "rate = 3e-3")
    )
    arguments = ["train", path, "--data", data, "--run", tmp_path / "run"]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output + repr(result.exception)
    made, teachers = (ModelArtifact.load(at) for at in (tmp_path / "run" / "artifact", teacher))
    made.verify()
    assert made.model_id.startswith("student-")
    assert made.details["distillation"] == {
        "teacher": teachers.model_id, "layers": 2, "weight": 0.7, "temperature": 2.0,
    }  # fmt: skip
    card = (made.path / "MODEL_CARD.md").read_text()
    assert f"* A student of `{teachers.model_id}` with 2 layers" in card
    assert f"| layers 2, 4 of `{teacher}` |" in card
    said = SentimentClassifier.load(made.path).predict(["awful monday train", "lovely blue"])
    assert [each.label for each in said] == ["negative", "positive"]
    assert load_base(str(made.path)).encoder.config.num_hidden_layers == 2
