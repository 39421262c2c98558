"""Calls about people who sign in."""

from collections.abc import Mapping
from urllib.parse import quote

from groundswell_client.answer import Answer, read, read_list
from groundswell_client.connection import Connection
from groundswell_client.models.people import NewPersonInfo, PersonInfo, SignOutInfo


class PeopleClient:
    """Calls a service about its people, each by their id or e-mail address.

    Every method raises what those of `ServiceClient` raise.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, body: Mapping[str, object]) -> Answer[NewPersonInfo]:
        """Add a person, fields as in docs/openapi.json; the answer alone has their password."""
        return read(await self._connection.send("POST", "/people", body), NewPersonInfo)

    async def list(self, *, limit: int | None = None) -> Answer[list[PersonInfo]]:
        """People, who was added first comes first."""
        return read_list(await self._connection.items("/people", {}, limit), PersonInfo)

    async def change(self, person: str, changes: Mapping[str, object]) -> Answer[PersonInfo]:
        """Change the name, role or brands of a person; brands of None are every KOL."""
        return read(await self._connection.send("PATCH", _path(person), changes), PersonInfo)

    async def disable(self, person: str) -> Answer[PersonInfo]:
        """Disable an account; every session ends."""
        return read(await self._connection.send("POST", _path(person, "disable")), PersonInfo)

    async def enable(self, person: str) -> Answer[PersonInfo]:
        """Let a person sign in again."""
        return read(await self._connection.send("POST", _path(person, "enable")), PersonInfo)

    async def reset_password(self, person: str) -> Answer[NewPersonInfo]:
        """Give a person a new password; every session ends."""
        path = _path(person, "reset-password")
        return read(await self._connection.send("POST", path), NewPersonInfo)

    async def sign_out(self, person: str) -> Answer[SignOutInfo]:
        """End every session of a person."""
        return read(await self._connection.send("POST", _path(person, "sign-out")), SignOutInfo)


def _path(person: str, *more: str) -> str:
    return "/".join(["/people", quote(person, safe=""), *more])
