"""Reads labelled text: validate, normalise, split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pandera.pandas as pa
from numpy.typing import NDArray
from pandera.errors import SchemaErrors

from model.text import normalise
from training.errors import DataError
from training.recipe import DataSet, Recipe

_NAMED_ROWS = 5
_WRITTEN = "written/"


@dataclass(frozen=True, slots=True)
class Split:
    """The rows of one split of a set.

    Attributes:
        data: the set that they belong to.
        texts: normalised.
        labels: index of the head's label, shape (rows,).
        langs: language code of each row, ``und`` if the file has none.
        allowed: which of the head's labels the set uses, shape (labels,).
    """

    data: DataSet
    texts: Sequence[str]
    labels: NDArray[np.int64]
    langs: Sequence[str]
    allowed: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.texts)

    def row_weights(self, class_balance: float) -> NDArray[np.float32]:
        """Weight of each row in the loss, shape (rows,), mean 1: its class's share of the rows to
        the power of ``-class_balance``, which is in [0, 1].
        """
        counts = np.bincount(self.labels, minlength=len(self.allowed))
        weights = (counts[self.labels] / max(1, len(self))) ** -class_balance
        return np.asarray(weights / weights.mean() if len(self) else weights, dtype=np.float32)


@dataclass(frozen=True, slots=True)
class Corpus:
    """All sets of a recipe, and the sha256 of each file."""

    train: tuple[Split, ...]
    val: tuple[Split, ...]
    hashes: dict[str, str]


def load_corpus(recipe: Recipe, folder: Path, *, train: bool = True) -> Corpus:
    """Read all sets of a recipe; only their val rows if ``train`` is false.

    Raises:
        DataError: the folder or a file is missing, or a row is not valid; the message names
            file, row and column.
    """
    if not folder.is_dir():
        raise DataError(f"no data folder {folder}: set it with --data or GROUNDSWELL_DATA")
    train_splits: list[Split] = []
    val: list[Split] = []
    hashes: dict[str, str] = {}
    for data in recipe.sets:
        found = {split: _find(folder, data, split) for split in ("train", "val")}
        if not any(found.values()):
            raise DataError(f"set {data.name}: {folder} has neither {data.path}.train nor .val")
        for split, path in found.items():
            wanted = split == "val" or (train and data.weight) or data.holdout
            if path is None or not wanted:
                continue
            hashes[path.relative_to(_root(folder, data)).as_posix()] = hashlib.sha256(
                path.read_bytes()
            ).hexdigest()
            rows = load_split(path, data, recipe.head(data.head).labels)
            if split == "val":
                val.append(rows)
                continue
            rest, held = hold_out(rows, 0.0 if found["val"] else data.holdout)
            if train and data.weight:
                train_splits.append(_without(rest, data.without))
            if len(held):
                val.append(held)
    return Corpus(tuple(train_splits), tuple(val), hashes)


def load_split(path: Path, data: DataSet, head_labels: Sequence[str]) -> Split:
    """Read and validate one file with the columns text, label and (optionally) lang.

    Rows that are empty after normalisation are dropped.

    Raises:
        DataError: the file is not readable, lacks a column, or has an invalid value.
    """
    frame = validate(read_frame(path), sorted(data.labels), path)
    frame = frame.assign(text=[normalise(text) for text in frame["text"]])
    frame = frame[frame["text"] != ""]
    index = {label: i for i, label in enumerate(head_labels)}
    labels = np.array([index[data.labels[label]] for label in frame["label"]], dtype=np.int64)
    langs = frame["lang"].tolist() if "lang" in frame else ["und"] * len(frame)
    allowed = np.zeros(len(head_labels), dtype=np.bool_)
    allowed[[index[label] for label in data.labels.values()]] = True
    return Split(data, frame["text"].tolist(), labels, langs, allowed)


def read_frame(path: Path) -> pd.DataFrame:
    """Read a Parquet or CSV file.

    Raises:
        DataError: the file is not readable.
    """
    try:
        if path.suffix == ".parquet":
            return pd.read_parquet(path)
        return pd.read_csv(path, keep_default_na=False, dtype=str)
    except (OSError, ValueError, pd.errors.ParserError) as error:
        raise DataError(f"{path.name} is not readable: {error}") from error


def validate(frame: pd.DataFrame, labels: Sequence[str], path: Path) -> pd.DataFrame:
    """Check the columns and all values.

    Raises:
        DataError: names file, row (from 0) and column of the first few errors.
    """
    columns = {
        "text": pa.Column(str, nullable=False),
        "label": pa.Column(str, pa.Check.isin(labels), nullable=False),
    }
    if "lang" in frame:
        columns["lang"] = pa.Column(str, nullable=False)
    try:
        return pa.DataFrameSchema(columns).validate(frame.reset_index(drop=True), lazy=True)
    except SchemaErrors as error:
        cases = error.failure_cases.head(_NAMED_ROWS)
        faults = "; ".join(
            f"column {case['column'] or case['failure_case']}"
            + ("" if pd.isna(case["index"]) else f", row {int(case['index'])}")
            + f": {case['check']} failed for {str(case['failure_case'])[:60]!r}"
            for case in cases.to_dict("records")
        )
        raise DataError(f"{path.name}: {faults}") from error


def hold_out(split: Split, share: float) -> tuple[Split, Split]:
    """Divide a split into (rest, held out), by a hash of the text: equal in every run."""
    held = np.array([fraction(text) < share for text in split.texts], dtype=np.bool_)
    return _take(split, ~held), _take(split, held)


def fraction(text: str) -> float:
    """A number in [0, 1) that depends only on the text."""
    digest = hashlib.sha256(text.encode("utf-8", "replace")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def _without(split: Split, langs: Sequence[str]) -> Split:
    return _take(split, np.array([lang not in langs for lang in split.langs], dtype=np.bool_))


def _take(split: Split, chosen: NDArray[np.bool_]) -> Split:
    rows = np.flatnonzero(chosen)
    places: list[int] = rows.tolist()
    return Split(
        split.data,
        [split.texts[i] for i in places],
        split.labels[rows],
        [split.langs[i] for i in places],
        split.allowed,
    )


def _find(folder: Path, data: DataSet, split: str) -> Path | None:
    root = _root(folder, data)
    for suffix in (".parquet", ".csv"):
        path = root / f"{data.path}.{split}{suffix}"
        if path.is_file():
            return path
    return None


def _root(folder: Path, data: DataSet) -> Path:
    """The folder that a set's path is relative to; our own texts are inside the package."""
    return Path(__file__).parent if data.path.startswith(_WRITTEN) else folder
