"""What is said: subject, sentence, figures, quotes; for every kind and reason, and of a burst."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from monitoring.evidence import DetectorScore
from monitoring.kinds import AlertKind
from serving.notify.channels.base import Rejected
from serving.notify.render.content import write
from tests.serving.notify.conftest import DRIVERS, EVIDENCE, WORDS, notification
from tests.serving.notify.render.conftest import hostile, rendered

COPIES = DetectorScore("copies", 45.0, 9.0, 6.0, {"n": 210, "k": 134.4, "p": 0.03})
FLOOD = replace(EVIDENCE, scores=(COPIES,))


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({}, "CRITICAL · Lena Vane · backlash opened: 61% negative, usually 14%"),
        ({"reason": "resolved"}, "RESOLVED · Lena Vane · backlash is over"),
        ({"kol_name": None, "kind": "slow_burn", "severity": "warning", "reason": "escalated"},
         "WARNING · lena · slow burn escalated: 61% negative, usually 14%"),
        ({"reason": "reopened"},
         "CRITICAL · Lena Vane · backlash reopened: 61% negative, usually 14%"),
        ({"reason": "aftershock"}, "CRITICAL · Lena Vane · backlash, a second wave, so far no "
         "larger: 61% negative, usually 14%"),
        ({"reason": "still_open"},
         "CRITICAL · Lena Vane · backlash still open: 61% negative, usually 14%"),
        ({"reason": "test"},
         "TEST · CRITICAL · Lena Vane · backlash opened: 61% negative, usually 14%"),
        ({"kind": "praise_surge", "severity": "info"},
         "INFO · Lena Vane · praise surge opened: 32.5 times the usual comments"),
        ({"kind": "comment_flood", "severity": "info", "evidence": FLOOD},
         "INFO · Lena Vane · comment flood opened: 32.5 times the usual comments"),
        ({"kind": "data_gap", "severity": "info", "evidence": replace(EVIDENCE, comments=0)},
         "INFO · Lena Vane · data gap opened: 0 comments, usually 38"),
        ({"kol_name": "Lena\r\nBcc: all@example.com", "reason": "resolved"},
         "RESOLVED · Lena Bcc: all@example.com · backlash is over"),
    ],
)  # fmt: skip
def test_the_subject_says_how_bad_who_what(change: dict[str, Any], subject: str) -> None:
    assert rendered(**change).subject == subject


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("backlash", "Negative comments on Lena Vane rose: 61% of 1,240 comments in 30 minutes; "
         "usually 14% of 38."),
        ("flip", "The mood on Lena Vane turned at usual volume: 61% of 1,240 comments in "
         "30 minutes are negative; usually 14% of 38."),
        ("slow_burn", "Negative comments on Lena Vane have been growing: 61% of 1,240 comments in "
         "30 minutes; usually 14% of 38."),
        ("brigade", "A few accounts push negative comments on Lena Vane: 61% of 1,240 comments in "
         "30 minutes; usually 14% of 38."),
        ("praise_surge", "Praise for Lena Vane: 1,240 comments in 30 minutes, 61% of them "
         "negative; usually 38 at this hour."),
        ("data_gap", "No comments on Lena Vane for 30 minutes; usually 38 in that time. A platform "
         "or a feed may be down."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_changed(kind: str, sentence: str) -> None:
    assert kind in list(AlertKind)
    assert rendered(kind=kind).items[0].sentence == sentence


def test_a_flood_is_told_by_what_its_detector_judged() -> None:
    flood = {"kind": "comment_flood", "severity": "info", "evidence": FLOOD}
    assert rendered(**flood).items[0].sentence == (
        "Near-copies on Lena Vane: 64% of 210 comments in 45 minutes; usually 3%. Advertising, a "
        "prize draw or bots may be behind it; the mood is no darker than usual."
    )
    over = rendered(**flood, reason="resolved").items[0].sentence
    assert over.startswith("It is over after")


def test_an_end_is_told_by_its_last_figures() -> None:
    at = notification().at + timedelta(hours=7)
    over = {"reason": "resolved", "at": at}
    assert rendered(**over).items[0].sentence == (
        "It is over after 8 hours: 61% of 1,240 comments in the last 30 minutes are negative, "
        "usually 14%."
    )
    few = rendered(**over, evidence=replace(EVIDENCE, comments=1)).items[0].sentence
    assert few == "It is over after 8 hours: 1 comment in the last 30 minutes, usually 38."
    back = rendered(**over, kind="data_gap").items[0].sentence
    assert back == (
        "Comments on Lena Vane come again after 8 hours without any; usually 38 in that time."
    )
    late = rendered(reason="resolved", kind="data_gap").items[0].sentence
    assert late == "The comments on Lena Vane that were missing have arrived."


def test_an_end_needs_no_reasons_and_no_acknowledgement() -> None:
    (item,) = rendered(reason="resolved").items
    assert (item.figures, item.facts, item.quotes, item.acknowledge) == ((), (), (), None)
    assert item.tone == "over"
    assert item.page is not None


def test_three_comments_are_shown_masked_and_none_that_masking_does_not_help() -> None:
    assert rendered().items[0].quotes == (
        "“my face burns, you LIAR”",
        "“what the f***** is this s***”",
        "“refund @\u200beveryone \u2039!channel\u203a”",
    )


def test_links_need_a_public_address() -> None:
    assert [link.text for link in rendered().items[0].links] == [
        "https://pr.example.com/alerts/a1",
        "https://pr.example.com/alerts/a1?action=acknowledge",
        "https://pr.example.com/v1/alerts/a1/chart.png",
    ]
    assert rendered(public_url=None).items[0].links == ()
    trial = rendered(reason="test").items[0]
    assert trial.chart is None  # nothing of it is stored
    assert trial.notice is not None


def test_a_burst_is_told_shortly() -> None:
    names = ["Lena Vane", "Mina", "Noa", "Ola", "Lena Vane"]
    burst = write([notification(kol_name=name) for name in names], WORDS)
    assert burst.subject == "5 alert messages: Lena Vane, Mina, Noa and 1 more"
    assert len(burst.items) == 5


def test_nothing_that_others_wrote_is_longer_than_a_line_can_be() -> None:
    (item,) = write([hostile()], WORDS).items
    assert len(item.name) <= 60
    assert len(item.subject) <= 150
    assert all(len(quote) <= 162 for quote in item.quotes)
    said = [item.subject, item.sentence, *item.quotes, *(fact.text for fact in item.facts)]
    for text in said:
        assert "\u202e" not in text
        assert "\x00" not in text
        assert "\x1b" not in text
        assert "@everyone" not in text
        assert "<" not in text
        assert "evil.example" not in text


@pytest.mark.parametrize(
    ("scores", "missing"),
    [((), "not enough values"), ((replace(COPIES, inputs={"n": 210, "k": 9}),), "'p'")],
)
def test_a_flood_without_what_its_detector_judged_is_rejected_not_raised(
    scores: tuple[DetectorScore, ...], missing: str
) -> None:
    """Older versions stored scores without their inputs."""
    evidence = replace(EVIDENCE, scores=scores)
    with pytest.raises(Rejected, match=rf"cannot be written.*{missing}"):
        rendered(kind="comment_flood", severity="info", evidence=evidence)


def test_an_unknown_verdict_is_rejected_not_raised() -> None:
    drivers = replace(DRIVERS, audience=replace(DRIVERS.audience, verdict="aliens"))
    with pytest.raises(Rejected, match=r"cannot be written.*aliens"):
        rendered(evidence=replace(EVIDENCE, drivers=drivers))
