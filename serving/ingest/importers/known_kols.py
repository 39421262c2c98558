"""The KOLs that comments of a file may name."""

from collections.abc import Iterable, Mapping

from serving.storage.kol_handle_rows import handle_key
from serving.storage.kol_store import KnownKols


def known_kols(kols: Iterable[tuple[str, Mapping[str, str]]]) -> KnownKols:
    """KOLs by what comments may name them by.

    Args:
        kols: the id and the handles by platform of each.
    """
    registered: set[str] = set()
    handles: dict[tuple[str, str], str] = {}
    for kol_id, its in kols:
        registered.add(kol_id)
        for platform, handle in its.items():
            handles[platform, handle_key(handle)] = kol_id
    return KnownKols(frozenset(registered), handles)
