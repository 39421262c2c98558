"""What the pipeline could not judge, as it is stored."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class SetAsideKind(StrEnum):
    """What was passed over."""

    COMMENT = "comment"
    COMMENT_CHANGE = "comment_change"
    POLICY_CHANGE = "policy_change"


@dataclass(frozen=True, slots=True)
class HeldKol:
    """A KOL that the engine does not see until it has been judged again.

    Attributes:
        kol_id: whose.
        since: when it was held, aware.
        error: the name of the exception; its words may hold those of a comment.
    """

    kol_id: str
    since: datetime
    error: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """Something that was passed over until a rebuild.

    Attributes:
        kind: what it is.
        place: of a comment in the log; of a change, its id.
        kol_id: whose.
        at: when it was passed over, aware.
        error: the name of the exception.
    """

    kind: SetAsideKind
    place: int
    kol_id: str
    at: datetime
    error: str
