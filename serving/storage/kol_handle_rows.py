"""The handles of KOLs: which account on a platform is whose."""

import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from serving.errors import Conflict
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.tables import kol_handles

_AT_ONCE = 500
HandleKey = tuple[str, str]  # platform, and what handles are compared by


def handle_key(handle: str) -> str:
    """A handle as it is compared: without `@` before it, in any case; empty if nothing is left."""
    return unicodedata.normalize("NFC", handle.strip().lstrip("@").strip()).casefold()


async def read_handles(
    connection: AsyncConnection, kol_ids: Collection[str]
) -> Mapping[str, Mapping[str, str]]:
    """The handles of KOLs: KOL → platform → handle."""
    found: defaultdict[str, dict[str, str]] = defaultdict(dict)
    statement = select(kol_handles).where(kol_handles.c.kol_id.in_(kol_ids))
    for row in await connection.execute(statement.order_by(kol_handles.c.platform)):
        found[row.kol_id][row.platform] = row.handle
    return found


async def write_handles(
    connection: AsyncConnection,
    kol_id: str,
    handles: Mapping[str, str],
    visible: KolLimit = EVERY_KOL,
) -> None:
    """Replace the handles of a KOL.

    Raises:
        Conflict: another KOL has one of them; the message names it if it is of the limit.
    """
    await connection.execute(delete(kol_handles).where(kol_handles.c.kol_id == kol_id))
    keys = {(platform, handle_key(handle)): handle for platform, handle in handles.items()}
    for (platform, key), owner in (await owners(connection, keys)).items():
        taken = f"{keys[platform, key]!r} on {platform}"
        if not visible.allows(owner):
            raise Conflict(f"{taken} cannot be taken; correct the handle", field="handles")
        raise Conflict(
            f"{taken} is the handle of KOL {owner!r}; take it from that KOL first, or merge the "
            "two",
            field="handles",
        )
    if keys:
        await connection.execute(
            kol_handles.insert(),
            [
                {"platform": platform, "handle_key": key, "kol_id": kol_id, "handle": handle}
                for (platform, key), handle in keys.items()
            ],
        )


async def owners(connection: AsyncConnection, handles: Iterable[HandleKey]) -> dict[HandleKey, str]:
    """The KOLs that handles belong to; handles that nobody has are left out."""
    keys: defaultdict[str, list[str]] = defaultdict(list)
    for platform, key in handles:
        keys[platform].append(key)
    found = {}
    for platform, of_platform in keys.items():
        for start in range(0, len(of_platform), _AT_ONCE):
            statement = select(kol_handles.c.handle_key, kol_handles.c.kol_id).where(
                kol_handles.c.platform == platform,
                kol_handles.c.handle_key.in_(of_platform[start : start + _AT_ONCE]),
            )
            for key, kol_id in await connection.execute(statement):
                found[platform, key] = kol_id
    return found
