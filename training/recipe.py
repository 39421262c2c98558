"""Recipes: one TOML file determines the whole result of a training run."""

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import Any, TypeVar

from training.errors import RecipeError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Head:
    """One question to all texts, and its labels in the order of the probabilities."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DataSet:
    """A labelled set and how it is used.

    Attributes:
        name: short and unique; shown in reports.
        path: relative to the data folder, without ``.train.parquet`` / ``.val.parquet`` (or
            ``.csv``); ``written/…`` is relative to ``training/`` and has our own comments.
        head: the head of its labels.
        labels: label in the file → label of the head, if they differ.
        weight: factor on the set's share of the batches; 0 for evaluation only.
        without: languages to leave out of training; val keeps them.
        holdout: share of ``train`` to hold out if there is no ``val``, by a hash of the text.
        noisy: unreliable labels; reported, but left out of averages and calibration.
        terms: its terms of use, for the model card.
    """

    name: str
    path: str
    head: str
    labels: Mapping[str, str]
    weight: float = 1.0
    without: Sequence[str] = ()
    holdout: float = 0.0
    noisy: bool = False
    terms: str = "none stated"


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """How to trim the vocabulary; see :func:`training.vocabulary.trim`."""

    trim: bool = True
    size: int = 80_000
    per_script: int = 1_500


@dataclass(frozen=True, slots=True)
class Optimisation:
    """Settings of the optimiser and of regularisation.

    Attributes:
        steps: number of optimiser steps; 0 only packages the base.
        batch_size: texts per step.
        max_tokens: tokens per text in training, special ones included; the rest is cut.
        learning_rate: the highest learning rate, after the warm-up.
        head_learning_rate: the same for the heads.
        warmup: share of the steps in which the rate rises from 0.
        decay: share of the steps, at the end, in which the rate falls to 0.
        weight_decay: of AdamW, for matrices only.
        label_smoothing: probability mass spread over the classes of a set.
        temperature: a set's share of the batches is (weight * rows) to this power, normalised.
        dropout: before the heads.
        encoder_dropout: in the encoder's layers.
        word_dropout: share of a text's tokens, except special ones, that a step ignores: they get
            no attention and are not in the mean (Iyyer et al., 2015, "Deep unordered composition
            rivals syntactic methods for text classification", ACL).
        class_balance: a row of a class with share p of its set has weight p ** -class_balance in
            the loss (mean 1): 0 keeps the mix of the set, 1 makes all classes count the same.
        augment: share of the training texts to rewrite; see :mod:`training.augment`.
        embedding_learning_rate: the highest learning rate of the word embeddings; 0 freezes them.
            They have no weight decay, so tokens that do not occur in training never change.
        precision: ``bf16`` computes in bfloat16 and keeps the weights in float32; ``fp32`` computes
            in float32.
    """

    steps: int
    batch_size: int = 32
    max_tokens: int = 96
    learning_rate: float = 1e-4
    head_learning_rate: float = 5e-4
    warmup: float = 0.06
    decay: float = 0.5
    weight_decay: float = 0.01
    label_smoothing: float = 0.05
    temperature: float = 0.7
    dropout: float = 0.1
    encoder_dropout: float = 0.0
    word_dropout: float = 0.0
    class_balance: float = 0.0
    augment: float = 0.0
    embedding_learning_rate: float = 0.0
    precision: str = "bf16"


@dataclass(frozen=True, slots=True)
class Distillation:
    """How a smaller network is trained by a larger one; see :mod:`training.teacher`.

    Attributes:
        teacher: a model with the recipe's heads and vocabulary; named like a base.
        layers: number of the base's layers to keep; see
            :func:`training.student.keep_layers`.
        weight: share of the teacher's loss in the total, in [0, 1]; the rest is the labels' loss.
        temperature: softens the probabilities of teacher and student in that loss.
    """

    teacher: str
    layers: int
    weight: float = 0.5
    temperature: float = 2.0


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe, and the sha256 of its file.

    ``bases`` are the models to start from; the mean of several is taken (a list in the file).
    ``keep_heads`` keeps the base's heads that have the same name and labels. ``distillation``
    trains the network as a student of another.
    """

    name: str
    bases: tuple[str, ...]
    seed: int
    keep_heads: bool
    heads: tuple[Head, ...]
    sets: tuple[DataSet, ...]
    vocabulary: Vocabulary
    optimisation: Optimisation
    distillation: Distillation | None
    sha256: str

    def head(self, name: str) -> Head:
        """The head with this name."""
        return next(head for head in self.heads if head.name == name)


def load_recipe(name: str) -> Recipe:
    """Read a recipe from a path, or a shipped one (``training/recipes``) by its name.

    Raises:
        RecipeError: there is no such recipe, it is not TOML, or a key or value is not valid.
    """
    path = Path(name)
    shipped = files("training") / "recipes" / f"{name}.toml"
    if path.is_file():
        raw = path.read_bytes()
    elif shipped.is_file():
        raw = shipped.read_bytes()
    else:
        raise RecipeError(f"no recipe {name!r}: it is neither a file nor a shipped recipe")
    try:
        table = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise RecipeError(f"recipe {name!r} is not valid TOML: {error}") from error
    return _check(_build(table, hashlib.sha256(raw).hexdigest()))


def _build(table: dict[str, Any], sha256: str) -> Recipe:
    try:
        heads = tuple(Head(key, tuple(labels)) for key, labels in table.pop("heads").items())
        by_name = {head.name: head for head in heads}
        sets = tuple(_data_set(entry, by_name) for entry in table.pop("sets"))
        vocabulary = _record(Vocabulary, table.pop("vocabulary", {}), "vocabulary")
        optimisation = _record(Optimisation, table.pop("optimisation"), "optimisation")
        distillation = None
        if "distillation" in table:
            distillation = _record(Distillation, table.pop("distillation"), "distillation")
        name, base, seed = table.pop("name"), table.pop("base"), table.pop("seed")
        keep_heads = bool(table.pop("keep_heads", False))
    except KeyError as error:
        raise RecipeError(f"the recipe lacks {error}") from error
    if table:
        raise RecipeError(f"the recipe has unknown keys: {', '.join(sorted(table))}")
    bases = tuple(base) if isinstance(base, list) else (base,)
    return Recipe(
        name=name,
        bases=bases,
        seed=seed,
        keep_heads=keep_heads,
        heads=heads,
        sets=sets,
        vocabulary=vocabulary,
        optimisation=optimisation,
        distillation=distillation,
        sha256=sha256,
    )


def _data_set(entry: dict[str, Any], heads: Mapping[str, Head]) -> DataSet:
    head = heads.get(entry.get("head", ""))
    if head is None:
        raise RecipeError(f"set {entry.get('name')!r} names no head of the recipe")
    labels = entry.pop("labels", {label: label for label in head.labels})
    unknown = set(labels.values()) - set(head.labels)
    if unknown:
        raise RecipeError(
            f"set {entry.get('name')!r}: {sorted(unknown)} are not labels of its head"
        )
    return _record(DataSet, {**entry, "labels": labels}, f"set {entry.get('name')!r}")


def _record(kind: type[T], values: dict[str, Any], where: str) -> T:
    known = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    unknown = set(values) - known
    if unknown:
        raise RecipeError(f"{where} has unknown keys: {', '.join(sorted(unknown))}")
    try:
        return kind(**values)
    except TypeError as error:
        raise RecipeError(f"{where}: {error}") from error


def _check(recipe: Recipe) -> Recipe:
    optimisation = recipe.optimisation
    if optimisation.precision not in ("bf16", "fp32"):
        raise RecipeError(f"precision must be bf16 or fp32, not {optimisation.precision!r}")
    if optimisation.steps < 0 or optimisation.batch_size < 1 or optimisation.max_tokens < 3:
        raise RecipeError("steps must be at least 0, batch_size at least 1, max_tokens at least 3")
    if not recipe.bases or not all(isinstance(base, str) and base for base in recipe.bases):
        raise RecipeError("base must be the name of a model, or a list of names")
    if not (0 <= optimisation.class_balance <= 1 and 0 <= optimisation.augment <= 1):
        raise RecipeError("class_balance and augment must be in [0, 1]")
    if not 0 <= optimisation.word_dropout < 1:
        raise RecipeError("word_dropout must be in [0, 1)")
    if recipe.distillation is not None:
        _check_distillation(recipe.distillation)
    names = [data.name for data in recipe.sets]
    if len(set(names)) != len(names) or not names:
        raise RecipeError("a recipe needs at least one set, and every set its own name")
    return recipe


def _check_distillation(distillation: Distillation) -> None:
    if not isinstance(distillation.teacher, str) or not distillation.teacher:
        raise RecipeError("distillation: teacher must be the name of a model")
    if not isinstance(distillation.layers, int) or distillation.layers < 1:
        raise RecipeError("distillation: layers must be an integer of at least 1")
    if not 0 <= distillation.weight <= 1:
        raise RecipeError("distillation: weight must be in [0, 1]")
    if distillation.temperature <= 0:
        raise RecipeError("distillation: temperature must be above 0")
