"""The torch backend: an artifact's float32 weights, or any transformers sequence classifier.

Imported only if such a model is requested.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
from tokenizers import Tokenizer

from model.artifact import ENCODER_CONFIG, TOKENIZER, WEIGHTS, ModelArtifact
from model.backend import SENTIMENT, Pieces, Probabilities, padded, softmax
from model.errors import ArtifactError, BackendError
from model.scope import unknown_piece

try:
    import torch
    from safetensors.torch import load_file
    from transformers import (
        AutoConfig,
        AutoModel,
        AutoModelForSequenceClassification,
        AutoTokenizer,
    )

    from model.network import Network, without_pooler
except ImportError as error:
    raise BackendError(
        f"this model needs torch and transformers ({error}); run: pip install 'groundswell[gpu]'"
    ) from error

_LONGEST = 128


class TorchBackend:
    """Runs a torch module, on the GPU if there is one, else on the CPU."""

    def __init__(
        self,
        module: torch.nn.Module,
        tokenizer: Tokenizer,
        *,
        model_id: str,
        labels: Mapping[str, tuple[str, ...]],
        temperatures: Mapping[str, float],
        max_tokens: int,
        special: tuple[Pieces, Pieces, int],
        threads: int | None = None,
    ) -> None:
        """Wrap a module; see also :meth:`from_artifact` and :meth:`from_pretrained`.

        Args:
            module: (ids, mask) → one tensor of logits per head, in the order of ``labels``.
            tokenizer: splits texts into tokens.
            model_id: identifies the weights.
            labels: head → labels, in the order of its logits.
            temperatures: head → temperature; 1 for heads that are not named.
            max_tokens: tokens read at once, special ones included.
            special: tokens before a text, tokens after it, the padding id.
            threads: threads of torch on the CPU; torch's default if ``None``.
        """
        if threads:
            torch.set_num_threads(threads)
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._module = module.eval().to(self._device)
        self._tokenizer = tokenizer
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self.unknown = unknown_piece(tokenizer)
        self.model_id = model_id
        self.labels = labels
        self._temperatures = temperatures
        self._before, self._after, self._pad_id = special
        self.window = max_tokens - len(self._before) - len(self._after)

    @classmethod
    def from_artifact(cls, artifact: ModelArtifact, *, threads: int | None = None) -> Self:
        """Load the float32 weights of a model folder.

        Raises:
            ArtifactError: it has none, or a file is missing or changed.
        """
        artifact.verify()
        if WEIGHTS not in artifact.files:
            raise ArtifactError(f"{artifact.path} has no {WEIGHTS}: it runs on ONNX Runtime only")
        config = AutoConfig.from_pretrained(str(artifact.path / ENCODER_CONFIG))
        encoder = AutoModel.from_config(config, **without_pooler(config))  # type: ignore[no-untyped-call]
        network = Network(encoder, {head: len(names) for head, names in artifact.labels.items()})
        network.load_state_dict(load_file(artifact.path / WEIGHTS))
        return cls(
            network,
            Tokenizer.from_file(str(artifact.path / TOKENIZER)),
            model_id=f"{artifact.model_id}+float32",
            labels=artifact.labels,
            temperatures=artifact.temperatures,
            max_tokens=artifact.max_tokens,
            special=(artifact.before, artifact.after, artifact.pad_id),
            threads=threads,
        )

    @classmethod
    def from_pretrained(cls, name: str, *, threads: int | None = None) -> Self:
        """Load a transformers sequence classifier from a folder or by its Hugging Face id.

        Raises:
            ArtifactError: there is no such folder, and no such id on the hub (or no connection).
            BackendError: its labels do not name sentiments.
        """
        try:
            classifier = AutoModelForSequenceClassification.from_pretrained(name)
            fast = AutoTokenizer.from_pretrained(name)
        except (OSError, ValueError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ArtifactError(
                f"{name!r} is no model folder and cannot be loaded from Hugging Face: {reason}"
            ) from error
        config = classifier.config
        labels = tuple(_sentiment(config.id2label[i]) for i in range(config.num_labels))
        positions = getattr(config, "max_position_embeddings", _LONGEST) or _LONGEST
        return cls(
            _Wrapped(classifier),
            fast.backend_tokenizer,
            model_id=f"transformers:{name}",
            labels={SENTIMENT: labels},
            temperatures={},
            max_tokens=min(_LONGEST, positions, fast.model_max_length),
            special=(*_special_pieces(fast), int(fast.pad_token_id or 0)),
            threads=threads,
        )

    def encode(self, texts: Sequence[str]) -> list[Pieces]:
        """Split texts into tokens."""
        encodings = self._tokenizer.encode_batch(list(texts), add_special_tokens=False)
        return [encoding.ids for encoding in encodings]

    def probabilities(self, windows: Sequence[Pieces]) -> dict[str, Probabilities]:
        """Run one batch; see :class:`model.backend.Backend`."""
        ids, mask = padded(windows, self._before, self._after, self._pad_id)
        try:
            with torch.inference_mode():
                outputs = self._module(
                    torch.from_numpy(ids).to(self._device), torch.from_numpy(mask).to(self._device)
                )
        except (RuntimeError, IndexError) as error:
            raise BackendError(f"torch failed: {error}") from error
        return {
            head: softmax(
                np.asarray(logits.float().cpu().numpy()), self._temperatures.get(head, 1.0)
            )
            for head, logits in zip(self.labels, outputs, strict=True)
        }


class _Wrapped(torch.nn.Module):
    """Gives a transformers classifier the signature of our network."""

    def __init__(self, classifier: torch.nn.Module) -> None:
        super().__init__()
        self.classifier = classifier

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return (self.classifier(input_ids=ids, attention_mask=mask).logits,)


def _special_pieces(fast: Any) -> tuple[list[int], list[int]]:
    """The special tokens that a tokenizer puts before and after a text, found by an example."""
    plain = fast("a", add_special_tokens=False)["input_ids"]
    whole = fast("a")["input_ids"]
    for start in range(len(whole) - len(plain) + 1):
        if whole[start : start + len(plain)] == plain:
            return whole[:start], whole[start + len(plain) :]
    return [], []


def _sentiment(label: str) -> str:
    """The sentiment that a label names.

    Raises:
        BackendError: it names none, as ``LABEL_0`` does.
    """
    for sentiment in ("negative", "neutral", "positive"):
        if label.lower().startswith(sentiment[:3]):
            return sentiment
    raise BackendError(f"label {label!r} does not name negative, neutral or positive")
