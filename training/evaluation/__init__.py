"""Comments written for this project, to measure languages that no training set covers.

Evaluation only. They are no part of a :class:`training.data.Corpus`, so nothing can train on them,
choose by them, calibrate on them or be refused for them; they are measured beside its val sets.
"""

from importlib.resources import as_file, files

from model.artifact import sha256_of
from model.backend import SENTIMENT
from model.types import Sentiment
from training.data import Split, load_split
from training.recipe import DataSet

_LABELS = tuple(member.value for member in Sentiment)
_TERMS = "written for this project, Apache-2.0"
SETS = tuple(
    DataSet(name, f"{name}.csv", SENTIMENT, {label: label for label in _LABELS}, 0.0, terms=_TERMS)
    for name in ("vietnamese", "japanese")
)


def evaluation_splits() -> list[Split]:
    """Every evaluation set, validated and normalised."""
    splits = []
    for data in SETS:
        with as_file(files(__package__) / data.path) as path:
            splits.append(load_split(path, data, _LABELS))
    return splits


def evaluation_hashes() -> dict[str, str]:
    """File name → sha256 of every evaluation set."""
    hashes = {}
    for data in SETS:
        with as_file(files(__package__) / data.path) as path:
            hashes[data.path] = sha256_of(path)
    return hashes
