"""The model that a student learns from.

Its answers to a row do not change while the student learns, so each row that the run will draw is
read once, before the first step, and the answers are kept beside the checkpoint: with rows
drawn more than once that is less than asking at every step, and nothing where a run goes on or
is tried again with another weight or temperature.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from model.network import Network
from training.checkpoint import load_base, take_over_heads
from training.errors import RecipeError
from training.finetune import Tokenised
from training.inference import logits_of
from training.recipe import Head
from training.soft_targets import SoftTargets, read_logits, write_logits

ANSWERS = "teacher.npz"
_CHUNK = 2048  # rows between two writes: a multiple of the rows read at once, so that stopping
# and going on reads the same rows together


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained network, in the precision it answers in, the id of its weights, and how many labels
    each of its heads has.
    """

    network: Network
    model_id: str
    sizes: tuple[int, ...]


def load_teacher(
    name: str,
    heads: Sequence[Head],
    tokenizer: Tokenizer,
    precision: str,
    *,
    wheels: Path | None = None,
) -> Teacher:
    """Load the teacher that a recipe names.

    Args:
        name: as of a base; see :func:`training.checkpoint.load_base`.
        heads: that the student learns, in order.
        tokenizer: the student's.
        precision: ``bf16`` or ``fp32``.
        wheels: see :func:`training.checkpoint.load_base`.

    Raises:
        BaseModelError: it cannot be read.
        RecipeError: it is a bare encoder, lacks a head, or has other labels or another vocabulary.
    """
    base = load_base(name, wheels=wheels)
    if base.model_id is None:
        raise RecipeError(f"distillation: teacher {name!r} is not a model of an earlier run")
    for head in heads:
        trained = base.heads.get(head.name)
        if trained is None:
            raise RecipeError(f"distillation: teacher {name!r} has no head {head.name!r}")
        if trained.labels != head.labels:
            raise RecipeError(
                f"distillation: teacher {name!r} answers {head.name!r} with "
                f"{', '.join(trained.labels)}; the recipe with {', '.join(head.labels)}"
            )
    if base.tokenizer.get_vocab() != tokenizer.get_vocab():
        raise RecipeError(f"distillation: teacher {name!r} has another vocabulary than the student")
    sizes = {head.name: len(head.labels) for head in heads}
    network = Network(base.encoder, sizes)
    take_over_heads(network, heads, base)
    if precision == "bf16":
        network.to(torch.bfloat16)
    return Teacher(network, base.model_id, tuple(sizes.values()))


def ask(
    teacher: Teacher,
    train: Sequence[Tokenised],
    wanted: Sequence[NDArray[np.bool_]],
    pad_id: int,
    folder: Path,
    *,
    watch: Callable[[int, int], None] = lambda done, rows: None,
) -> SoftTargets:
    """A teacher's answers to training rows, those that it gave before read from ``teacher.npz``.

    The file holds under the key of a teacher and of every set's rows, piece by piece (hence of
    texts, rewritings and vocabulary), and is written anew under another.

    Args:
        teacher: answers.
        train: the training sets.
        wanted: of each set, which rows to ask about, (rows,).
        pad_id: fills up short rows.
        folder: of the run; made if it is not there.
        watch: told after every 2,048 rows how many are read, of how many that were not yet known.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, key = folder / ANSWERS, _key(teacher, train)
    logits = read_logits(path, key, [len(part.ids) for part in train], sum(teacher.sizes))
    asked = [
        (place, int(row))
        for place, rows in enumerate(wanted)
        for row in np.flatnonzero(rows & np.isnan(logits[place][:, 0]))
    ]
    asked.sort(key=lambda at: -len(train[at[0]].ids[at[1]]))  # the slowest first
    for start in range(0, len(asked), _CHUNK):
        chunk = asked[start : start + _CHUNK]
        found = logits_of(teacher.network, [train[place].ids[row] for place, row in chunk], pad_id)
        answers = np.concatenate(list(found.values()), axis=1).astype(np.float32)
        for (place, row), answer in zip(chunk, answers, strict=True):
            logits[place][row] = answer
        write_logits(path, key, logits)
        watch(start + len(chunk), len(asked))
    return SoftTargets(teacher.model_id, teacher.sizes, logits)


def _key(teacher: Teacher, train: Sequence[Tokenised]) -> str:
    digest = hashlib.sha256()
    precision = str(next(teacher.network.parameters()).dtype)
    digest.update(json.dumps([teacher.model_id, list(teacher.network.heads), precision]).encode())
    for part in train:
        digest.update(part.lengths.tobytes())
        digest.update(np.concatenate([*part.ids, np.empty(0, np.int32)]).tobytes())
    return digest.hexdigest()
