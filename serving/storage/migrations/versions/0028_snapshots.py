"""snapshots apart from states, and from where on the log is replayed"""

import sqlalchemy as sa
from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None

_PLACES = ("seq", "mark", "replay_seq", "replay_mark")


def upgrade() -> None:
    op.create_table(
        "engine_snapshots",
        sa.Column("kol_id", sa.String(128), nullable=False),
        sa.Column("snapshot", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", name=op.f("pk_engine_snapshots")),
    )
    op.execute(
        "INSERT INTO engine_snapshots (kol_id, snapshot) SELECT kol_id, snapshot FROM engine_states"
    )
    for name in _PLACES:
        op.add_column(
            "engine_states", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0")
        )
    # The snapshots hold everything that was processed.
    progress = sa.table("progress", sa.column("name"), sa.column("seq"), sa.column("mark"))
    states = sa.table("engine_states", *map(sa.column, _PLACES))
    reached = {
        name: sa.func.coalesce(
            sa.select(progress.c[name]).where(progress.c.name == "pipeline").scalar_subquery(), 0
        )
        for name in ("seq", "mark")
    }
    op.execute(
        sa.update(states).values({name: reached[name.removeprefix("replay_")] for name in _PLACES})
    )
    op.drop_column("engine_states", "snapshot")
    op.add_column("comment_changes", sa.Column("former", sa.JSON(none_as_null=True), nullable=True))


def downgrade() -> None:
    op.drop_column("comment_changes", "former")
    # After a clean stop nothing is left to be replayed. Where something is, the snapshot is too
    # old to go on with: without the row, the start says so and names the remedy.
    op.execute("DELETE FROM engine_states WHERE replay_seq <> seq OR replay_mark <> mark")
    op.add_column(
        "engine_states",
        sa.Column("snapshot", sa.LargeBinary(), nullable=False, server_default=sa.text("''")),
    )
    snapshots = sa.table("engine_snapshots", sa.column("kol_id"), sa.column("snapshot"))
    states = sa.table("engine_states", sa.column("kol_id"), sa.column("snapshot"))
    of_kol = sa.select(snapshots.c.snapshot).where(snapshots.c.kol_id == states.c.kol_id)
    op.execute(sa.update(states).values(snapshot=of_kol.scalar_subquery()))
    for name in _PLACES:
        op.drop_column("engine_states", name)
    op.drop_table("engine_snapshots")
