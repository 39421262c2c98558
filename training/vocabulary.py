"""Trims a large vocabulary to the tokens that comments use."""

import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel

from training.errors import RecipeError

_CHUNK = 4096
_WORD_START = "▁"
_VIETNAMESE = frozenset("ăđơưĂĐƠƯ") | {chr(code) for code in range(0x1EA0, 0x1EFA)}


@dataclass(frozen=True, slots=True)
class TrimmedVocabulary:
    """A smaller tokenizer and its tokens' ids in the large one.

    Attributes:
        tokenizer: has the ids 0 to len(kept) - 1.
        kept: the old id of each new id, shape (tokens,), ascending.
    """

    tokenizer: Tokenizer
    kept: NDArray[np.int64]


def trim(
    tokenizer: Tokenizer, texts: Iterable[str], *, size: int, per_script: int
) -> TrimmedVocabulary:
    """Choose the tokens of a smaller Unigram tokenizer: special ones, all single characters, the
    most common of each script, then those in ``texts``, most frequent first.

    With the single characters it reads every script that the large vocabulary reads; characters
    that the large one lacks become the unknown token in both.

    Args:
        tokenizer: a Unigram tokenizer whose ids ascend from common to rare, as XLM-R's do.
        texts: normalised training texts.
        size: limit on the tokens; the first two groups are always kept.
        per_script: how many of each script's most common tokens to keep even if ``texts`` lack
            them. Vietnamese, although in Latin letters, counts as a script.

    Raises:
        RecipeError: the tokenizer is not a Unigram tokenizer.
    """
    config = json.loads(tokenizer.to_str())
    if config["model"]["type"] != "Unigram":
        raise RecipeError(
            f"cannot trim a {config['model']['type']} vocabulary, only Unigram: set trim = false"
        )
    pieces: list[tuple[str, float]] = config["model"]["vocab"]
    special = {entry["id"] for entry in config["added_tokens"]}
    keep = special | {config["model"]["unk_id"]}
    keep |= {i for i, (piece, _) in enumerate(pieces) if len(piece.lstrip(_WORD_START)) <= 1}
    by_script: Counter[str] = Counter()
    for i, (piece, _) in enumerate(pieces):
        script = script_of(piece)
        if by_script[script] < per_script:
            by_script[script] += 1
            keep.add(i)
    used = count_pieces(tokenizer, texts)
    ranked = sorted((i for i in used if i not in keep), key=lambda i: (-used[i], i))
    keep.update(ranked[: max(0, size - len(keep))])

    kept = np.array(sorted(keep), dtype=np.int64)
    new_id = {int(old): new for new, old in enumerate(kept)}
    config["model"]["vocab"] = [pieces[i] for i in kept]
    config["model"]["unk_id"] = new_id[config["model"]["unk_id"]]
    for entry in config["added_tokens"]:
        entry["id"] = new_id[entry["id"]]
    specials = (config.get("post_processor") or {}).get("special_tokens", {})
    for entry in specials.values():
        entry["ids"] = [new_id[i] for i in entry["ids"]]
    return TrimmedVocabulary(Tokenizer.from_str(json.dumps(config, ensure_ascii=False)), kept)


def shrink_embeddings(encoder: PreTrainedModel, kept: NDArray[np.int64], pad_id: int) -> None:
    """Replace the encoder's word embeddings by their rows ``kept``, shape (tokens, hidden)."""
    old = encoder.get_input_embeddings()
    if not isinstance(old, nn.Embedding):
        raise RecipeError(
            "only an encoder with an embedding table can be trimmed: set trim = false"
        )
    new = nn.Embedding(len(kept), old.embedding_dim, padding_idx=pad_id)
    with torch.no_grad():
        new.weight.copy_(old.weight[torch.from_numpy(kept)])
    encoder.set_input_embeddings(new)
    encoder.config.vocab_size = len(kept)


def script_of(piece: str) -> str:
    """The script of most letters of a token, from their Unicode names."""
    if not _VIETNAMESE.isdisjoint(piece):
        return "VIETNAMESE"
    names = Counter(
        unicodedata.name(letter, "UNNAMED").split(maxsplit=1)[0]
        for letter in piece
        if letter != _WORD_START
    )
    return names.most_common(1)[0][0] if names else "NONE"


def count_pieces(tokenizer: Tokenizer, texts: Iterable[str]) -> Counter[int]:
    """Count each id in the texts."""
    used: Counter[int] = Counter()
    for chunk in _chunks(texts):
        for encoding in tokenizer.encode_batch(chunk, add_special_tokens=False):
            used.update(encoding.ids)
    return used


def _chunks(texts: Iterable[str]) -> Iterator[list[str]]:
    iterator = iter(texts)
    while chunk := list(islice(iterator, _CHUNK)):
        yield chunk
