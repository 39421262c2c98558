"""Comments written for this project, to measure languages without a public training set.

For evaluation only. They are not part of a :class:`training.data.Corpus`, so no model is trained,
selected, calibrated or rejected by them; they are measured in addition to its val sets.
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
    """All evaluation sets, validated and normalised."""
    splits = []
    for data in SETS:
        with as_file(files(__package__) / data.path) as path:
            splits.append(load_split(path, data, _LABELS))
    return splits


def evaluation_hashes() -> dict[str, str]:
    """File name → sha256 of each evaluation set."""
    hashes = {}
    for data in SETS:
        with as_file(files(__package__) / data.path) as path:
            hashes[data.path] = sha256_of(path)
    return hashes
