"""A run cut short and taken up again ends where an uninterrupted one does."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from tests.training import tiny
from training.errors import TrainingError
from training.finetune import Trainer
from training.prepare import prepare
from training.recipe import Recipe, load_recipe

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    base = tiny.write_base(tmp_path_factory.mktemp("base"))
    plan = load_recipe("smoke")
    optimisation = replace(
        plan.optimisation,
        steps=60,
        batch_size=4,
        dropout=0.2,
        encoder_dropout=0.1,
        word_dropout=0.2,
        precision="bf16",
    )
    return replace(plan, bases=(str(base),), optimisation=optimisation)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.write_sets(tmp_path_factory.mktemp("data"))


def trainer(recipe: Recipe, data: Path, folder: Path) -> Trainer:
    start = prepare(recipe, data)
    return Trainer(start.network, recipe, start.train, folder, start.pad_id)


def test_resumed_run_equals_uninterrupted_run(recipe: Recipe, data: Path, tmp_path: Path) -> None:
    whole = trainer(recipe, data, tmp_path / "whole")
    whole.run()
    first = trainer(recipe, data, tmp_path / "cut")
    first.run(until=53)  # past the end of the first pool of batches
    second = trainer(recipe, data, tmp_path / "cut")
    assert second.resume()
    assert second.step == 53
    second.run()
    assert second.step == whole.step == 60
    for name, value in whole.network.state_dict().items():
        assert torch.equal(value, second.network.state_dict()[name]), name


def test_nothing_to_resume(recipe: Recipe, data: Path, tmp_path: Path) -> None:
    assert not trainer(recipe, data, tmp_path).resume()


def test_another_runs_checkpoint_is_refused(recipe: Recipe, data: Path, tmp_path: Path) -> None:
    trainer(recipe, data, tmp_path).save()
    with pytest.raises(TrainingError, match="another run"):
        trainer(replace(recipe, seed=recipe.seed + 1), data, tmp_path).resume()


def test_frozen_embeddings_stay(recipe: Recipe, data: Path, tmp_path: Path) -> None:
    frozen = replace(recipe, optimisation=replace(recipe.optimisation, embedding_learning_rate=0.0))
    run = trainer(frozen, data, tmp_path)
    before = run.network.encoder.get_input_embeddings().weight.clone()
    query = run.network.encoder.encoder.layer[0].attention.self.query.weight.clone()
    run.run(until=5)
    assert torch.equal(before, run.network.encoder.get_input_embeddings().weight)
    assert not torch.equal(query, run.network.encoder.encoder.layer[0].attention.self.query.weight)


def test_moved_embeddings_leave_unseen_pieces_alone(
    recipe: Recipe, data: Path, tmp_path: Path
) -> None:
    run = trainer(recipe, data, tmp_path)
    table = run.network.encoder.get_input_embeddings().weight
    before = table.detach().clone()
    vocabulary = prepare(recipe, data).tokenizer.get_vocab()
    run.run(until=20)
    moved = (table.detach() != before).any(dim=1)
    assert moved[vocabulary["▁broken"]]
    assert not moved[vocabulary["好"]]  # no row has it
