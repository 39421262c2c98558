"""Redraws the screenshots of docs/images: python -m tests.serving.screenshots [ALERT_PAGE_URL].

Messages, the chart and digests come from the invented examples. The page of an alert is taken from
a running service, such as that of `groundswell demo`, and the alert is acknowledged there. The
machine needs a font with emoji. docs/notifications.md says how the Teams card was drawn.
"""

import base64
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from PIL import Image

from monitoring.kinds import AlertState
from serving.charts.drawing import draw
from serving.locales.wording import Wording, wording
from serving.notify.example import example, example_chart
from serving.notify.render import digest_html, html
from serving.notify.render.content import write as write_message
from serving.notify.render.digest_content import write as write_digest
from serving.storage.digest_record import Digest
from serving.storage.notification_reason import NotificationReason
from tests.serving.browser import Tab, tab
from tests.serving.reports import conftest

IMAGES = Path(__file__).parents[2] / "docs" / "images"
NOW = datetime(2026, 11, 22, 3, 30, tzinfo=UTC)
URL = "https://pr.example.com"
MAIL, DIGEST, DESK, PHONE = 632, 680, 760, 380


def shoot(page: Tab, url: str, name: str, width: int, *, dark: bool = False) -> None:
    """Save what a browser shows at a width; fail if somebody could not read it."""
    page.screen(width, 400, dark=dark)
    page.open(url)
    assert page.faults() == [], name
    page.shot().quantize(128).save(IMAGES / name, optimize=True)


def email(words: Wording) -> str:
    """The e-mail of the invented alert."""
    chart = base64.b64encode(draw(example_chart(NOW), words)).decode()
    opened = replace(
        example(NOW, URL), reason=NotificationReason.OPENED, alert_id="5f1c0e9a7b24d683"
    )
    mail = html.render(write_message([opened], words), words, chart="c")
    return mail.replace("cid:c", f"data:image/png;base64,{chart}")


def late_email(words: Wording) -> str:
    """The e-mail of the same alert, found late and over."""
    chart = base64.b64encode(draw(example_chart(NOW), words)).decode()
    found = replace(
        example(NOW, URL),
        reason=NotificationReason.OPENED,
        alert_id="5f1c0e9a7b24d683",
        ended_at=NOW + timedelta(minutes=80),
        found_at=NOW + timedelta(minutes=170),
    )
    mail = html.render(write_message([found], words), words, chart="c")
    return mail.replace("cid:c", f"data:image/png;base64,{chart}")


def withdrawn_email(words: Wording) -> str:
    """The e-mail that says that there was no such alert."""
    gone = replace(
        example(NOW, URL),
        reason=NotificationReason.REVISED,
        alert_id="5f1c0e9a7b24d683",
        state=AlertState.REVISED,
        found_at=NOW + timedelta(minutes=170),
        late_comments=212,
    )
    return html.render(write_message([gone], words), words, chart=None)


def digest(made: Digest, words: Wording) -> str:
    """The e-mail of an invented digest."""
    return digest_html.render(write_digest(made, words, URL), words)


def main(alert_page: str | None) -> None:
    """Redraw everything that can be drawn."""
    english, vietnamese = wording("en", "UTC"), wording("vi", "Asia/Ho_Chi_Minh")
    day = conftest.day.__wrapped__()
    week = conftest.week.__wrapped__(day)
    chart = Image.open(BytesIO(draw(example_chart(NOW), english))).convert("RGB")
    chart.quantize(128).save(IMAGES / "chart.png", optimize=True)
    shots = [
        (email(english), "email-en.png", MAIL, False),
        (email(vietnamese), "email-vi.png", MAIL, False),
        (late_email(english), "email-late-en.png", MAIL, False),
        (withdrawn_email(vietnamese), "email-withdrawn-vi.png", MAIL, False),
        (digest(day, english), "digest-day-en.png", DIGEST, False),
        (digest(week, english), "digest-week-en-dark.png", DIGEST, True),
        (digest(week, vietnamese), "digest-week-vi-phone.png", PHONE, False),
    ]
    with TemporaryDirectory() as folder, tab(Path(folder)) as page:
        for text, name, width, dark in shots:
            file = Path(folder) / "page.html"
            file.write_text(text, encoding="utf-8")
            shoot(page, file.as_uri(), name, width, dark=dark)
        if alert_page is not None:
            asked = "?action=acknowledge&language=vi&timezone=Asia/Ho_Chi_Minh"
            shoot(page, alert_page + asked, "page-vi-phone.png", PHONE)
            triage(alert_page)
            shoot(page, alert_page, "page-en.png", DESK)


def triage(alert_page: str) -> None:
    """Acknowledge and assign the alert, and write a note."""
    actions = alert_page.replace("/alerts/", "/v1/alerts/") + "/actions"
    for action in (
        {"action": "acknowledge", "actor": "Linh", "text": "calling her manager"},
        {"action": "assign", "actor": "Linh", "assignee": "Mai"},
        {"action": "note", "actor": "Mai", "text": "the brand pauses the campaign"},
    ):
        httpx.post(actions, json=action).raise_for_status()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
