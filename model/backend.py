"""The interface between the classifier and the runtime that computes probabilities."""

from collections.abc import Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

Pieces = Sequence[int]
Probabilities = NDArray[np.float64]

SENTIMENT = "sentiment"
OFFENSIVE = "offensive"


@runtime_checkable
class Backend(Protocol):
    """Turns tokens into calibrated probabilities. Called by one thread at a time."""

    @property
    def model_id(self) -> str:
        """Identifies the weights: backends with the same id give the same answers."""
        ...

    @property
    def labels(self) -> Mapping[str, tuple[str, ...]]:
        """Head → its labels, in the order of the probabilities; always has ``sentiment``."""
        ...

    @property
    def window(self) -> int:
        """How many tokens of a text the model reads at once, special ones not counted."""
        ...

    @property
    def unknown(self) -> int | None:
        """The id of the unknown token; ``None`` if the vocabulary has none."""
        ...

    def encode(self, texts: Sequence[str]) -> list[Pieces]:
        """Split normalised texts into tokens, without special ones. Any text is allowed."""
        ...

    def probabilities(self, windows: Sequence[Pieces]) -> dict[str, Probabilities]:
        """Score windows of 1 to ``window`` tokens as one batch.

        Returns:
            Head → (windows, labels); rows sum to 1.

        Raises:
            BackendError: the runtime failed.
        """
        ...


def softmax(logits: NDArray[np.floating], temperature: float = 1.0) -> Probabilities:
    """Turn logits (rows, labels) into probabilities; a temperature above 1 softens them."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    scaled -= scaled.max(axis=-1, keepdims=True)
    powers = np.exp(scaled)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float64)


def soften(probabilities: Probabilities, temperature: float | NDArray[np.float64]) -> Probabilities:
    """The probabilities that the same logits give at another temperature, relative to theirs.

    Args:
        probabilities: (..., labels), rows summing to 1; a probability of 0 stays 0.
        temperature: above 0; one value, or an array that broadcasts against the rows.
    """
    powers = probabilities ** (1 / temperature)
    return np.asarray(powers / powers.sum(axis=-1, keepdims=True), dtype=np.float64)


def padded(
    windows: Sequence[Pieces], before: Pieces, after: Pieces, pad_id: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pad windows with their special tokens into (ids, mask), each (windows, longest)."""
    special = len(before) + len(after)
    longest = max(len(window) for window in windows) + special
    ids = np.full((len(windows), longest), pad_id, dtype=np.int64)
    mask = np.zeros((len(windows), longest), dtype=np.int64)
    for i, window in enumerate(windows):
        row = [*before, *window, *after]
        ids[i, : len(row)] = row
        mask[i, : len(row)] = 1
    return ids, mask
