"""one payload per event, which its deliveries refer to; a digest is no alert"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_AT_ONCE = 500
_DIGEST_FIELDS = {  # of a KOL in a digest: former name → name
    "usual_comments": "expected_comments",
    "usual_negative_share": "expected_negative_share",
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SHARED: dict[
    str, sa.types.TypeEngine[Any]
] = {  # columns of an alert's payload that deliveries had each for itself
    "kol_id": sa.String(length=128),
    "kind": sa.String(length=32),
    "severity": sa.String(length=16),
    "reason": sa.String(length=16),
    "at": sa.BigInteger(),
    "opened_at": sa.BigInteger(),
}
_JSON = sa.JSON(none_as_null=True)
_PAYLOADS = sa.table(
    "notification_payloads",
    sa.column("payload_id", _SERIAL),
    sa.column("type", sa.String()),
    sa.column("alert_id", sa.String()),
    *(sa.column(name, kind) for name, kind in _SHARED.items()),
    sa.column("evidence", _JSON),
    sa.column("digest", _JSON),
)
_DELIVERIES = sa.table(
    "deliveries",
    sa.column("delivery_id", _SERIAL),
    sa.column("payload_id", sa.BigInteger()),
    sa.column("alert_id", sa.String()),
    *(sa.column(name, kind) for name, kind in _SHARED.items()),
    sa.column("evidence", sa.JSON()),
    sa.column("digest", sa.String()),
)


def upgrade() -> None:
    op.create_table(
        "notification_payloads",
        sa.Column("payload_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("type", sa.String(length=8), nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=True),
        *(sa.Column(name, kind, nullable=True) for name, kind in _SHARED.items()),
        sa.Column("evidence", _JSON, nullable=True),
        sa.Column("digest", _JSON, nullable=True),
        sa.PrimaryKeyConstraint("payload_id", name=op.f("pk_notification_payloads")),
        sqlite_autoincrement=True,
    )
    op.add_column("deliveries", sa.Column("payload_id", sa.BigInteger(), nullable=True))
    _store_payloads()
    _rename_reason("told before the rebuild", "notified before the rebuild")
    with _deliveries() as batch:
        batch.alter_column("payload_id", existing_type=sa.BigInteger(), nullable=False)
        for name in (*_SHARED, "evidence", "digest"):
            batch.drop_column(name)
    op.create_index(op.f("ix_deliveries_payload_id"), "deliveries", ["payload_id"])
    with op.batch_alter_table("actions", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column(
            "verb", new_column_name="action", existing_type=sa.String(16), existing_nullable=False
        )


def downgrade() -> None:
    with op.batch_alter_table("actions", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column(
            "action", new_column_name="verb", existing_type=sa.String(16), existing_nullable=False
        )
    for name, kind in _SHARED.items():
        op.add_column("deliveries", sa.Column(name, kind, nullable=True))
    op.add_column("deliveries", sa.Column("evidence", sa.JSON(), nullable=True))
    op.add_column("deliveries", sa.Column("digest", sa.String(length=63), nullable=True))
    _copy_payloads()
    _rename_reason("notified before the rebuild", "told before the rebuild")
    op.drop_index(op.f("ix_deliveries_payload_id"), "deliveries")
    with _deliveries() as batch:
        for name, kind in (_SHARED | {"evidence": sa.JSON()}).items():
            if name != "kol_id":
                batch.alter_column(name, existing_type=kind, nullable=False)
        batch.drop_column("payload_id")
    op.drop_table("notification_payloads")


def _deliveries() -> Any:
    return op.batch_alter_table("deliveries", table_kwargs={"sqlite_autoincrement": True})


def _rename_reason(old: str, new: str) -> None:
    """A reason to skip a delivery, which the outbox compares with."""
    statement = sa.text("UPDATE deliveries SET error = :new WHERE error = :old")
    op.get_bind().execute(statement, {"old": old, "new": new})


def _store_payloads() -> None:
    """Store every payload once, and refer to it."""
    connection = op.get_bind()
    stored: dict[bytes, int] = {}
    for row in _rows(_DELIVERIES, "delivery_id"):
        values = _payload_of(row)
        text = json.dumps(values, sort_keys=True)
        name = hashlib.blake2b(text.encode(), digest_size=16).digest()
        if name not in stored:
            inserted = _PAYLOADS.insert().values(**values).returning(_PAYLOADS.c.payload_id)
            stored[name] = connection.execute(inserted).scalar_one()
        connection.execute(
            _DELIVERIES.update()
            .where(_DELIVERIES.c.delivery_id == row["delivery_id"])
            .values(payload_id=stored[name])
        )


def _payload_of(row: Mapping[Any, Any]) -> dict[str, Any]:
    if row["digest"] is not None:
        return {"type": "digest", "digest": _renamed(row["evidence"], _DIGEST_FIELDS)}
    shared = {name: row[name] for name in ("alert_id", *_SHARED, "evidence")}
    return {"type": "alert"} | shared


def _copy_payloads() -> None:
    """Give every delivery its payload for itself, as the version before had it."""
    connection = op.get_bind()
    for row in _rows(_PAYLOADS, "payload_id"):
        connection.execute(
            _DELIVERIES.update()
            .where(_DELIVERIES.c.payload_id == row["payload_id"])
            .values(**_columns_of(row))
        )


def _columns_of(row: Mapping[Any, Any]) -> dict[str, Any]:
    if row["type"] == "alert":
        return {name: row[name] for name in (*_SHARED, "evidence")}
    digest = _renamed(row["digest"], {new: old for old, new in _DIGEST_FIELDS.items()})
    return {
        "kind": "digest",
        "severity": "info",
        "reason": digest["every"],
        "at": _micros(digest["until"]),
        "opened_at": _micros(digest["since"]),
        "evidence": digest,
        "digest": digest["name"],
    }


def _renamed(digest: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Any]:
    """A digest with other names of the fields of its KOLs."""
    kols = [{names.get(key, key): value for key, value in kol.items()} for kol in digest["kols"]]
    return {**digest, "kols": kols}


def _micros(instant: str) -> int:
    return (datetime.fromisoformat(instant) - _EPOCH) // timedelta(microseconds=1)


def _rows(table: sa.TableClause, key: str) -> Iterator[Mapping[Any, Any]]:
    """Every row in the order of its key, a few at a time: evidence is long."""
    names = [column for column in table.c if column.name != "payload_id" or key == "payload_id"]
    last = 0
    while True:
        statement = sa.select(*names).where(table.c[key] > last).order_by(table.c[key])
        found = op.get_bind().execute(statement.limit(_AT_ONCE)).mappings().all()
        if not found:
            return
        yield from found
        last = found[-1][key]
