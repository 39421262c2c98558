"""The tables of sources: what brings comments by itself, and when it could not."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from serving.storage.schema import Serial, metadata

# Secrets are only in `sealed`, encrypted with the key of the settings.
sources = Table(
    "sources",
    metadata,
    Column("source_id", String(16), primary_key=True),
    Column("type", String(32), nullable=False),
    Column("name", String(100), nullable=False),
    Column("kol_id", String(128), index=True),
    Column("platform", String(64), nullable=False),
    Column("settings", JSON, nullable=False),
    Column("sealed", LargeBinary),
    Column("webhook_token", String(64), nullable=False),
    # Counts the changes after which a cursor or a connection means something else.
    Column("generation", Integer, nullable=False),
    Column("cursor", JSON(none_as_null=True)),
    Column("created_by", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # Whether whoever set it up sees only some KOLs: then it may bring nothing of others.
    Column("limited", Boolean, nullable=False),
    Column("paused_by", String(100)),
    Column("paused_at", BigInteger),
    Column("success_at", BigInteger),
    Column("comment_at", BigInteger),
    Column("accepted", BigInteger, nullable=False),
    Column("rejected", BigInteger, nullable=False),
    UniqueConstraint("name"),
    UniqueConstraint("webhook_token"),
)

# Times in which a source saw nothing; kept when the source is removed.
source_outages = Table(
    "source_outages",
    metadata,
    Column("outage_id", Serial, primary_key=True, autoincrement=True),
    Column("source_id", String(16), nullable=False),
    Column("source_name", String(100), nullable=False),
    Column("platform", String(64), nullable=False),
    Column("kol_id", String(128), index=True),
    Column("kind", String(32), nullable=False),
    Column("cause", Text, nullable=False),
    Column("remedy", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("opened_at", BigInteger, nullable=False),
    Column("ended_at", BigInteger),
    Column("caught_up", BigInteger, nullable=False),
    Index(None, "source_id", "ended_at"),
    sqlite_autoincrement=True,
)

# What sources spent of their budgets.
source_quotas = Table(
    "source_quotas",
    metadata,
    Column("source_id", String(16), primary_key=True),
    Column("period_start", BigInteger, primary_key=True, autoincrement=False),
    Column("spent", BigInteger, nullable=False),
)

# Deliveries to webhooks that were committed, by a hash of what the platform knows each by.
source_deliveries = Table(
    "source_deliveries",
    metadata,
    Column("source_id", String(16), primary_key=True),
    Column("delivery_hash", String(64), primary_key=True),
    Column("at", BigInteger, nullable=False, index=True),
)
