"""Averages the weights of several runs ("model soup").

Runs that continue one another, or have the same base, are in one basin of the loss. Their mean is
often better than each of them and costs nothing at inference (Wortsman et al., 2022, "Model soups:
averaging weights of multiple fine-tuned models improves accuracy without increasing inference
time", ICML).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import torch

from training.checkpoint import Base, TrainedHead
from training.errors import BaseModelError


def mean(bases: Sequence[Base]) -> Base:
    """One model whose weights are the means of those of ``bases``, heads included.

    Overwrites the first base's encoder. Keeps the heads that all bases have.

    Raises:
        BaseModelError: the list is empty, or vocabularies, shapes or labels differ.
    """
    if not bases:
        raise BaseModelError("base is an empty list; name at least one model")
    first = bases[0]
    for other in bases[1:]:
        if other.tokenizer.get_vocab() != first.tokenizer.get_vocab():
            raise BaseModelError(
                f"no mean of {first.origin} and {other.origin}: their vocabularies differ"
            )
    first.encoder.load_state_dict(_mean([base.encoder.state_dict() for base in bases]))
    heads = {}
    for name in first.heads:
        if not all(name in base.heads for base in bases):
            continue
        trained = [base.heads[name] for base in bases]
        if any(head.labels != trained[0].labels for head in trained):
            raise BaseModelError(f"no mean of head {name!r}: the labels differ")
        both = _mean([{"weight": head.weight, "bias": head.bias} for head in trained])
        heads[name] = TrainedHead(trained[0].labels, both["weight"], both["bias"])
    origin = "the mean of: " + " | ".join(base.model_id or base.origin for base in bases)
    return replace(first, origin=origin, heads=heads, model_id=None)


def _mean(states: Sequence[Mapping[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    shapes = [{name: value.shape for name, value in state.items()} for state in states]
    if any(shape != shapes[0] for shape in shapes):
        raise BaseModelError("no mean of models whose weights differ in name or shape")
    return {
        name: torch.stack([state[name].double() for state in states]).mean(0).to(value.dtype)
        for name, value in states[0].items()
    }
