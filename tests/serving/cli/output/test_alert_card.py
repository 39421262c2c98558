"""Cards and tables: figures, reasons, and text that cannot break out of its place."""

import io
from typing import Any

import msgspec
import pytest
from rich.console import Console, RenderableType

from groundswell_client.models.alerts import AlertEventInfo, AlertInfo
from groundswell_client.models.kols import KolInfo
from serving.cli.output.alert_card import alert_card
from serving.cli.output.alert_table import alert_table
from serving.cli.output.kol_table import kol_table

SAMPLE: dict[str, Any] = {
    "platform": "tiktok",
    "comment_id": "c1",
    "post_id": "p9",
    "author_id": "jess",
    "text": "[bold]my face\nburns[/bold]",
    "negative": 0.9,
    "offensive": None,
    "likes": 3,
    "created_at": "2026-03-01T10:00:00+00:00",
}
POST = {"post_id": "p9", "comments": 1100, "negative": 700.0, "expected_negative": 154.0}
EVIDENCE: dict[str, Any] = {
    "window_start": "2026-03-01T10:00:00+00:00",
    "window_end": "2026-03-01T10:30:00+00:00",
    "incident_start": "2026-03-01T09:58:00+00:00",
    "comments": 1240,
    "negative": 756.4,
    "negative_share": 0.61,
    "expected_comments": 38.2,
    "expected_negative_share": 0.14,
    "volume_ratio": 32.5,
    "scores": [
        {"name": "share_shift", "scale_minutes": 30.0, "value": 24.0, "threshold": 12.0},
        {"name": "hour_scan", "scale_minutes": 180.0, "value": 3.0, "threshold": 12.0},
    ],
    "drivers": {
        "posts": [POST | {"excess": 546.0}],
        "terms": [{"text": "refund", "z": 9.0, "incident": 300, "baseline": 1}],
        "representative": [SAMPLE, SAMPLE | {"text": "x" * 500, "author_id": None, "likes": 0}],
        "most_liked": [],
        "audience": {
            "verdict": "organic",
            "authors": 903,
            "turned_share": 0.4,
            "reasons": ["3% of the comments nearly repeat another"],
        },
        "languages": [["en", 1200], ["vi", 40]],
        "platforms": [["tiktok", 1240]],
    },
    "summary": "Negative comments rose on @mira.",
}
EVENT: dict[str, Any] = {
    "event_id": 7,
    "alert_id": "a1b2",
    "kol_id": "mira",
    "kind": "backlash",
    "severity": "critical",
    "reason": "opened",
    "at": "2026-03-01T17:30:00+07:00",
    "evidence": EVIDENCE,
}
TRIAGE = dict.fromkeys(
    ("acknowledged_at", "assignee", "snoozed_by", "snoozed_until", "closed_by", "closed_at")
) | {"acknowledged_by": "[mai]", "false_alarm_by": None}
ALERT: dict[str, Any] = {key: EVENT[key] for key in ("alert_id", "kol_id", "kind", "severity")} | {
    "evidence": EVIDENCE,
    "state": "open",
    "updated_at": EVENT["at"],
    "opened_at": EVENT["at"],
    "resolved_at": None,
    "triage": TRIAGE,
    "muted": "silenced by 3",
}


def drawn(what: RenderableType, width: int = 100) -> str:
    paper = io.StringIO()
    Console(width=width, file=paper).print(what)
    return paper.getvalue()


def card(width: int = 100, name: str | None = None, **change: Any) -> str:
    """The card of an event; changes of its evidence and drivers are given as such."""
    drivers = change.pop("drivers", EVIDENCE["drivers"])
    evidence = change.pop("evidence", EVIDENCE | {"drivers": drivers})
    event = msgspec.convert(EVENT | {"evidence": evidence} | change, AlertEventInfo)
    return drawn(alert_card(event, name=name), width)


@pytest.mark.parametrize("width", [80, 120])
def test_a_backlash_shows_its_figures_and_reasons(width: int) -> None:
    text = card(width, name="Mira Vane")
    for expected in (
        "CRITICAL · Mira Vane · opened",
        "a1b2 · 01 Mar 10:30 UTC",
        "Negative comments rose on @mira.",
        "1,240 comments; normal: 38 (32.5 x)",
        "61%; normal: 14%",
        "share_shift over 30 minutes, 2.0 x its threshold",
        "p9: 1,100 comments, 546 more negative than normal",
        "refund",
        "“[bold]my face burns[/bold]”  @jess, ♥ 3",
        "organic, 903 authors",
        "en 1,200, vi 40",
    ):
        assert expected in text
    assert max(len(line) for line in text.splitlines()) <= width
    assert "x" * 170 not in text.replace("\n", "")


def test_fans_and_offensive_comments_are_shown_where_known() -> None:
    assert "loyal" not in card()
    audience = EVIDENCE["drivers"]["audience"] | {
        "loyal": 22,
        "loyal_turned": 14,
        "loyal_defending": 5,
    }
    drivers = EVIDENCE["drivers"] | {
        "audience": audience,
        "offensive_share": 0.31,
        "offensive_usual": 0.04,
    }
    text = card(drivers=drivers)
    assert "14 of 22 loyal fans turned negative, 5 stayed positive" in text
    assert "31%; normal: 4%" in text


@pytest.mark.parametrize("kind", ["praise_surge", "comment_flood", "attention_surge"])
def test_praise_floods_and_attention_show_no_reasons_for_anger(kind: str) -> None:
    posts = [POST | {"post_id": "p1", "comments": 3, "excess": 1.0}, *EVIDENCE["drivers"]["posts"]]
    text = card(kind=kind, severity="info", drivers=EVIDENCE["drivers"] | {"posts": posts})
    assert kind.replace("_", " ") in text
    assert "p9: 1,100 comments" in text
    assert "refund" not in text
    assert "more negative" not in text
    assert "not negative before" not in text


def test_a_data_gap_shows_no_negative_share() -> None:
    assert "61%; normal: 14%" not in card(kind="data_gap")


def test_the_end_is_one_sentence() -> None:
    text = card(reason="resolved")
    assert "Negative comments rose on @mira." in text
    assert "refund" not in text


def test_an_alert_of_the_list_has_a_card_and_a_row() -> None:
    alert = msgspec.convert(ALERT, AlertInfo)
    assert "CRITICAL · mira · open" in drawn(alert_card(alert))
    table = drawn(alert_table([alert]))
    assert "2026-03-01 10:30" in table
    assert {"still", "open"} <= set(table.split())
    assert "[mai]" in table
    assert "silenced by" in table
    ended = ALERT | {"state": "resolved", "resolved_at": "2026-03-02T01:02:00Z"}
    assert "02 Mar" in drawn(alert_table([msgspec.convert(ended, AlertInfo)]))
    assert drawn(alert_table([])) == "no alerts\n"


def test_what_was_found_late_and_what_was_withdrawn() -> None:
    late = {"found_at": "2026-03-02T01:02:00Z"}
    found = "found late, 2026-03-02 01:02 UTC, when more comments arrived"
    assert found in card(**late)
    assert "found late" not in card()
    assert "refund" not in card(**late, reason="revised")
    assert "CRITICAL · mira · revised" in card(**late, reason="revised")
    alert = msgspec.convert(ALERT | late | {"state": "revised"}, AlertInfo)
    text = drawn(alert_card(alert))
    assert "CRITICAL · mira · withdrawn" in text
    assert "refund" not in text
    table = drawn(alert_table([alert]), 80)
    assert "withdrawn" in table
    assert "found 02 Mar 01:02" in table
    assert "open" not in table.split("\n", 3)[3]


def test_evidence_without_drivers_and_scores() -> None:
    bare = EVIDENCE | {"drivers": None, "scores": [], "summary": ""}
    assert "61%; normal: 14%" in card(evidence=bare)


def test_kols_before_and_after_their_first_comment() -> None:
    status = {
        "kol_id": "x",
        "watermark": None,
        "comments_per_hour": 12.0,
        "expected_comments_per_hour": 8.0,
        "negative_share": 0.5,
        "expected_negative_share": 0.2,
        "mood": -0.25,
        "score": 1.5,
        "alert_id": "a1",
        "severity": "warning",
        "late": 0,
        "duplicates": 0,
        "learning": False,
    }
    profile = dict.fromkeys(("name", "followers", "tier", "relation")) | {"handles": {}}
    profile |= {"registered_at": EVENT["at"], "duplicates": 0}
    quiet = status | {"severity": None, "learning": True}
    kols = [
        profile | {"kol_id": "new", "status": None},
        profile | {"kol_id": "[red]loud", "status": status},
        profile | {"kol_id": "young", "status": quiet},
    ]
    text = drawn(kol_table(msgspec.convert(kols, list[KolInfo])))
    for expected in ("new", "[red]loud", "-0.25", "1.50", "warning", "learning"):
        assert expected in text
    assert "no KOLs yet" in drawn(kol_table([]))
