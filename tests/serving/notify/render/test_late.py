"""What messages say of alerts that were found late, and of those that were withdrawn."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from monitoring.kinds import AlertState
from serving.locales.wording import Wording
from serving.notify.render import html, plain, slack, teams
from serving.notify.render.content import write
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import WORDS, notification
from tests.serving.notify.render.conftest import rendered
from tests.serving.notify.render.test_content import FLOOD
from tests.serving.notify.render.test_renderers import LANGUAGES

Golden = Callable[[str, str], None]
FOUND = {"found_at": NOW + timedelta(hours=6)}
OVER = FOUND | {"ended_at": NOW + timedelta(hours=4)}
# A revision happens when it is found.
WITHDRAWN = FOUND | {
    "reason": "revised", "state": AlertState.REVISED, "late_comments": 212,
    "at": NOW + timedelta(hours=6),
}  # fmt: skip
ARRIVED = "found on Mar 10, 18:00 UTC, when more comments arrived."


@pytest.mark.parametrize(
    ("change", "subject"),
    [
        (FOUND, "CRITICAL · Lena Vane · backlash found late: 61% negative (normal: 14%)"),
        (OVER, "CRITICAL · Lena Vane · backlash found late: 61% negative (normal: 14%)"),
        (FOUND | {"reason": "escalated"},
         "CRITICAL · Lena Vane · backlash escalated: 61% negative (normal: 14%)"),
        (FOUND | {"reason": "still_open"},
         "CRITICAL · Lena Vane · backlash still open: 61% negative (normal: 14%)"),
        (FOUND | {"reason": "resolved"}, "RESOLVED · Lena Vane · backlash is over"),
        (FOUND | {"reason": "revised"},
         "CRITICAL · Lena Vane · backlash is not over after all: 61% negative (normal: 14%)"),
        (WITHDRAWN, "WITHDRAWN · Lena Vane · backlash withdrawn"),
    ],
)  # fmt: skip
def test_the_subject(change: dict[str, Any], subject: str) -> None:
    assert rendered(**change).subject == subject


@pytest.mark.parametrize(
    ("change", "notice"),
    [
        ({}, None),
        (FOUND, f"Found late: it began on Mar 10, 11:20 and is not over. It was {ARRIVED}"),
        (OVER, f"Found late: it happened from Mar 10, 11:20 to 16:00 and was {ARRIVED}"),
        (OVER | {"ended_at": NOW + timedelta(days=1)},
         f"Found late: it happened from Mar 10, 11:20 to Mar 11, 12:00 and was {ARRIVED}"),
        # The evidence is that of the latest rise; the incident began no later than it opened.
        (OVER | {"opened_at": NOW - timedelta(hours=9)},
         f"Found late: it happened from Mar 10, 03:00 to 16:00 and was {ARRIVED}"),
        (FOUND | {"reason": "still_open"},
         f"Found late: it began on Mar 10, 11:20 and is not over. It was {ARRIVED}"),
        (OVER | {"reason": "resolved"},
         f"Found late: this happened on Mar 10, 11:50 and was {ARRIVED}"),
        (FOUND | {"reason": "escalated"},
         f"Found late: this happened on Mar 10, 11:50 and was {ARRIVED}"),
        (WITHDRAWN, None),
        (FOUND | {"reason": "revised"}, None),
    ],
)  # fmt: skip
def test_when_it_happened_and_when_it_was_found(change: dict[str, Any], notice: str | None) -> None:
    assert rendered(**change).items[0].notice == notice


RISE = (
    "Negative comments on Lena Vane jumped to 61% (756 of 1,240) in 30 minutes. Normal at this "
    "hour: 14% of about 38."
)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (FOUND, RISE),  # not "in the last 30 minutes"
        (FOUND | {"reason": "resolved", "at": NOW}, "Over after 40 minutes."),
        (FOUND | {"reason": "revised"},
         "Its end no longer holds: with the comments that came late, it is not over. " + RISE),
        (WITHDRAWN, "Withdrawn: with 212 comments that came late, there was no incident. The alert "
         "of Mar 10, 11:50 UTC no longer holds."),
        (WITHDRAWN | {"late_comments": 1}, "Withdrawn: with 1 comment that came late, there was no "
         "incident. The alert of Mar 10, 11:50 UTC no longer holds."),
        (WITHDRAWN | {"late_comments": None}, "Withdrawn: with the comments that came late, there "
         "was no incident. The alert of Mar 10, 11:50 UTC no longer holds."),
    ],
)  # fmt: skip
def test_the_sentence(change: dict[str, Any], sentence: str) -> None:
    assert rendered(**change).items[0].sentence == sentence


def test_a_flood_found_late_was_not_in_the_last_minutes() -> None:
    change = FOUND | {"kind": "comment_flood", "severity": "info", "evidence": FLOOD}
    flood = rendered(**change).items[0].sentence
    assert flood.startswith("64% of 210 comments on Lena Vane in 45 minutes are near-identical.")


def test_a_withdrawal_needs_no_figures_and_no_acknowledgement() -> None:
    (item,) = rendered(**WITHDRAWN).items
    assert (item.figures, item.facts, item.quotes, item.acknowledge) == ((), (), (), None)
    assert item.tone == "withdrawn"
    assert item.signed.text == "a1, Mar 10, 2026, 18:00 UTC"
    assert item.page is not None


@LANGUAGES
def test_the_whole_text(golden: Golden, words: Wording) -> None:
    for name, change in (("late", OVER), ("withdrawn", WITHDRAWN)):
        said = rendered(words, **change)
        golden(f"{name}.{words.language}.txt", f"{said.subject}\n\n{plain.body_of(said)}\n")


FORMS: dict[str, Callable[[Any], str]] = {
    "plain": plain.body_of,
    "html": lambda message: html.render(message, WORDS, chart=None),
    "slack": lambda message: json.dumps(slack.render(message), ensure_ascii=False),
    "teams": lambda message: json.dumps(teams.render(message), ensure_ascii=False),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("several", [False, True])
def test_every_form_has_it(form: str, *, several: bool) -> None:
    found = [notification(**OVER), notification(**WITHDRAWN)]
    messages = [write(found, WORDS)] if several else [write([one], WORDS) for one in found]
    text = "".join(map(FORMS[form], messages))
    assert text.count(f"Found late: it happened from Mar 10, 11:20 to 16:00 and was {ARRIVED}") == 1
    assert text.count("Withdrawn: with 212 comments that came late") == 1 + (
        form == "html" and not several  # a mail client's list of messages shows the sentence too
    )
