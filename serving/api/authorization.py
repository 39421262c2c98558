"""What a route requires of whoever asks, and who that is."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request
from fastapi.params import Depends as Dependency

from serving.access.actor import actor_of
from serving.access.audit_log import AuditNote
from serving.access.principal import Principal
from serving.access.scope import Scope
from serving.errors import Forbidden, Unauthenticated


def _asking(request: Request) -> Principal:
    principal: Principal | None = getattr(request.state, "principal", None)
    if principal is None:
        raise Unauthenticated("this needs a key; docs/access.md says how to get one")
    return principal


Asking = Annotated[Principal, Depends(_asking)]


def _audited(request: Request) -> AuditNote:
    note: AuditNote = request.state.audit_note
    return note


Audited = Annotated[AuditNote, Depends(_audited)]


def noted_actor(principal: Principal, given: str | None, note: AuditNote) -> str:
    """The name that a change bears, also written to the audit log.

    Raises:
        InvalidRequest: a person gave another name than their own.
    """
    actor = actor_of(principal, given)
    note.detail["actor"] = actor
    return actor


@dataclass(frozen=True, slots=True)
class Repeats:
    """An operation that is carried out once for each idempotency key.

    Attributes:
        remedy: what to do where the first answer is not kept.
        secret: whether answers hold a secret, which is never stored.
    """

    remedy: str
    secret: bool = False


class Requirement:
    """A dependency that refuses a principal without one of these scopes.

    Attributes:
        scopes: one of them is enough.
        every_kol: whether the principal must not be limited to some KOLs.
        audited: whether each request is written to the audit log.
        repeats: how repeats are answered; None where one does no harm in any case.
    """

    def __init__(
        self,
        scopes: tuple[Scope, ...],
        *,
        every_kol: bool = False,
        audited: bool = False,
        repeats: Repeats | None = None,
    ) -> None:
        self.scopes = scopes
        self.every_kol = every_kol
        self.audited = audited
        self.repeats = repeats

    def __call__(self, principal: Asking) -> None:
        """Check the principal.

        Raises:
            Forbidden: it may not do this.
        """
        if not any(principal.may(scope) for scope in self.scopes):
            needed = " or ".join(f"'{scope}'" for scope in self.scopes)
            raise Forbidden(f"this needs the scope {needed}; {principal.name!r} does not have it")
        if self.every_kol and principal.kols.kol_ids is not None:
            raise Forbidden(
                f"this shows every KOL, and {principal.name!r} is limited to some; use a key "
                "without a limit"
            )


def requires(
    *scopes: Scope,
    every_kol: bool = False,
    audited: bool | None = None,
    repeats: Repeats | None = None,
) -> Dependency:
    """What a route requires: `dependencies=[requires(Scope.READ)]`.

    Args:
        scopes: the principal must have one of them.
        every_kol: whether a principal that is limited to some KOLs is refused.
        audited: whether each request is written to the audit log; by default, unless it reads.
        repeats: how repeats with the same idempotency key are answered.
    """
    if audited is None:
        audited = Scope.READ not in scopes
    requirement = Requirement(scopes, every_kol=every_kol, audited=audited, repeats=repeats)
    dependency: Dependency = Depends(requirement)
    return dependency
