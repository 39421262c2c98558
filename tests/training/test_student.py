"""Which layers a student keeps."""

import pytest
import torch

from tests.training import tiny
from training.errors import RecipeError
from training.student import keep_layers


@pytest.mark.parametrize(
    ("of", "count", "kept"),
    [
        (12, 6, [1, 3, 5, 7, 9, 11]),
        (12, 4, [2, 5, 8, 11]),
        (12, 5, [1, 3, 6, 8, 11]),
        (4, 4, [0, 1, 2, 3]),
        (4, 1, [3]),
    ],
)
def test_layers_kept_are_evenly_spaced_and_the_last_is_one(
    of: int, count: int, kept: list[int]
) -> None:
    encoder = tiny.encoder(of)
    before = encoder.state_dict()
    assert keep_layers(encoder, count) == kept
    after = encoder.state_dict()
    query = "encoder.layer.{}.attention.self.query.weight"
    for new, old in enumerate(kept):
        assert torch.equal(after[query.format(new)], before[query.format(old)])
    assert query.format(count) not in after
    assert encoder.config.num_hidden_layers == count
    words = "embeddings.word_embeddings.weight"
    assert torch.equal(after[words], before[words])
    again = type(encoder)(encoder.config, add_pooling_layer=False)
    again.load_state_dict(after)
    ids = torch.tensor([[0, 4, 5, 2]])
    encoder.eval()
    again.eval()
    assert torch.equal(encoder(ids).last_hidden_state, again(ids).last_hidden_state)


def test_an_encoder_of_another_make_is_named() -> None:
    encoder = tiny.encoder()
    del encoder.encoder
    with pytest.raises(RecipeError, match="from a bert encoder"):
        keep_layers(encoder, 1)
