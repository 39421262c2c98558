"""what people set for single KOLs"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "policy_changes",
        sa.Column(
            "change_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
        sa.Column("after_mark", sa.BigInteger(), nullable=True),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("knobs", sa.JSON(), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("change_id", name=op.f("pk_policy_changes")),
        sqlite_autoincrement=True,
    )
    op.create_index(
        op.f("ix_policy_changes_kol_id_change_id"), "policy_changes", ["kol_id", "change_id"]
    )
    op.add_column(
        "progress",
        sa.Column("policy_change", sa.BigInteger(), server_default="0", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("progress", "policy_change")
    op.drop_table("policy_changes")
