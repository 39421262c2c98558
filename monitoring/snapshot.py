"""A KOL's state as bytes: a magic word, then one versioned struct in msgpack."""

import zlib

import msgspec

from monitoring.counting import CounterState
from monitoring.errors import SnapshotError
from monitoring.kol_pipeline import KolState

VERSION = 6
_MAGIC = b"GSWK"
_OLD_VERSIONS = range(1, 5)  # wrote their version behind the magic word, and no msgpack


class SnapshotState(msgspec.Struct, array_like=True):
    """All that an engine knows of one KOL.

    Attributes:
        kol: what was learnt and detected.
        counter: the open minutes.
    """

    kol: KolState
    counter: CounterState


class KolSnapshot(msgspec.Struct, array_like=True):
    """The envelope: readable whatever the version of what is in it.

    Attributes:
        version: of the state; this build reads and writes `VERSION`.
        kol_id: whose state.
        state: a `SnapshotState` in msgpack, compressed; the checksum is zlib's.
    """

    version: int
    kol_id: str
    state: bytes


def encode(kol_id: str, state: SnapshotState) -> bytes:
    """Pack the state of `kol_id`; equal states give equal bytes."""
    packed = msgspec.msgpack.encode(state)
    snapshot = KolSnapshot(VERSION, kol_id, zlib.compress(packed, 6))
    return _MAGIC + msgspec.msgpack.encode(snapshot)


def decode(kol_id: str, data: bytes) -> SnapshotState:
    """Unpack what `encode` made; every value has the type that its struct declares.

    Raises:
        SnapshotError: the bytes are foreign, damaged, of another version or of another KOL.
    """
    if data[:4] != _MAGIC:
        raise SnapshotError("not a snapshot of a KOL's monitoring state")
    if data[4:5] and data[4] in _OLD_VERSIONS:
        raise SnapshotError(_other_version(data[4]))
    try:
        snapshot = msgspec.msgpack.decode(data[4:], type=KolSnapshot)
        if snapshot.version != VERSION:
            raise SnapshotError(_other_version(snapshot.version))
        if snapshot.kol_id != kol_id:
            raise SnapshotError(f"the snapshot belongs to {snapshot.kol_id!r}, not to {kol_id!r}")
        return msgspec.msgpack.decode(zlib.decompress(snapshot.state), type=SnapshotState)
    except (zlib.error, msgspec.MsgspecError) as error:
        raise SnapshotError("the snapshot is damaged") from error


def _other_version(version: int) -> str:
    return f"snapshot of version {version}, this build reads {VERSION}"
