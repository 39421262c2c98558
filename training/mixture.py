"""Chooses the rows of each batch: sets mixed by temperature, texts of similar length together.

The order is a pure function of the seed, so a resumed run sees exactly the rows that an
uninterrupted one would have seen.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

POOL_BATCHES = 50


@dataclass(frozen=True, slots=True)
class Batch:
    """The rows of one step, as parallel arrays: the set, and the row in it."""

    sets: NDArray[np.int64]
    rows: NDArray[np.int64]


def shares(
    rows: Sequence[int], weights: Sequence[float], temperature: float
) -> NDArray[np.float64]:
    """Each set's share of the batches: (weight * rows) ** temperature, normalised to sum 1."""
    mass = (np.asarray(rows, np.float64) * np.asarray(weights, np.float64)) ** temperature
    return np.asarray(mass / mass.sum(), dtype=np.float64)


def batches(
    lengths: Sequence[NDArray[np.int64]],
    share: NDArray[np.float64],
    *,
    batch_size: int,
    seed: int,
) -> Iterator[Batch]:
    """Yield batches without an end.

    A pool of 50 batches is drawn from the sets by their share, from shuffled passes over the rows
    of each set. The pool is sorted by length and cut into batches, and the batches are shuffled.

    Args:
        lengths: tokens of each row, one array per set.
        share: share of each set, summing to 1.
        batch_size: rows per batch.
        seed: determines the order.
    """
    cursors = [_Cursor(len(array), seed + 1 + i) for i, array in enumerate(lengths)]
    generator = np.random.default_rng(seed)
    size = batch_size * POOL_BATCHES
    while True:
        counts = generator.multinomial(size, share)
        sets = np.repeat(np.arange(len(lengths)), counts)
        rows = np.concatenate(
            [cursor.take(int(n)) for cursor, n in zip(cursors, counts, strict=True)]
        )
        tokens = np.concatenate([lengths[i][rows[sets == i]] for i in range(len(lengths))])
        order = np.lexsort((generator.random(size), tokens))
        for start in generator.permutation(POOL_BATCHES) * batch_size:
            chosen = order[start : start + batch_size]
            yield Batch(sets[chosen], rows[chosen])


class _Cursor:
    """Draws the rows of one set in shuffled passes."""

    def __init__(self, rows: int, seed: int) -> None:
        self._rows = rows
        self._generator = np.random.default_rng(seed)
        self._left: NDArray[np.int64] = np.empty(0, np.int64)

    def take(self, count: int) -> NDArray[np.int64]:
        while len(self._left) < count:
            fresh = self._generator.permutation(self._rows)
            self._left = np.concatenate([self._left, fresh])
        taken, self._left = self._left[:count], self._left[count:]
        return taken
