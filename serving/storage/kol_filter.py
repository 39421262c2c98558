"""Conditions that keep a query within the KOLs of a limit; none if it allows every KOL."""

import json
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, literal, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from serving.kol_limit import KolLimit

_Conditions = tuple[ColumnElement[bool], ...]


def within(column: ColumnElement[Any], visible: KolLimit) -> _Conditions:
    """Whether the KOL of a row is one of the limit's; not where the row has none.

    The ids are one parameter, for databases bound how many a statement may have.
    """
    return () if visible.kol_ids is None else (column.in_(_ids(visible.kol_ids)),)


def shares_kol(array: ColumnElement[Any], visible: KolLimit) -> _Conditions:
    """Whether a JSON array of ids has one of the limit's; False for null and an empty one."""
    if visible.kol_ids is None:
        return ()
    values = _Members(array).table_valued("value")
    own = values.c.value.in_(_ids(visible.kol_ids))
    return (select(values.c.value).where(own).exists(),)


def is_within(array: ColumnElement[Any], visible: KolLimit) -> _Conditions:
    """Whether a JSON array of ids has no other than the limit's; True for null and an empty one."""
    if visible.kol_ids is None:
        return ()
    values = _Members(array).table_valued("value")
    other = values.c.value.not_in(_ids(visible.kol_ids))
    return (~select(values.c.value).where(other).exists(),)


def _ids(kol_ids: frozenset[str]) -> Select[tuple[str]]:
    values = _Members(literal(json.dumps(sorted(kol_ids)), Text)).table_valued("value")
    return select(values.c.value)


class _Members(FunctionElement[str]):
    """The values of a JSON array as rows with the column `value`."""

    name = "members"
    inherit_cache = True


@compiles(_Members, "sqlite")
def _sqlite(element: _Members, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_each({compiler.process(element.clauses, **more)})"


@compiles(_Members, "postgresql")
def _postgresql(element: _Members, compiler: SQLCompiler, **more: Any) -> str:
    return f"json_array_elements_text(CAST({compiler.process(element.clauses, **more)} AS JSON))"
