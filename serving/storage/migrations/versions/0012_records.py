"""comments, posts and KOLs as the world has them"""

import unicodedata
from collections import defaultdict
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


_KOLS = sa.table(
    "kols",
    sa.column("kol_id", sa.String()),
    sa.column("handles", sa.JSON()),
    sa.column("followers", sa.BigInteger()),
    sa.column("registered_at", sa.BigInteger()),
)
_HANDLES = sa.table(
    "kol_handles",
    *(sa.column(name, sa.String()) for name in ("platform", "handle_key", "kol_id", "handle")),
)


def upgrade() -> None:
    with _comments() as batch:
        batch.add_column(sa.Column("edited_at", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("removed_at", sa.BigInteger(), nullable=True))
        batch.add_column(sa.Column("sent_to", sa.String(length=128), nullable=True))
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
    op.create_table(
        "kol_handles",
        sa.Column("platform", sa.String(length=200), nullable=False),
        sa.Column("handle_key", sa.String(length=600), nullable=False),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("handle", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("platform", "handle_key", name=op.f("pk_kol_handles")),
    )
    op.create_index(op.f("ix_kol_handles_kol_id"), "kol_handles", ["kol_id"])
    op.create_table(
        "kol_followers",
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("followers", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", "at", name=op.f("pk_kol_followers")),
    )
    _create_posts()
    op.execute(
        "INSERT INTO kol_followers (kol_id, at, followers) "
        "SELECT kol_id, registered_at, followers FROM kols WHERE followers IS NOT NULL"
    )
    _move_handles()
    with op.batch_alter_table("kols") as batch:
        batch.add_column(sa.Column("archived_at", sa.BigInteger(), nullable=True))
        batch.drop_column("handles")
    op.create_table(
        "kol_aliases",
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.Column("target", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("actor", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kol_id", name=op.f("pk_kol_aliases")),
    )
    op.create_index(op.f("ix_kol_aliases_target"), "kol_aliases", ["target"])


def downgrade() -> None:
    op.drop_table("kol_aliases")
    op.add_column("kols", sa.Column("handles", sa.JSON(), nullable=True))
    _move_handles_back()
    with op.batch_alter_table("kols") as batch:
        batch.alter_column("handles", existing_type=sa.JSON(), nullable=False)
        batch.drop_column("archived_at")
    for table in ("post_counts", "post_kols", "posts"):
        op.drop_table(table)
    op.drop_table("kol_followers")
    op.drop_table("kol_handles")
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
        batch.drop_column("sent_to")
        batch.drop_column("removed_at")
        batch.drop_column("edited_at")


def _comments() -> Any:
    return op.batch_alter_table("comments", table_kwargs={"sqlite_autoincrement": True})


def _create_posts() -> None:
    def key() -> tuple[sa.Column[Any], sa.Column[Any]]:
        return (
            sa.Column("platform", sa.String(length=64), nullable=False),
            sa.Column("post_id", sa.String(length=256), nullable=False),
        )

    op.create_table(
        "posts",
        *key(),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("created_at", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=True),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("platform", "post_id", name=op.f("pk_posts")),
    )
    op.create_index(op.f("ix_posts_post_id"), "posts", ["post_id"])
    op.create_table(
        "post_kols",
        *key(),
        sa.Column("kol_id", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("platform", "post_id", "kol_id", name=op.f("pk_post_kols")),
    )
    op.create_index(op.f("ix_post_kols_kol_id"), "post_kols", ["kol_id"])
    op.create_index(op.f("ix_post_kols_post_id"), "post_kols", ["post_id"])
    op.create_table(
        "post_counts",
        *key(),
        sa.Column("at", sa.BigInteger(), nullable=False),
        *(
            sa.Column(name, sa.BigInteger(), nullable=True)
            for name in ("likes", "comments", "shares", "views")
        ),
        sa.PrimaryKeyConstraint("platform", "post_id", "at", name=op.f("pk_post_counts")),
    )


def _move_handles() -> None:
    """Give every handle to the KOL that was registered first with it."""
    connection = op.get_bind()
    taken = set()
    rows = connection.execute(
        sa.select(_KOLS.c.kol_id, _KOLS.c.handles).order_by(_KOLS.c.registered_at, _KOLS.c.kol_id)
    ).all()
    for kol_id, handles in rows:
        for platform, handle in (handles or {}).items():
            key = _handle_key(handle)
            if not key or (platform, key) in taken:
                continue
            taken.add((platform, key))
            row = {"platform": platform, "handle_key": key, "kol_id": kol_id, "handle": handle}
            connection.execute(_HANDLES.insert().values(**row))


def _move_handles_back() -> None:
    connection = op.get_bind()
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(sa.select(_HANDLES)):
        found[row.kol_id][row.platform] = row.handle
    for kol_id in connection.execute(sa.select(_KOLS.c.kol_id)).scalars().all():
        connection.execute(
            _KOLS.update().where(_KOLS.c.kol_id == kol_id).values(handles=found[kol_id])
        )


def _handle_key(handle: str) -> str:
    return unicodedata.normalize("NFC", handle.strip().lstrip("@").strip()).casefold()
