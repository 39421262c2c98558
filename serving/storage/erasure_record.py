"""What is taken out of the log on purpose, step by step."""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

_MARK = "erased-"


class ErasureKind(StrEnum):
    """Why comments lose their texts and authors; of `HASHING` only the authors."""

    COMMENT = "comment"
    AUTHOR = "author"
    KOL = "kol"
    EXPIRY = "expiry"
    HASHING = "hashing"


class ErasurePhase(StrEnum):
    """What of an erasure is under way."""

    COMMENTS = "comments"
    EVENTS = "events"
    PAYLOADS = "payloads"
    ANSWERS = "answers"
    DONE = "done"

    @property
    def next(self) -> "ErasurePhase":
        """The phase that follows."""
        phases = list(ErasurePhase)
        return phases[phases.index(self) + 1]


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure, and how far it is.

    Attributes:
        erasure_id: later ones have greater ids.
        kind: why.
        platform: only comments of this platform; None for all, and once it is done.
        subject: the id of the comment or KOL, or the ids that the author's comments may bear;
            empty once it is done.
        kols: only comments in the streams of these KOLs; empty for all.
        secret: what pseudonyms are made with; empty once it is done, so that none can be made
            again.
        actor: who wanted it.
        requested_at: when, aware, UTC.
        finished_at: when it was done, aware, UTC; None until then.
        phase: what is under way.
        reached: place up to which the phase has come.
        comments: how many comments were erased so far.
        samples: how many copies of comments were taken out of the evidence of alerts so far.
    """

    erasure_id: int
    kind: ErasureKind
    platform: str | None
    subject: tuple[str, ...]
    kols: tuple[str, ...]
    secret: str
    actor: str
    requested_at: datetime
    finished_at: datetime | None
    phase: ErasurePhase
    reached: int
    comments: int
    samples: int

    def pseudonym(self, author_id: str | None, kol_id: str, created_at: datetime) -> str | None:
        """What stands for an author from now on; the same authors stay distinct.

        One erasure of an author or KOL gives each author one pseudonym. Comments that expire give
        one for each KOL and day, so what an author wrote over time can no longer be connected.
        """
        if author_id is None:
            return None
        name = author_id
        if self.kind is ErasureKind.AUTHOR:
            name = self.subject[0]  # whichever of the ids it has here
        elif self.kind is ErasureKind.EXPIRY:
            name = "\x1f".join((created_at.date().isoformat(), kol_id, author_id))
        key = bytes.fromhex(self.secret)
        digest = hmac.new(key, name.encode("utf-8", "surrogatepass"), hashlib.sha256)
        return _MARK + digest.hexdigest()[:16]
