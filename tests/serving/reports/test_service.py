"""The running service: a digest over HTTP, on the command line, and in somebody's mailbox."""

import json
import time
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from serving.app import create_app
from serving.cli import hosting, terminal
from serving.cli import main as cli
from serving.clock import TestClock
from serving.notify.channels.base import Unavailable
from serving.notify.render import digest_html as html
from serving.notify.render.digest_content import write
from serving.settings import Settings
from serving.storage.digest_record import Digest
from tests.serving.conftest import NOW
from tests.serving.listening import listening
from tests.serving.notify.test_email_channel import VIETNAMESE, Desk, channel, desk
from tests.serving.reports.conftest import DAY, HOUR
from tests.serving.streams import storm, wait_until_processed

FILE = """
[channels.desk]
type = "email"
url = "smtp://{address}"
from = "alerts@pr.example.com"
to = ["pr@example.com"]
language = "vi"
per_minute = 600
[brands]
acme = ["lena", "mina"]
[digests.daily]
every = ["day", "week"]
timezone = "Asia/Ho_Chi_Minh"
brands = ["acme"]
channels = ["desk"]
[[routes]]
kols = ["nobody"]
channels = ["desk"]
"""


async def test_a_digest_as_an_email(day: Digest) -> None:
    with desk() as (mail, address):
        mails = channel(address, language="vi", timezone="Asia/Ho_Chi_Minh")
        for key in ("one", "one", "two"):
            await mails.send_digest(day, key=key, public_url="https://pr.example.com")
    first, again, other = mail.received
    assert first["message-id"] == again["message-id"] != other["message-id"]
    assert first["references"] == other["references"] == "<digest-acme-day@pr.example.com>"
    rendered = write(day, VIETNAMESE, "https://pr.example.com")
    assert first["subject"] == rendered.subject
    assert first["content-language"] == "vi"
    text, page = first.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(page, EmailMessage)
    assert rendered.summary in text.get_content()
    assert page.get_content().strip() == html.render(rendered, VIETNAMESE)
    with desk("451 later") as (_, address), pytest.raises(Unavailable):
        await channel(address).send_digest(day, key="one", public_url=None)


@pytest.fixture
def mailbox(tmp_path: Path) -> Iterator[tuple[Desk, Path]]:
    with desk() as (mail, address):
        path = tmp_path / "channels.toml"
        path.write_text(FILE.format(address=address))
        yield mail, path


@pytest.fixture
def started(
    settings: Settings,
    classifier: SentimentClassifier,
    clock: TestClock,
    mailbox: tuple[Desk, Path],
) -> Iterator[TestClient]:
    """A service that knows two KOLs."""
    configured = settings.model_copy(update={"channels": mailbox[1]})
    app = create_app(configured, classifier=classifier, clock=clock)
    with TestClient(app, raise_server_exceptions=False) as client:
        client.put("/v1/kols/lena", json={"name": "Lena Vane"})
        client.put("/v1/kols/nora", json={"name": "Nora"})
        yield client


@pytest.fixture
def running(started: TestClient) -> TestClient:
    """A service that has seen a storm of Lena's two days ago, on 8 March."""
    items = storm("lena", NOW - 3 * DAY, days=2.0, storm_after=timedelta(hours=28))
    for first in range(0, len(items), 500):
        assert started.post("/v1/comments", json=items[first : first + 500]).is_success
    wait_until_processed(started)
    return started


def get(client: TestClient, **params: Any) -> Any:
    answer = client.get("/v1/digest", params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_digest_over_http(running: TestClient) -> None:
    found = get(running, day="2026-03-08")
    assert (found["every"], found["timezone"], found["over"]) == ("day", "UTC", True)
    assert {kol["kol_id"] for kol in found["kols"]} == {"lena", "nora"}
    (incident,) = found["incidents"]
    (alert,) = running.get("/v1/alerts").json()["items"]
    assert incident["alert_id"] == alert["alert_id"]
    assert incident["name"] == "Lena Vane"
    assert incident["peak"]["negative"] > 20
    lena = next(kol for kol in found["kols"] if kol["kol_id"] == "lena")
    assert lena["mood"] < lena["mood_before"]
    assert lena["negative_share"] > lena["expected_negative_share"]
    assert lena["comments"] > lena["expected_comments"] > 0
    (recovery,) = found["recoveries"]
    assert recovery["ended"] == incident["ended"]
    assert found["precision"]["raised"] == 1
    yesterday = get(running)
    assert (yesterday["first"], yesterday["incidents"]) == ("2026-03-09", [])


def test_of_whom_and_of_when(running: TestClient) -> None:
    week = get(running, every="week", day="2026-03-08", timezone="Asia/Ho_Chi_Minh")
    assert (week["first"], week["last"]) == ("2026-03-02", "2026-03-08")
    assert week["since"] == "2026-03-01T17:00:00Z"
    assert [kol["kol_id"] for kol in get(running, kol_id=["nora"])["kols"]] == ["nora"]
    brand = get(running, brand="acme")
    assert {kol["kol_id"] for kol in brand["kols"]} == {"lena", "mina"}
    assert brand["name"] == "acme"
    named = get(running, name="daily")
    assert (named["name"], named["timezone"]) == ("daily", "Asia/Ho_Chi_Minh")
    assert {kol["kol_id"] for kol in named["kols"]} == {"lena", "mina"}
    today = get(running, day="2026-03-10")
    assert (today["over"], today["until"]) == (False, "2026-03-10T12:00:00Z")


def test_what_cannot_be_digested(started: TestClient) -> None:
    for params, status, said in (
        ({"day": "2026-03-11"}, 422, "the day has not begun yet"),
        ({"day": "9999-12-31", "every": "week"}, 422, "the week has not begun yet"),
        ({"day": "1969-12-31"}, 422, "1970"),
        ({"timezone": "Mars/Olympus"}, 422, "there is no time zone"),
        ({"every": "month"}, 422, "'day' or 'week'"),
        ({"kol_id": "nobody"}, 404, "there is no KOL 'nobody'"),
        ({"brand": "acne"}, 404, "no brand 'acne'; there are: acme"),
        ({"name": "weekly"}, 404, "no digest 'weekly'; it has: daily"),
    ):
        answer = started.get("/v1/digest", params=params)
        assert answer.status_code == status, params
        assert said in answer.text


def test_it_is_on_time_in_the_mailbox(
    running: TestClient, mailbox: tuple[Desk, Path], clock: TestClock
) -> None:
    mail, _ = mailbox
    assert running.get("/v1/routing").json()["digests"] == [
        {
            "name": "daily", "every": ["day", "week"], "at": "08:00",
            "timezone": "Asia/Ho_Chi_Minh", "channels": ["desk"], "kols": ["lena", "mina"],
            "next_at": "2026-03-11T01:00:00Z",
        }
    ]  # fmt: skip
    assert "digest_scheduler" in running.get("/metrics").text
    clock.advance(13 * HOUR)
    service = running.app.state.service  # type: ignore[attr-defined]
    service.digest_scheduler.wake()
    until(lambda: len(mail.received) == 1)
    assert mail.received[0]["subject"].startswith("Bản tin ngày · daily · Thứ Ba, 10 tháng 3, 2026")
    sent = running.post("/v1/digests/daily/send", json={"every": "week", "day": "2026-03-08"})
    assert sent.json() == {
        "name": "daily", "every": "week", "first": "2026-03-02", "last": "2026-03-08",
        "channels": ["desk"],
    }  # fmt: skip

    def weekly() -> bool:
        clock.advance(timedelta(seconds=1))  # the channel keeps a pace
        service.dispatcher.wake("desk")
        return len(mail.received) == 2

    until(weekly)
    body = mail.received[1].get_body(("plain",))
    assert body is not None
    assert "Lena Vane" in body.get_content()
    until(lambda: {row["state"] for row in deliveries(running)} == {"delivered"})
    first, second = deliveries(running)
    assert (first["digest"], first["every"], first["alert_id"]) == ("daily", "week", None)
    assert (second["payload"], second["every"], second["kind"]) == ("digest", "day", None)
    again = running.post(f"/v1/deliveries/{second['delivery_id']}/resend").json()
    assert again["state"] == "waiting"
    assert running.post("/v1/digests/weekly/send", json={}).status_code == 404


def deliveries(client: TestClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/deliveries").json()["items"]
    return found


def until(true: Any) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def url(
    tmp_path: Path,
    classifier: SentimentClassifier,
    mailbox: tuple[Desk, Path],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[str]:
    """The address of a running service, for the command line."""
    settings = Settings(
        database_url=f"sqlite:///{tmp_path / 'cli.db'}", channels=mailbox[1], _env_file=None
    )
    monkeypatch.setattr(hosting, "create_app", partial(create_app, classifier=classifier))
    with listening(hosting.started(settings)) as url:
        yield url


def test_on_the_command_line(
    url: str,
    mailbox: tuple[Desk, Path],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(terminal.out, "width", 160)
    assert cli.run(["digest", "show", "--url", url, "--name", "daily", "--day", "2026-03-08"]) == 0
    shown = capsys.readouterr().out
    assert "Daily digest · daily\nSunday, March 8, 2026\n" in shown
    assert "All quiet: no comments on 2 KOLs and no incidents." in shown
    week = ["digest", "show", "--url", url, "--week", "2026-03-08"]
    assert cli.run([*week, "--timezone", "Asia/Seoul", "--brand", "acme", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["first"], found["timezone"]) == ("2026-03-02", "Asia/Seoul")
    assert cli.run([*week, "--language", "vi"]) == 0
    assert "Bản tin tuần" in capsys.readouterr().out
    assert cli.run(["digest", "send", "daily", "--day", "2026-03-08", "--url", url]) == 0
    assert capsys.readouterr().err == "The digest of 2026-03-08 is on its way to: desk\n"
    until(lambda: len(mailbox[0].received) == 1)
    assert cli.run(["digest", "send", "daily", "--week", "2026-03-08", "--url", url]) == 0
    assert "2026-03-02 to 2026-03-08" in capsys.readouterr().err
    assert cli.run(["notify", "list", "--url", url]) == 0
    assert "digest daily of the week" in " ".join(capsys.readouterr().out.split())


def test_mistakes_on_the_command_line(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, code, said in (
        (["show", "--day", "2026-03-08", "--week", "2026-03-08"], 2, "--day or --week, not both"),
        (["show", "--day", "yesterday"], 2, "--day 'yesterday' is not a day like 2026-11-20"),
        (["show", "--language", "tlh"], 2, "--language: language must be one of en, vi"),
        (["show", "--name", "weekly"], 1, "no digest 'weekly'"),
        (["send", "weekly"], 1, "no digest 'weekly'; it has: daily"),
        (["send", "../kols"], 2, "cannot be the name of a digest"),
    ):
        assert cli.run(["digest", *arguments, "--url", url]) == code, arguments
        assert said in " ".join(capsys.readouterr().err.split())
