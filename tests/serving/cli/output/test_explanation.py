"""An alert explained: every figure in its place, in 80 columns and without colour."""

import io
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from rich.console import Console

from groundswell_client.models.alerts import AlertDetailInfo
from monitoring.detectors.registry import detector_types
from monitoring.kol_pipeline import KolPipeline
from monitoring.minute_score import MinuteScore
from monitoring.monitors import gap
from monitoring.policy import Policy
from monitoring.windows import WindowStats
from serving.cli.output.explanation import explanation
from serving.cli.output.recipe import QUESTIONS, RECIPES
from serving.cli.output.sparkline import two_rows

BEGUN = datetime(2026, 3, 1, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
TRIAGE = dict.fromkeys(
    (
        "acknowledged_by", "acknowledged_at", "assignee", "snoozed_by", "snoozed_until",
        "closed_by", "closed_at", "false_alarm_by",
    )
)  # fmt: skip
NO_DRIVERS: dict[str, Any] = {
    name: []
    for name in ("posts", "terms", "representative", "most_liked", "languages", "platforms")
}
INPUTS = {
    "share_shift": {
        "n": 200, "k": 160.0, "x": 0.05, "p": 0.2, "p1": 0.64875, "phi": 0.5, "kappa": 99.6886
    },
    "hour_scan": {
        "n": 1420, "k": 601.52, "positive": 211.4, "x": 0.375, "expected": 402.25, "p": 0.2,
        "phi": 0.5, "b": 0.41, "phi_b": 0.625, "kappa": 35.5, "s2": 0.325, "share_nats": 3.75,
        "silence_nats": 0.0, "count_nats": 4.0,
    },
    "volume_surge": {"ratio": 1.25, "quantile": -0.25, "excess": 0.5, "tail": 0.02},
}  # fmt: skip


def score(name: str, value: float, threshold: float = 8.0, scale: float = 10.0) -> dict[str, Any]:
    found = {"name": name, "scale_minutes": scale, "value": value, "threshold": threshold}
    return found | {"inputs": INPUTS.get(name, {})}


def point(minute: int, value: float, comments: int = 2, negative: float = 0.4) -> dict[str, Any]:
    return {
        "start": (BEGUN + minute * MINUTE).isoformat(),
        "comments": comments,
        "negative": negative,
        "positive": 0.5,
        "excess": 1.0,
        "expected_comments": 0.5,
        "expected_negative_share": 0.2,
        "rho_loud": 0.0125,
        "doubt": 0.01,
        "phi": 0.5,
        "active": 0.4,
        "judged": True,
        "scores": [score("share_shift", value), score("hour_scan", 1.0, 5.0, 120.0)],
    }


def event(reason: str, minute: int, value: float, summary: str) -> dict[str, Any]:
    return {
        "event_id": minute,
        "alert_id": "a1b2",
        "kol_id": "mira[bold]",
        "kind": "slow_burn",
        "reason": reason,
        "severity": "warning",
        "at": (BEGUN + minute * MINUTE).isoformat(),
        "evidence": {
            "window_start": BEGUN.isoformat(),
            "window_end": (BEGUN + minute * MINUTE).isoformat(),
            "incident_start": BEGUN.isoformat(),
            "comments": 1240,
            "negative": 756.4,
            "negative_share": 0.61,
            "expected_comments": 38.2,
            "expected_negative_share": 0.2,
            "volume_ratio": 32.05,
            "scores": [score("share_shift", value), score("hour_scan", 1.0, 5.0, 120.0)],
            "summary": summary,
        },
    }


@pytest.fixture
def alert() -> dict[str, Any]:
    """Normal comments every other minute, ten minutes of storm, then an hour to its end."""
    points = [point(minute, 0.4) for minute in range(-120, 0, 2)]
    points += [point(minute, 1.6 * (minute + 1), 20, 16.0) for minute in range(10)]
    points += [point(minute, 4.0) for minute in range(10, 70, 2)]
    return {
        "alert_id": "a1b2",
        "kol_id": "mira[bold]",
        "kind": "slow_burn",
        "severity": "warning",
        "state": "resolved",
        "opened_at": BEGUN.isoformat(),
        "updated_at": BEGUN.isoformat(),
        "resolved_at": None,
        "evidence": event("opened", 10, 16.0, "")["evidence"],
        "triage": TRIAGE,
        "muted": None,
        "actions": [],
        "events": [
            event("opened", 10, 16.0, "Negative comments rose on @mira."),
            event("resolved", 70, 0.0, "Over after 70 minutes on @mira."),
        ],
        "trace": {
            "since": (BEGUN - 120 * MINUTE).isoformat(),
            "until": (BEGUN + 70 * MINUTE).isoformat(),
            "step": 60,
            "points": points,
        },
    }


def drawn(alert: dict[str, Any], width: int = 80) -> list[str]:
    paper = io.StringIO()
    Console(width=width, file=paper).print(explanation(msgspec.convert(alert, AlertDetailInfo)))
    return [line.rstrip() for line in paper.getvalue().splitlines()]


def test_every_figure_is_there_and_fits(alert: dict[str, Any]) -> None:
    lines = drawn(alert)
    assert max(map(len, lines)) <= 80
    for line in (
        "slow burn on @mira[bold] · warning · resolved · a1b2",
        "     01 Mar 10:00  began              estimated afterwards",
        "  1  01 Mar 10:10  opened    warning  share_shift at 2.0 x",
        "  2  01 Mar 11:10  resolved  warning",
        "Observed and normal  (when it opened; 01 Mar 10:00 to 01 Mar 10:10)",
        "  comments           1,240    38.2",
        "  negative           756.4     7.6",
        "  negative share     61.0%   20.0%",
        "  volume           32.05 x     1 x",
        "  share_shift  16.00 nats, threshold 8.00: reached, over the last 10 minutes",
        "  hour_scan  1.00 nats, threshold 5.00: not reached, over the last 2 hours",
        "How it went  (01 Mar 08:00 to 01 Mar 11:10; one column is 4 minutes)",
        "  Over after 70 minutes on @mira.",
        "Recompute it  (share_shift, when it opened)",
        "  n        200  comments in the 10 minutes to 01 Mar 10:10",
        "  k        160  sum of P(negative) over them",
        "  x   0.050000  part of n above the normal volume",
        "  Λ         16  log BB(k | n, p₁, κ) - log BB(k | n, p, κ), in nats",
    ):
        assert line in lines
    assert "GET /v1/alerts/a1b2?points=5000" in " ".join(" ".join(lines).split())


def test_the_bars_rise_over_the_threshold_where_the_alert_opened(alert: dict[str, Any]) -> None:
    lines = drawn(alert)
    first = lines.index(next(line for line in lines if line.startswith("    share_shift ")))
    upper, lower, scan = (line[16:] for line in lines[first : first + 3])
    assert lower[:30] == "▁" * 30
    assert lower[30:33] == "▇██"
    assert (upper[:31].strip(), upper[31:33], upper[33:].strip()) == ("", "▅█", "2.0 x")
    assert scan.strip() == ""
    marks = next(line for line in lines if line.startswith("         events"))[16:]
    assert (marks.index("1"), marks.index("2")) == (32, 47)


def test_what_people_write_is_compared_with_what_they_wrote_before(alert: dict[str, Any]) -> None:
    assert "Who writes" not in "\n".join(drawn(alert))
    alert["events"][0]["evidence"]["drivers"] = {
        **NO_DRIVERS,
        "audience": {
            "authors": 3,
            "verdict": "organic",
            "reasons": [],
            "regulars": 34,
            "loyal": 22,
            "loyal_turned": 14,
            "loyal_defending": 5,
            "regular_negative": 0.62,
            "regular_negative_usual": 0.09,
            "regular_positive": 0.2,
            "regular_positive_usual": 0.71,
            "newcomer_negative": 0.884,
        },
        "offensive_share": 0.31,
        "offensive_usual": None,
    }
    lines = drawn(alert)
    for line in (
        "Who writes  (up to the opening)",
        "  regulars, negative   62%      9%  34 people",
        "  regulars, positive   20%     71%",
        "  newcomers, negative  88%",
        "  all, offensive       31%",
    ):
        assert line in lines
    sentence = "Of 22 loyal fans who write (mostly positive before), 14 turned negative and 5 stay"
    assert sentence in " ".join(" ".join(lines).split())


def test_evidence_of_old_versions_has_no_section_on_people(alert: dict[str, Any]) -> None:
    alert["events"][0]["evidence"]["drivers"] = {
        **NO_DRIVERS,
        "audience": {"authors": 3, "verdict": "organic", "reasons": []},
        "offensive_share": None,
    }
    assert "Who writes" not in "\n".join(drawn(alert))


def test_a_withdrawn_alert_says_so(alert: dict[str, Any]) -> None:
    revised = alert["events"][1] | {"reason": "revised", "found_at": "2026-03-02T01:02:00Z"}
    revised["evidence"] = revised["evidence"] | {"scores": []}
    alert |= {"state": "revised", "events": [*alert["events"], revised]}
    lines = drawn(alert)
    text = " ".join(" ".join(lines).split())
    assert "warning · withdrawn · a1b2" in text
    assert "It was withdrawn: with the comments that came late, there was no incident." in text
    (step,) = (line for line in lines if " revised " in line)
    assert step.endswith("found 02 Mar 01:02")


def test_an_open_alert_shows_its_last_minute(alert: dict[str, Any]) -> None:
    alert |= {"state": "open", "events": alert["events"][:1]}
    text = " ".join(" ".join(drawn(alert)).split())
    assert "still open. At 01 Mar 11:08 UTC 20% of 2 comments were negative; normal: 20%." in text


def test_without_a_trace_it_says_how_to_get_one(alert: dict[str, Any]) -> None:
    alert["trace"]["points"] = []
    text = "\n".join(drawn(alert))
    assert "'groundswell db rebuild' computes them" in text
    assert "756.4" in text
    assert "still open" in "\n".join(drawn(alert | {"state": "open"}))


def test_a_value_above_its_threshold_can_be_recomputed(alert: dict[str, Any]) -> None:
    scores = alert["events"][0]["evidence"]["scores"]
    scores[0]["value"] = 7.9
    assert "Recompute it" not in "\n".join(drawn(alert))
    scores[1] = score("hour_scan", 7.75, 5.0, 480.0)
    lines = drawn(alert)
    for line in (
        "Recompute it  (hour_scan, when it opened)",
        "  n          1,420  comments in the 8 hours to 01 Mar 10:00",
        "  E         402.25  normal number of comments in these hours",
        "  share     3.7500  log BB(k | n, k/n, κ) - log BB(k | n, p, κ)",
        "  silence        0  as share, of m in n - k against b, if lower; at most 3",
        "  Λ         7.7500  share + silence + count, in nats",
    ):
        assert line in lines
    assert max(map(len, lines)) <= 80


def test_praise_is_recomputed_from_the_positive(alert: dict[str, Any]) -> None:
    praise = score("share_shift", 9.0) | {"name": "praise_shift"}
    alert["events"][0]["evidence"]["scores"] = [praise]
    assert "sum of P(positive) over them" in "\n".join(drawn(alert))


def test_evidence_without_inputs_cannot_be_recomputed(alert: dict[str, Any]) -> None:
    for found in alert["events"][0]["evidence"]["scores"]:
        del found["inputs"]
    text = "\n".join(drawn(alert))
    assert "Recompute it" not in text
    assert "?points=5000" in text


def test_a_surge_is_recomputed_from_numbers_that_may_be_negative(alert: dict[str, Any]) -> None:
    surge = score("volume_surge", 9.0) | {"inputs": INPUTS["volume_surge"]}
    alert["events"][0]["evidence"]["scores"] = [surge]
    text = "\n".join(drawn(alert))
    assert "-0.25" in text
    assert "(r - q) / e - log t, in nats" in text


def test_every_input_of_a_detector_is_shown() -> None:
    for name, inputs in INPUTS.items():
        assert {row[1] for row in RECIPES[name]} == {*inputs, ""}


def test_many_events_share_marks(alert: dict[str, Any]) -> None:
    opened, resolved = alert["events"]
    alert["events"] = [opened, event("escalated", 11, 20.0, ""), resolved]
    marks = next(line for line in drawn(alert) if line.startswith("         events"))
    assert "+" in marks


def test_every_detector_has_its_question() -> None:
    monitor = KolPipeline("lena", Policy())
    window = WindowStats("lena", BEGUN, 1, 0.0, 1.0)
    monitor.step(window)
    minute_score: MinuteScore = monitor.minute_score(window)
    assert {found.name for found in minute_score.scores} <= set(QUESTIONS)
    assert {gap.DETECTOR, *detector_types()} == set(QUESTIONS)


def test_two_rows_meet_at_the_bound() -> None:
    assert two_rows([0.0, None, 4.0, 8.0, 12.0, 16.0], 8.0) == ("   ▁▄█", "▁ ▄███")
    assert two_rows([], 8.0) == ("", "")
    assert two_rows([8.0], 8.0) == ("▁", "█")
