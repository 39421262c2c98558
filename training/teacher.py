"""The teacher that a student learns from.

Its predictions do not change during a run, so it reads each row of the run once, before the first
step, and the logits are stored beside the checkpoint. That is cheaper than predicting at each step,
and free when a run is resumed or repeated with another weight or temperature.
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
from training.checkpoint import copy_heads, load_base
from training.errors import RecipeError
from training.finetune import Tokenised
from training.inference import logits_of
from training.recipe import Head
from training.soft_targets import SoftTargets, read_logits, write_logits

ANSWERS = "teacher.npz"
_CHUNK = 2048  # rows between two writes: a multiple of the batch size, so that a resumed run
# reads the same batches


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained network in its precision, its model id, and its heads' numbers of labels."""

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
        name: like a base's; see :func:`training.checkpoint.load_base`.
        heads: the student's heads, in order.
        tokenizer: the student's.
        precision: ``bf16`` or ``fp32``.
        wheels: see :func:`training.checkpoint.load_base`.

    Raises:
        BaseModelError: it cannot be loaded.
        RecipeError: it is not trained, lacks a head, or differs in labels or vocabulary.
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
                f"distillation: head {head.name!r} of teacher {name!r} has the labels "
                f"{', '.join(trained.labels)}; the recipe has {', '.join(head.labels)}"
            )
    if base.tokenizer.get_vocab() != tokenizer.get_vocab():
        raise RecipeError(f"distillation: teacher {name!r} and student differ in vocabulary")
    sizes = {head.name: len(head.labels) for head in heads}
    network = Network(base.encoder, sizes)
    copy_heads(network, heads, base)
    if precision == "bf16":
        network.to(torch.bfloat16)
    return Teacher(network, base.model_id, tuple(sizes.values()))


def predict(
    teacher: Teacher,
    train: Sequence[Tokenised],
    wanted: Sequence[NDArray[np.bool_]],
    pad_id: int,
    folder: Path,
    *,
    watch: Callable[[int, int], None] = lambda done, rows: None,
) -> SoftTargets:
    """A teacher's logits for training rows; logits computed before are read from ``teacher.npz``.

    The file's key depends on the teacher and on all token ids of the sets (so on texts, rewritings
    and vocabulary). A file with another key is replaced.

    Args:
        teacher: computes the logits.
        train: the training sets.
        wanted: which rows of each set to predict, (rows,).
        pad_id: the padding id.
        folder: of the run; created if missing.
        watch: called after each 2,048 rows with the rows done and the rows to do.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path, key = folder / ANSWERS, _key(teacher, train)
    logits = read_logits(path, key, [len(part.ids) for part in train], sum(teacher.sizes))
    missing = [
        (place, int(row))
        for place, rows in enumerate(wanted)
        for row in np.flatnonzero(rows & np.isnan(logits[place][:, 0]))
    ]
    missing.sort(key=lambda at: -len(train[at[0]].ids[at[1]]))  # the longest first
    for start in range(0, len(missing), _CHUNK):
        chunk = missing[start : start + _CHUNK]
        found = logits_of(teacher.network, [train[place].ids[row] for place, row in chunk], pad_id)
        answers = np.concatenate(list(found.values()), axis=1).astype(np.float32)
        for (place, row), answer in zip(chunk, answers, strict=True):
            logits[place][row] = answer
        write_logits(path, key, logits)
        watch(start + len(chunk), len(missing))
    return SoftTargets(teacher.model_id, teacher.sizes, logits)


def _key(teacher: Teacher, train: Sequence[Tokenised]) -> str:
    digest = hashlib.sha256()
    precision = str(next(teacher.network.parameters()).dtype)
    digest.update(json.dumps([teacher.model_id, list(teacher.network.heads), precision]).encode())
    for part in train:
        digest.update(part.lengths.tobytes())
        digest.update(np.concatenate([*part.ids, np.empty(0, np.int32)]).tobytes())
    return digest.hexdigest()
