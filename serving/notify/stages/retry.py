"""Stage 4 of sending: what follows an attempt."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.lane import Lane
from serving.notify.stages.message import Attempt, Message, Retry
from serving.storage.delivery_record import Delivery

_TOGETHER = 4  # attempts of several deliveries in one message
_FIRST_BACKOFF, _LAST_BACKOFF = timedelta(seconds=2), timedelta(minutes=5)


async def retry(lane: Lane, message: Message) -> Message:
    """Decide what is delivered, what is given up, and what is tried again and when.

    Where one of several deliveries may be at fault nothing is decided: each is to be sent alone,
    so that the others are not given up with it.
    """
    attempt = message.attempt
    if attempt is None:
        return message
    match attempt.error:
        case None:
            return replace(message, retry=Retry(delivered=message.deliveries))
        case Unavailable() if not _suspicious(lane, message):
            return replace(message, retry=_later(lane, message.deliveries, attempt))
        case _ if len(message.deliveries) > 1:
            return message
        case Rejected():
            verdict = Retry(dead=message.deliveries, error=str(attempt.error))
            return replace(message, retry=verdict)
        case _:
            return replace(message, retry=_later(lane, message.deliveries, attempt))


def _suspicious(lane: Lane, message: Message) -> bool:
    """Whether one of several deliveries may be why the receiver keeps failing.

    It answers, so it is there, and has failed on the same deliveries often enough.
    """
    error, count = message.attempt and message.attempt.error, len(message.deliveries)
    tried = max(one.attempts for one in message.deliveries) + 1
    answered = isinstance(error, Unavailable) and error.answered
    return answered and count > 1 and tried >= min(_TOGETHER, lane.max_attempts)


def _later(lane: Lane, deliveries: Sequence[Delivery], attempt: Attempt) -> Retry:
    """Try again after a pause, and give up what was tried often enough.

    A channel that is unavailable is left alone for the pause if it asked for that, or if what is
    new would join the message. One bad message leaves no pause for the others.
    """
    error = attempt.error
    pause = _backoff(max(delivery.attempts for delivery in deliveries), lane.chance())
    whole_lane = False
    if isinstance(error, Unavailable):
        whole_lane = error.retry_after is not None or lane.channel.most > 1
        pause = max(pause, error.retry_after or pause)
        text = str(error)
    else:  # its text may hold a secret
        text = f"unexpected {type(error).__name__}; the service's log has the details"
    last = tuple(one for one in deliveries if one.attempts + 1 >= lane.max_attempts)
    return Retry(
        dead=last,
        postponed=tuple(one for one in deliveries if one not in last),
        due_at=attempt.at + pause,
        error=text,
        lane_ready_at=attempt.at + pause if whole_lane else None,
    )


def _backoff(failures: int, chance: float) -> timedelta:
    """A pause after so many failures before this one: doubling, with full jitter."""
    longest: timedelta = min(_LAST_BACKOFF, _FIRST_BACKOFF * 2 ** min(failures, 16))
    return longest * chance
