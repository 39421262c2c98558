"""What people may do: one role each."""

from collections.abc import Mapping
from enum import StrEnum

from serving.access.scope import Scope


class Role(StrEnum):
    """The role of a person."""

    VIEWER = "viewer"
    RESPONDER = "responder"
    MANAGER = "manager"
    ADMIN = "admin"


SCOPES: Mapping[Role, frozenset[Scope]] = {
    Role.VIEWER: frozenset({Scope.READ}),
    Role.RESPONDER: frozenset({Scope.READ, Scope.ACT}),
    Role.MANAGER: frozenset({Scope.READ, Scope.ACT, Scope.MANAGE}),
    Role.ADMIN: frozenset({Scope.ADMIN}),
}
