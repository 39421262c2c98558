"""People who sign in: added, listed, changed, disabled, signed out."""

from collections.abc import Collection
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic_core import PydanticCustomError

from serving.access.audit_log import AuditNote
from serving.access.principal import Principal, PrincipalKind
from serving.access.role import Role
from serving.access.scope import Scope
from serving.api.authorization import Asking, Audited, Repeats, requires
from serving.api.entity_tag import Matching
from serving.api.guarded_route import GuardedRoute
from serving.api.paging import Cursor, Limit, decode_instant_cursor, encode_instant_cursor
from serving.api.person_schemas import (
    NewPersonOut,
    PersonChange,
    PersonIn,
    PersonList,
    PersonOut,
    SignedOut,
    check_limit,
)
from serving.api.problems import documented
from serving.errors import Conflict, InvalidRequest
from serving.service import Running, Service
from serving.storage.person_record import PersonRecord

router = APIRouter(tags=["people"], route_class=GuardedRoute)
_SHOWN_ONCE = Repeats(
    "the password was shown once; POST /v1/people/{person}/reset-password with another "
    "Idempotency-Key gives the person a new one",
    secret=True,
)
PersonPath = Annotated[
    str, Path(min_length=1, max_length=254, description="Their id or e-mail address.")
]


@router.post(
    "/people",
    status_code=201,
    responses=documented(400, 409, 422, 503),
    dependencies=[
        requires(
            Scope.ADMIN,
            every_kol=True,
            repeats=_SHOWN_ONCE,
        )
    ],
)
async def add_person(
    body: PersonIn, service: Running, principal: Asking, note: Audited, response: Response
) -> NewPersonOut:
    """Add a person. The answer has the password for their first sign-in, which is shown this once.

    They choose another when they first use it. Nobody else knows that one.
    """
    note.detail.update(name=body.name, role=body.role)
    _check_name(body.name, service)
    brands = await _brands(body.brands, service)
    issuer = _issuer(body.oidc_subject, service)
    person, password = await service.access.accounts.people.add(
        email=body.email,
        name=body.name,
        role=body.role,
        brands=brands,
        with_password=body.with_password,
        issuer=issuer,
        subject=body.oidc_subject,
        actor=principal.name,
    )
    note.detail["person"] = person.email
    response.headers["Cache-Control"] = "no-store"
    return NewPersonOut.with_password(person, password)


@router.get(
    "/people", responses=documented(422, 503), dependencies=[requires(Scope.ADMIN, every_kol=True)]
)
async def list_people(service: Running, limit: Limit = 100, cursor: Cursor = None) -> PersonList:
    """List the people, also those whose account is disabled; who was added first comes first."""
    after = decode_instant_cursor(cursor, str) if cursor else None
    found = sorted(
        service.access.accounts.people.all(), key=lambda one: (one.created_at, one.person_id)
    )
    rest = [one for one in found if after is None or (one.created_at, one.person_id) > after]
    last = rest[:limit][-1:]
    return PersonList(
        items=[_out(person, service) for person in rest[:limit]],
        next_cursor=encode_instant_cursor(last[0].created_at, last[0].person_id)
        if len(rest) > limit
        else None,
    )


@router.get(
    "/people/{person}",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True)],
)
async def get_person(person: PersonPath, service: Running) -> PersonOut:
    """Get a person."""
    return _out(service.access.accounts.people.get(person), service)


@router.patch(
    "/people/{person}",
    responses=documented(400, 404, 409, 422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True)],
)
async def change_person(
    person: PersonPath,
    body: PersonChange,
    service: Running,
    principal: Asking,
    note: Audited,
    if_match: Matching,
) -> PersonOut:
    """Change the name, role, brands or id at the OpenID provider of a person. It counts from their
    next request on, and streams that show what they may not see any more end. A change of the id
    ends every session.
    """
    found = service.access.accounts.people.get(person)
    async with if_match.editing(
        f"person {found.person_id!r}", partial(get_person, found.person_id, service)
    ):
        return await _change(found.person_id, body, service, principal, note)


async def _change(
    person_id: str, body: PersonChange, service: Service, principal: Principal, note: AuditNote
) -> PersonOut:
    people = service.access.accounts.people
    found = people.get(person_id)
    note.detail["person"] = found.email
    changes: dict[str, object] = {}
    if body.name is not None:
        changes["name"] = note.detail["name"] = body.name
        _check_name(body.name, service)
    if body.role is not None and body.role != found.role:
        _check_other(found, principal, "change their own role")
        changes["role"] = body.role
        note.detail["role"] = f"{found.role} → {body.role}"
    if "brands" in body.model_fields_set:
        brands = changes["brands"] = await _brands(body.brands, service)
        note.detail["brands"] = "every KOL" if brands is None else " ".join(sorted(brands))
    if "oidc_subject" in body.model_fields_set:
        changes |= {
            "issuer": _issuer(body.oidc_subject, service),
            "subject": body.oidc_subject,
        }
        note.detail["oidc_subject"] = body.oidc_subject or "none"
    try:
        limited = changes.get("brands", found.brands) is not None
        check_limit(Role(body.role or found.role), limited=limited)
    except PydanticCustomError as error:
        raise InvalidRequest(
            "invalid_parameter", f"brands: {error.message()}", field="brands"
        ) from None
    changed = await people.change(found.person_id, ends_sessions="subject" in changes, **changes)
    if "subject" in changes:  # whoever came as the former account may be somebody else
        await service.access.accounts.sessions.end_all(found.person_id)
    service.access.limit_version.add()
    return _out(changed, service)


@router.post(
    "/people/{person}/disable",
    responses=documented(404, 409, 422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True, repeats=Repeats("GET the person"))],
)
async def disable_person(
    person: PersonPath, service: Running, principal: Asking, note: Audited
) -> PersonOut:
    """Disable an account: every session ends at once, and nobody can sign in with it."""
    accounts = service.access.accounts
    found = accounts.people.get(person)
    note.detail["person"] = found.email
    _check_other(found, principal, "disable their own account")
    if not found.is_disabled:
        found = await accounts.people.change(
            found.person_id,
            ends_sessions=True,
            disabled_by=principal.name,
            disabled_at=service.clock.now(),
        )
    await accounts.sessions.end_all(found.person_id)
    return _out(found, service)


@router.post(
    "/people/{person}/enable",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True, repeats=Repeats("GET the person"))],
)
async def enable_person(person: PersonPath, service: Running, note: Audited) -> PersonOut:
    """Let a person sign in again whose account was disabled."""
    people = service.access.accounts.people
    found = people.get(person)
    note.detail["person"] = found.email
    return _out(await people.change(found.person_id, disabled_by=None, disabled_at=None), service)


@router.post(
    "/people/{person}/reset-password",
    responses=documented(404, 409, 422, 503),
    dependencies=[
        requires(
            Scope.ADMIN,
            every_kol=True,
            repeats=_SHOWN_ONCE,
        )
    ],
)
async def reset_password(
    person: PersonPath, service: Running, note: Audited, response: Response
) -> NewPersonOut:
    """Give a person a new password for their next sign-in, shown this once. Every session ends."""
    accounts = service.access.accounts
    found = accounts.people.get(person)
    note.detail["person"] = found.email
    found, password = await accounts.people.reset_password(found.person_id)
    await accounts.sessions.end_all(found.person_id)
    response.headers["Cache-Control"] = "no-store"
    return NewPersonOut.with_password(found, password)


@router.post(
    "/people/{person}/sign-out",
    responses=documented(404, 422, 503),
    dependencies=[requires(Scope.ADMIN, every_kol=True, repeats=Repeats("GET the person"))],
)
async def sign_out_person(person: PersonPath, service: Running, note: Audited) -> SignedOut:
    """End every session of a person."""
    accounts = service.access.accounts
    found = accounts.people.get(person)
    note.detail["person"] = found.email
    return SignedOut(sessions=await accounts.sessions.end_all(found.person_id))


def _out(person: PersonRecord, service: Service) -> PersonOut:
    sessions = service.access.accounts.sessions.of_person(person.person_id)
    return PersonOut.of(person, len(sessions))


def _check_name(name: str, service: Service) -> None:
    """Refuse a name under which a key acts.

    Raises:
        Conflict: a usable key has it.
    """
    if service.access.keys.is_named(name):
        raise Conflict(
            f"a key is called {name!r}, and what it does would bear the person's name; choose "
            "another, or revoke the key",
            field="name",
        )


def _issuer(subject: str | None, service: Service) -> str | None:
    """The provider at which somebody has an id; None without an id.

    Raises:
        InvalidRequest: there is an id, and no provider.
    """
    issuer = service.settings.oidc_issuer
    if subject is not None and issuer is None:
        raise InvalidRequest(
            "invalid_parameter",
            "oidc_subject: there is no OpenID provider; set GROUNDSWELL_OIDC_ISSUER, or leave it "
            "out",
            field="oidc_subject",
        )
    return None if subject is None else issuer


def _check_other(person: PersonRecord, principal: Principal, what: str) -> None:
    """Refuse what an admin who is signed in would do to themselves by mistake.

    Raises:
        Conflict: they are the person.
    """
    if principal.kind is PrincipalKind.PERSON and principal.id == person.person_id:
        raise Conflict(f"nobody can {what}; ask another admin, or use a key")


async def _brands(names: Collection[str] | None, service: Service) -> frozenset[str] | None:
    if names is None:
        return None
    if missing := frozenset(names) - await service.access.brands.known(names):
        raise InvalidRequest(
            "invalid_parameter",
            f"brands: there is no brand {min(missing)!r}; GET /v1/brands lists them",
            field="brands",
        )
    return frozenset(names)
