"""People who are signed in: who they are by the cookie of their session."""

from collections.abc import Awaitable, Callable

from starlette.requests import HTTPConnection

from serving.access.origin_check import SAFE_METHODS, Sender, sender_of
from serving.access.people import People
from serving.access.principal import Principal, PrincipalKind
from serving.access.role import SCOPES, Role
from serving.access.session_cookie import SESSION, CookieJar
from serving.access.sessions import Sessions
from serving.errors import InvalidRequest, Unauthenticated
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.storage.person_record import PersonRecord

KolsOfBrands = Callable[[frozenset[str]], Awaitable[frozenset[str]]]


class SessionAuthenticator:
    """Knows people by their session."""

    def __init__(
        self,
        people: People,
        sessions: Sessions,
        cookies: CookieJar,
        kols_of: KolsOfBrands,
        public_url: str | None,
    ) -> None:
        """Prepare.

        Args:
            people: who has an account.
            sessions: who is signed in.
            cookies: where the session's value is.
            kols_of: the KOLs that belong to some brands now.
            public_url: public address of the service; None if not set.
        """
        self._people = people
        self._sessions = sessions
        self._cookies = cookies
        self._kols_of = kols_of
        self._public_url = public_url

    async def authenticate(self, connection: HTTPConnection) -> Principal | None:
        """The person of a request; None if it has no cookie of a session.

        Raises:
            Unauthenticated: the session has ended.
            InvalidRequest: `cross_site`; the request would change something, and no page of this
                service has sent it.
        """
        value = self._cookies.read(connection, SESSION)
        if value is None:
            return None
        session = await self._sessions.find(value)
        person = None if session is None else self._people.find(session.person_id)
        if session is None or person is None or person.is_disabled:
            raise Unauthenticated("you are signed out; sign in again at /sign-in")
        sender = sender_of(connection.headers, self._public_url)
        if connection.scope["method"] not in SAFE_METHODS and sender is not Sender.OWN_PAGE:
            raise InvalidRequest(
                "cross_site",
                "with the cookie of a session only pages of this service change something; "
                "a program uses a key",
            )
        return Principal(
            kind=PrincipalKind.PERSON,
            id=person.person_id,
            name=person.name,
            scopes=SCOPES[Role(person.role)],
            kols=EVERY_KOL
            if person.brands is None
            else KolLimit(await self._kols_of(person.brands)),
            session_id=session.session_id,
        )

    def is_current(self, principal: Principal) -> bool:
        """Whether the session has not ended, and the person may still do and see as much."""
        if principal.kind is not PrincipalKind.PERSON:
            return True
        person = self._people.find(principal.id)
        return (
            person is not None
            and self._sessions.is_live(principal.session_id or "")
            and _may_go_on(person, principal)
        )


def _may_go_on(person: PersonRecord, principal: Principal) -> bool:
    return (
        not person.is_disabled
        and SCOPES[Role(person.role)] == principal.scopes
        and (person.brands is None) == (principal.kols.kol_ids is None)
    )
