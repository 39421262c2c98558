"""Acts and silences in the database: added, never lost, and past a rebuild."""

from datetime import timedelta

import pytest

from serving.cli import main as cli
from serving.errors import NotFound
from serving.storage.action_store import FeedbackFilter, histories
from serving.storage.alert_status import alert_statuses
from serving.triage.actions import ActionRequest
from serving.triage.triage_status import TriageStatus
from tests.serving.conftest import NOW
from tests.serving.late import rederive
from tests.serving.notify.conftest import transition
from tests.serving.triage.conftest import TriageDesk
from tests.serving.triage.test_muting import silence

HOUR = timedelta(hours=1)


async def work(desk: TriageDesk, alert_id: str = "a1") -> TriageStatus:
    async with desk.database.read() as connection:
        return (await histories(connection, [alert_id]))[alert_id].triage(desk.clock.now())


async def test_actions_are_kept_in_order_and_as_they_were_made(desk: TriageDesk) -> None:
    await desk.befall(at=NOW - timedelta(minutes=2))
    made = [
        await desk.do("acknowledge"),
        await desk.do("note", "linh", text="they deleted\nthe post"),
        await desk.do("assign", assignee="Bảo"),
        await desk.do("snooze", until=NOW + HOUR),
    ]
    assert await desk.actions.of("a1") == made
    assert [action.action_id for action in made] == [1, 2, 3, 4]
    assert {action.seen_at for action in made} == {NOW - timedelta(minutes=2)}
    assert await desk.actions.of("b2") == []


async def test_what_changes_nothing_is_not_written_unless_it_says_something(
    desk: TriageDesk,
) -> None:
    await desk.befall()
    await desk.do("acknowledge")
    again = ActionRequest("acknowledge", "linh")
    assert await desk.actions.record("a1", again, desk.clock.now()) is None
    assert (
        await desk.actions.record("a1", ActionRequest("unsnooze", "mai"), desk.clock.now()) is None
    )
    await desk.do("acknowledge", "linh", text="me too")
    found = await work(desk)
    assert found.acknowledged is not None
    assert found.acknowledged.request.actor == "mai"
    assert len(await desk.actions.of("a1")) == 2


async def test_an_alert_that_does_not_exist(desk: TriageDesk) -> None:
    with pytest.raises(NotFound, match="'b2'"):
        await desk.do("acknowledge", alert_id="b2")


async def test_whether_it_was_attended_to_at_an_instant(desk: TriageDesk) -> None:
    await desk.befall()
    desk.clock.advance(HOUR)
    await desk.do("acknowledge")
    desk.clock.advance(HOUR)
    await desk.befall("resolved")
    desk.clock.advance(HOUR)
    await desk.befall("reopened")
    desk.clock.advance(HOUR)
    await desk.do("resolve")
    asked = [NOW + timedelta(minutes=30 + 60 * hour) for hour in range(5)]
    assert [await desk.actions.attended("a1", at) for at in asked] == [
        False,
        True,
        True,
        False,
        True,
    ]


async def test_what_was_found_late_ends_what_was_done_before_it_was_found(
    desk: TriageDesk,
) -> None:
    await desk.befall()
    ended = transition("resolved", at=NOW + HOUR)
    desk.clock.advance(2 * HOUR)
    await desk.do("acknowledge")
    found = NOW + 4 * HOUR
    late = transition("reopened", at=NOW + HOUR + timedelta(minutes=1))
    await rederive(desk.database, desk.steps, transition(), ended, late, now=found)
    asked = [NOW + timedelta(hours=hours) for hours in (1, 3, 4)]
    assert [await desk.actions.attended("a1", at) for at in asked] == [False, True, False]
    assert (await work(desk)).acknowledged is None


async def test_a_rebuild_keeps_what_people_did(desk: TriageDesk) -> None:
    await desk.befall()
    await desk.do("resolve")
    kept = await desk.silences.add(silence(0))
    before = await work(desk)
    await desk.steps.clear_derived()
    with pytest.raises(NotFound):
        await desk.do("note", text="gone for now")
    assert len(await desk.actions.of("a1")) == 1
    await desk.befall(at=NOW)  # rebuilt: the same id, the same event time
    assert await work(desk) == before
    assert before.closed is not None
    assert await desk.silences.get(kept.silence_id) == kept
    await desk.befall("escalated", severity="critical", at=NOW + HOUR)
    assert (await work(desk)).closed is None


async def test_silences_come_back_as_they_were_made(desk: TriageDesk) -> None:
    wide = await desk.silences.add(silence(0, max_severity="critical"))
    narrow = await desk.silences.add(
        silence(0, kols=frozenset({"lena"}), kinds=frozenset({"flip"}), posts=frozenset({"p7"}))
    )
    assert [wide.silence_id, narrow.silence_id] == [1, 2]
    assert await desk.silences.page(None, NOW, before=None, limit=9) == [narrow, wide]
    assert await desk.silences.page(None, NOW, before=2, limit=9) == [wide]
    assert await desk.silences.get(2) == narrow
    with pytest.raises(NotFound):
        await desk.silences.get(3)
    with pytest.raises(NotFound):
        await desk.silences.expire(3, "mai", NOW)


async def test_a_silence_is_ended_early_once(desk: TriageDesk) -> None:
    made = await desk.silences.add(silence(0))
    ended = await desk.silences.expire(made.silence_id, "linh", NOW)
    assert (ended.expired_by, ended.expired_at) == ("linh", NOW)
    again = await desk.silences.expire(made.silence_id, "bao", NOW + timedelta(minutes=1))
    assert again == ended


async def test_the_database_finds_the_states_that_the_silence_tells(desk: TriageDesk) -> None:
    made = [
        await desk.silences.add(silence(0)),
        await desk.silences.add(silence(0, starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)),
        await desk.silences.add(silence(0, ends_at=NOW + 3 * HOUR)),
    ]
    made[2] = await desk.silences.expire(made[2].silence_id, "mai", NOW)
    for hours in (0, 0.5, 1, 1.5, 2, 2.5):
        now = NOW + hours * HOUR
        for state in ("pending", "active", "expired"):
            found = await desk.silences.page(state, now, before=None, limit=9)
            assert found == [one for one in made[::-1] if one.state(now) == state]


async def test_alerts_stand_as_they_are_asked_for(desk: TriageDesk) -> None:
    await desk.befall()
    await desk.befall(alert_id="b2", kol_id="mina")
    await desk.do("resolve")
    await desk.silences.add(silence(0, kols=frozenset({"mina"})))
    alerts = [
        transition(alert_id=alert_id, kol_id=kol_id)
        for alert_id, kol_id in (("b2", "mina"), ("a1", "lena"), ("c3", "oanh"))
    ]  # fmt: skip
    async with desk.database.read() as connection:
        found = await alert_statuses(connection, alerts, NOW)
        assert await alert_statuses(connection, [], NOW) == []
    assert [one.muted for one in found] == ["silenced by 1", "resolved, says mai", None]


async def test_the_feedback_is_of_the_alerts_in_the_stretch(desk: TriageDesk) -> None:
    for alert_id, days in (("a1", 0), ("b2", 1), ("c3", 2)):
        await desk.befall(alert_id=alert_id, at=NOW + timedelta(days=days))
    await desk.befall(alert_id="d4", kol_id="mina", kind="brigade")
    await desk.do("acknowledge")
    await desk.do("false_alarm", alert_id="b2")
    until = NOW + timedelta(days=2)
    found = await desk.actions.judged(FeedbackFilter(NOW, until), desk.clock.now())
    assert sorted((one.kol_id, one.kind, one.verdict or "") for one in found) == [
        ("lena", "backlash", "confirmed"),
        ("lena", "backlash", "false_alarm"),
        ("mina", "brigade", ""),
    ]
    wanted = FeedbackFilter(NOW, until, kol_id="lena", kind="brigade")
    assert await desk.actions.judged(wanted, desk.clock.now()) == []


def test_the_command_to_rebuild_says_what_stays(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["db", "rebuild", "--help"]) == 0
    assert "what people did" in " ".join(capsys.readouterr().out.split())
