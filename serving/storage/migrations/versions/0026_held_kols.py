"""KOLs that are held, and what was set aside, so that a restart does not forget them"""

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "held_kols",
        sa.Column("kol_id", sa.String(128), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", name="pk_held_kols"),
    )
    op.create_table(
        "set_aside",
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("kol_id", sa.String(128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("error", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "place", name="pk_set_aside"),
    )


def downgrade() -> None:
    op.drop_table("set_aside")
    op.drop_table("held_kols")
