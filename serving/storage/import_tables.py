"""The tables of imports; see `tables.py`."""

from sqlalchemy import JSON, BigInteger, Column, Float, Index, Integer, String, Table, Text

from serving.storage.tables import metadata

_Serial = BigInteger().with_variant(Integer(), "sqlite")

# Files of comments that were sent to the service: what became of them (`ImportCount`).
imports = Table(
    "imports",
    metadata,
    Column("import_id", _Serial, primary_key=True, autoincrement=True),
    Column("name", Text, nullable=False),
    Column("state", String(16), nullable=False),
    Column("fraction", Float, nullable=False),
    Column("count", JSON, nullable=False),
    Column("last_seq", BigInteger),
    Column("error", Text),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Column("limited_to", JSON(none_as_null=True)),  # ids of KOLs; null for all
    sqlite_autoincrement=True,
)

# Rows of imported files that were refused, in order.
import_rejections = Table(
    "import_rejections",
    metadata,
    Column("place", _Serial, primary_key=True, autoincrement=True),
    Column("import_id", BigInteger, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("field", String(32), nullable=False),
    Column("reason", Text, nullable=False),
    Column("code", String(32), nullable=False),
    Index(None, "import_id", "place"),
    sqlite_autoincrement=True,
)
