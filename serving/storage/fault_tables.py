"""The tables of what the pipeline could not judge."""

from sqlalchemy import BigInteger, Column, String, Table, Text

from serving.storage.schema import metadata

# KOLs that the engine does not see until they have been judged again.
held_kols = Table(
    "held_kols",
    metadata,
    Column("kol_id", String(128), primary_key=True),
    Column("since", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
)

# What was passed over until a rebuild. `place` is a comment's place in the log, or the id of a
# change of a comment or of a policy.
set_aside = Table(
    "set_aside",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("place", BigInteger, primary_key=True, autoincrement=False),
    Column("kol_id", String(128), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("error", Text, nullable=False),
)
