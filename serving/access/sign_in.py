"""Signing in: with a password, or by what the OpenID provider says."""

from typing import NoReturn

from starlette.requests import HTTPConnection

from serving.access.audit_log import AuditLog, client_address
from serving.access.oidc_provider import Identity
from serving.access.passwords import Passwords
from serving.access.people import People
from serving.access.principal import Principal, PrincipalKind
from serving.access.rate_limiter import RateLimiter
from serving.access.refused_requests import RefusedRequests, network_of
from serving.access.role import SCOPES, Role
from serving.access.sessions import Sessions
from serving.clock import Clock
from serving.errors import Conflict, RateLimited, Unauthenticated
from serving.locales.wording import msg
from serving.storage.person_record import PersonRecord, email_key

_OF_AN_ACCOUNT = 5  # attempts in a minute, whoever makes them
_AT_THE_PROVIDER = 120  # times in a minute that an address may be sent there
WRONG = msg("The e-mail address or the password is wrong.")
NO_ACCOUNT = msg("You have no account here. Ask an admin to add you.")
UNVERIFIED = msg("Your provider has not verified your e-mail address, so that it proves nothing.")
DISABLED = msg("Your account is disabled. Ask an admin.")
OTHER_SUBJECT = msg("Your account here belongs to another account at your provider. Ask an admin.")


class SignInRefused(Unauthenticated):
    """Somebody cannot sign in; the message is one that `Wording` can translate."""


class PasswordToReplace(SignInRefused):
    """The password is right, but somebody else knows it too."""


class SignIn:
    """Finds out who somebody is, and starts their session."""

    def __init__(
        self,
        people: People,
        passwords: Passwords,
        sessions: Sessions,
        audit_log: AuditLog,
        refusals: RefusedRequests,
        clock: Clock,
        *,
        per_minute: int,
    ) -> None:
        """Start with nobody refused.

        Args:
            people: who has an account.
            passwords: compares theirs.
            sessions: where they are signed in.
            audit_log: where sign-ins are written.
            refusals: where refused ones are noted.
            clock: the time by which passwords end.
            per_minute: attempts with a password that an address may make in a minute.
        """
        self._people = people
        self._passwords = passwords
        self._sessions = sessions
        self._audit_log = audit_log
        self._refusals = refusals
        self._clock = clock
        self._by_account = RateLimiter(_OF_AN_ACCOUNT)
        self._by_address = RateLimiter(per_minute)
        self._to_provider = RateLimiter(_AT_THE_PROVIDER)

    async def with_password(
        self, connection: HTTPConnection, email: str, password: str
    ) -> PersonRecord:
        """The person of an e-mail address and a password.

        An address that nobody has takes as long as a wrong password, and the answer is the same.

        Raises:
            SignInRefused: they are wrong.
            PasswordToReplace: they are right, but the password must be replaced first.
            RateLimited: there were too many attempts.
        """
        person = await self._checked(connection, email, password)
        if person.password_expires_at is not None:
            raise PasswordToReplace("choose a password of your own")
        return person

    async def replace_password(
        self, connection: HTTPConnection, email: str, password: str, new: str
    ) -> PersonRecord:
        """The person of an e-mail address and a password, which from now on is another one.

        Every session of the person ends.

        Raises:
            SignInRefused: they are wrong.
            InvalidRequest: the new password is easily guessed.
            RateLimited: there were too many attempts.
        """
        person = await self._checked(connection, email, password)
        person = await self._people.set_password(person, new)
        await self._sessions.end_all(person.person_id)
        return person

    async def with_identity(self, connection: HTTPConnection, identity: Identity) -> PersonRecord:
        """The person of an account at the provider.

        Whoever comes from there for the first time is found by their e-mail address, if the
        provider has verified it; from then on by their id there, which nobody else can get.

        Raises:
            SignInRefused: nobody is to sign in with that account.
        """
        person = self._people.by_subject(identity.issuer, identity.subject)
        if person is None and identity.email is None:
            await self._refuse(connection, None, UNVERIFIED, "the e-mail address is not verified")
        if person is None:
            person = self._people.by_email(identity.email or "")
            if person is None:
                await self._refuse(connection, None, NO_ACCOUNT, "no account")
            if person.subject is not None:
                await self._refuse(connection, person, OTHER_SUBJECT, "another id at the provider")
        if person.is_disabled:
            await self._refuse(connection, person, DISABLED, "the account is disabled")
        if person.subject is None:
            person = await self._people.link(person, identity.issuer, identity.subject)
        return person

    async def start_session(
        self, connection: HTTPConnection, person: PersonRecord, method: str, former: str | None
    ) -> str:
        """Start a session; returns the value of its cookie.

        Args:
            connection: the request.
            person: who signs in, as they were when that was checked.
            method: `password` or `oidc`.
            former: the value that the browser's cookie has now.

        Raises:
            SignInRefused: the account was disabled since, or its password changed.
        """
        principal = principal_of(person)
        note = await self._audit_log.begin(connection, principal, "sign_in")
        note.detail["method"] = method
        value = await self._sessions.start(
            person.person_id,
            method=method,
            address=client_address(connection) or "",
            browser=connection.headers.get("user-agent", ""),
            former=former,
        )
        now = self._people.get(person.person_id)
        if now.is_disabled or now.password_hash != person.password_hash:
            # What ended all sessions a moment ago did not know of this one.
            await self._sessions.end_all(person.person_id)
            await self._audit_log.complete(note, 401)
            raise SignInRefused(WRONG)
        await self._people.change(person.person_id, signed_in_at=self._clock.now())
        await self._audit_log.complete(note, 200)
        return value

    def admit(self, connection: HTTPConnection) -> None:
        """Let a browser go to the provider.

        Raises:
            RateLimited: too many of its address did.
        """
        wait = self._to_provider.take(network_of(client_address(connection)))
        if wait:
            raise RateLimited("too many attempts to sign in", retry_after=wait)

    async def refuse(self, connection: HTTPConnection, why: str) -> None:
        """Note that the provider's answer was not taken.

        Raises:
            RateLimited: too many came from this address.
        """
        await self._refusals.bad_credentials(connection, "sign_in", {"why": why})

    async def _checked(self, connection: HTTPConnection, email: str, password: str) -> PersonRecord:
        address = network_of(client_address(connection))
        wait = self._by_address.take(address) or self._by_account.take(email_key(email)[:254])
        if wait:
            raise RateLimited("too many attempts to sign in", retry_after=wait)
        person = self._people.by_email(email)
        known = person is not None and not person.is_disabled
        password_hash = person.password_hash if person is not None and known else None
        right = await self._passwords.matches(password, password_hash)
        if person is None or not right:
            await self._refuse(connection, person, WRONG, "wrong password")
        expires_at = person.password_expires_at
        if expires_at is not None and expires_at <= self._clock.now():
            await self._refuse(connection, person, WRONG, "the password has expired")
        if password_hash is not None and self._passwords.is_outdated(password_hash):
            try:
                person = await self._people.hash_again(person, password)
            except Conflict:
                await self._refuse(connection, person, WRONG, "the password was just changed")
        return person

    async def _refuse(
        self, connection: HTTPConnection, person: PersonRecord | None, message: str, why: str
    ) -> NoReturn:
        """Never names an e-mail address that nobody has: people type passwords there by mistake."""
        detail = {"why": why} if person is None else {"why": why, "person": person.email}
        await self._refusals.bad_credentials(connection, "sign_in", detail)
        raise SignInRefused(message)


def principal_of(person: PersonRecord) -> Principal:
    """A person as a principal, for the audit log."""
    return Principal(PrincipalKind.PERSON, person.person_id, person.name, SCOPES[Role(person.role)])
