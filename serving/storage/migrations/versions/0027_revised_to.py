"""what a revision of an alert says"""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("alert_events", sa.Column("revised_to", sa.String(16), nullable=True))


def downgrade() -> None:
    op.drop_column("alert_events", "revised_to")
