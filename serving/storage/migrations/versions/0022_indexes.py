"""indexes for what is read while a service runs, so that no query reads a whole table"""

from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

_NEW = {
    "alerts": (
        ["state", "opened_at", "alert_id"],
        ["state", "kol_id", "severity", "kind", "alert_id"],
        ["severity", "opened_at", "alert_id"],
    ),
    "alert_events": (["found_at"], ["kol_id"]),
    "actions": (["action", "alert_id"], ["kol_id"]),
    "idle_marks": (["kol_id"],),
    "notification_payloads": (["kol_id"],),
    "comment_changes": (["seq"],),
    "deliveries": (["state", "delivery_id"], ["channel", "delivery_id"], ["finished_at"]),
    "kols": (["archived_at", "kol_id"],),
}


def upgrade() -> None:
    for table, indexes in _NEW.items():
        for columns in indexes:
            op.create_index(_name(table, columns), table, columns)


def downgrade() -> None:
    for table, indexes in _NEW.items():
        for columns in indexes:
            op.drop_index(_name(table, columns), table_name=table)


def _name(table: str, columns: list[str]) -> str:
    return op.f("_".join(["ix", table, *columns]))
