"""The teacher's logits for the training rows, and the file that stores them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.mixture import Batch

_KEY = "key"

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SoftTargets:
    """A teacher's logits.

    Attributes:
        teacher: its model id.
        sizes: number of labels of each head.
        logits: of each set, (rows, labels of all heads); NaN in rows that were not requested.
    """

    teacher: str
    sizes: Sequence[int]
    logits: Sequence[Logits]

    def of(self, batch: Batch) -> tuple[Tensor, ...]:
        """The logits of a batch, one (rows, labels) tensor per head."""
        rows = [self.logits[s][r] for s, r in zip(batch.sets, batch.rows, strict=True)]
        return torch.split(torch.from_numpy(np.stack(rows)), list(self.sizes), dim=1)


def read_logits(path: Path, key: str, rows: Sequence[int], labels: int) -> list[Logits]:
    """Read the stored logits of sets with these numbers of rows; all NaN if the file is missing,
    unreadable, or has another key.
    """
    try:
        with np.load(path) as stored:
            if str(stored[_KEY]) == key:
                return [np.asarray(stored[str(i)], np.float32) for i in range(len(rows))]
    except (FileNotFoundError, BadZipFile, EOFError, ValueError):
        pass
    return [np.full((count, labels), np.nan, np.float32) for count in rows]


def write_logits(path: Path, key: str, logits: Sequence[Logits]) -> None:
    """Write logits to a file, replacing it atomically."""
    fresh = path.with_name(f"{path.name}.tmp")
    with fresh.open("wb") as stream:
        arrays: dict[str, Any] = {_KEY: np.array(key)}
        arrays |= {str(i): array for i, array in enumerate(logits)}
        np.savez(stream, **arrays)
    fresh.replace(path)
