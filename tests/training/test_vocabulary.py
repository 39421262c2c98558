import json

import pytest
import torch
from tokenizers import Tokenizer, models

from tests.training import tiny
from training.errors import RecipeError
from training.vocabulary import count_pieces, script_of, shrink_embeddings, trim


def test_kept_pieces_give_the_same_cut() -> None:
    whole = tiny.tokenizer()
    text = "good monday table 好"
    cut = trim(whole, [text], size=60, per_script=2)
    assert cut.tokenizer.encode(text).tokens == whole.encode(text).tokens
    old = [int(cut.kept[i]) for i in cut.tokenizer.encode(text).ids]
    assert old == whole.encode(text).ids


def test_pieces_nobody_uses_are_gone_and_their_text_is_still_read() -> None:
    whole = tiny.tokenizer()
    cut = trim(whole, ["good bad"], size=0, per_script=2)
    assert cut.tokenizer.get_vocab_size() < whole.get_vocab_size()
    assert cut.tokenizer.token_to_id("▁жнец") is None
    assert "▁zebra" in whole.encode("zebra").tokens
    tokens = cut.tokenizer.encode("zebra").tokens
    assert "▁zebra" not in tokens
    assert "<unk>" not in tokens
    assert "".join(tokens[1:-1]).replace("▁", "") == "zebra"


def test_commonest_of_each_script_stay_unseen() -> None:
    cut = trim(tiny.tokenizer(), ["good"], size=0, per_script=2)
    assert cut.tokenizer.token_to_id("▁жук") is not None
    assert cut.tokenizer.token_to_id("▁жом") is None


def test_script_nobody_knows_is_one_unknown_piece() -> None:
    cut = trim(tiny.tokenizer(), ["good"], size=0, per_script=2)
    encoding = cut.tokenizer.encode("ᏣᎳᎩ")
    assert cut.tokenizer.token_to_id("<unk>") in encoding.ids


def test_special_pieces_and_template_are_renumbered() -> None:
    config = json.loads(tiny.tokenizer().to_str())
    config["model"]["vocab"].append(["<mask>", 0.0])
    mask = len(config["model"]["vocab"]) - 1
    config["added_tokens"].append({**config["added_tokens"][0], "id": mask, "content": "<mask>"})
    cut = trim(Tokenizer.from_str(json.dumps(config)), ["good"], size=0, per_script=1)
    assert cut.kept[-1] == mask
    assert cut.tokenizer.token_to_id("<mask>") == len(cut.kept) - 1
    assert cut.tokenizer.encode("good").ids[0] == cut.tokenizer.token_to_id("<s>")


def test_embeddings_follow_their_pieces() -> None:
    encoder = tiny.encoder()
    before = encoder.get_input_embeddings().weight.detach().clone()
    cut = trim(tiny.tokenizer(), ["good table"], size=0, per_script=1)
    shrink_embeddings(encoder, cut.kept, pad_id=1)
    after = encoder.get_input_embeddings().weight
    assert after.shape == (len(cut.kept), 32)
    new = cut.tokenizer.token_to_id("z")
    assert torch.equal(after[new], before[int(cut.kept[new])])
    assert encoder.config.vocab_size == len(cut.kept)


def test_other_kinds_of_vocabulary_are_refused() -> None:
    with pytest.raises(RecipeError, match="trim = false"):
        trim(Tokenizer(models.WordPiece({"[UNK]": 0}, unk_token="[UNK]")), [], size=1, per_script=1)


@pytest.mark.parametrize(
    ("piece", "script"),
    [("▁good", "LATIN"), ("▁được", "VIETNAMESE"), ("の", "HIRAGANA"), ("감사", "HANGUL")],
)
def test_scripts(piece: str, script: str) -> None:
    assert script_of(piece) == script


def test_counts() -> None:
    whole = tiny.tokenizer()
    counts = count_pieces(whole, ["good good", "bad"])
    assert counts[whole.token_to_id("▁good")] == 2
