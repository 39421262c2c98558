"""Reads the cases from ``families/*.toml``: one file per complaint, its cases by language.

A case is a text and an expectation (``expect``). If the expectation is a relation to a variant, the
variant is given in full (``other``), as a suffix (``append``), or as a number of repetitions of the
text (``repeat``).
"""

import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from training.errors import DataError
from training.robustness.relations import Relation


@dataclass(frozen=True, slots=True)
class Case:
    """One expectation of one text, or of a text and its variant.

    Attributes:
        language: the language of the text, or the one mixed into it.
        expect: the expectation.
        texts: the text and, for expectations of two texts, the variant.
    """

    language: str
    expect: Relation
    texts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Family:
    """The cases of one complaint.

    Attributes:
        name: short, for tables and manifests.
        title: what the cases test.
        complaint: what users say about classifiers that fail here.
        cases: at least 25.
    """

    name: str
    title: str
    complaint: str
    cases: tuple[Case, ...]


def load_families() -> list[Family]:
    """The shipped families in alphabetical order.

    Raises:
        DataError: a case is not valid; the message names the family and the text.
    """
    folder = files("training") / "robustness" / "families"
    found = sorted((entry.name, entry) for entry in folder.iterdir())
    return [
        parse_family(name.removesuffix(".toml"), entry.read_text(encoding="utf-8"))
        for name, entry in found
        if name.endswith(".toml")
    ]


def parse_family(name: str, toml: str) -> Family:
    """Parse one family's file.

    Raises:
        DataError: see :func:`load_families`.
    """
    try:
        table = tomllib.loads(toml)
        cases = tuple(
            _case(name, language, entry)
            for language, entries in table["cases"].items()
            for entry in entries
        )
        return Family(name, table["title"], table["complaint"], cases)
    except tomllib.TOMLDecodeError as error:
        raise DataError(f"family {name} is not valid TOML: {error}") from error
    except KeyError as error:
        raise DataError(f"family {name} lacks {error}") from error


def _case(family: str, language: str, entry: dict[str, Any]) -> Case:
    text: str = entry["text"]
    texts: tuple[str, ...]
    where = f"family {family}, {text!r}"
    if entry["expect"] not in set(Relation):
        raise DataError(f"{where}: no relation {entry['expect']!r}")
    expect = Relation(entry["expect"])
    given = {key: value for key, value in entry.items() if key not in ("expect", "text")}
    match tuple(given.items()):
        case ():
            texts = (text,)
        case (("other", str(other)),):
            texts = (text, other)
        case (("append", str(end)),):
            texts = (text, text + end)
        case (("repeat", int(times)),):
            texts = (text, " ".join([text] * times))
        case _:
            raise DataError(f"{where}: {', '.join(sorted(given))} do not define one variant")
    if len(texts) != expect.texts:
        raise DataError(f"{where}: {expect} needs {expect.texts} texts, not {len(texts)}")
    return Case(language, expect, texts)
