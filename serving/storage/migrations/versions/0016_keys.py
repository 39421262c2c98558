"""API keys, and the brands that KOLs belong to"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.String(length=16), nullable=False),
        sa.Column("secret_hash", sa.String(length=64), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", sa.JSON(), nullable=False),
        sa.Column("limited", sa.Boolean(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_by", sa.Text(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.Column("rotated_from", sa.String(length=16), nullable=True),
        sa.Column("last_used_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("key_id", name=op.f("pk_api_keys")),
    )
    op.create_index(op.f("ix_api_keys_created_at_key_id"), "api_keys", ["created_at", "key_id"])
    op.create_table(
        "brands",
        sa.Column("brand", sa.String(length=64), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("brand", name=op.f("pk_brands")),
    )
    _links("key_kols", "key_id", 16, "kol_id", 128)
    _links("key_brands", "key_id", 16, "brand", 64)
    _links("brand_kols", "brand", 64, "kol_id", 128)


def _links(table: str, first: str, first_length: int, second: str, second_length: int) -> None:
    op.create_table(
        table,
        sa.Column(first, sa.String(length=first_length), nullable=False),
        sa.Column(second, sa.String(length=second_length), nullable=False),
        sa.PrimaryKeyConstraint(first, second, name=op.f(f"pk_{table}")),
    )
    op.create_index(op.f(f"ix_{table}_{second}"), table, [second])


def downgrade() -> None:
    for table in ("brand_kols", "key_brands", "key_kols", "brands", "api_keys"):
        op.drop_table(table)
