"""Keys, people, brands and the audit log."""

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime

from groundswell_client._async.connection import AsyncConnection, checked
from groundswell_client._async.listing import AsyncListing
from groundswell_client.models.access import AuditEntryInfo, KeyInfo, NewKeyInfo
from groundswell_client.models.brands import BrandInfo
from groundswell_client.models.people import NewPersonInfo, PersonInfo, SignOutInfo
from groundswell_client.values import Query, given, iso, part


class AsyncKeys:
    """`client.keys`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(self, *, limit: int | None = None) -> AsyncListing[KeyInfo]:
        """Keys, newest first."""
        return AsyncListing(self._connection, "/keys", KeyInfo, limit=limit)

    async def get(self, key_id: str) -> KeyInfo:
        """One key."""
        return await self._connection.get(f"/keys/{part(key_id)}", KeyInfo)

    async def create(
        self,
        name: str,
        scopes: Sequence[str],
        *,
        kols: Sequence[str] | None = None,
        brands: Sequence[str] | None = None,
        expires_at: datetime | None = None,
    ) -> NewKeyInfo:
        """Make a key. The service shows its secret in this answer and never again.

        Args:
            name: what people call it.
            scopes: "ingest", "read", "act", "manage", "admin"; the last holds all others.
            kols: the KOLs that it sees, beside those of `brands`; both None for all.
            brands: the brands whose KOLs it sees.
            expires_at: when it ends, aware; None for never.
        """
        body = {"name": name, "scopes": scopes, "kols": kols, "brands": brands}
        wanted = given({**body, "expires_at": iso(expires_at)})
        return await self._connection.send("POST", "/keys", NewKeyInfo, wanted)

    async def revoke(self, key_id: str) -> KeyInfo:
        """Revoke a key: it is refused at once."""
        return await self._connection.send("POST", f"/keys/{part(key_id)}/revoke", KeyInfo)

    async def rotate(self, key_id: str, *, grace_seconds: int) -> NewKeyInfo:
        """Replace a key by one with a new secret; the former may be used for so long still."""
        path, body = f"/keys/{part(key_id)}/rotate", {"grace_seconds": grace_seconds}
        return await self._connection.send("POST", path, NewKeyInfo, body)


class AsyncPersons:
    """`client.people`: who may sign in, each by their id or e-mail address."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(self, *, limit: int | None = None) -> AsyncListing[PersonInfo]:
        """People, who was added first comes first."""
        return AsyncListing(self._connection, "/people", PersonInfo, limit=limit)

    async def get(self, person: str) -> PersonInfo:
        """One person."""
        return await self._connection.get(_person(person), PersonInfo)

    async def add(
        self,
        email: str,
        name: str,
        role: str,
        *,
        brands: Sequence[str] | None = None,
        with_password: bool | None = None,
        oidc_subject: str | None = None,
    ) -> NewPersonInfo:
        """Add a person; this answer alone has the password that they were given.

        Args:
            email: their address, by which they sign in.
            name: as others see it.
            role: "viewer", "responder", "manager" or "admin".
            brands: the brands whose KOLs they see; None for every KOL.
            with_password: whether they may sign in with a password; None for yes.
            oidc_subject: their id (`sub`) at the OpenID provider.
        """
        body = {"email": email, "name": name, "role": role, "brands": brands}
        wanted = given({**body, "with_password": with_password, "oidc_subject": oidc_subject})
        return await self._connection.send("POST", "/people", NewPersonInfo, wanted)

    async def change(
        self, person: str, changes: Mapping[str, object], *, if_match: str | None = None
    ) -> PersonInfo:
        """Change the name, role or brands of a person; brands of None are every KOL.

        Raises:
            PreconditionFailedError: `if_match` is given and the person has changed since.
        """
        return await self._connection.send(
            "PATCH", _person(person), PersonInfo, changes, if_match=if_match
        )

    async def disable(self, person: str) -> PersonInfo:
        """Disable an account; every session ends."""
        return await self._connection.send("POST", _person(person, "disable"), PersonInfo)

    async def enable(self, person: str) -> PersonInfo:
        """Let a person sign in again."""
        return await self._connection.send("POST", _person(person, "enable"), PersonInfo)

    async def reset_password(self, person: str) -> NewPersonInfo:
        """Give a person a new password; every session ends."""
        path = _person(person, "reset-password")
        return await self._connection.send("POST", path, NewPersonInfo)

    async def sign_out(self, person: str) -> SignOutInfo:
        """End every session of a person."""
        return await self._connection.send("POST", _person(person, "sign-out"), SignOutInfo)


class AsyncBrands:
    """`client.brands`."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(self) -> AsyncListing[BrandInfo]:
        """Brands by name."""
        return AsyncListing(self._connection, "/brands", BrandInfo, paged=False)

    async def get(self, brand: str) -> BrandInfo:
        """One brand."""
        return await self._connection.get(f"/brands/{part(brand)}", BrandInfo)

    async def create(self, brand: str, kols: Sequence[str]) -> BrandInfo:
        """Make a brand.

        Raises:
            PreconditionFailedError: there is one of this name; it is as before.
        """
        path, body = f"/brands/{part(brand)}", {"kols": kols}
        return await self._connection.send("PUT", path, BrandInfo, body, only_new=True)

    async def put(
        self, brand: str, kols: Sequence[str], *, if_match: str | None = None
    ) -> BrandInfo:
        """Make a brand, or replace its KOLs.

        Raises:
            PreconditionFailedError: `if_match` is given and the brand has changed since.
        """
        path, body = f"/brands/{part(brand)}", {"kols": kols}
        return await self._connection.send("PUT", path, BrandInfo, body, if_match=if_match)

    async def delete(self, brand: str, *, if_match: str | None = None) -> None:
        """Delete a brand; its KOLs stay.

        Raises:
            PreconditionFailedError: `if_match` is given and the brand has changed since.
        """
        path = f"/brands/{part(brand)}"
        checked(await self._connection.change("DELETE", path, if_match=if_match))


class AsyncAuditEntries:
    """`client.audit`: who changed what, and who was refused."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    def list(
        self,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        principal_id: str | None = None,
        action: str | None = None,
        outcome: str | None = None,
        limit: int | None = None,
    ) -> AsyncListing[AuditEntryInfo]:
        """Entries, newest first."""
        query: Query = {
            "from": iso(since),
            "to": iso(until),
            "principal_id": principal_id,
            "action": action,
            "outcome": outcome,
        }
        return AsyncListing(self._connection, "/audit", AuditEntryInfo, query, limit=limit)

    async def export(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> AsyncIterator[bytes]:
        """Every entry as CSV, newest first, in pieces of any size."""
        query: Query = {"from": iso(since), "to": iso(until)}
        async with self._connection.chunks("/audit.csv", query) as chunks:
            async for chunk in chunks:
                yield chunk


def _person(person: str, *more: str) -> str:
    return "/".join(["/people", part(person), *more])
