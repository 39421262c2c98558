"""The stages between an alert event and a channel, each as a table of cases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from prometheus_client import CollectorRegistry

from monitoring.kinds import AlertKind, Severity
from serving.clock import TestClock
from serving.delivery_state import DeliveryState
from serving.metrics import Metrics
from serving.notify import stages
from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.memory import MemoryChannel
from serving.notify.lane import Lane
from serving.notify.routing.routes import Route, RouteInput
from serving.notify.stages.deduplicate import deduplicate
from serving.notify.stages.group import group
from serving.notify.stages.log import log
from serving.notify.stages.message import Attempt, Message, Retry
from serving.notify.stages.mute import REBUILT, TOO_OLD, mute
from serving.notify.stages.planning import Candidate, Planning, RoutingRules
from serving.notify.stages.retry import retry
from serving.notify.stages.route import route
from serving.notify.stages.schedule import schedule
from serving.notify.stages.send import send
from serving.notify.stages.suppress import suppress
from serving.storage.delivery_record import Delivery
from serving.storage.delivery_store import DeliveryStore
from serving.storage.event_context import EventContext
from serving.storage.notification_reason import NotificationReason
from serving.storage.payloads import AlertPayload
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import EVIDENCE, World, transition
from tests.serving.notify.test_plan import EMPTY, HANOI, HANOI_NEXT
from tests.serving.triage.test_muting import silence

SECOND = timedelta(seconds=1)
DAY = timedelta(days=1)


def delivery(number: int, *, alert_id: str = "", attempts: int = 0, due: int = 0) -> Delivery:
    """A delivery that is due some seconds from now."""
    alert = AlertPayload(
        alert_id or f"a{number}", "lena", AlertKind.BACKLASH, Severity.WARNING,
        NotificationReason.OPENED, NOW, NOW, EVIDENCE,
    )  # fmt: skip
    return Delivery(
        number, f"key-{number}", "crm", alert, None, DeliveryState.WAITING, attempts, NOW,
        NOW + due * SECOND, None, None, None, True, None, False,
    )  # fmt: skip


@pytest.fixture
def lane(world: World) -> Lane:
    return Lane(
        name="crm",
        channel=MemoryChannel(most=3),
        stateful=False,
        store=DeliveryStore(world.database),
        clock=TestClock(NOW),
        metrics=Metrics(CollectorRegistry(), max_kols=1),
        max_attempts=3,
        timeout=1.0,
        public_url=None,
        chance=lambda: 1.0,
        ready_at=NOW,
    )


def test_the_lists_name_the_stages_in_order() -> None:
    assert (route, deduplicate, mute, schedule) == stages.PLANNING
    assert (group, suppress, send, retry, log) == stages.SENDING


async def test_the_lists_are_what_runs(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    channel = MemoryChannel()
    dispatcher = world.dispatcher({"crm": channel})
    with monkeypatch.context() as patch:
        patch.setattr(stages, "PLANNING", (route, mute))  # nothing is scheduled
        await world.commit(transition())
        assert await world.rows() == []
    await world.commit(transition(alert_id="b2"))
    with monkeypatch.context() as patch:
        patch.setattr(stages, "SENDING", (group, suppress, send, retry))  # nothing is written down
        await dispatcher.step("crm")
        assert len(channel.sent) == 1
        assert await world.states() == ["waiting"]
    await dispatcher.step("crm")
    assert await world.states() == ["delivered"]


@pytest.mark.parametrize(
    ("change", "skipped"),
    [
        ({}, [None, None]),
        ({"rebuilt": True}, [REBUILT, REBUILT]),
        ({"now": NOW + DAY}, [None, None]),
        ({"now": NOW + DAY + SECOND}, [TOO_OLD, TOO_OLD]),
        ({"context": EventContext(silences=[silence(1, max_severity="critical")])},
         ["silenced by 1", "silenced by 1"]),
        ({"context": EventContext(silences=[silence(1, max_severity="critical")]), "event": None},
         [None, None]),
    ],
)  # fmt: skip
@pytest.mark.parametrize("reason", ["opened", "resolved"])
def test_mute(change: dict[str, object], skipped: list[str | None], reason: str) -> None:
    event = transition(reason)
    planning = Planning(
        RouteInput.of(event, reason),
        RoutingRules((), {"stateful"}, DAY),
        NOW,
        event,
        candidates=(Candidate("crm", True, 0), Candidate("stateful", True, 0)),
    )
    found = [one.skipped for one in mute(replace(planning, **change)).candidates]  # type: ignore[arg-type]
    if reason == "resolved" and str(skipped[1]).startswith("silenced"):
        skipped = [skipped[0], None]  # a stateful receiver gets the end
    assert found == skipped


def test_what_is_skipped_is_planned_as_skipped() -> None:
    rules = RoutingRules((Route(teams=(HANOI,)),))
    planning = Planning(RouteInput("lena", "backlash", "warning"), rules, EMPTY, rebuilt=True)
    (planned,) = stages.plan(planning)
    assert (planned.channel, planned.not_before, planned.skipped) == (
        "hanoi-desk", HANOI_NEXT, REBUILT,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("waiting", "together"),
    [
        ([delivery(1), delivery(2), delivery(3), delivery(4)], [1, 2, 3]),  # at most three
        ([delivery(1, attempts=1), delivery(2)], [1]),  # what was tried stays by itself
        ([delivery(1, attempts=1), delivery(2, attempts=1)], [1, 2]),
        ([delivery(1, attempts=1, due=-1), delivery(2, attempts=1)], [1]),
        ([delivery(1, attempts=1, due=1), delivery(2)], [2]),  # the first is not due
        ([delivery(1, attempts=1, due=1), delivery(2, alert_id="a1"), delivery(3)], [3]),
        ([delivery(1), delivery(2, attempts=1), delivery(3, alert_id="a2"), delivery(4)], [1, 4]),
        ([delivery(1, due=1)], []),
    ],
)
async def test_group(lane: Lane, waiting: Sequence[Delivery], together: list[int]) -> None:
    found = await group(lane, Message(NOW, tuple(waiting)))
    assert [one.delivery_id for one in found.deliveries] == together


ONE, TWO = (delivery(1, attempts=1),), (delivery(1, attempts=1), delivery(2, attempts=2))


@pytest.mark.parametrize(
    ("deliveries", "error", "expected"),
    [
        (ONE, None, Retry(delivered=ONE)),
        (TWO, None, Retry(delivered=TWO)),
        (ONE, Rejected("no"), Retry(dead=ONE, error="no")),
        (TWO, Rejected("no"), None),
        (TWO, ValueError("secret"), None),
        (ONE, Unavailable("down"), Retry((), (), ONE, NOW + 4 * SECOND, "down", NOW + 4 * SECOND)),
        (TWO, Unavailable("down", retry_after=90 * SECOND),
         Retry((), TWO[1:], ONE, NOW + 90 * SECOND, "down", NOW + 90 * SECOND)),
        (ONE, Unavailable("down", retry_after=SECOND),
         Retry((), (), ONE, NOW + 4 * SECOND, "down", NOW + 4 * SECOND)),
        (ONE, ValueError("secret"),
         Retry((), (), ONE, NOW + 4 * SECOND,
               "unexpected ValueError; the service's log has the details")),
        (TWO[1:], ValueError("secret"),
         Retry((), TWO[1:], (), NOW + 8 * SECOND,
               "unexpected ValueError; the service's log has the details")),
    ],
)  # fmt: skip
async def test_retry(
    lane: Lane, deliveries: tuple[Delivery, ...], error: Exception | None, expected: Retry | None
) -> None:
    message = Message(NOW, deliveries, attempt=Attempt(NOW, error))
    found = await retry(lane, message)
    assert found.retry == expected
    assert found.one_by_one == (expected is None)


async def test_a_channel_for_single_messages_has_no_pause_of_its_own(lane: Lane) -> None:
    lane.channel = MemoryChannel(most=1)
    found = await retry(lane, Message(NOW, ONE, attempt=Attempt(NOW, Unavailable("down"))))
    assert found.retry is not None
    assert found.retry.lane_ready_at is None
    busy = Unavailable("busy", retry_after=SECOND)
    found = await retry(lane, Message(NOW, ONE, attempt=Attempt(NOW, busy)))
    assert found.retry is not None
    assert found.retry.lane_ready_at == NOW + 4 * SECOND
