"""Runs a network on many rows, to watch and evaluate a run."""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from model.network import Network
from training.finetune import Tokenised, pad
from training.metrics import accuracy, macro_f1, macro_recall

_BATCH = 32


@torch.no_grad()
def logits_of(
    network: Network, rows: Sequence[NDArray[np.int32]], pad_id: int
) -> dict[str, NDArray[np.float64]]:
    """Logits of each head for every row, (rows, labels), in the order given.

    Leaves the network in evaluation mode.
    """
    network.eval()
    names = list(network.heads)
    found: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
    order = np.argsort([len(row) for row in rows], kind="stable")
    for start in range(0, len(rows), _BATCH):
        ids, mask = pad([rows[i] for i in order[start : start + _BATCH]], pad_id)
        for name, tensor in zip(names, network(ids, mask), strict=True):
            found[name].append(tensor.double().numpy())
    back = np.argsort(order, kind="stable")
    return {name: np.concatenate(parts)[back] for name, parts in found.items()}


def quick_metrics(
    network: Network, val: Sequence[Tokenised], pad_id: int, rows: int
) -> dict[str, float]:
    """Macro-F1, macro-recall and accuracy on about ``rows`` evenly spaced rows of each set.

    A quick estimate for the journal of a run; the full measurement is :mod:`training.evaluate`.
    """
    figures: dict[str, float] = {}
    for part in val:
        step = max(1, len(part.split) // rows)
        truth = part.split.labels[::step]
        allowed = part.split.allowed
        logits = logits_of(network, part.ids[::step], pad_id)[part.split.data.head]
        guess = np.where(allowed, logits, -np.inf).argmax(axis=1)
        name = part.split.data.name
        figures[f"{name}.f1"] = macro_f1(truth, guess, len(allowed))
        figures[f"{name}.recall"] = macro_recall(truth, guess, len(allowed))
        figures[f"{name}.accuracy"] = accuracy(truth, guess)
    return figures
