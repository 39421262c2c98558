"""what people do to alerts, and silences"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def _serial(name: str) -> sa.Column[int]:
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    return sa.Column(name, serial, autoincrement=True, nullable=False)


def upgrade() -> None:
    op.create_table(
        "acts",
        _serial("act_id"),
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("verb", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("assignee", sa.String(length=100), nullable=True),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("act_id", name=op.f("pk_acts")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_acts_alert_id_act_id"), "acts", ["alert_id", "act_id"])
    op.create_table(
        "silences",
        _serial("silence_id"),
        sa.Column("kols", sa.JSON(), nullable=True),
        sa.Column("kinds", sa.JSON(), nullable=True),
        sa.Column("posts", sa.JSON(), nullable=True),
        sa.Column("max_severity", sa.String(length=16), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("ends_at", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("created_by", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expired_by", sa.String(length=100), nullable=True),
        sa.Column("expired_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("silence_id", name=op.f("pk_silences")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_silences_ends_at"), "silences", ["ends_at"])
    op.create_index(
        op.f("ix_deliveries_alert_id_channel_delivery_id"),
        "deliveries",
        ["alert_id", "channel", "delivery_id"],
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_deliveries_alert_id_channel_delivery_id"), "deliveries")
    op.drop_table("silences")
    op.drop_table("acts")
