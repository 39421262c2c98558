"""A language of a dozen words, a base model that reads it, and labelled sets in it."""

import csv
import json
import random
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import BertConfig, BertModel

GOOD = ("good", "lovely", "great")
BAD = ("bad", "awful", "broken")
PLAIN = ("table", "monday", "blue", "train")
RUDE = ("idiot", "moron")
UNUSED = ("zebra", "quartz", "жук", "жар", "жир", "жом", "жнец", "жало")
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")


def tokenizer() -> Tokenizer:
    words = [f"▁{word}" for word in (*GOOD, *BAD, *PLAIN, *RUDE, *UNUSED)]
    letters = [*"abcdefghijklmnopqrstuvwxyzжукарим", "▁", "😡", "好"]
    vocabulary = [(piece, 0.0) for piece in SPECIAL]
    vocabulary += [(word, -2.0 - i / 10) for i, word in enumerate(words)]
    vocabulary += [(letter, -9.0) for letter in letters]
    made = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.decoder = decoders.Metaspace()
    made.add_special_tokens(list(SPECIAL))
    made.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return made


def encoder(layers: int = 1) -> BertModel:
    torch.manual_seed(3)
    config = BertConfig(
        vocab_size=tokenizer().get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=160,
        pad_token_id=1,
    )
    return BertModel(config, add_pooling_layer=False)


def write_base(folder: Path, layers: int = 1) -> Path:
    """A base model in transformers' format."""
    encoder(layers).save_pretrained(folder)
    write_tokenizer(folder)
    return folder


def write_tokenizer(folder: Path) -> None:
    tokenizer().save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": "<s>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "pad_token": "<pad>",
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config))


def write_sets(folder: Path, rows: int = 90) -> Path:
    """The three sets of the smoke recipe, each word of a mood deciding its row's label."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = random.Random(5)
    moods = {"negative": BAD, "neutral": PLAIN, "positive": GOOD}
    stars = {"1": BAD, "5": GOOD}
    insults = {"offensive": RUDE, "not-offensive": PLAIN}
    for name, kinds in (("moods", moods), ("stars", stars), ("insults", insults)):
        for split in ("train", "val") if name != "stars" else ("train",):
            write_rows(
                folder / f"{name}.{split}.csv",
                [
                    (" ".join([draw.choice(words), *draw.choices(PLAIN, k=2)]), label)
                    for label, words in kinds.items()
                    for _ in range(rows // len(kinds))
                ],
            )
    return folder


def write_rows(path: Path, rows: list[tuple[str, str]], header: tuple[str, ...] = ()) -> None:
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(header or ("text", "label"))
        writer.writerows(rows)
