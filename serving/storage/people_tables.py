"""The tables of people who sign in, and of their sessions; see `tables.py`."""

from sqlalchemy import BigInteger, Boolean, Column, String, Table, Text, UniqueConstraint

from serving.storage.schema import metadata

# Of a password only its argon2 hash is here. A person is disabled, never deleted: what they did
# keeps their name. `name_key` and `email` are what names and addresses are compared by.
people = Table(
    "people",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("name", String(100), nullable=False),
    Column("name_key", String(400), nullable=False),
    Column("role", String(16), nullable=False),
    # Whether they see only the KOLs of the brands in the next table; it may have none for them.
    Column("limited", Boolean, nullable=False),
    Column("password_hash", Text),
    Column("password_expires_at", BigInteger),
    Column("issuer", String(500)),
    Column("subject", String(255)),
    Column("created_by", String(100), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("disabled_by", String(100)),
    Column("disabled_at", BigInteger),
    Column("signed_in_at", BigInteger),
    UniqueConstraint("email"),
    UniqueConstraint("name_key"),
    UniqueConstraint("issuer", "subject"),
)

person_brands = Table(
    "person_brands",
    metadata,
    Column("person_id", String(16), primary_key=True),
    Column("brand", String(64), primary_key=True, index=True),
)

sessions = Table(
    "sessions",
    metadata,
    Column("session_id", String(32), primary_key=True),
    Column("person_id", String(16), nullable=False, index=True),
    Column("method", String(16), nullable=False),
    Column("address", String(64), nullable=False),
    Column("browser", String(200), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger, nullable=False),
)

# The values that the cookie of a session may have: the newest, and for a short time the one before.
session_tokens = Table(
    "session_tokens",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("session_id", String(32), nullable=False, index=True),
    Column("issued_at", BigInteger, nullable=False),
    Column("replaced_at", BigInteger),
)
