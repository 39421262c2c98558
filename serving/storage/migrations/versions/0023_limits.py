"""the limits under which imports were sent and erasures asked for"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("imports", sa.Column("limited_to", sa.JSON(none_as_null=True), nullable=True))
    op.add_column("erasures", sa.Column("kols", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("erasures", "kols")
    op.drop_column("imports", "limited_to")
