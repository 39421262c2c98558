"""the field's names: actions, minute_scores, overrides"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_TABLES = {"acts": "actions", "readings": "minute_scores"}
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.drop_index(op.f("ix_acts_alert_id_act_id"), "acts")
    for old, new in _TABLES.items():
        _rename_table(old, new)
    _rename_column("actions", "act_id", "action_id", _SERIAL)
    op.create_index(op.f("ix_actions_alert_id_action_id"), "actions", ["alert_id", "action_id"])
    _rename_column("policy_changes", "knobs", "overrides", sa.JSON())


def downgrade() -> None:
    _rename_column("policy_changes", "overrides", "knobs", sa.JSON())
    op.drop_index(op.f("ix_actions_alert_id_action_id"), "actions")
    _rename_column("actions", "action_id", "act_id", _SERIAL)
    for old, new in _TABLES.items():
        _rename_table(new, old)
    op.create_index(op.f("ix_acts_alert_id_act_id"), "acts", ["alert_id", "act_id"])


def _rename_table(old: str, new: str) -> None:
    op.rename_table(old, new)
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f"ALTER TABLE {new} RENAME CONSTRAINT pk_{old} TO pk_{new}")


def _rename_column(table: str, old: str, new: str, kind: sa.types.TypeEngine[Any]) -> None:
    with op.batch_alter_table(table, table_kwargs={"sqlite_autoincrement": True}) as batch:
        batch.alter_column(old, new_column_name=new, existing_type=kind, existing_nullable=False)
