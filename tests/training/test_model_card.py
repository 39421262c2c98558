"""The committed card is what the generator writes; its table says where a model comes from."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from training.lineage import PRETRAINED, lineage_table
from training.model_card import CARD, model_card
from training.recipe import load_recipe

WEIGHTS = Path(__file__).parents[2] / "model" / "weights"


def test_the_committed_card_is_the_generators() -> None:
    details = json.loads((WEIGHTS / "manifest.json").read_text())
    card = (WEIGHTS / CARD).read_text()
    diagrams = {name: title for title, name in re.findall(r"!\[(.+?)\]\((.+?)\)", card)}
    assert len(diagrams) == 3
    assert model_card(details, load_recipe("groundswell"), diagrams) == card


def test_every_run_before_has_a_row_and_means_have_shares() -> None:
    table = lineage_table(load_recipe("groundswell"), "the mean of: one | other")
    assert table.splitlines()[2:] == [
        f"| `groundswell-first` | {PRETRAINED} | 5,200 steps of 32 texts |",
        "| `groundswell-second` | `groundswell-first` | 7,000 steps of 32 texts |",
        "| `groundswell-third` | `groundswell-second` | 6,400 steps of 32 texts |",
        "| `groundswell-mean` | the mean of `groundswell-first` (1/3), `groundswell-second` (1/3) "
        "and `groundswell-third` (1/3) | no further step |",
        "| `groundswell-fourth` | `groundswell-mean` | 5,000 steps of 32 texts |",
        "| `groundswell` | the mean of `groundswell-mean` (1/4) and `groundswell-fourth` (3/4) "
        "| no further step |",
    ]


@pytest.mark.parametrize(
    ("bases", "start"),
    [
        (("bundled",), f"layers 2, 4 of {PRETRAINED}"),
        (("shipped",), "layers 2, 4 of the shipped model"),
        (("runs/unknown/float32",), "layers 2, 4 of `unknown`"),
        (("mine/model",), "layers 2, 4 of `mine/model`"),
        (("mine", "mine"), "layers 2, 4 of `mine` (1)"),
    ],
)
def test_what_a_run_of_ones_own_starts_from(bases: tuple[str, ...], start: str) -> None:
    recipe = replace(load_recipe("own"), bases=bases)
    assert lineage_table(recipe, "layers 2, 4 of: e5, then a-1").splitlines()[2:] == [
        f"| `own` | {start} | 150 steps of 32 texts |"
    ]
