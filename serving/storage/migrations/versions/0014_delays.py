"""how late the comments of each source arrive"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "source_delays",
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("comments", sa.BigInteger(), nullable=False),
        sa.Column("hour", sa.BigInteger(), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.Column("weights", sa.JSON(), nullable=False),
        sa.Column("p10", sa.Float(), nullable=True),
        sa.Column("p90", sa.Float(), nullable=True),
        sa.Column("last_received_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", "platform", name=op.f("pk_source_delays")),
    )


def downgrade() -> None:
    op.drop_table("source_delays")
