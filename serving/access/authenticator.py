"""One way to find out who a request is from."""

from typing import Protocol

from starlette.requests import HTTPConnection

from serving.access.principal import LOCAL, Principal


class Authenticator(Protocol):
    """Knows one kind of credentials."""

    async def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The principal of a request; None if it has no credentials of this kind.

        Raises:
            Unauthenticated: it has, and they are not valid.
            RateLimited: they are, but they are used too often.
        """
        ...

    def is_current(self, principal: Principal) -> bool:
        """Whether a principal of this authenticator may still go on; True for those of others.

        It is asked before every part of a long answer, so it must be fast.
        """
        ...


class OpenAccess:
    """Every request is from the local principal."""

    async def authenticate(self, _connection: HTTPConnection) -> Principal | None:
        """The local principal."""
        return LOCAL

    def is_current(self, _principal: Principal) -> bool:
        """True."""
        return True
