"""Rows of a file as items of the API: which column is which field, and what replies hold."""

import ast
import difflib
import json
import shlex
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from serving.errors import InputError
from serving.ingest.comment import CommentIn
from serving.ingest.importers.field_source import Cells, FieldSource, column_of, plain
from serving.ingest.importers.header import repeated
from serving.ingest.importers.preset import Catalogue, Preset
from serving.ingest.importers.raw_row import RawRow, RowReader

FIELDS = tuple(CommentIn.model_fields)
# `kol_id`, or `handle` in its place; ids can be derived.
REQUIRED = ("platform", "kol_id", "text", "created_at")
SAMPLE = 100  # rows whose keys are looked at, where each row has keys of its own
_DEEPEST = 20  # replies to replies
_OWN = {"platform", "comment_id", "kol_id", "text", "created_at"}
_OPTIONS = {"platform": "--platform NAME", "kol_id": "--kol ID"}
_ROLES = {"comment_id", "parent_id", "text", "created_at", "author_id", "likes", "edited_at"}


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """Which field is where in one file.

    Attributes:
        sources: field -> where it is.
        constants: field -> its value in every row.
        preset: the preset that was used; None if none was.
        replies: keys of a comment's replies.
        aliases: field -> column, where the name is only known from other exports.
        derive_ids: whether ids are derived, because the file has none.
    """

    sources: Mapping[str, FieldSource]
    constants: Mapping[str, str]
    preset: Preset | None
    replies: Sequence[str]
    aliases: Mapping[str, str]
    derive_ids: bool


def plan_fields(
    keys: Sequence[str],
    *,
    catalogue: Catalogue,
    preset: Preset | None,
    given: Mapping[str, str],
    constants: Mapping[str, str],
) -> FieldPlan:
    """Find the fields of a comment among the columns or keys of a file.

    Args:
        keys: columns, or all keys of the first rows.
        catalogue: the known presets.
        preset: the one to use; None to recognise it.
        given: field -> path that the user says.
        constants: field -> value of every row that the user says.

    Raises:
        InputError: a required field is nowhere, or a column that is used is there twice.
    """
    there = {key.casefold() for key in keys}
    if preset is None and not there >= _OWN - set(constants):
        preset = catalogue.recognise(keys)
    sources: dict[str, FieldSource] = {}
    aliases: dict[str, str] = {}
    fixed = dict(preset.constants) if preset is not None else {}
    for name in FIELDS:
        if name in given:
            sources[name] = FieldSource((given[name],))
        elif name in constants:
            continue
        elif preset is not None and name in preset.fields:
            sources[name] = preset.fields[name]
        elif name not in fixed and name in keys:
            sources[name] = FieldSource((name,))
        elif name not in fixed and (own := _spelled(keys, [name])):
            if len(own) > 1:
                raise InputError(
                    f"{name} may be {' or '.join(own)}; name one: --field {name}={own[0]}"
                )
            sources[name] = FieldSource((own[0],))
            if own[0].casefold() != name:
                aliases[name] = own[0]
        elif name not in fixed and preset is None:
            found = _spelled(keys, catalogue.aliases.get(name, ()))
            if len(found) == 1:
                sources[name] = FieldSource((found[0],))
                aliases[name] = found[0]
    fixed = {name: value for name, value in (fixed | dict(constants)).items() if name not in given}
    derive = "comment_id" not in sources and "comment_id" not in fixed
    missing = [name for name in REQUIRED if name not in sources and name not in fixed]
    if "handle" in sources and "kol_id" in missing:
        missing.remove("kol_id")
    if missing:
        raise InputError(_missing(missing, keys, catalogue))
    replies = preset.replies if preset is not None else catalogue.replies
    return FieldPlan(sources, fixed, preset, tuple(replies), aliases, derive)


def check_columns(plan: FieldPlan, columns: Sequence[str], given: Mapping[str, str]) -> None:
    """Check a plan against the columns of a table.

    Raises:
        InputError: a field is read from a name that two columns have, or that none has.
    """
    twice = repeated(columns)
    for name, source in plan.sources.items():
        for path in source.paths:
            if path.casefold() in twice:
                raise InputError(
                    f"there are two columns {path!r}, from which {name} is read; rename or remove "
                    "one of them"
                )
    for name, path in given.items():
        if column_of(path, columns) is None and not set(path) & set(".[|"):
            close = difflib.get_close_matches(path, columns, n=1, cutoff=0.5)
            hint = f" (did you mean {close[0]!r}?)" if close else ""
            raise InputError(
                f"there is no column {path!r} for {name}{hint}; the columns are {_listed(columns)}"
            )


@dataclass(frozen=True, slots=True)
class MappedItem:
    """An item that a row holds.

    Attributes:
        depth: 0 for a comment, 1 for a reply to the one before of depth 0, and so on.
        item: what the API takes.
    """

    depth: int
    item: dict[str, object]


class RowMapper:
    """Items of a file's rows.

    Attributes:
        replies_left_out: replies that cannot be dated, so far.
        rows_left_out: rows that are no comments, so far.
    """

    def __init__(self, plan: FieldPlan, reader: RowReader) -> None:
        self._plan = plan
        columns, document = reader.columns, reader.document
        self._getters: list[tuple[str, Callable[[Cells], object]]] = [
            (name, source.bound(columns, document)) for name, source in plan.sources.items()
        ]
        self._typed = reader.typed
        self._records = plan.preset.records if plan.preset is not None and columns is None else ()
        self._skip = plan.preset.skip if plan.preset is not None else {}
        self.replies_left_out = 0
        self.rows_left_out = 0

    def items(self, row: RawRow) -> Iterator[MappedItem]:
        """The items of a row: of its comment, then of the replies that it holds."""
        assert row.cells is not None
        for key in self._records:
            if isinstance(inner := row.cells.get(key), list):  # a page of the API in one line
                for part in inner:
                    if isinstance(part, Mapping):
                        yield from self._comment(part, None, 0)
                return
        yield from self._comment(row.cells, None, 0)

    def _comment(
        self, cells: Cells, parent: Mapping[str, object] | None, depth: int
    ) -> Iterator[MappedItem]:
        for key, values in self._skip.items():
            if cells.get(key) in values:
                self.rows_left_out += 1
                return
        item = self._item(cells)
        if parent is not None:
            inherited = {name: value for name, value in parent.items() if name not in _ROLES}
            item = inherited | item
            if (parent_id := parent.get("comment_id")) is not None:
                item.setdefault("parent_id", parent_id)
        yield MappedItem(depth, item)
        for key in self._plan.replies:
            if (held := cells.get(key)) not in (None, ""):
                yield from self._replies(held, item, depth + 1)

    def _item(self, cells: Cells) -> dict[str, object]:
        item: dict[str, object] = dict(self._plan.constants)
        for name, get in self._getters:
            value = get(cells)
            if value is None or (value == "" and name != "text"):
                continue
            if type(value) not in (str, int):
                value = plain(value)
                if value != value:  # NaN: an empty cell
                    continue
            if name == "text" and self._typed and type(value) in (int, float):
                value = str(value)
            item[name] = value
        return item

    def _replies(
        self, held: object, parent: Mapping[str, object], depth: int
    ) -> Iterator[MappedItem]:
        if isinstance(held, str):
            held = _list_in(held)
        if not isinstance(held, list) or depth > _DEEPEST:
            return
        for reply in held:
            if isinstance(reply, Mapping):
                found = list(self._comment(reply, parent, depth))
                if found and {"created_at", "text"} <= found[0].item.keys():
                    yield from found
                    continue
            self.replies_left_out += 1


def _list_in(cell: str) -> object:
    """A list that was written into a cell, as JSON or as Python writes it."""
    cell = cell.strip()
    if not cell.startswith("[") or len(cell) > 1_000_000:
        return None
    for read in (json.loads, ast.literal_eval):
        try:
            return read(cell)
        except (ValueError, SyntaxError, RecursionError, MemoryError):
            continue
    return None


def _missing(missing: Sequence[str], keys: Sequence[str], catalogue: Catalogue) -> str:
    parts = []
    for name in missing:
        alias = _spelled(keys, catalogue.aliases.get(name, ()))
        close = difflib.get_close_matches(name, keys, n=1, cutoff=0.6)
        guess = alias[0] if alias else close[0] if close else None
        if guess is None and name in _OPTIONS:
            parts.append(_OPTIONS[name])
        else:
            parts.append("--field " + shlex.quote(f"{name}={guess or 'COLUMN'}"))
    return (
        f"there is no column for {', '.join(missing)}; the columns are {_listed(keys)}. "
        f"Name them, for example: {' '.join(parts)}"
    )


def _spelled(keys: Sequence[str], names: Collection[str]) -> list[str]:
    """The keys that are one of some names, however it is spelled: `Created At` is `created_at`."""
    wanted = {_bare(name) for name in names}
    return [key for key in keys if _bare(key) in wanted]


def _bare(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


def _listed(names: Sequence[str], limit: int = 20) -> str:
    shown = ", ".join(names[:limit])
    return f"{shown} and {len(names) - limit} more" if len(names) > limit else shown or "none"
