"""Losses for sets with different heads, some with fewer classes than others."""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.nn import functional

_FORBIDDEN = -1e4


def masked_cross_entropy(
    logits: Tensor, labels: Tensor, allowed: Tensor, smoothing: float
) -> Tensor:
    """Cross-entropy of each row over the classes of its set.

    Other classes are ignored: they get no probability, smoothing or gradient.

    Args:
        logits: (rows, classes).
        labels: (rows,), int64; each is an allowed class.
        allowed: (rows, classes), bool.
        smoothing: probability mass spread evenly over the allowed classes.

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
        logits: head → (rows, classes).
        labels: (rows,), indices into the labels of each row's head.
        allowed: head → (rows, classes); rows of other heads are ignored.
        members: head → indices of its rows.
        weights: (rows,), weight of each row; mean 1 over its set.
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

    All rows have the same weight, in all heads and classes, whatever their set; labels are not
    used. So the teacher can say that a Korean review is neutral, which its set, without that class,
    cannot.

    Args:
        logits: the student's, one (rows, classes) per head.
        targets: the teacher's, the same shapes.
        temperature: T; the factor T**2 keeps the size of the gradients independent of T.
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
