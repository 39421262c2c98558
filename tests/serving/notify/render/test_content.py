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
        ({}, "CRITICAL · Lena Vane · backlash detected: 61% negative (normal: 14%)"),
        ({"reason": "resolved"}, "RESOLVED · Lena Vane · backlash is over"),
        ({"kol_name": None, "kind": "slow_burn", "severity": "warning", "reason": "escalated"},
         "WARNING · lena · slow burn escalated: 61% negative (normal: 14%)"),
        ({"reason": "reopened"},
         "CRITICAL · Lena Vane · backlash reopened: 61% negative (normal: 14%)"),
        ({"reason": "aftershock"}, "CRITICAL · Lena Vane · backlash: second wave, no larger "
         "so far: 61% negative (normal: 14%)"),
        ({"reason": "still_open"},
         "CRITICAL · Lena Vane · backlash still open: 61% negative (normal: 14%)"),
        ({"reason": "test"},
         "TEST · CRITICAL · Lena Vane · backlash detected: 61% negative (normal: 14%)"),
        ({"kind": "praise_surge", "severity": "info"},
         "INFO · Lena Vane · praise surge detected: 32.5 times the normal number of comments"),
        ({"kind": "comment_flood", "severity": "info", "evidence": FLOOD},
         "INFO · Lena Vane · comment flood detected: 32.5 times the normal number of comments"),
        ({"kind": "attention_surge", "severity": "info"},
         "INFO · Lena Vane · attention surge detected: 32.5 times the normal number of comments"),
        ({"kind": "data_gap", "severity": "info", "evidence": replace(EVIDENCE, comments=0)},
         "INFO · Lena Vane · data gap detected: 0 comments (normal: 38)"),
        ({"kol_name": "Lena\r\nBcc: all@example.com", "reason": "resolved"},
         "RESOLVED · Lena Bcc: all@\u200bexample.\u200bcom · backlash is over"),
    ],
)  # fmt: skip
def test_the_subject_says_how_bad_who_what(change: dict[str, Any], subject: str) -> None:
    assert rendered(**change).subject == subject


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("backlash", "Negative comments on Lena Vane jumped to 61% (756 of 1,240) in the last "
         "30 minutes. Normal at this hour: 14% of about 38."),
        ("flip", "The mood on Lena Vane turned while the number of comments stayed normal: 61% "
         "negative (756 of 1,240) in the last 30 minutes. Normal at this hour: 14% of about 38."),
        ("slow_burn", "Negative comments on Lena Vane have been growing: 61% (756 of 1,240) in "
         "the last 30 minutes. Normal at this hour: 14% of about 38."),
        ("brigade", "A few accounts are pushing negative comments on Lena Vane: 61% (756 of "
         "1,240) in the last 30 minutes. Normal at this hour: 14% of about 38."),
        ("praise_surge", "Praise for Lena Vane: 1,240 comments in the last 30 minutes, 61% of "
         "them negative. Normal at this hour: about 38."),
        ("attention_surge", "Comments on Lena Vane surged to 1,240 in the last 30 minutes, 61% "
         "of them negative. Normal in that time: about 38."),
        ("data_gap", "No comments on Lena Vane for 30 minutes. Normal in that time: about 38. A "
         "platform or a data feed may be down."),
    ],
)  # fmt: skip
def test_the_sentence_says_what_changed(kind: str, sentence: str) -> None:
    assert kind in list(AlertKind)
    assert rendered(kind=kind).items[0].sentence == sentence


def test_an_hour_without_a_normal_number_of_comments_says_so() -> None:
    quiet = replace(EVIDENCE, expected_comments=0.4)
    sentence = rendered(evidence=quiet).items[0].sentence
    assert sentence.endswith("30 minutes. Normal at this hour: almost no comments.")
    half = replace(EVIDENCE, expected_comments=0.6)
    assert rendered(evidence=half).items[0].sentence.endswith("14% of about 1.")


def test_a_flood_is_described_by_what_its_detector_judged() -> None:
    flood = {"kind": "comment_flood", "severity": "info", "evidence": FLOOD}
    assert rendered(**flood).items[0].sentence == (
        "64% of 210 comments on Lena Vane in the last 45 minutes are near-identical. Normal: 3%. "
        "Possible causes are advertising, a giveaway or bots. The mood is no worse than normal."
    )
    over = rendered(**flood, reason="resolved").items[0].sentence
    assert over.startswith("Over after")


def test_an_end_is_described_by_its_last_figures() -> None:
    at = notification().at + timedelta(hours=7)
    over = {"reason": "resolved", "at": at}
    assert rendered(**over).items[0].sentence == (
        "Over after 8 hours. 61% of the 1,240 comments in the last 30 minutes are negative; "
        "normal: 14%."
    )
    few = rendered(**over, evidence=replace(EVIDENCE, comments=1)).items[0].sentence
    assert few == "Over after 8 hours. 1 comment in the last 30 minutes; normal: about 38."
    calm = rendered(**over, kind="attention_surge").items[0].sentence
    assert calm == "Over after 8 hours. 1,240 comments in the last 30 minutes; normal: about 38."
    back = rendered(**over, kind="data_gap").items[0].sentence
    assert back == (
        "Comments on Lena Vane are back after 8 hours without any. Normal in that time: about 38."
    )
    late = rendered(reason="resolved", kind="data_gap").items[0].sentence
    assert late == "The missing comments on Lena Vane have arrived."


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


def test_a_burst_is_short() -> None:
    names = ["Lena Vane", "Mina", "Noa", "Ola", "Lena Vane"]
    burst = write([notification(kol_name=name) for name in names], WORDS)
    assert burst.subject == "5 alert updates: Lena Vane, Mina, Noa and 1 more"
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
