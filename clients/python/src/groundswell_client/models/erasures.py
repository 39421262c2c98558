"""What was erased on purpose."""

from datetime import datetime

from groundswell_client.record import Record


class ErasureInfo(Record, frozen=True, kw_only=True):
    """What was erased. Texts and authors are gone; sums of minutes and alerts stay.

    Attributes:
        kind: "comment", "author" or "kol".
        comments: how many lost their text and their author.
        samples: how many copies were taken out of the evidence of alerts.
    """

    erasure_id: int
    kind: str
    comments: int
    samples: int
    finished_at: datetime
