"""A KOL's state as bytes: a magic word, a version, compressed JSON."""

import json
import zlib
from typing import Any

from monitoring.errors import SnapshotError

_MAGIC = b"GSWK"
_VERSION = 4


def encode(kol_id: str, state: dict[str, Any]) -> bytes:
    """Pack the state of `kol_id`; floats are written so that they read back exactly."""
    text = json.dumps({"kol_id": kol_id, "state": state}, separators=(",", ":"))
    return _MAGIC + bytes([_VERSION]) + zlib.compress(text.encode("ascii"), 6)


def decode(kol_id: str, data: bytes) -> dict[str, Any]:
    """Unpack what `encode` made.

    Raises:
        SnapshotError: the bytes are foreign, damaged, of another version or of another KOL.
    """
    if data[:4] != _MAGIC:
        raise SnapshotError("not a snapshot of a KOL's monitoring state")
    if data[4:5] != bytes([_VERSION]):
        raise SnapshotError(f"snapshot of version {data[4:5].hex()}, this build reads {_VERSION}")
    try:
        whole = json.loads(zlib.decompress(data[5:]))
        owner, state = whole["kol_id"], whole["state"]
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        raise SnapshotError("the snapshot is damaged") from error
    if owner != kol_id:
        raise SnapshotError(f"the snapshot belongs to {owner!r}, not to {kol_id!r}")
    if not isinstance(state, dict):
        raise SnapshotError("the snapshot is damaged")
    return state
