"""The state of a service."""

from groundswell_client.record import Record


class LogProgress(Record, frozen=True, kw_only=True):
    """How far the comment log has been processed.

    Attributes:
        last_seq: position of the last comment; None for a key that is limited to some KOLs.
        processed_seq: position of the last processed one; likewise.
        backlog: comments that are not processed yet.
    """

    last_seq: int | None
    processed_seq: int | None
    backlog: int


class ServiceStatus(Record, frozen=True, kw_only=True):
    """The state of a service.

    Attributes:
        model: the id of the weights.
        alive: whether comments can be taken and judged.
        reruns: KOLs to be judged again because comments came late.
        notices: what somebody should look at.
    """

    version: str
    model: str
    alive: bool
    log: LogProgress
    reruns: int
    kols: int
    open_alerts: int
    notices: tuple[str, ...] = ()
