"""The tables of keys, brands and the audit log; see `tables.py`."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Index,
    LargeBinary,
    String,
    Table,
    Text,
    UniqueConstraint,
)

from serving.storage.schema import Serial, metadata

# API keys. Of a secret only its SHA-256 is here; a key is revoked, never deleted.
api_keys = Table(
    "api_keys",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("secret_hash", String(64), nullable=False),
    Column("name", Text, nullable=False),
    Column("scopes", JSON, nullable=False),
    # Whether it sees only the KOLs of the next two tables; they may be empty.
    Column("limited", Boolean, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("revoked_by", Text),
    Column("revoked_at", BigInteger),
    Column("rotated_from", String(16)),
    Column("last_used_at", BigInteger),
    Index(None, "created_at", "key_id"),
)

key_kols = Table(
    "key_kols",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("kol_id", String(128), primary_key=True),
    Index(None, "kol_id"),
)

key_brands = Table(
    "key_brands",
    metadata,
    Column("key_id", String(16), primary_key=True),
    Column("brand", String(64), primary_key=True),
    Index(None, "brand"),
)

brands = Table(
    "brands",
    metadata,
    Column("brand", String(64), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
)

brand_kols = Table(
    "brand_kols",
    metadata,
    Column("brand", String(64), primary_key=True),
    Column("kol_id", String(128), primary_key=True),
    Index(None, "kol_id"),
)

# What was asked of the service that changes something, and what became of it; and who was refused.
audit_log = Table(
    "audit_log",
    metadata,
    Column("entry_id", Serial, primary_key=True, autoincrement=True),
    Column("at", BigInteger, nullable=False),
    Column("principal_kind", String(16)),
    Column("principal_id", String(64)),
    Column("principal_name", Text),
    Column("address", String(64)),
    Column("action", String(64), nullable=False),
    Column("target", Text, nullable=False),
    Column("kols", JSON, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("outcome", String(16), nullable=False),
    Column("status", BigInteger),
    Index(None, "at"),
    sqlite_autoincrement=True,
)

# What was carried out for a request with an idempotency key. Neither the key nor the request is
# here, only hashes of them that nobody can make without the key.
keyed_requests = Table(
    "keyed_requests",
    metadata,
    Column("place", Serial, primary_key=True, autoincrement=True),
    Column("request_id", String(64), nullable=False),
    Column("principal", String(96), nullable=False),
    Column("operation", String(64), nullable=False),
    Column("fingerprint", String(64), nullable=False),
    Column("limited_to", String(64), nullable=False),
    Column("at", BigInteger, nullable=False),
    # Null until there is an answer, and where it is not kept.
    Column("status", BigInteger),
    Column("headers", JSON(none_as_null=True)),
    Column("body", LargeBinary),
    UniqueConstraint("request_id"),
    Index(None, "principal", "place"),
    Index(None, "at"),
    sqlite_autoincrement=True,
)
