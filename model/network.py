"""The network: an encoder, mean pooling, and one linear head per question."""

from collections.abc import Mapping

from torch import Tensor, nn
from transformers import PretrainedConfig, PreTrainedModel


class Network(nn.Module):
    """An encoder with one classification head per question."""

    def __init__(
        self, encoder: PreTrainedModel, heads: Mapping[str, int], dropout: float = 0.0
    ) -> None:
        """Add heads to an encoder.

        Args:
            encoder: returns ``last_hidden_state`` (texts, tokens, hidden).
            heads: name → number of labels, in the order of the outputs.
            dropout: before the heads.
        """
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(dropout)
        hidden = int(encoder.config.hidden_size)
        self.heads = nn.ModuleDict({name: nn.Linear(hidden, size) for name, size in heads.items()})

    def forward(self, ids: Tensor, mask: Tensor) -> tuple[Tensor, ...]:
        """Logits of each head.

        Args:
            ids: (texts, tokens), int64.
            mask: (texts, tokens), int64, 1 where there is a token.

        Returns:
            One (texts, labels) tensor per head, in the order of the heads.
        """
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask.unsqueeze(-1).to(hidden.dtype)
        pooled = (hidden * weight).sum(dim=1) / weight.sum(dim=1).clamp(min=1.0)
        pooled = self.dropout(pooled)
        return tuple(head(pooled) for head in self.heads.values())


def without_pooler(config: PretrainedConfig) -> dict[str, bool]:
    """Arguments that build an encoder without its pooler, which mean pooling replaces; empty for an
    architecture without one.
    """
    return {"add_pooling_layer": False} if config.model_type in ("bert", "xlm-roberta") else {}
