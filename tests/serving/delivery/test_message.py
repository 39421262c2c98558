"""What people read: a golden message, and other people's words made harmless."""

from typing import Any

import pytest

from serving.delivery.channel import Rejected
from serving.delivery.message import render
from serving.delivery.quoting import masked, quoted
from tests.serving.delivery.conftest import EVIDENCE, notification

GOLDEN = """\
Negative comments rose on @lena: 61% of 1240 in 30 minutes; 14% of 38 is usual.

Since     2026-03-10 11:20 UTC
Comments  1,240, usual 38 (x 32.5)
Negative  61%, usual 14%
Top post  p9: 1,100 comments, 546 more negative than usual
Comments  “my face burns, you LIAR”
          “what the f***** is this s***”
          “refund @\u200beveryone \u2039!channel\u203a”
Audience  organic: 3% nearly repeat another; new: 20%
Alert     a1, 2026-03-10 11:50 UTC
https://pr.example.com/v1/alerts/a1"""


def test_the_golden_message() -> None:
    message = render([notification()])
    assert message.subject == "CRITICAL · Lena Vane · backlash opened: 61% negative, usual 14%"
    assert message.body == GOLDEN


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        ({"reason": "resolved"}, "RESOLVED · Lena Vane · backlash is over"),
        ({"kol_name": None, "kind": "slow_burn", "severity": "warning", "reason": "escalated"},
         "WARNING · lena · slow burn escalated: 61% negative, usual 14%"),
        ({"kind": "praise_surge", "severity": "info"},
         "INFO · Lena Vane · praise surge opened: 32.5 times the usual comments"),
        ({"kind": "data_gap", "severity": "info"},
         "INFO · Lena Vane · data gap opened: 1,240 comments, usual 38"),
        ({"kol_name": "Lena\r\nBcc: all@example.com", "reason": "resolved"},
         "RESOLVED · Lena Bcc: all@example.com · backlash is over"),
    ],
)  # fmt: skip
def test_the_subject_says_how_bad_who_what(change: dict[str, Any], subject: str) -> None:
    assert render([notification(**change)]).subject == subject


def test_an_end_gives_no_reasons_and_no_link_where_none_is_set() -> None:
    body = render([notification(reason="resolved", link=None)]).body
    assert body == f"{EVIDENCE['summary']}\n\nAlert     a1, 2026-03-10 11:50 UTC"


def test_a_burst_is_one_short_message() -> None:
    names = ["Lena Vane", "Mina", "Noa", "Ola", "Lena Vane"]
    message = render([notification(kol_name=name, link=None) for name in names])
    assert message.subject == "5 alert messages: Lena Vane, Mina, Noa and 1 more"
    assert message.body.count(EVIDENCE["summary"]) == 5
    assert "Audience" not in message.body


@pytest.mark.parametrize("gone", ["summary", "negative_share", "incident_start"])
def test_evidence_that_cannot_be_told_is_rejected_not_raised(gone: str) -> None:
    evidence = {key: value for key, value in EVIDENCE.items() if key != gone}
    with pytest.raises(Rejected, match=gone):
        render([notification(evidence=evidence)])


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("you F.U. fucking liar", "you F.U. f****** liar"),
        ("motherfucker", "m***********"),
        ("SHIIIT happens, b1tches", "S***** happens, b******"),
        (
            "shiitake from Scunthorpe, class assessment",
            "shiitake from Scunthorpe, class assessment",
        ),
        ("Đồ chó, địt mẹ", "Đồ chó, đ** mẹ"),
        ("đi chơi", "đi chơi"),
        ("from Niger and Nigeria", "from Niger and Nigeria"),
        ("이 병신아", "이 병*아"),
        ("dasar goblok", "dasar g*****"),
    ],
)
def test_offensive_words_are_masked_and_others_left(text: str, shown: str) -> None:
    assert masked(text) == shown


def test_a_long_comment_is_cut() -> None:
    for unit in ("s", "*", "$", "k", "u*"):  # and takes no time that grows
        assert quoted("f" + unit * 60_000).startswith(f"“f{unit}")
    assert quoted("x" * 500) == f"“{'x' * 159}…”"
