"""Builds a student: a smaller encoder from some of a larger one's layers."""

from torch import nn
from transformers import PreTrainedModel

from training.errors import RecipeError


def keep_layers(encoder: PreTrainedModel, count: int) -> list[int]:
    """Keep ``count`` evenly spaced layers of an encoder, including the last, and drop the others.

    A student that starts with its teacher's layers gets closer to it than one with new layers (Sanh
    et al., 2019, "DistilBERT, a distilled version of BERT", arXiv 1910.01108). Of N layers, the
    i-th of M kept ones is the (i N / M)-th, counted from 1, like the uniform mapping of Jiao et
    al., 2020, "TinyBERT". The embeddings are kept.

    Returns:
        The indices, from 0, of the kept layers.

    Raises:
        RecipeError: it has fewer layers, or no list of layers like BERT's (``encoder.layer``).
    """
    stack = getattr(encoder, "encoder", None)
    layers = getattr(stack, "layer", None)
    if stack is None or not isinstance(layers, nn.ModuleList):
        raise RecipeError(
            f"distillation: cannot remove layers from a {encoder.config.model_type} encoder"
        )
    if count > len(layers):
        raise RecipeError(
            f"distillation: layers = {count}, but the base's encoder has {len(layers)}"
        )
    kept = [(i + 1) * len(layers) // count - 1 for i in range(count)]
    stack.layer = nn.ModuleList(layers[place] for place in kept)
    encoder.config.num_hidden_layers = count
    return kept
