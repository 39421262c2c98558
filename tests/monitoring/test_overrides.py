"""A KOL's own policy, set while it is being watched."""

from dataclasses import replace
from datetime import timedelta

import pytest

from monitoring.engine import Engine
from monitoring.errors import PolicyError
from monitoring.policy import OVERRIDABLE, Policy
from tests.monitoring.streams import windows

DAY = 24 * 60
CRISIS = (2 * DAY, 2 * DAY + 15, 3.0, 0.6)
CALM, STORM = slice(None, -40), slice(-40, None)


@pytest.fixture(scope="module")
def stream():
    return list(windows(14, 1.0, 2 * DAY + 30, crisis=CRISIS))


def feed(engine, stream):
    return [event for window in stream for event in engine.observe_window(window)]


def missed_input(policy):
    return policy.overridden({"sensitivity": 1e-30})


def test_only_some_settings_can_be_overridden():
    assert Policy().overridden({"critical_share": 0.3}) == replace(Policy(), critical_share=0.3)
    assert Policy().overridden(dict.fromkeys(OVERRIDABLE, 0.5)) != Policy()
    with pytest.raises(PolicyError, match=r"hold .* sensitivity, minimum_negative"):
        Policy().overridden({"hold": 3.0})
    with pytest.raises(PolicyError, match="critical_share"):
        Policy().overridden({"critical_share": 1.5})


def test_a_policy_holds_from_the_next_minute_on(stream):
    engine = Engine()
    feed(engine, stream[CALM])
    engine.set_policy("lena", missed_input(Policy()))
    assert feed(engine, stream[STORM]) == []

    engine = Engine(missed_input(Policy()))
    feed(engine, stream[CALM])
    engine.set_policy("lena", Policy())
    assert [event.reason for event in feed(engine, stream[STORM])][:1] == ["opened"]
    assert engine.policy("mina") == missed_input(Policy())


def test_severity_follows_the_overrides(stream):
    severe = Policy().overridden(
        {"critical_ratio": 1.5, "critical_share": 0.2, "critical_negative": 4.0}
    )
    engine = Engine()
    feed(engine, stream[CALM])
    engine.set_policy("lena", severe)
    assert feed(engine, stream[STORM])[0].severity == "critical"
    assert feed(Engine(), stream)[0].severity == "warning"


def test_more_negatives_can_be_asked_for(stream):
    engine = Engine()
    feed(engine, stream[CALM])
    engine.set_policy("lena", Policy().overridden({"minimum_negative": 1e6}))
    assert feed(engine, stream[STORM]) == []


@pytest.mark.parametrize("cut", [600, 2 * DAY - 300])
def test_restoring_after_a_change_equals_no_interruption(stream, cut):
    quiet = Policy().overridden({"sensitivity": 0.2})
    whole = Engine()
    feed(whole, stream[:500])
    whole.set_policy("lena", quiet)
    feed(whole, stream[500:cut])
    again = Engine()
    again.set_policy("lena", quiet)
    again.restore("lena", whole.snapshot("lena"))
    assert again.status("lena") == whole.status("lena")
    assert feed(again, stream[cut:]) == feed(whole, stream[cut:])
    assert again.snapshot("lena") == whole.snapshot("lena")
    assert again.status("lena") == whole.status("lena")


def test_the_same_policy_changes_nothing(stream):
    plain, told = Engine(), Engine()
    expected = feed(plain, stream)
    events = []
    for index, window in enumerate(stream):
        if index % 100 == 0:
            told.set_policy("lena", Policy())
        events += told.observe_window(window)
    assert events == expected
    assert told.snapshot("lena") == plain.snapshot("lena")


def test_lateness_stays_once_a_kol_was_seen(stream):
    engine = Engine()
    other = Policy(lateness=timedelta(minutes=5))
    engine.set_policy("lena", other)
    feed(engine, stream[:3])
    with pytest.raises(PolicyError, match="lateness"):
        engine.set_policy("lena", Policy())
    assert engine.policy("lena") == other
