"""What digests say and how they look: golden files, edges, and other people's words."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from serving.locales.wording import Wording, wording
from serving.notify.render import digest_html as html
from serving.notify.render import digest_plain as plain
from serving.notify.render.digest_content import write
from serving.storage.digest_record import Digest
from tests.serving.notify.render.conftest import HOSTILE
from tests.serving.reports.conftest import DAY, HOUR, silent

GOLDEN = Path(__file__).parent / "golden"
ENGLISH, VIETNAMESE = wording(), wording("vi", "Europe/Berlin")
URL = "https://pr.example.com/"
LANGUAGES = pytest.mark.parametrize("words", [ENGLISH, VIETNAMESE], ids=["en", "vi"])


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares with a file; a file that is missing is written, to be read and committed."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            pytest.fail(f"{name} was written: read it, and run the test again")
        assert text == path.read_text(encoding="utf-8")

    return compare


def text_of(digest: Digest, words: Wording = ENGLISH) -> str:
    rendered = write(digest, words, URL)
    return f"{rendered.subject}\n\n{plain.body_of(rendered)}\n"


@LANGUAGES
def test_plain_of_a_day(golden: Callable[[str, str], None], day: Digest, words: Wording) -> None:
    golden(f"day.{words.language}.txt", text_of(day, words))


@LANGUAGES
def test_plain_of_a_week(golden: Callable[[str, str], None], week: Digest, words: Wording) -> None:
    golden(f"week.{words.language}.txt", text_of(week, words))


@LANGUAGES
def test_html_of_a_week(golden: Callable[[str, str], None], week: Digest, words: Wording) -> None:
    golden(f"week.{words.language}.html", html.render(write(week, words, URL), words) + "\n")


@LANGUAGES
def test_plain_of_what_comments_that_came_late_have_shown(
    golden: Callable[[str, str], None], corrected: Digest, words: Wording
) -> None:
    text = text_of(corrected, words)
    golden(f"corrected.{words.language}.txt", text)
    page = html.render(write(corrected, words, URL), words)
    for heading in (words.text("Found late"), words.text("Withdrawn")):
        assert heading.upper() in text
        assert f">{heading}</div>" in page


def test_a_day_on_which_something_was_found_late_is_not_empty(
    day: Digest, corrected: Digest
) -> None:
    nothing = silent(day)
    late = write(replace(nothing, found_late=corrected.found_late), ENGLISH, URL)
    assert late.subject.endswith("November 20, 2026: no incidents, 1 found late")
    assert late.summary == "No incidents. 1 found late. 0 comments on 6 KOLs."
    assert (late.tone, [group.heading for group in late.groups]) == ("info", ["Found late"])
    gone = write(replace(nothing, withdrawn=corrected.withdrawn * 14), ENGLISH, URL)
    assert gone.subject.endswith("no incidents, 14 withdrawn")
    assert (gone.tone, gone.sections[0].heading) == ("over", "Withdrawn")
    assert gone.sections[0].paragraphs[1:2] == ("Hạ Mây: slow burn, reported for Nov 18, 08:40",)
    assert gone.sections[0].paragraphs[-1] == "and 2 more"
    assert len(gone.sections[0].paragraphs) == 14


@LANGUAGES
def test_an_empty_day_is_one_sentence(day: Digest, words: Wording) -> None:
    rendered = write(silent(day), words, URL)
    body = plain.body_of(rendered).splitlines()
    assert body[-2:] == ["", rendered.summary]
    assert len(body) == 5
    assert rendered.tone == "over"
    if words is ENGLISH:
        assert rendered.summary == "All quiet: no comments on 6 KOLs and no incidents."


def test_a_day_without_incidents_has_its_moods(day: Digest) -> None:
    calm = replace(day, incidents=(), notices=(), recoveries=())
    rendered = write(calm, ENGLISH, URL)
    assert rendered.subject.endswith("November 20, 2026: no incidents")
    assert rendered.summary == "No incidents. 7,908 comments on 6 KOLs."
    assert rendered.groups == ()
    assert [section.heading for section in rendered.sections] == ["False alarms"]
    assert len(rendered.moods) == 6


def test_an_open_alert_makes_no_empty_day(day: Digest) -> None:
    quiet = silent(day)
    kols = (replace(quiet.kols[0], open_alerts=2, worst_open="critical"), *quiet.kols[1:])
    rendered = write(replace(quiet, kols=kols), ENGLISH, URL)
    assert rendered.tone == "critical"
    assert rendered.moods[0].open == "2 alerts open"
    assert rendered.moods[0].silence == "No comments. Normal: about 640."


def test_what_is_closed_by_hand_is_not_called_open(day: Digest) -> None:
    closed = tuple(replace(one, closed=True) for one in day.incidents)
    kols = tuple(replace(kol, open_alerts=0, worst_open=None) for kol in day.kols)
    rendered = write(replace(day, incidents=closed, kols=kols), ENGLISH, URL)
    assert rendered.subject.endswith("3 incidents, none still open")
    assert "closed by the team" in rendered.groups[0].entries[2].lines[0]
    assert rendered.tone == "info"


def test_times_are_those_of_the_digest_and_not_of_the_channel(day: Digest) -> None:
    for zone in ("UTC", "Europe/Berlin"):
        rendered = write(day, wording(timezone=zone), URL)
        assert "Nov 20, 08:40 to 12:00" in rendered.groups[0].entries[0].lines[0]


def test_an_end_on_another_day_has_its_day(day: Digest) -> None:
    one = day.incidents[0]
    for after, expected in ((DAY, "to Nov 21, 08:40 (24 hours)"), (366 * DAY, "(366 days)")):
        longer = replace(day, incidents=(replace(one, ended=one.began + after, waves=1),))
        line = write(longer, ENGLISH, URL).groups[0].entries[0].lines[0]
        assert expected in line
        assert line.startswith("Nov 20, 08:40 to Nov 2")


def test_lateness_is_said_after_half_an_hour(day: Digest) -> None:
    assert day.due_at is not None
    for minutes, said in ((30, False), (31, True)):
        late = replace(day, written_at=day.due_at + timedelta(minutes=minutes))
        assert (write(late, ENGLISH, URL).notice is not None) == said
    assert write(replace(day, due_at=None), ENGLISH, URL).notice is None


def test_a_period_that_is_not_over_is_said_to_be(day: Digest) -> None:
    rendered = write(replace(day, over=False, name=None), ENGLISH, None)
    assert rendered.title == "Friday, November 20, 2026, so far"
    assert rendered.flag == "Daily digest"
    assert all(entry.link is None for group in rendered.groups for entry in group.entries)


def test_long_lists_are_cut_and_counted(week: Digest) -> None:
    many = replace(
        week,
        incidents=week.incidents[:1] * 25,
        recoveries=week.recoveries * 13,
        kols=week.kols * 50,
    )
    rendered = write(many, ENGLISH, URL)
    assert (len(rendered.groups[0].entries), rendered.groups[0].more) == (12, "and 13 more")
    assert rendered.sections[0].paragraphs[-1] == "and 1 more"
    assert (len(rendered.moods), rendered.more_moods) == (50, "and 250 more")
    page = html.render(rendered, ENGLISH)
    assert len(page.encode()) < 102_000
    assert page.count("No comments. Normal: about 14.") == 8  # one as a panel, seven as lines


def test_verdicts_make_the_precision(day: Digest) -> None:
    blank = replace(day.precision, confirmed=0, false_alarms=0, share=None, low=None, high=None)
    for raised, said in (
        (0, "No alerts in the last 12 weeks."),
        (1, "The 1 alert of the last 12 weeks has not been reviewed."),
        (19, "None of the 19 alerts of the last 12 weeks has been reviewed."),
    ):
        expected = replace(day, precision=replace(blank, raised=raised))
        assert write(expected, ENGLISH, URL).sections[-1].paragraphs[-1] == said


class _DigestParser(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.addresses: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("href", "src")]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_other_peoples_words_stay_words(week: Digest) -> None:
    bad = HOSTILE + "x" * 10_000
    hostile = replace(
        week,
        name="acme",
        incidents=tuple(
            replace(one, kol_id=bad, name=bad, top_post=bad, verdict="confirmed", judged_by=bad)
            for one in week.incidents
        ),
        recoveries=tuple(replace(one, name=bad) for one in week.recoveries),
        kols=tuple(replace(kol, name=bad) for kol in week.kols),
    )
    rendered = write(hostile, ENGLISH, URL)
    found = _DigestParser()
    found.feed(html.render(rendered, ENGLISH))
    assert found.open == []
    assert found.tags <= {
        "html", "head", "meta", "title", "style", "body", "div", "table", "tr", "td", "b", "bdi",
        "span", "a", "br",
    }  # fmt: skip
    assert all(address.startswith(URL + "alerts/") for address in found.addresses)
    assert "\n" not in rendered.subject
    assert max(map(len, plain.body_of(rendered).splitlines())) < 400


def test_mood_is_signed_and_counts_are_short() -> None:
    assert [ENGLISH.signed(value) for value in (0.314, -0.2, 0.0, -0.004)] == [
        "+0.31", "-0.20", "0.00", "0.00",
    ]  # fmt: skip
    assert VIETNAMESE.signed(0.5) == "+0,50"
    assert [ENGLISH.compact(value) for value in (0, 9999, 10_000, 81_234)] == [
        "0", "9,999", "10K", "81K",
    ]  # fmt: skip


def test_the_hours_of_an_incident_are_shown(day: Digest) -> None:
    one = replace(day.incidents[0], ended=day.incidents[0].began + HOUR, waves=1)
    rendered = write(replace(day, incidents=(one,)), ENGLISH, URL)
    assert rendered.groups[0].entries[0].lines[0] == "Nov 20, 08:40 to 09:40 (60 minutes)"
