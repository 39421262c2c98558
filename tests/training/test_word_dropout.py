"""Pieces that a training step does not see."""

import torch

from training.finetune import drop_words


def test_special_pieces_and_padding_stay_and_the_share_is_kept() -> None:
    lengths = torch.arange(2, 52)
    mask = (torch.arange(60) < lengths.unsqueeze(1)).to(torch.int64)
    torch.manual_seed(1)
    seen = drop_words(mask, 0.3)
    rows = torch.arange(50)
    assert (seen[:, 0] == 1).all()
    assert (seen[rows, lengths - 1] == 1).all()
    assert (seen <= mask).all()
    inner = int((lengths - 2).sum())
    assert 0.25 < int((mask - seen).sum()) / inner < 0.35


def test_nothing_is_dropped_at_zero() -> None:
    mask = torch.ones(3, 5, dtype=torch.int64)
    assert torch.equal(drop_words(mask, 0.0), mask)
