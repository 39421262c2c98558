"""Presets: what the exports of well-known tools call the fields of a comment.

Each is a table in `presets/`. It is recognised by keys that its files have.
"""

import tomllib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

from serving.errors import InputError
from serving.ingest.importers.field_source import FieldSource


@dataclass(frozen=True, slots=True)
class Preset:
    """The export of one tool.

    Attributes:
        name: what `--preset` takes.
        about: which tool and which of its files, for people.
        keys: columns or keys that all its files have.
        fields: where each field of a comment is.
        constants: fields that have one value for all of its comments.
        records: keys that hold the list of comments, in a JSON document or in each line of NDJSON.
        replies: the key of a comment's replies, which are of the same form.
        skip: key -> values of rows that are no comments.
        zone: of times that name none; None where the file does not say.
    """

    name: str
    about: str
    keys: frozenset[str]
    fields: Mapping[str, FieldSource]
    constants: Mapping[str, str] = field(default_factory=dict)
    records: Sequence[str] = ()
    replies: Sequence[str] = ()
    skip: Mapping[str, Sequence[str]] = field(default_factory=dict)
    zone: str | None = None


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All presets.

    Attributes:
        presets: by name.
        aliases: field -> what exports of other tools call it.
        replies: what exports of other tools call the replies of a comment.
    """

    presets: Mapping[str, Preset]
    aliases: Mapping[str, Sequence[str]]
    replies: Sequence[str]

    @property
    def names(self) -> frozenset[str]:
        """Every name of a column that is known, in lower case."""
        found = {alias for aliases in self.aliases.values() for alias in aliases}
        found |= set(self.aliases) | set(self.replies)
        for preset in self.presets.values():
            found |= preset.keys | {
                path for source in preset.fields.values() for path in source.paths
            }
        return frozenset(name.casefold() for name in found)

    @property
    def records(self) -> Sequence[str]:
        """Every key that may hold the list of comments, the likeliest first."""
        found = ["comments", "messages", "data", "items", "results"]
        for preset in self.presets.values():
            found += [key for key in preset.records if key not in found]
        return found

    def named(self, name: str) -> Preset:
        """A preset by its name.

        Raises:
            InputError: there is none of this name.
        """
        if (found := self.presets.get(name)) is None:
            raise InputError(f"there is no preset {name!r}; there are {', '.join(self.presets)}")
        return found

    def recognise(self, keys: Collection[str]) -> Preset | None:
        """The preset whose keys are all there; of several the one with most keys."""
        there = {key.casefold() for key in keys}
        found = [
            preset
            for preset in self.presets.values()
            if {key.casefold() for key in preset.keys} <= there
        ]
        return max(found, key=lambda preset: len(preset.keys), default=None)


@cache
def catalogue() -> Catalogue:
    """The presets that come with Groundswell."""
    folder = files("serving.ingest.importers") / "presets"
    presets: dict[str, Preset] = {}
    aliases: dict[str, Any] = {}
    for file in sorted(folder.iterdir(), key=lambda one: one.name):
        if not file.name.endswith(".toml"):
            continue
        table = tomllib.loads(file.read_text(encoding="utf-8"))
        if file.name == "aliases.toml":
            aliases = table
        else:
            name = file.name.removesuffix(".toml")
            presets[name] = _preset(name, table)
    return Catalogue(presets, aliases["fields"], aliases["replies"])


def _preset(name: str, table: Mapping[str, Any]) -> Preset:
    return Preset(
        name=name,
        about=table["about"],
        keys=frozenset(table["keys"]),
        fields={key: _source(value) for key, value in table["fields"].items()},
        constants=table.get("constants", {}),
        records=table.get("records", ()),
        replies=table.get("replies", ()),
        skip=table.get("skip", {}),
        zone=table.get("zone"),
    )


def _source(value: Any) -> FieldSource:
    if isinstance(value, str):
        return FieldSource((value,))
    if isinstance(value, list):
        return FieldSource(tuple(value))
    paths = value.pop("path", [])
    paths = (paths,) if isinstance(paths, str) else tuple(paths)
    nothing = tuple(value.pop("nothing", ()))
    return FieldSource(paths, nothing=nothing, **value)
