"""late comments are used: checkpoints, re-runs, changes of comments, exact sums of minutes"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SUMS = ("negative", "positive")  # of `minutes`: from floats to whole millionths
_COUNTED: dict[str, sa.types.TypeEngine[Any]] = {
    "authors": sa.Integer(),
    "top_author_share": sa.Float(),
    "duplicate_share": sa.Float(),
}


def upgrade() -> None:
    op.create_table(
        "checkpoints",
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("minute", sa.BigInteger(), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", "minute", name=op.f("pk_checkpoints")),
    )
    op.create_table(
        "reruns",
        sa.Column("rerun_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("first_minute", sa.BigInteger(), nullable=False),
        sa.Column("last_minute", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("rerun_id", name=op.f("pk_reruns")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_reruns_kol_id"), "reruns", ["kol_id"])
    op.create_table(
        "comment_changes",
        sa.Column("change_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_comment_changes")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "alert_ids",
        sa.Column("derived_id", sa.String(length=64), nullable=False),
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("derived_id", name=op.f("pk_alert_ids")),
    )
    for name, kind in _COUNTED.items():
        op.add_column("minute_scores", sa.Column(name, kind, nullable=True))
    for table in ("alerts", "alert_events"):
        op.add_column(table, sa.Column("found_at", sa.BigInteger(), nullable=True))
    op.add_column("policy_changes", sa.Column("from_minute", sa.BigInteger(), nullable=True))
    op.add_column(
        "progress",
        sa.Column("comment_change", sa.BigInteger(), server_default="0", nullable=False),
    )
    op.execute(
        "UPDATE minutes SET negative = round(negative * 1000000), "
        "positive = round(positive * 1000000)"
    )
    with op.batch_alter_table("minutes") as batch:
        for name in _SUMS:
            batch.alter_column(
                name, existing_type=sa.Float(), type_=sa.BigInteger(), existing_nullable=False
            )
        batch.add_column(sa.Column("removed", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    with op.batch_alter_table("minutes") as batch:
        batch.drop_column("removed")
        for name in _SUMS:
            batch.alter_column(
                name, existing_type=sa.BigInteger(), type_=sa.Float(), existing_nullable=False
            )
    op.execute("UPDATE minutes SET negative = negative / 1000000, positive = positive / 1000000")
    op.drop_column("progress", "comment_change")
    op.drop_column("policy_changes", "from_minute")
    for table in ("alerts", "alert_events"):
        op.drop_column(table, "found_at")
    for name in _COUNTED:
        op.drop_column("minute_scores", name)
    for table in ("alert_ids", "comment_changes", "reruns", "checkpoints"):
        op.drop_table(table)
