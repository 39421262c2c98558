"""Who a request is from."""

from dataclasses import dataclass
from enum import StrEnum

from serving.access.scope import Scope
from serving.kol_limit import EVERY_KOL, KolLimit


class PrincipalKind(StrEnum):
    """How a principal proves who it is.

    `LOCAL` needs no proof, for access is open. For `CHAT`, a chat service vouches that it is one of
    its users.
    """

    KEY = "key"
    PERSON = "person"
    LOCAL = "local"
    CHAT = "chat"


@dataclass(frozen=True, slots=True)
class Principal:
    """A key, a person, or whoever uses a service with open access.

    Attributes:
        id: of the key, the person, or the user of a chat service; stable.
        name: shown to people, and stored with what the principal does.
        scopes: what it may do.
        kols: the KOLs that it may see, as they are now.
        session_id: of a person, the session that the request belongs to.
    """

    kind: PrincipalKind
    id: str
    name: str
    scopes: frozenset[Scope]
    kols: KolLimit = EVERY_KOL
    session_id: str | None = None

    def may(self, scope: Scope) -> bool:
        """Whether the principal has a scope, by itself or as an admin."""
        return scope in self.scopes or Scope.ADMIN in self.scopes


LOCAL = Principal(PrincipalKind.LOCAL, "local", "local", frozenset({Scope.ADMIN}))
