"""deliveries that wait for a team's hours, that call somebody, that escalate"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("deliveries", sa.Column("not_before", sa.BigInteger(), nullable=True))
    op.add_column("deliveries", sa.Column("page", sa.Boolean(), server_default="0", nullable=False))
    op.add_column("deliveries", sa.Column("step", sa.Integer(), nullable=True))
    op.execute(
        "UPDATE deliveries SET page = true"
        " WHERE reason IN ('opened', 'reopened') AND severity <> 'info'"
    )


def downgrade() -> None:
    with op.batch_alter_table("deliveries") as batch:
        for column in ("step", "page", "not_before"):
            batch.drop_column(column)
