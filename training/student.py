"""A shallower encoder made of a deeper one's layers: where a student starts."""

from torch import nn
from transformers import PreTrainedModel

from training.errors import RecipeError


def keep_layers(encoder: PreTrainedModel, count: int) -> list[int]:
    """Drop an encoder's layers but ``count`` evenly spaced ones, the last among them.

    A student that starts with its teacher's layers comes nearer to it than one of the same size
    with fresh ones (Sanh et al., 2019, "DistilBERT, a distilled version of BERT", arXiv
    1910.01108). The i-th of M layers kept of N, counted from 1, is the (i N / M)-th, as the uniform
    mapping of Jiao et al., 2020, "TinyBERT", has it; the embeddings stay.

    Returns:
        The places, from 0, of the layers that stay.

    Raises:
        RecipeError: it has fewer layers, or is not built as BERT is (``encoder.layer``).
    """
    stack = getattr(encoder, "encoder", None)
    layers = getattr(stack, "layer", None)
    if stack is None or not isinstance(layers, nn.ModuleList):
        raise RecipeError(
            f"distillation: cannot take layers out of a {encoder.config.model_type} encoder"
        )
    if count > len(layers):
        raise RecipeError(
            f"distillation: layers = {count}, but the encoder to start from has {len(layers)}"
        )
    kept = [(i + 1) * len(layers) // count - 1 for i in range(count)]
    stack.layer = nn.ModuleList(layers[place] for place in kept)
    encoder.config.num_hidden_layers = count
    return kept
