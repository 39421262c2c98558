"""messages of alerts that were found late, and of those that were withdrawn"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_TABLE = "notification_payloads"
_COLUMNS: dict[str, sa.types.TypeEngine[Any]] = {
    "alert_state": sa.String(length=16),
    "ended_at": sa.BigInteger(),
    "found_at": sa.BigInteger(),
    "late_comments": sa.Integer(),
}


def upgrade() -> None:
    for name, kind in _COLUMNS.items():
        op.add_column(_TABLE, sa.Column(name, kind, nullable=True))


def downgrade() -> None:
    for name in _COLUMNS:
        op.drop_column(_TABLE, name)
