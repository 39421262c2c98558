"""What is drawn of an alert: figures, reasons, and text that cannot break out of its place."""

import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from serving.cli.output import render

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
        "posts": [{"post_id": "p9", "comments": 1100, "negative": 700.0, "excess": 546.0}],
        "terms": [{"text": "refund", "z": 9.0, "incident": 300, "baseline": 1}],
        "representative": [
            {"text": "[bold]my face\nburns[/bold]", "author_id": "jess", "likes": 3},
            {"text": "x" * 500, "author_id": None, "likes": 0},
        ],
        "audience": {
            "verdict": "organic",
            "authors": 903,
            "turned_share": 0.4,
            "reasons": ["3% of the comments nearly repeat another"],
        },
        "languages": [["en", 1200], ["vi", 40]],
    },
    "summary": "Negative comments rose on @mira.",
}
EVENT: dict[str, Any] = {
    "alert_id": "a1b2",
    "kol_id": "mira",
    "kind": "backlash",
    "severity": "critical",
    "reason": "opened",
    "at": "2026-03-01T17:30:00+07:00",
    "evidence": EVIDENCE,
}


def drawn(what: RenderableType, width: int = 100) -> str:
    paper = io.StringIO()
    Console(width=width, file=paper).print(what)
    return paper.getvalue()


@pytest.mark.parametrize("width", [80, 120])
def test_a_backlash_shows_its_figures_and_reasons(width: int) -> None:
    text = drawn(render.alert_panel(EVENT, name="Mira Vane"), width)
    for said in (
        "CRITICAL · Mira Vane · opened",
        "a1b2 · 01 Mar 10:30 UTC",
        "Negative comments rose on @mira.",
        "1,240 comments, usual 38 (x 32.5)",
        "61%, usual 14%",
        "share_shift over 30 minutes, 2.0 x its threshold",
        "p9: 1,100 comments, 546 more negative than usual",
        "refund",
        "“[bold]my face burns[/bold]”  @jess, ♥ 3",
        "organic, 903 authors",
        "en 1,200, vi 40",
    ):
        assert said in text
    assert max(len(line) for line in text.splitlines()) <= width
    assert "x" * 170 not in text.replace("\n", "")


def test_what_fans_do_and_how_rough_the_tone_is_are_shown_where_known() -> None:
    assert "loyal" not in drawn(render.alert_panel(EVENT))
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
    text = drawn(render.alert_panel(EVENT | {"evidence": EVIDENCE | {"drivers": drivers}}))
    assert "14 of 22 loyal ones turned negative, 5 stay positive" in text
    assert "31%, usual 4%" in text


@pytest.mark.parametrize("kind", ["praise_surge", "comment_flood"])
def test_what_is_no_anger_is_told_without_reasons_for_anger(kind: str) -> None:
    posts = [{"post_id": "p1", "comments": 3, "negative": 2.0, "excess": 1.0}]
    drivers = EVIDENCE["drivers"] | {"posts": [*posts, *EVIDENCE["drivers"]["posts"]]}
    praise = EVENT | {"kind": kind, "severity": "info"}
    text = drawn(render.alert_panel(praise | {"evidence": EVIDENCE | {"drivers": drivers}}))
    assert kind.replace("_", " ") in text
    assert "p9: 1,100 comments" in text
    assert "refund" not in text
    assert "more negative" not in text
    assert "were not before" not in text


def test_the_end_is_one_sentence() -> None:
    text = drawn(render.alert_panel(EVENT | {"reason": "resolved"}))
    assert "Negative comments rose on @mira." in text
    assert "refund" not in text


def test_an_alert_of_the_list_is_drawn_too() -> None:
    alert = {key: EVENT[key] for key in ("alert_id", "kol_id", "kind", "severity", "evidence")}
    alert |= {"state": "open", "updated_at": EVENT["at"], "opened_at": EVENT["at"]}
    work = dict.fromkeys(("assignee", "false_alarm_by", "closed_by")) | {"acknowledged_by": "[mai]"}
    alert |= {"resolved_at": None, "triage": work, "muted": "silenced by 3"}
    assert "CRITICAL · mira · open" in drawn(render.alert_panel(alert))
    table = drawn(render.alert_table([alert]))
    assert "2026-03-01 10:30" in table
    assert {"still", "open"} <= set(table.split())
    assert "[mai]" in table
    assert "silenced by" in table


def test_evidence_without_drivers_and_scores() -> None:
    bare = EVIDENCE | {"drivers": None, "scores": [], "summary": ""}
    assert "61%, usual 14%" in drawn(render.alert_panel(EVENT | {"evidence": bare}))


def test_kols_before_and_after_their_first_comment() -> None:
    status = {
        "comments_per_hour": 12.0,
        "expected_comments_per_hour": 8.0,
        "negative_share": 0.5,
        "expected_negative_share": 0.2,
        "mood": -0.25,
        "score": 1.5,
        "severity": "warning",
        "learning": False,
    }
    quiet = status | {"severity": None, "learning": True}
    kols = [
        {"kol_id": "new", "status": None},
        {"kol_id": "[red]loud", "status": status},
        {"kol_id": "young", "status": quiet},
    ]
    text = drawn(render.kol_table(kols))
    for said in ("new", "[red]loud", "-0.25", "1.50", "warning", "learning"):
        assert said in text
    assert "no KOLs yet" in drawn(render.kol_table([]))
