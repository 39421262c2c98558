"""Prepares what a run needs: rows as token ids, a network, a tokenizer."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer

from model.network import Network
from training.augment import augment
from training.checkpoint import copy_heads, load_base
from training.data import Corpus, Split, load_corpus
from training.finetune import Tokenised, new_network
from training.recipe import Recipe
from training.soup import mean
from training.student import keep_layers
from training.teacher import Teacher, load_teacher
from training.vocabulary import shrink_embeddings, trim

_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Prepared:
    """Everything that a run needs.

    Attributes:
        corpus: the sets, validated and normalised.
        train: the training sets as token ids.
        network: the pretrained encoder with its heads.
        tokenizer: for the trimmed vocabulary, without truncation or padding.
        pad_id: the padding id.
        origin: where the encoder's weights come from.
        teacher: the teacher, if the recipe has a distillation.
    """

    corpus: Corpus
    train: tuple[Tokenised, ...]
    network: Network
    tokenizer: Tokenizer
    pad_id: int
    origin: str
    teacher: Teacher | None


def prepare(recipe: Recipe, data: Path, *, wheels: Path | None = None) -> Prepared:
    """Load everything that a recipe names. Sets torch's seed.

    Raises:
        DataError: data is missing or not valid.
        BaseModelError: the base model or the teacher cannot be loaded.
        RecipeError: the distillation does not fit the models.
    """
    corpus = load_corpus(recipe, data)
    bases = [load_base(base, wheels=wheels) for base in recipe.bases]
    base = bases[0] if len(bases) == 1 else mean(bases)
    tokenizer, pad_id = base.tokenizer, base.pad_id
    if recipe.vocabulary.trim:
        texts = (text for split in corpus.train for text in split.texts)
        vocabulary = trim(
            tokenizer,
            texts,
            size=recipe.vocabulary.size,
            per_script=recipe.vocabulary.per_script,
        )
        tokenizer = vocabulary.tokenizer
        pad_id = int(np.searchsorted(vocabulary.kept, pad_id))
        shrink_embeddings(base.encoder, vocabulary.kept, pad_id)
    origin, teacher, distillation = base.origin, None, recipe.distillation
    if distillation is not None:
        kept = keep_layers(base.encoder, distillation.layers)
        origin = f"layers {', '.join(str(place + 1) for place in kept)} of: {origin}"
        teacher = load_teacher(
            distillation.teacher,
            recipe.heads,
            tokenizer,
            recipe.optimisation.precision,
            wheels=wheels,
        )
    torch.manual_seed(recipe.seed)
    network = new_network(base.encoder, recipe.heads, recipe.optimisation)
    if recipe.keep_heads:
        copy_heads(network, recipe.heads, base)
    train = tuple(
        tokenise(
            augment(split, recipe.head(split.data.head).labels, recipe.optimisation.augment),
            tokenizer,
            recipe.optimisation.max_tokens,
        )
        for split in corpus.train
    )
    return Prepared(corpus, train, network, tokenizer, pad_id, origin, teacher)


def tokenise(split: Split, tokenizer: Tokenizer, max_tokens: int) -> Tokenised:
    """A split's texts as token ids, cut to ``max_tokens``, special ones included."""
    return Tokenised(split, encode(tokenizer, split.texts, max_tokens))


def encode(tokenizer: Tokenizer, texts: Sequence[str], max_tokens: int) -> list[NDArray[np.int32]]:
    """Texts as int32 arrays of token ids, special ones included."""
    tokenizer.enable_truncation(max_tokens)
    try:
        return [
            np.array(encoding.ids, dtype=np.int32)
            for start in range(0, len(texts), _CHUNK)
            for encoding in tokenizer.encode_batch(list(texts[start : start + _CHUNK]))
        ]
    finally:
        tokenizer.no_truncation()
