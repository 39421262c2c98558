"""the log and what is derived from it"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "alert_events",
        sa.Column(
            "event_id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_alert_events")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("alert_events", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_alert_events_alert_id"), ["alert_id"], unique=False)

    op.create_table(
        "alerts",
        sa.Column("alert_id", sa.String(length=64), nullable=False),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("severity", sa.String(length=16), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("resolved_at", sa.BigInteger(), nullable=True),
        sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id", name=op.f("pk_alerts")),
    )
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_alerts_kol_id_opened_at"), ["kol_id", "opened_at"], unique=False
        )
        batch_op.create_index(
            batch_op.f("ix_alerts_opened_at_alert_id"), ["opened_at", "alert_id"], unique=False
        )

    op.create_table(
        "comments",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("platform", sa.String(length=64), nullable=False),
        sa.Column("comment_id", sa.String(length=256), nullable=False),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("post_id", sa.String(length=256), nullable=True),
        sa.Column("author_id", sa.String(length=256), nullable=True),
        sa.Column("parent_id", sa.String(length=256), nullable=True),
        sa.Column("lang", sa.String(length=64), nullable=True),
        sa.Column("likes", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_comments")),
        sa.UniqueConstraint("platform", "comment_id", name=op.f("uq_comments_platform_comment_id")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_comments_kol_id_created_at_seq"),
            ["kol_id", "created_at", "seq"],
            unique=False,
        )

    op.create_table(
        "engine_states",
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.JSON(), nullable=False),
        sa.Column("last_created_at", sa.BigInteger(), nullable=False),
        sa.Column("last_received_at", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", name=op.f("pk_engine_states")),
    )
    with op.batch_alter_table("engine_states", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_engine_states_step"), ["step"], unique=False)

    op.create_table(
        "idle_marks",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("after_seq", sa.BigInteger(), nullable=False),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("reached", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_idle_marks")),
    )
    with op.batch_alter_table("idle_marks", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_idle_marks_after_seq"), ["after_seq"], unique=False)

    op.create_table(
        "kols",
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("handles", sa.JSON(), nullable=False),
        sa.Column("followers", sa.BigInteger(), nullable=True),
        sa.Column("tier", sa.String(length=16), nullable=True),
        sa.Column("relation", sa.String(length=16), nullable=True),
        sa.Column("registered_at", sa.BigInteger(), nullable=False),
        sa.Column("duplicates", sa.BigInteger(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("kol_id", name=op.f("pk_kols")),
    )
    op.create_table(
        "minutes",
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("comments", sa.Integer(), nullable=False),
        sa.Column("negative", sa.Float(), nullable=False),
        sa.Column("positive", sa.Float(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", "start", name=op.f("pk_minutes")),
    )
    op.create_table(
        "progress",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_progress")),
    )
    op.create_table(
        "scores",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("negative", sa.Float(), nullable=False),
        sa.Column("neutral", sa.Float(), nullable=False),
        sa.Column("positive", sa.Float(), nullable=False),
        sa.Column("offensive", sa.Float(), nullable=True),
        sa.Column("model", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_scores")),
    )


def downgrade() -> None:
    op.drop_table("scores")
    op.drop_table("progress")
    op.drop_table("minutes")
    op.drop_table("kols")
    with op.batch_alter_table("idle_marks", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_idle_marks_after_seq"))

    op.drop_table("idle_marks")
    with op.batch_alter_table("engine_states", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_engine_states_step"))

    op.drop_table("engine_states")
    with op.batch_alter_table("comments", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_comments_kol_id_created_at_seq"))

    op.drop_table("comments")
    with op.batch_alter_table("alerts", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alerts_opened_at_alert_id"))
        batch_op.drop_index(batch_op.f("ix_alerts_kol_id_opened_at"))

    op.drop_table("alerts")
    with op.batch_alter_table("alert_events", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_alert_events_alert_id"))

    op.drop_table("alert_events")
