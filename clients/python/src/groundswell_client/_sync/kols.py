"""KOLs: their profiles, moods and policies."""

from collections.abc import Mapping
from datetime import datetime

from groundswell_client._sync.connection import Connection
from groundswell_client._sync.listing import Listing
from groundswell_client.models.erasures import ErasureInfo
from groundswell_client.models.kols import (
    FollowerCountInfo,
    KolInfo,
    KolProfile,
    MoodInfo,
    PolicyInfo,
)
from groundswell_client.models.posts import PostInfo
from groundswell_client.values import Query, given, iso, part


class Kols:
    """`client.kols`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, archived: bool | None = None, limit: int | None = None) -> Listing[KolInfo]:
        """KOLs by id; those that are archived, or by default those that are not."""
        query: Query = {"archived": archived}
        return Listing(self._connection, "/kols", KolInfo, query, limit=limit)

    def get(self, kol_id: str) -> KolInfo:
        """One KOL."""
        return self._connection.get(_path(kol_id), KolInfo)

    def put(self, kol_id: str, profile: KolProfile, *, if_match: str | None = None) -> KolInfo:
        """Register a KOL, or replace its profile.

        Raises:
            PreconditionFailedError: `if_match` is given and the profile has changed since.
        """
        return self._connection.send("PUT", _path(kol_id), KolInfo, profile, if_match=if_match)

    def delete(self, kol_id: str, *, if_match: str | None = None) -> ErasureInfo:
        """Delete a KOL: the texts and authors of its comments go, what was counted stays.

        Raises:
            PreconditionFailedError: `if_match` is given and the profile has changed since.
        """
        return self._connection.send("DELETE", _path(kol_id), ErasureInfo, if_match=if_match)

    def rename(self, kol_id: str, new_id: str, *, actor: str | None = None) -> KolInfo:
        """Give a KOL another id; the former one leads to it."""
        return self._change(kol_id, "rename", {"actor": actor, "new_id": new_id})

    def merge(self, kol_id: str, into: str, *, actor: str | None = None) -> KolInfo:
        """Move the comments of a KOL to another, which is returned."""
        return self._change(kol_id, "merge", {"actor": actor, "into": into})

    def unmerge(self, kol_id: str, *, actor: str | None = None) -> KolInfo:
        """Take a merge back."""
        return self._change(kol_id, "unmerge", {"actor": actor})

    def archive(self, kol_id: str, *, actor: str | None = None) -> KolInfo:
        """Archive a KOL."""
        return self._change(kol_id, "archive", {"actor": actor})

    def unarchive(self, kol_id: str, *, actor: str | None = None) -> KolInfo:
        """Take a KOL out of the archive."""
        return self._change(kol_id, "unarchive", {"actor": actor})

    def _change(self, kol_id: str, change: str, body: Mapping[str, object]) -> KolInfo:
        return self._connection.send("POST", _path(kol_id, change), KolInfo, given(body))

    def followers(self, kol_id: str, *, limit: int | None = None) -> Listing[FollowerCountInfo]:
        """How many followers a KOL had over time, newest first."""
        path = _path(kol_id, "followers")
        return Listing(self._connection, path, FollowerCountInfo, limit=limit)

    def add_followers(self, kol_id: str, followers: int, *, at: datetime | None = None) -> KolInfo:
        """Add a number of followers, counted now or at an instant."""
        body = given({"followers": followers, "at": iso(at)})
        return self._connection.send("POST", _path(kol_id, "followers"), KolInfo, body)

    def posts(self, kol_id: str, *, limit: int | None = None) -> Listing[PostInfo]:
        """Posts of a KOL, last published first."""
        return Listing(self._connection, _path(kol_id, "posts"), PostInfo, limit=limit)

    def mood(
        self, kol_id: str, *, since: datetime, until: datetime, step: int | None = None
    ) -> MoodInfo:
        """A KOL's mood over time, in steps of so many seconds."""
        query: Query = {"from": iso(since), "to": iso(until), "step": step}
        return self._connection.get(_path(kol_id, "mood"), MoodInfo, query)

    def policy(self, kol_id: str) -> PolicyInfo:
        """The policy that a KOL is judged by."""
        return self._connection.get(_path(kol_id, "policy"), PolicyInfo)

    def set_policy(
        self,
        kol_id: str,
        overrides: Mapping[str, float | None],
        *,
        actor: str | None = None,
        if_match: str | None = None,
    ) -> PolicyInfo:
        """Set values of a KOL's policy by name; here None is sent, and removes an override.

        Args:
            kol_id: the KOL.
            overrides: name -> value.
            actor: on whose behalf.
            if_match: `etag` of the policy that you have read; None to change whatever is there.

        Raises:
            PreconditionFailedError: somebody else has changed the policy since.
        """
        body = {**overrides, **given({"actor": actor})}
        return self._connection.send(
            "PUT", _path(kol_id, "policy"), PolicyInfo, body, if_match=if_match
        )


def _path(kol_id: str, *more: str) -> str:
    return "/".join(["/kols", part(kol_id), *more])
