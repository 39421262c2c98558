"""What a key or a person may do."""

from enum import StrEnum


class Scope(StrEnum):
    """A right. `ADMIN` holds all others; no other scope holds another."""

    INGEST = "ingest"
    READ = "read"
    ACT = "act"
    MANAGE = "manage"
    ADMIN = "admin"
