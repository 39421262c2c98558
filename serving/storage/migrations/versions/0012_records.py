"""comments, posts and KOLs as the world has them"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    with _comments() as batch:
        batch.add_column(sa.Column("edited_at", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("removed_at", sa.BigInteger(), nullable=True))
        batch.drop_constraint(op.f("uq_comments_platform_comment_id"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_comments_platform_comment_id_kol_id"), ["platform", "comment_id", "kol_id"]
        )
    op.create_table(
        "comment_versions",
        sa.Column("version_id", _SERIAL, autoincrement=True, nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("edited_at", sa.BigInteger(), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("version_id", name=op.f("pk_comment_versions")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_comment_versions_seq"), "comment_versions", ["seq"])


def downgrade() -> None:
    op.drop_table("comment_versions")
    # The version before has a comment once; the first KOL it came for keeps it.
    op.execute(
        "DELETE FROM comments WHERE seq NOT IN "
        "(SELECT min(seq) FROM comments GROUP BY platform, comment_id)"
    )
    with _comments() as batch:
        batch.drop_constraint(op.f("uq_comments_platform_comment_id_kol_id"), type_="unique")
        batch.create_unique_constraint(
            op.f("uq_comments_platform_comment_id"), ["platform", "comment_id"]
        )
        batch.drop_column("removed_at")
        batch.drop_column("edited_at")


def _comments() -> Any:
    return op.batch_alter_table("comments", table_kwargs={"sqlite_autoincrement": True})
