"""The people who may sign in, held in memory and stored before anything changes there."""

import asyncio
import re
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from serving.access.passwords import Passwords, check, new_password
from serving.access.role import Role
from serving.clock import Clock
from serving.errors import Conflict, InvalidRequest, NotFound
from serving.storage.person_record import PersonRecord, email_key, name_key
from serving.storage.person_store import PersonStore

TEMPORARY = timedelta(days=7)  # how long a password that somebody else knows can be used
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")


class People:
    """Everybody who has an account. There are few, so every request finds its person in memory."""

    def __init__(self, store: PersonStore, passwords: Passwords, clock: Clock) -> None:
        self._store = store
        self._passwords = passwords
        self._clock = clock
        self._by_id: dict[str, PersonRecord] = {}
        self._one = asyncio.Lock()  # of all changes, so that none is lost

    async def load(self) -> None:
        """Read everybody; once, before anything else."""
        self._by_id = {person.person_id: person for person in await self._store.all()}

    def all(self) -> list[PersonRecord]:
        """Everybody, also who is disabled; who was added first comes first."""
        return list(self._by_id.values())

    def find(self, person_id: str) -> PersonRecord | None:
        """A person by their id."""
        return self._by_id.get(person_id)

    def get(self, person: str) -> PersonRecord:
        """A person by their id or e-mail address.

        Raises:
            NotFound: there is none.
        """
        found = self._by_id.get(person) or self.by_email(person)
        if found is None:
            raise NotFound(f"there is no person {person!r}; GET /v1/people lists them")
        return found

    def by_email(self, email: str) -> PersonRecord | None:
        """A person by their e-mail address."""
        key = email_key(email)
        return next((one for one in self._by_id.values() if one.email == key), None)

    def by_name(self, name: str) -> PersonRecord | None:
        """Whoever has this name, or one that people take for the same."""
        key = name_key(name)
        return next((one for one in self._by_id.values() if name_key(one.name) == key), None)

    def by_subject(self, issuer: str, subject: str) -> PersonRecord | None:
        """A person by their id at a provider."""
        return next(
            (one for one in self._by_id.values() if (one.issuer, one.subject) == (issuer, subject)),
            None,
        )

    def has_admin(self) -> bool:
        """Whether an admin has signed in before and may again."""
        return any(
            person.role == Role.ADMIN
            and not person.is_disabled
            and person.signed_in_at is not None
            and (person.issuer is not None or person.password_hash is not None)
            for person in self.all()
        )

    async def add(
        self,
        *,
        email: str,
        name: str,
        role: Role,
        brands: frozenset[str] | None,
        with_password: bool,
        issuer: str | None,
        subject: str | None,
        actor: str,
    ) -> tuple[PersonRecord, str | None]:
        """Add a person; returns the password with which they sign in for the first time.

        Raises:
            InvalidRequest: the e-mail address is none.
            Conflict: somebody else has the e-mail address, the name or the id at the provider.
        """
        key = email_key(email)
        if not _EMAIL.fullmatch(key):
            raise InvalidRequest(
                "invalid_parameter", f"email: {email!r} is no e-mail address", field="email"
            )
        now = self._clock.now()
        person = PersonRecord(
            person_id=secrets.token_hex(6),
            email=key,
            name=name,
            role=role,
            brands=brands,
            created_by=actor,
            created_at=now,
            issuer=issuer,
            subject=subject,
        )
        password = None
        if with_password:
            person, password = await self._with_new_password(person, now)
        async with self._one:
            await self._store.add(person)
            self._by_id[person.person_id] = person
        return person, password

    async def change(
        self, person_id: str, *, ends_sessions: bool = False, **changes: object
    ) -> PersonRecord:
        """Change a person.

        Args:
            person_id: of the person.
            ends_sessions: delete their stored sessions in the same step. Those in memory end with
                `Sessions.end_all`, which must follow.
            changes: fields of the record.

        Raises:
            NotFound: there is none.
            Conflict: somebody else has the e-mail address, the name or the id at the provider.
        """
        async with self._one:
            return await self._replace(person_id, ends_sessions=ends_sessions, **changes)

    async def reset_password(self, person_id: str) -> tuple[PersonRecord, str]:
        """Give a person a new password, to be replaced by one of their own.

        Their stored sessions are deleted in the same step; `Sessions.end_all` must follow.

        Raises:
            Conflict: the account is disabled.
        """
        person = self.get(person_id)
        if person.is_disabled:
            raise Conflict(f"the account of {person.name!r} is disabled; enable it first")
        changed, password = await self._with_new_password(person, self._clock.now())
        person = await self.change(
            person_id,
            ends_sessions=True,
            password_hash=changed.password_hash,
            password_expires_at=changed.password_expires_at,
        )
        return person, password

    async def set_password(self, person: PersonRecord, password: str) -> PersonRecord:
        """Give a person a password of their own.

        Their stored sessions are deleted in the same step; `Sessions.end_all` must follow.

        Args:
            person: with the password that they have shown to know.
            password: the new one.

        Raises:
            InvalidRequest: it is easily guessed, or is the one that they have.
            Conflict: their password was changed since.
        """
        check(password, (person.name, person.email))
        if await self._passwords.matches(password, person.password_hash):
            raise InvalidRequest(
                "invalid_parameter",
                "new_password: this is the password that you have; choose another",
                field="new_password",
            )
        hashed = await self._passwords.hash(password)
        return await self._change_password(person, hashed, None, ends_sessions=True)

    async def hash_again(self, person: PersonRecord, password: str) -> PersonRecord:
        """Store the hash of a person's password with the parameters of new ones.

        Raises:
            Conflict: their password was changed since.
        """
        hashed = await self._passwords.hash(password)
        return await self._change_password(
            person, hashed, person.password_expires_at, ends_sessions=False
        )

    async def link(self, person: PersonRecord, issuer: str, subject: str) -> PersonRecord:
        """Store as whom a provider knows a person.

        Raises:
            Conflict: it knows them as somebody already, or somebody else as this.
        """
        async with self._one:
            if self.get(person.person_id).subject is not None:
                raise Conflict(f"{person.name!r} has an account at the provider already")
            return await self._replace(person.person_id, issuer=issuer, subject=subject)

    async def drop_brand(self, brand: str) -> None:
        """Take a brand that is deleted from everybody who is limited to it; they stay limited."""
        async with self._one:
            for person in self.all():
                if person.brands is not None and brand in person.brands:
                    await self._replace(person.person_id, brands=person.brands - {brand})

    async def _change_password(
        self,
        person: PersonRecord,
        password_hash: str,
        expires_at: datetime | None,
        *,
        ends_sessions: bool,
    ) -> PersonRecord:
        async with self._one:
            if self.get(person.person_id).password_hash != person.password_hash:
                raise Conflict("the password was changed a moment ago; sign in with the new one")
            return await self._replace(
                person.person_id,
                ends_sessions=ends_sessions,
                password_hash=password_hash,
                password_expires_at=expires_at,
            )

    async def _replace(
        self, person_id: str, *, ends_sessions: bool = False, **changes: object
    ) -> PersonRecord:
        """Store a change and take it into memory, inside `_one`."""
        person = replace(self.get(person_id), **changes)  # type: ignore[arg-type]
        await self._store.replace(person, ends_sessions=ends_sessions)
        self._by_id[person.person_id] = person
        return person

    async def _with_new_password(
        self, person: PersonRecord, now: datetime
    ) -> tuple[PersonRecord, str]:
        password = new_password()
        hashed = await self._passwords.hash(password)
        return replace(person, password_hash=hashed, password_expires_at=now + TEMPORARY), password
