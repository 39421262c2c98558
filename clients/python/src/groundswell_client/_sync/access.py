"""Keys, people, brands and the audit log."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from groundswell_client._sync.connection import Connection, checked
from groundswell_client._sync.listing import Listing
from groundswell_client.models.access import AuditEntryInfo, KeyInfo, NewKeyInfo
from groundswell_client.models.brands import BrandInfo
from groundswell_client.models.people import NewPersonInfo, PersonInfo, SignOutInfo
from groundswell_client.values import Query, given, iso, part


class Keys:
    """`client.keys`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, limit: int | None = None) -> Listing[KeyInfo]:
        """Keys, newest first."""
        return Listing(self._connection, "/keys", KeyInfo, limit=limit)

    def get(self, key_id: str) -> KeyInfo:
        """One key."""
        return self._connection.get(f"/keys/{part(key_id)}", KeyInfo)

    def create(
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
        return self._connection.send("POST", "/keys", NewKeyInfo, wanted)

    def revoke(self, key_id: str) -> KeyInfo:
        """Revoke a key: it is refused at once."""
        return self._connection.send("POST", f"/keys/{part(key_id)}/revoke", KeyInfo)

    def rotate(self, key_id: str, *, grace_seconds: int) -> NewKeyInfo:
        """Replace a key by one with a new secret; the former may be used for so long still."""
        path, body = f"/keys/{part(key_id)}/rotate", {"grace_seconds": grace_seconds}
        return self._connection.send("POST", path, NewKeyInfo, body)


class Persons:
    """`client.people`: who may sign in, each by their id or e-mail address."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, limit: int | None = None) -> Listing[PersonInfo]:
        """People, who was added first comes first."""
        return Listing(self._connection, "/people", PersonInfo, limit=limit)

    def get(self, person: str) -> PersonInfo:
        """One person."""
        return self._connection.get(_person(person), PersonInfo)

    def add(
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
        return self._connection.send("POST", "/people", NewPersonInfo, wanted)

    def change(
        self, person: str, changes: Mapping[str, object], *, if_match: str | None = None
    ) -> PersonInfo:
        """Change the name, role or brands of a person; brands of None are every KOL.

        Raises:
            PreconditionFailedError: `if_match` is given and the person has changed since.
        """
        return self._connection.send(
            "PATCH", _person(person), PersonInfo, changes, if_match=if_match
        )

    def disable(self, person: str) -> PersonInfo:
        """Disable an account; every session ends."""
        return self._connection.send("POST", _person(person, "disable"), PersonInfo)

    def enable(self, person: str) -> PersonInfo:
        """Let a person sign in again."""
        return self._connection.send("POST", _person(person, "enable"), PersonInfo)

    def reset_password(self, person: str) -> NewPersonInfo:
        """Give a person a new password; every session ends."""
        path = _person(person, "reset-password")
        return self._connection.send("POST", path, NewPersonInfo)

    def sign_out(self, person: str) -> SignOutInfo:
        """End every session of a person."""
        return self._connection.send("POST", _person(person, "sign-out"), SignOutInfo)


class Brands:
    """`client.brands`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self) -> Listing[BrandInfo]:
        """Brands by name."""
        return Listing(self._connection, "/brands", BrandInfo, paged=False)

    def get(self, brand: str) -> BrandInfo:
        """One brand."""
        return self._connection.get(f"/brands/{part(brand)}", BrandInfo)

    def create(self, brand: str, kols: Sequence[str]) -> BrandInfo:
        """Make a brand.

        Raises:
            PreconditionFailedError: there is one of this name; it is as before.
        """
        path, body = f"/brands/{part(brand)}", {"kols": kols}
        return self._connection.send("PUT", path, BrandInfo, body, only_new=True)

    def put(self, brand: str, kols: Sequence[str], *, if_match: str | None = None) -> BrandInfo:
        """Make a brand, or replace its KOLs.

        Raises:
            PreconditionFailedError: `if_match` is given and the brand has changed since.
        """
        path, body = f"/brands/{part(brand)}", {"kols": kols}
        return self._connection.send("PUT", path, BrandInfo, body, if_match=if_match)

    def delete(self, brand: str, *, if_match: str | None = None) -> None:
        """Delete a brand; its KOLs stay.

        Raises:
            PreconditionFailedError: `if_match` is given and the brand has changed since.
        """
        path = f"/brands/{part(brand)}"
        checked(self._connection.change("DELETE", path, if_match=if_match))


class AuditEntries:
    """`client.audit`: who changed what, and who was refused."""

    def __init__(self, connection: Connection) -> None:
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
    ) -> Listing[AuditEntryInfo]:
        """Entries, newest first."""
        query: Query = {
            "from": iso(since),
            "to": iso(until),
            "principal_id": principal_id,
            "action": action,
            "outcome": outcome,
        }
        return Listing(self._connection, "/audit", AuditEntryInfo, query, limit=limit)

    def export(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Iterator[bytes]:
        """Every entry as CSV, newest first, in pieces of any size."""
        query: Query = {"from": iso(since), "to": iso(until)}
        with self._connection.chunks("/audit.csv", query) as chunks:
            yield from chunks


def _person(person: str, *more: str) -> str:
    return "/".join(["/people", part(person), *more])
