"""The tables of what was sent: KOLs, their posts, and the log of comments."""

from sqlalchemy import JSON, BigInteger, Column, Index, String, Table, Text, UniqueConstraint

from serving.storage.schema import Serial, metadata

kols = Table(
    "kols",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("name", Text),
    Column("followers", BigInteger),
    Column("tier", String(16)),
    Column("relation", String(16)),
    Column("registered_at", BigInteger, nullable=False),
    Column("duplicates", BigInteger, nullable=False, server_default="0"),
    Column("archived_at", BigInteger),
    Column("deleted_at", BigInteger),
    Index(None, "archived_at", "kol_id"),
)

# Ids that lead to another KOL: former ids, and those of KOLs that were merged into another.
kol_aliases = Table(
    "kol_aliases",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("target", String(128), nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("actor", String(100), nullable=False),
    Column("at", BigInteger, nullable=False),
)

# The account of a KOL on a platform. `handle_key` is what handles are compared by.
kol_handles = Table(
    "kol_handles",
    metadata,
    Column("platform", String(200), primary_key=True),
    Column("handle_key", String(600), primary_key=True),
    Column("kol_id", String(128), nullable=False, index=True),
    Column("handle", String(200), nullable=False),
)

# How many followers a KOL had at an instant, over all platforms.
kol_followers = Table(
    "kol_followers",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("followers", BigInteger, nullable=False),
)

# A post as people sent it; comments may name posts that nobody sent.
posts = Table(
    "posts",
    metadata,
    Column("platform", String(64), primary_key=True),
    Column("post_id", String(256), primary_key=True),
    Column("text", Text),
    Column("url", Text),
    Column("created_at", BigInteger),
    Column("kind", String(16)),
    Column("recorded_at", BigInteger, nullable=False),
    Index(None, "post_id"),
)

# Those who published a post; several of a joint post.
post_kols = Table(
    "post_kols",
    metadata,
    Column("platform", String(64), primary_key=True),
    Column("post_id", String(256), primary_key=True),
    Column("kol_id", String(128), primary_key=True),
    Index(None, "kol_id"),
    Index(None, "post_id"),
)

# What a platform counted of a post at an instant; null for what it does not say.
post_counts = Table(
    "post_counts",
    metadata,
    Column("platform", String(64), primary_key=True),
    Column("post_id", String(256), primary_key=True),
    Column("at", BigInteger, primary_key=True),
    Column("likes", BigInteger),
    Column("comments", BigInteger),
    Column("shares", BigInteger),
    Column("views", BigInteger),
)

# `kol_id` says whose stream it is in, `sent_to` the id that it was sent to, null for the same.
comments = Table(
    "comments",
    metadata,
    Column("seq", Serial, primary_key=True, autoincrement=True),
    Column("platform", String(64), nullable=False),
    Column("comment_id", String(256), nullable=False),
    Column("kol_id", String(128), nullable=False),
    Column("text", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("post_id", String(256)),
    Column("author_id", String(256)),
    Column("parent_id", String(256)),
    Column("lang", String(64)),
    Column("likes", BigInteger),
    Column("edited_at", BigInteger),
    Column("removed_at", BigInteger),
    Column("sent_to", String(128)),
    Column("erased", JSON(none_as_null=True)),  # what is kept of a comment without its text
    UniqueConstraint("platform", "comment_id", "kol_id"),
    Index(None, "kol_id", "created_at", "seq"),
    sqlite_autoincrement=True,
)

# The texts that a comment had before, and the older ones that arrived late. `at` is when the text
# in the log was replaced, or when the older one arrived.
comment_versions = Table(
    "comment_versions",
    metadata,
    Column("version_id", Serial, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("text", Text, nullable=False),
    Column("edited_at", BigInteger),
    Column("at", BigInteger, nullable=False),
    sqlite_autoincrement=True,
)

# Comments of the log that were edited or removed, in order; the pipeline reads on here too.
# `former` is what the engine may have counted of the comment before (`FormerCount`).
comment_changes = Table(
    "comment_changes",
    metadata,
    Column("change_id", Serial, primary_key=True, autoincrement=True),
    Column("seq", BigInteger, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("former", JSON(none_as_null=True)),
    sqlite_autoincrement=True,
)

# What is being, or was, taken out of the log in steps (`Erasure`). Whom it is about is forgotten
# when it is done.
erasures = Table(
    "erasures",
    metadata,
    Column("erasure_id", Serial, primary_key=True, autoincrement=True),
    Column("kind", String(16), nullable=False),
    Column("platform", String(64)),
    Column("subject", JSON(none_as_null=True)),
    Column("kols", JSON(none_as_null=True)),
    Column("secret", String(64)),
    Column("actor", String(100), nullable=False),
    Column("requested_at", BigInteger, nullable=False),
    Column("finished_at", BigInteger),
    Column("phase", String(16), nullable=False),
    Column("reached", BigInteger, nullable=False, server_default="0"),
    Column("comments", BigInteger, nullable=False, server_default="0"),
    Column("samples", BigInteger, nullable=False, server_default="0"),
    sqlite_autoincrement=True,
)

# What settings must agree with for as long as the database lives, by name.
stored_facts = Table(
    "stored_facts",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)
