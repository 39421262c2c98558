from importlib.resources import files
from pathlib import Path

import pytest

from training.errors import RecipeError
from training.recipe import load_recipe

SMOKE = (files("training") / "recipes" / "smoke.toml").read_text()
SHIPPED = (
    "groundswell", "groundswell-first", "groundswell-second", "groundswell-third",
    "groundswell-mean", "groundswell-fourth", "groundswell-small", "own", "smoke",
)  # fmt: skip
DISTILLATION = '[distillation]\nteacher = "t"\nlayers = 2\n'


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_recipes_are_read(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name
    assert len(recipe.sha256) == 64


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("seed = 7", "", "lacks 'seed'"),
        ("seed = 7", "seed = 7\ncolour = 1", "unknown keys: colour"),
        ("steps = 60", "steps = 60\nspeed = 1", "optimisation has unknown keys: speed"),
        ("steps = 60", "", "optimisation"),
        ("steps = 60", "steps = -1", "at least 0"),
        ("batch_size = 16", "batch_size = 0", "batch_size at least 1"),
        ('base = "smoke-base"', "base = []", "a list of names"),
        ('base = "smoke-base"', 'base = ["a", 2]', "a list of names"),
        ('base = "smoke-base"', "base = 3", "a list of names"),
        ("steps = 60", "steps = 60\naugment = 1.5", r"in \[0, 1\]"),
        ('"fp32"', '"fp8"', "bf16 or fp32"),
        ('head = "offensive"', 'head = "angry"', "names no head"),
        ('"5" = "positive"', '"5" = "joy"', "joy"),
        ('name = "stars"', 'name = "moods"', "its own name"),
        ("seed = 7", "seed =", "not valid TOML"),
    ],
)
def test_faults_are_named(old: str, new: str, says: str, tmp_path: Path) -> None:
    assert old in SMOKE
    path = tmp_path / "broken.toml"
    path.write_text(SMOKE.replace(old, new))
    with pytest.raises(RecipeError, match=says):
        load_recipe(str(path))


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("layers = 2", "layers = 2\nspeed = 1", "distillation has unknown keys: speed"),
        ("layers = 2", "", "distillation: .*'layers'"),
        ("layers = 2", "layers = 0", "layers must be an integer of at least 1"),
        ("layers = 2", "layers = 1.5", "layers must be an integer"),
        ("layers = 2", "layers = 2\nweight = 1.1", r"weight must be in \[0, 1\]"),
        ("layers = 2", "layers = 2\ntemperature = 0", "temperature must be above 0"),
        ('teacher = "t"', 'teacher = ["a", "b"]', "the name of a model"),
    ],
)
def test_faults_of_a_distillation_are_named(old: str, new: str, says: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.toml"
    sound = SMOKE.replace("[vocabulary]", f"{DISTILLATION}\n[vocabulary]")
    path.write_text(sound)
    assert load_recipe(str(path)).distillation is not None
    path.write_text(sound.replace(old, new))
    with pytest.raises(RecipeError, match=says):
        load_recipe(str(path))


def test_no_such_recipe() -> None:
    with pytest.raises(RecipeError, match="neither a file"):
        load_recipe("nothing")
