"""The client: one attribute for each noun of the API."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self

import httpx

from groundswell_client._sync.access import AuditEntries, Brands, Keys, Persons
from groundswell_client._sync.alerts import Alerts
from groundswell_client._sync.authors import Authors
from groundswell_client._sync.comments import Comments
from groundswell_client._sync.connection import CONNECT_TIMEOUT, Connection
from groundswell_client._sync.imports import Imports
from groundswell_client._sync.kols import Kols
from groundswell_client._sync.notifications import Deliveries, Digests
from groundswell_client._sync.posts import Posts
from groundswell_client._sync.silences import Silences
from groundswell_client._sync.sources import Sources
from groundswell_client.errors import ConnectionLost, ServiceRefused, ServiceUnreachable
from groundswell_client.models.comments import ScoresInfo
from groundswell_client.models.feedback import FeedbackInfo
from groundswell_client.models.status import ServiceStatus
from groundswell_client.retry_policy import RetryPolicy
from groundswell_client.server_event import ServerEvent
from groundswell_client.values import Query, iso, service_url

_STUCK = 60.0  # seconds without progress while a worker is dead, after which to give up
_POLL = 0.3


class Client:
    """A client of a service.

    Every call raises `ServiceUnreachable` where no service answers, a `ServiceRefused` where the
    answer is an error, and `UnexpectedAnswer` where it cannot be read. Arguments that are None are
    not sent. Times must be aware.

    A request is sent again, after pauses with jitter, when the connection is lost or the service
    answers 502, 503 or 504, and while it answers 429; that is safe: what is sent twice is carried
    out once.

    Attributes:
        comments: send, list and delete comments.
        alerts: list alerts, and act on them.
        kols: KOLs, their profiles, moods and policies.
        posts: posts under which comments are written.
        imports: files of comments.
        sources: what brings comments by itself.
        silences: which alerts send no notifications.
        deliveries: what is sent to channels.
        digests: reports of a day or a week.
        brands: what KOLs belong to.
        keys: API keys.
        people: who may sign in.
        audit: who changed what.
        authors: what is stored about an author.
    """

    def __init__(
        self,
        base_url: str,
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        retries: int = 3,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        """Prepare a client; it connects when it is used.

        Args:
            base_url: the service's address, for example `http://127.0.0.1:8000`.
            api_key: sent with every request; None for a service with open access.
            timeout: seconds to wait for an answer.
            retries: how often a request is sent again after a lost connection, 502, 503 or 504;
                0 for never.
            transport: what carries the requests, for tests; None for the network.

        Raises:
            InvalidAddress: `base_url` is not an HTTP address.
        """
        headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        http = httpx.Client(
            base_url=service_url(base_url),
            timeout=httpx.Timeout(timeout, connect=min(timeout, CONNECT_TIMEOUT)),
            headers=headers,
            transport=transport,
        )
        self._connection = Connection(http, RetryPolicy(retries))
        self.comments = Comments(self._connection)
        self.alerts = Alerts(self._connection)
        self.kols = Kols(self._connection)
        self.posts = Posts(self._connection)
        self.imports = Imports(self._connection)
        self.sources = Sources(self._connection)
        self.silences = Silences(self._connection)
        self.deliveries = Deliveries(self._connection)
        self.digests = Digests(self._connection)
        self.brands = Brands(self._connection)
        self.keys = Keys(self._connection)
        self.people = Persons(self._connection)
        self.audit = AuditEntries(self._connection)
        self.authors = Authors(self._connection)

    @property
    def url(self) -> str:
        """The service's address, without a slash at its end."""
        return self._connection.url

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._connection.close()

    def score(self, texts: Sequence[str]) -> ScoresInfo:
        """What the service's model says of texts; nothing is stored."""
        return self._connection.send("POST", "/score", ScoresInfo, {"texts": list(texts)})

    def feedback(
        self, *, kol_id: str | None = None, kind: str | None = None, since: datetime | None = None
    ) -> FeedbackInfo:
        """How often alerts were right."""
        query: Query = {"kol_id": kol_id, "kind": kind, "from": iso(since)}
        return self._connection.get("/feedback", FeedbackInfo, query)

    def status(self) -> ServiceStatus:
        """The state of the service."""
        return self._connection.get("/status", ServiceStatus)

    def wait_until_processed(
        self, report: Callable[[int, int], None] | None = None
    ) -> ServiceStatus:
        """Wait until every comment in the log has been processed and used.

        Args:
            report: called with the last and the processed position of the log at each look, except
                for a key that is limited to some KOLs.

        Returns:
            The status at the end.

        Raises:
            ServiceRefused: a worker is dead, and nothing was processed for a minute.
        """
        seen, stuck = (-1, -1), 0.0
        while True:
            status = self.status()
            log = status.log
            if report is not None and log.last_seq is not None and log.processed_seq is not None:
                report(log.last_seq, log.processed_seq)
            if log.backlog == 0 and status.reruns == 0:
                return status
            place = log.processed_seq or 0, log.backlog
            moved = place != seen
            stuck = 0.0 if moved or status.alive else stuck + _POLL
            if stuck > _STUCK:
                raise ServiceRefused(
                    f"the service stopped working {log.backlog} comments before the end; "
                    "its log says why",
                    status=503,
                )
            seen = place
            time.sleep(_POLL)

    def stream(
        self, *, kol_id: str | None = None, last_event_id: str | None = None
    ) -> Iterator[ServerEvent]:
        """Alerts and moods from now on, as they are written, until you stop.

        When the connection is lost, or the service starts again, the stream is connected again
        and continues with the alert events after the last one that arrived, as far as they are
        still stored. What was erased or deleted for its age meanwhile does not come, and neither
        do moods of that time. An event "open" comes each time it is connected: read the alerts
        anew there if you must know each of them.

        Args:
            kol_id: only events of this KOL.
            last_event_id: go on after this event, which an earlier stream sent; None for now.

        Raises:
            ServiceUnreachable: no connection was possible, `retries` times in a row.
            ServiceRefused: the answer is an error that does not pass by itself.
        """
        query: Query = {"kol_id": kol_id}
        state = self._connection.policy.start()
        while True:
            headers = {} if last_event_id is None else {"Last-Event-ID": last_event_id}
            pause: float | None = 0.0
            try:
                with self._connection.events("/stream", query, headers) as events:
                    yield ServerEvent("open", last_event_id, b"")
                    state.succeeded()
                    for event in events:
                        last_event_id = event.id or last_event_id
                        if event.data:
                            yield ServerEvent(event.event, last_event_id, event.data.encode())
                ended: ServiceUnreachable | ServiceRefused = ConnectionLost(
                    f"the service at {self.url} has closed the stream"
                )
                pause = state.after_failure()
            except ServiceUnreachable as error:
                ended, pause = error, state.after_failure()
            except ServiceRefused as error:
                ended, pause = error, state.after_answer(error.status, {})
            if pause is None:
                raise ended
            time.sleep(pause)
