"""sources, their outages, their budgets, their deliveries"""

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "sources",
        sa.Column("source_id", sa.String(16), nullable=False),
        sa.Column("type", sa.String(32), nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("kol_id", sa.String(128), nullable=True),
        sa.Column("platform", sa.String(64), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=True),
        sa.Column("webhook_token", sa.String(64), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("cursor", sa.JSON(none_as_null=True), nullable=True),
        sa.Column("created_by", sa.String(100), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("limited", sa.Boolean(), nullable=False),
        sa.Column("paused_by", sa.String(100), nullable=True),
        sa.Column("paused_at", sa.BigInteger(), nullable=True),
        sa.Column("success_at", sa.BigInteger(), nullable=True),
        sa.Column("comment_at", sa.BigInteger(), nullable=True),
        sa.Column("accepted", sa.BigInteger(), nullable=False),
        sa.Column("rejected", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", name=op.f("pk_sources")),
        sa.UniqueConstraint("name", name=op.f("uq_sources_name")),
        sa.UniqueConstraint("webhook_token", name=op.f("uq_sources_webhook_token")),
    )
    op.create_index(op.f("ix_sources_kol_id"), "sources", ["kol_id"])
    op.create_table(
        "source_outages",
        sa.Column("outage_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("source_id", sa.String(16), nullable=False),
        sa.Column("source_name", sa.String(100), nullable=False),
        sa.Column("platform", sa.String(64), nullable=False),
        sa.Column("kol_id", sa.String(128), nullable=True),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("caught_up", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("outage_id", name=op.f("pk_source_outages")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_source_outages_kol_id"), "source_outages", ["kol_id"])
    op.create_index(
        op.f("ix_source_outages_source_id_ended_at"), "source_outages", ["source_id", "ended_at"]
    )
    op.create_table(
        "source_quotas",
        sa.Column("source_id", sa.String(16), nullable=False),
        sa.Column("period_start", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("spent", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "period_start", name=op.f("pk_source_quotas")),
    )
    op.create_table(
        "source_deliveries",
        sa.Column("source_id", sa.String(16), nullable=False),
        sa.Column("delivery_hash", sa.String(64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("source_id", "delivery_hash", name=op.f("pk_source_deliveries")),
    )
    op.create_index(op.f("ix_source_deliveries_at"), "source_deliveries", ["at"])


def downgrade() -> None:
    for table in ("source_deliveries", "source_quotas", "source_outages", "sources"):
        op.drop_table(table)
