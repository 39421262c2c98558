"""A client of the HTTP API: one method a route, records as answers."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from urllib.parse import quote

import httpx
import msgspec

from groundswell_client.answer import Answer, decode, read, read_list
from groundswell_client.connection import TIMEOUT, Connection, Query, checked
from groundswell_client.errors import InvalidAddress, ServiceRefused, UnexpectedAnswer
from groundswell_client.models.access import AuditEntryInfo, KeyInfo, NewKeyInfo
from groundswell_client.models.alerts import ActionResult, AlertDetailInfo, AlertInfo
from groundswell_client.models.comments import CommentHistoryInfo, ScoresInfo, SubmissionReceipt
from groundswell_client.models.deliveries import DeliveryInfo
from groundswell_client.models.digests import DigestInfo, SentDigestInfo
from groundswell_client.models.feedback import FeedbackInfo
from groundswell_client.models.kols import (
    FollowerCountInfo,
    KolInfo,
    KolProfile,
    MoodInfo,
    PolicyInfo,
)
from groundswell_client.models.posts import PostDetailInfo, PostInfo, PostSubmission
from groundswell_client.models.routing import RoutingInfo
from groundswell_client.models.silences import SilenceInfo, SilenceRequest
from groundswell_client.models.status import ServiceStatus
from groundswell_client.people import PeopleClient
from groundswell_client.stream import ServerEvent, parse_events

_STUCK = 60.0  # seconds without progress while a worker is dead, after which to give up
_POLL = 0.3


class ServiceClient:
    """Calls a service.

    Every method raises `ServiceUnreachable` where no service answers, `ServiceRefused` where the
    answer is an error and `UnexpectedAnswer` where it cannot be read. Arguments that are None are
    not sent. Times must be aware.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._connection = Connection(http)
        self.people = PeopleClient(self._connection)

    @property
    def url(self) -> str:
        """The service's address, without a slash at its end."""
        return self._connection.url

    async def submit(self, items: Sequence[Mapping[str, object]]) -> SubmissionReceipt:
        """Send comments, fields as in docs/openapi.json; waits while the service is busy.

        A request of which every comment is rejected is a receipt too, not an error.
        """
        return await self.submit_lines([json.dumps(item).encode() for item in items])

    async def submit_lines(self, items: Sequence[bytes]) -> SubmissionReceipt:
        """As `submit`, of comments that are JSON already, each without a line end in it."""
        answer = await self._connection.post_lines("/comments", b"\n".join(items))
        if answer.status_code == 422:
            try:
                return decode(answer.content, SubmissionReceipt)
            except UnexpectedAnswer:
                pass  # the request as a whole was refused
        return decode(checked(answer), SubmissionReceipt)

    async def comment(self, platform: str, comment_id: str) -> Answer[CommentHistoryInfo]:
        """A comment with its former texts, once for each KOL that it was sent for."""
        path = f"/comments/{_part(platform)}/{_part(comment_id)}"
        return read(await self._connection.get(path), CommentHistoryInfo)

    async def score(self, texts: Sequence[str]) -> Answer[ScoresInfo]:
        """What the service's model says of texts."""
        body = {"texts": list(texts)}
        return read(await self._connection.send("POST", "/score", body), ScoresInfo)

    async def alerts(
        self,
        *,
        kol_id: str | None = None,
        state: str | None = None,
        severity: str | None = None,
        since: datetime | None = None,
        assignee: str | None = None,
        acknowledged: bool | None = None,
        muted: bool | None = None,
        limit: int | None = None,
    ) -> Answer[list[AlertInfo]]:
        """Alerts, last opened first; `limit` of them at most, None for all."""
        query: Query = {
            "kol_id": kol_id,
            "state": state,
            "severity": severity,
            "since": _iso(since),
            "assignee": assignee,
            "acknowledged": acknowledged,
            "muted": muted,
        }
        return read_list(await self._connection.items("/alerts", query, limit), AlertInfo)

    async def alert(self, alert_id: str, *, points: int | None = None) -> Answer[AlertDetailInfo]:
        """One alert with its history, and at most so many points of its trace."""
        path = f"/alerts/{_part(alert_id)}"
        return read(await self._connection.get(path, {"points": points}), AlertDetailInfo)

    async def take_action(
        self,
        alert_id: str,
        action: str,
        actor: str,
        *,
        text: str | None = None,
        assignee: str | None = None,
        until: datetime | None = None,
    ) -> Answer[ActionResult]:
        """Do something to an alert: "acknowledge", "assign", "snooze", …; docs/triage.md lists
        the actions.
        """
        body = {"action": action, "actor": actor, "text": text, "assignee": assignee}
        given = _given({**body, "until": _iso(until)})
        path = f"/alerts/{_part(alert_id)}/actions"
        return read(await self._connection.send("POST", path, given), ActionResult)

    async def kols(
        self, *, archived: bool | None = None, limit: int | None = None
    ) -> Answer[list[KolInfo]]:
        """KOLs by id; those that are archived, or by default those that are not."""
        return read_list(
            await self._connection.items("/kols", {"archived": archived}, limit), KolInfo
        )

    async def rename_kol(self, kol_id: str, new_id: str, actor: str) -> Answer[KolInfo]:
        """Give a KOL another id; the former one leads to it."""
        return await self._change_kol(kol_id, "rename", actor, new_id=new_id)

    async def merge_kol(self, kol_id: str, into: str, actor: str) -> Answer[KolInfo]:
        """Move the comments of a KOL to another, which is returned."""
        return await self._change_kol(kol_id, "merge", actor, into=into)

    async def unmerge_kol(self, kol_id: str, actor: str) -> Answer[KolInfo]:
        """Take a merge back."""
        return await self._change_kol(kol_id, "unmerge", actor)

    async def archive_kol(self, kol_id: str, actor: str) -> Answer[KolInfo]:
        """Archive a KOL."""
        return await self._change_kol(kol_id, "archive", actor)

    async def unarchive_kol(self, kol_id: str, actor: str) -> Answer[KolInfo]:
        """Take a KOL out of the archive."""
        return await self._change_kol(kol_id, "unarchive", actor)

    async def _change_kol(
        self, kol_id: str, change: str, actor: str, **more: str
    ) -> Answer[KolInfo]:
        path = f"/kols/{_part(kol_id)}/{change}"
        return read(await self._connection.send("POST", path, {"actor": actor, **more}), KolInfo)

    async def put_kol(self, kol_id: str, profile: KolProfile) -> Answer[KolInfo]:
        """Register a KOL, or replace its profile."""
        path = f"/kols/{_part(kol_id)}"
        return read(await self._connection.send("PUT", path, profile), KolInfo)

    async def followers(
        self, kol_id: str, *, limit: int | None = None
    ) -> Answer[list[FollowerCountInfo]]:
        """How many followers a KOL had over time, newest first."""
        items = await self._connection.items(f"/kols/{_part(kol_id)}/followers", {}, limit)
        return read_list(items, FollowerCountInfo)

    async def add_followers(
        self, kol_id: str, followers: int, *, at: datetime | None = None
    ) -> Answer[KolInfo]:
        """Add a number of followers, counted now or at an instant."""
        path, body = f"/kols/{_part(kol_id)}/followers", _given({"followers": followers, "at": at})
        return read(await self._connection.send("POST", path, body), KolInfo)

    async def send_posts(self, posts: Sequence[Mapping[str, object]]) -> Answer[PostSubmission]:
        """Send posts, fields as in docs/openapi.json; all or, on an error, none are stored."""
        return read(await self._connection.send("POST", "/posts", list(posts)), PostSubmission)

    async def post(self, platform: str, post_id: str) -> Answer[PostDetailInfo]:
        """A post and its counts over time."""
        path = f"/posts/{_part(platform)}/{_part(post_id)}"
        return read(await self._connection.get(path), PostDetailInfo)

    async def posts(self, kol_id: str, *, limit: int | None = None) -> Answer[list[PostInfo]]:
        """Posts of a KOL, last published first."""
        items = await self._connection.items(f"/kols/{_part(kol_id)}/posts", {}, limit)
        return read_list(items, PostInfo)

    async def mood(
        self, kol_id: str, *, since: datetime, until: datetime, step: int | None = None
    ) -> Answer[MoodInfo]:
        """A KOL's mood over time, in steps of so many seconds."""
        query: Query = {"from": _iso(since), "to": _iso(until), "step": step}
        return read(await self._connection.get(f"/kols/{_part(kol_id)}/mood", query), MoodInfo)

    async def policy(self, kol_id: str) -> Answer[PolicyInfo]:
        """The policy that a KOL is judged by."""
        return read(await self._connection.get(f"/kols/{_part(kol_id)}/policy"), PolicyInfo)

    async def set_policy(
        self, kol_id: str, overrides: Mapping[str, float | None], actor: str
    ) -> Answer[PolicyInfo]:
        """Set values of a KOL's policy by name; here None is sent, and removes an override."""
        path = f"/kols/{_part(kol_id)}/policy"
        body = {**overrides, "actor": actor}
        return read(await self._connection.send("PUT", path, body), PolicyInfo)

    async def silences(
        self, *, state: str | None = None, limit: int | None = None
    ) -> Answer[list[SilenceInfo]]:
        """Silences, last made first."""
        items = await self._connection.items("/silences", {"state": state}, limit)
        return read_list(items, SilenceInfo)

    async def add_silence(self, silence: SilenceRequest) -> Answer[SilenceInfo]:
        """Add a silence."""
        body = _given(msgspec.structs.asdict(silence))
        return read(await self._connection.send("POST", "/silences", body), SilenceInfo)

    async def expire_silence(self, silence_id: int, actor: str) -> Answer[SilenceInfo]:
        """End a silence now."""
        path, body = f"/silences/{silence_id}/expire", {"actor": actor}
        return read(await self._connection.send("POST", path, body), SilenceInfo)

    async def feedback(
        self, *, kol_id: str | None = None, kind: str | None = None, since: datetime | None = None
    ) -> Answer[FeedbackInfo]:
        """How often alerts were right."""
        query: Query = {"kol_id": kol_id, "kind": kind, "from": _iso(since)}
        return read(await self._connection.get("/feedback", query), FeedbackInfo)

    async def deliveries(
        self, *, channel: str | None = None, state: str | None = None, limit: int | None = None
    ) -> Answer[list[DeliveryInfo]]:
        """Deliveries, last recorded first."""
        query: Query = {"channel": channel, "state": state}
        return read_list(await self._connection.items("/deliveries", query, limit), DeliveryInfo)

    async def resend(self, delivery_id: int) -> Answer[DeliveryInfo]:
        """Send a delivery again, whatever its state."""
        path = f"/deliveries/{delivery_id}/resend"
        return read(await self._connection.send("POST", path), DeliveryInfo)

    async def routing(self) -> Answer[RoutingInfo]:
        """Channels, teams and routes, as the channels file has them."""
        return read(await self._connection.get("/routing"), RoutingInfo)

    async def digest(
        self,
        *,
        every: str | None = None,
        day: date | None = None,
        timezone: str | None = None,
        kols: Sequence[str] | None = None,
        brand: str | None = None,
        name: str | None = None,
    ) -> Answer[DigestInfo]:
        """The digest of a day or a week."""
        query: Query = {
            "every": every,
            "day": None if day is None else day.isoformat(),
            "timezone": timezone,
            "kol_id": kols,
            "brand": brand,
            "name": name,
        }
        return read(await self._connection.get("/digest", query), DigestInfo)

    async def send_digest(
        self, name: str, *, every: str | None = None, day: date | None = None
    ) -> Answer[SentDigestInfo]:
        """Send a digest of the channels file now."""
        path, body = f"/digests/{_part(name)}/send", _given({"every": every, "day": day})
        return read(await self._connection.send("POST", path, body), SentDigestInfo)

    async def create_key(self, body: Mapping[str, object]) -> Answer[NewKeyInfo]:
        """Make an API key, fields as in docs/openapi.json; the answer alone has its secret."""
        return read(await self._connection.send("POST", "/keys", _given(body)), NewKeyInfo)

    async def keys(self, *, limit: int | None = None) -> Answer[list[KeyInfo]]:
        """Keys, newest first."""
        return read_list(await self._connection.items("/keys", {}, limit), KeyInfo)

    async def revoke_key(self, key_id: str) -> Answer[KeyInfo]:
        """Revoke a key."""
        return read(await self._connection.send("POST", f"/keys/{_part(key_id)}/revoke"), KeyInfo)

    async def rotate_key(self, key_id: str, *, grace_seconds: int) -> Answer[NewKeyInfo]:
        """Replace a key by one with a new secret."""
        path, body = f"/keys/{_part(key_id)}/rotate", {"grace_seconds": grace_seconds}
        return read(await self._connection.send("POST", path, body), NewKeyInfo)

    async def audit_entries(
        self, *, since: datetime | None = None, limit: int | None = None
    ) -> Answer[list[AuditEntryInfo]]:
        """The audit log, newest first."""
        query: Query = {"from": _iso(since)}
        return read_list(await self._connection.items("/audit", query, limit), AuditEntryInfo)

    async def status(self) -> ServiceStatus:
        """The state of the service."""
        return decode(await self._connection.get("/status"), ServiceStatus)

    async def wait_until_processed(
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
            status = await self.status()
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
            await asyncio.sleep(_POLL)

    async def events(self, kol_id: str | None = None) -> AsyncIterator[ServerEvent]:
        """An event "open" when the stream is connected, then alerts and moods from now on, until
        the service closes the stream.
        """
        async with self._connection.lines("/stream", {"kol_id": kol_id}) as lines:
            yield ServerEvent("open", None, b"")
            async for event in parse_events(lines):
                yield event


@asynccontextmanager
async def connect(url: str, *, api_key: str | None = None) -> AsyncIterator[ServiceClient]:
    """A client of a running service.

    Args:
        url: its address, for example `http://127.0.0.1:8000`.
        api_key: sent with every request; None for a service with open access.

    Raises:
        InvalidAddress: `url` is not an HTTP address.
    """
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise InvalidAddress(f"{url!r} is not an address ({error})") from None
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise InvalidAddress(f"{url!r} is not an address; write it like http://127.0.0.1:8000")
    headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
    async with httpx.AsyncClient(base_url=url, timeout=TIMEOUT, headers=headers) as http:
        yield ServiceClient(http)


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()


def _part(text: str) -> str:
    """Text as one part of a path."""
    return quote(text, safe="")


def _given(body: Mapping[str, object]) -> dict[str, object]:
    return {key: value for key, value in body.items() if value is not None}
