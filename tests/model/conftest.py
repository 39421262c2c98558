from pathlib import Path

import pytest

from tests.model.graph import write_artifact
from tests.training import tiny

NASTY = [
    "\x00",
    "\ud800",
    "a\udc00b",
    "😡" * 10_000,
    "👩‍👩‍👧" * 500,
    "\u200b\u200d\ufeff",
    "ᏣᎳᎩ ଓଡ଼ିଆ 漢字 かな",
    "Z̸̢̛̛͚̺̙a̷l̵g̶o̸",
    "&#x110000; &amp;amp; &#0;",
    "\\ud83d\\ude21 \\u2019 \\uZZZZ",
    "<s> </s> <pad> <unk> <mask>",
    "a" * 70_000,
    "no spaces" * 9_000,
    "\u202eevil\u202c",
]


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_artifact(tmp_path_factory.mktemp("artifact"))


@pytest.fixture(scope="session")
def transformers_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sequence classifier as transformers saves it, with labels in an order of its own."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    folder = tmp_path_factory.mktemp("transformers")
    torch.manual_seed(2)
    labels = {0: "POSITIVE", 1: "Neutral", 2: "negative"}
    config = BertConfig(
        vocab_size=tiny.tokenizer().get_vocab_size(),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=40,
        pad_token_id=1,
        id2label=labels,
        label2id={label: i for i, label in labels.items()},
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    tiny.write_tokenizer(folder)
    return folder
