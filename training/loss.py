"""Loss over sets that answer different questions, some with fewer classes than others."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

_FORBIDDEN = -1e4


def masked_cross_entropy(
    logits: Tensor, labels: Tensor, allowed: Tensor, smoothing: float
) -> Tensor:
    """Cross-entropy of each row over the classes that its set has.

    A class that a set does not have takes no part: no probability, no smoothing, no gradient.

    Args:
        logits: (rows, classes).
        labels: (rows,), int64, each an allowed class.
        allowed: (rows, classes), bool.
        smoothing: mass spread evenly over the allowed classes.

    Returns:
        (rows,).
    """
    logits = logits.float().masked_fill(~allowed, _FORBIDDEN)
    log_probability = functional.log_softmax(logits, dim=-1)
    hit = log_probability.gather(1, labels.unsqueeze(1)).squeeze(1)
    count = allowed.sum(dim=1)
    spread = log_probability.masked_fill(~allowed, 0.0).sum(dim=1) / count
    return -((1 - smoothing) * hit + smoothing * spread)


def multi_task_loss(
    logits: Mapping[str, Tensor],
    labels: Tensor,
    allowed: Mapping[str, Tensor],
    members: Mapping[str, Tensor],
    weights: Tensor,
    smoothing: float,
) -> Tensor:
    """Mean loss of a batch whose rows belong to different heads.

    Args:
        logits: of each head, (rows, classes).
        labels: (rows,), index into the labels of the row's head.
        allowed: of each head, (rows, classes); rows of other heads are not read.
        members: of each head, (its rows,), the indices of the rows that belong to it.
        weights: (rows,), how much each row counts; 1 on average over its set.
        smoothing: see :func:`masked_cross_entropy`.
    """
    losses = [
        weights[rows]
        * masked_cross_entropy(logits[head][rows], labels[rows], allowed[head][rows], smoothing)
        for head, rows in members.items()
        if len(rows)
    ]
    return torch.cat(losses).mean()


def distillation_loss(
    logits: Sequence[Tensor], targets: Sequence[Tensor], temperature: float
) -> Tensor:
    """Mean over a batch's rows of T**2 KL(teacher || student), summed over the heads (Hinton,
    Vinyals and Dean, 2015, "Distilling the knowledge in a neural network", arXiv 1503.02531).

    Rows count alike, in every head and over all of its classes, whatever their set is about: the
    label plays no part. That a Korean review is anything but neutral, its set (which has no
    neutral) cannot say, and the teacher can.

    Args:
        logits: the student's, of each head, (rows, classes).
        targets: the teacher's, the same shapes.
        temperature: T; the factor T**2 keeps the gradients' size as it was at T = 1.
    """
    rows = [
        functional.kl_div(
            functional.log_softmax(mine.float() / temperature, dim=-1),
            functional.log_softmax(theirs.float() / temperature, dim=-1),
            reduction="none",
            log_target=True,
        ).sum(dim=1)
        for mine, theirs in zip(logits, targets, strict=True)
    ]
    return temperature**2 * torch.stack(rows).sum(dim=0).mean()
