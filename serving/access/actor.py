"""The name that is stored with a change."""

from serving.access.principal import Principal, PrincipalKind
from serving.errors import InvalidRequest

_LONGEST = 100  # characters of an actor in the tables


def actor_of(principal: Principal, given: str | None) -> str:
    """The name that a change bears.

    A person's is their own. A key may name the person that it acts for, and is named as well: what
    it says cannot be checked. Where access is open, anybody may give any name.

    Args:
        principal: who asks.
        given: the name in the request; None if it gives none.

    Raises:
        InvalidRequest: a person gave another name than their own.
    """
    if principal.kind is PrincipalKind.LOCAL:
        return given or principal.name
    if principal.kind is PrincipalKind.PERSON:
        if given not in (None, principal.name):
            raise InvalidRequest(
                "invalid_parameter",
                f"you are signed in as {principal.name!r} and cannot act as {given!r}; leave "
                "actor out",
                field="actor",
            )
        return principal.name
    if given in (None, principal.name):
        return principal.name
    suffix = f" (via {principal.name})"
    return f"{given}"[: _LONGEST - len(suffix)] + suffix
