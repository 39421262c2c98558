"""What a teacher says of the training rows: learnt from beside the labels."""

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
        sizes: labels of each head.
        logits: of each set, (rows, labels of all heads side by side); NaN in rows that it was
            not asked about.
    """

    teacher: str
    sizes: Sequence[int]
    logits: Sequence[Logits]

    def of(self, batch: Batch) -> tuple[Tensor, ...]:
        """Its answers to a batch, one (rows, labels) tensor a head."""
        rows = [self.logits[s][r] for s, r in zip(batch.sets, batch.rows, strict=True)]
        return torch.split(torch.from_numpy(np.stack(rows)), list(self.sizes), dim=1)


def read_logits(path: Path, key: str, rows: Sequence[int], labels: int) -> list[Logits]:
    """The logits that a file keeps of sets with so many rows; all NaN where there is no such file,
    it cannot be read, or was written under another key.
    """
    try:
        with np.load(path) as kept:
            if str(kept[_KEY]) == key:
                return [np.asarray(kept[str(i)], np.float32) for i in range(len(rows))]
    except (FileNotFoundError, BadZipFile, EOFError, ValueError):
        pass
    return [np.full((count, labels), np.nan, np.float32) for count in rows]


def write_logits(path: Path, key: str, logits: Sequence[Logits]) -> None:
    """Keep logits in a file, replacing it in one move."""
    fresh = path.with_name(f"{path.name}.tmp")
    with fresh.open("wb") as stream:
        arrays: dict[str, Any] = {_KEY: np.array(key)}
        arrays |= {str(i): array for i, array in enumerate(logits)}
        np.savez(stream, **arrays)
    fresh.replace(path)
