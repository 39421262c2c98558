"""The mean of models."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from typer.testing import CliRunner

from tests.conftest import Smoke
from tests.training import tiny
from training.checkpoint import Base, TrainedHead, load_base
from training.cli import app
from training.errors import BaseModelError
from training.soup import mean

LABELS = ("negative", "neutral", "positive")


def base(
    shift: float, labels: tuple[str, ...] = LABELS, tokenizer: Tokenizer | None = None
) -> Base:
    encoder = tiny.encoder()
    with torch.no_grad():
        for weight in encoder.parameters():
            weight += shift
    size = encoder.config.hidden_size
    head = TrainedHead(labels, torch.full((len(labels), size), shift), torch.full((3,), 2 * shift))
    heads = {"sentiment": head}
    return Base(encoder, tokenizer or tiny.tokenizer(), 1, f"shifted by {shift}", heads)


def test_every_weight_is_the_mean() -> None:
    plain = tiny.encoder().state_dict()
    made = mean([base(0.0), base(1.0), base(0.5)])
    for name, value in made.encoder.state_dict().items():
        assert torch.allclose(value, plain[name] + 0.5, atol=1e-6), name
    assert torch.allclose(made.heads["sentiment"].weight, torch.tensor(0.5))
    assert torch.allclose(made.heads["sentiment"].bias, torch.tensor(1.0))
    assert made.heads["sentiment"].labels == LABELS
    assert made.origin == "the mean of: shifted by 0.0 | shifted by 1.0 | shifted by 0.5"


def test_a_head_that_one_lacks_is_left_out() -> None:
    assert mean([base(0.0), replace(base(1.0), heads={})]).heads == {}


def test_models_that_do_not_fit_have_no_mean() -> None:
    with pytest.raises(BaseModelError, match="the labels differ"):
        mean([base(0.0), base(1.0, labels=("a", "b", "c"))])
    other = tiny.tokenizer()
    other.add_tokens(["more"])
    with pytest.raises(BaseModelError, match="their vocabularies differ"):
        mean([base(0.0), base(1.0, tokenizer=other)])
    smaller = base(1.0)
    del smaller.encoder.encoder.layer[0]
    with pytest.raises(BaseModelError, match="differ in name or shape"):
        mean([base(0.0), smaller])
    with pytest.raises(BaseModelError, match="empty list"):
        mean([])


def test_a_recipe_with_no_steps_packages_the_mean(smoke: Smoke, tmp_path: Path) -> None:
    """Three quarters and one quarter: float32 twice, and the artifact whose weights have 8 bits."""
    exact, eight = smoke.run / "float32", smoke.artifact
    shipped = (files("training") / "recipes" / "smoke.toml").read_text()
    bases = f'base = ["{exact}", "{eight}", "{exact}", "{exact}"]\nkeep_heads = true'
    path = tmp_path / "mean.toml"
    path.write_text(
        shipped.replace('base = "smoke-base"', bases)
        .replace("trim = true", "trim = false")
        .replace("steps = 60", "steps = 0")
        .replace('name = "smoke"', 'name = "mean"')
    )
    run = tmp_path / "run"
    arguments = ["train", path, "--data", smoke.data, "--run", run]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output
    made, whole = (load_file(folder / "model.safetensors") for folder in (run / "float32", exact))
    rounded = load_base(str(eight))
    for name, value in rounded.encoder.state_dict().items():
        found, one = made[f"encoder.{name}"], whole[f"encoder.{name}"]
        assert torch.allclose(found, (3 * one + value) / 4, atol=1e-6), name
    for name, head in rounded.heads.items():
        one = whole[f"heads.{name}.weight"]
        assert torch.allclose(made[f"heads.{name}.weight"], (3 * one + head.weight) / 4, atol=1e-6)
    card = (run / "artifact" / "MODEL_CARD.md").read_text()
    assert f"| `mean` | the mean of `{exact}` (3/4) and `{eight}` (1/4) | no further step |" in card
