"""digests in the outbox, and up to when each has been written"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "digests",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("every", sa.String(length=8), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "every", name=op.f("pk_digests")),
    )
    with op.batch_alter_table("deliveries", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column("alert_id", existing_type=sa.String(length=64), nullable=True)
        batch.alter_column("kol_id", existing_type=sa.String(length=128), nullable=True)
        batch.add_column(sa.Column("digest", sa.String(length=63), nullable=True))


def downgrade() -> None:
    op.execute("DELETE FROM deliveries WHERE digest IS NOT NULL")
    with op.batch_alter_table("deliveries", table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.drop_column("digest")
        batch.alter_column("kol_id", existing_type=sa.String(length=128), nullable=False)
        batch.alter_column("alert_id", existing_type=sa.String(length=64), nullable=False)
    op.drop_table("digests")
