"""Stage 3 of sending: one attempt on the channel."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace

import structlog

from serving.errors import StoreError
from serving.notify.channels.base import DigestChannel, Rejected, Unavailable
from serving.notify.lane import Lane
from serving.notify.notification import Notification
from serving.notify.stages.message import Attempt, Message
from serving.storage.delivery_record import Delivery
from serving.storage.payloads import AlertPayload, DigestPayload, UnreadablePayload
from serving.storage.post_names import PostNames, name_of_top_post
from serving.storage.source_delay import LateSource

_logger = structlog.get_logger(__name__)


async def send(lane: Lane, message: Message) -> Message:
    """Hand the message to the channel, for as long as one attempt may take.

    An unexpected exception is a failed attempt, so that one bad message never ends a lane.

    Raises:
        StoreError: the database failed while the message was written; this does not count as an
            attempt.
    """
    if not message.deliveries:
        return message
    lane.ready_at = message.now + lane.channel.interval
    error: Exception | None = None
    try:
        async with asyncio.timeout(lane.timeout):
            await _hand_over(lane, message)
    except TimeoutError:
        error = Unavailable(f"no answer within {lane.timeout:g} s")
    except (Rejected, Unavailable) as failed:
        error = failed
    except StoreError:
        raise
    except Exception as unexpected:
        _logger.exception("channel_failed", channel=lane.name, key=message.deliveries[0].key)
        error = unexpected
    return replace(message, attempt=Attempt(lane.clock.now(), error))


async def _hand_over(lane: Lane, message: Message) -> None:
    deliveries = message.deliveries
    first = deliveries[0].payload
    if isinstance(first, DigestPayload):
        if not isinstance(lane.channel, DigestChannel):
            raise Rejected("a digest goes by e-mail, and the channel is of another type now")
        key = deliveries[0].key
        await lane.channel.send_digest(first.digest, key=key, public_url=lane.public_url)
        return
    late = message.late_sources
    names = message.post_names
    url = lane.public_url
    await lane.channel.send([notification_of(one, url, late, names) for one in deliveries])


def notification_of(
    delivery: Delivery,
    public_url: str | None,
    late: Mapping[str, tuple[LateSource, ...]],
    names: PostNames,
) -> Notification:
    """A delivery as channels take it.

    Args:
        delivery: what waits, or was sent.
        public_url: under which people reach this service; None leaves links out.
        late: the platforms whose comments may be missing, by alert.
        names: of posts.

    Raises:
        Rejected: it cannot be read.
    """
    match delivery.payload:
        case AlertPayload() as alert:
            return Notification(
                key=delivery.key,
                alert_id=alert.alert_id,
                kol_id=alert.kol_id,
                kol_name=delivery.kol_name,
                kind=alert.kind,
                severity=alert.severity,
                reason=alert.reason,
                at=alert.at,
                opened_at=alert.opened_at,
                evidence=alert.evidence,
                public_url=public_url,
                page=delivery.page,
                step=delivery.step,
                state=alert.state,
                ended_at=alert.ended_at,
                found_at=alert.found_at,
                late_comments=alert.late_comments,
                late_sources=late.get(alert.alert_id, ()),
                top_post=name_of_top_post(alert.kol_id, alert.evidence, names),
            )
        case UnreadablePayload(error):
            raise Rejected(f"the message cannot be read: {error}")
        case DigestPayload():
            raise Rejected("a digest goes alone, never in a group")
