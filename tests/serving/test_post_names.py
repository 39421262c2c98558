"""Alerts name posts by their text and address wherever people read them, if the posts were sent."""

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from io import StringIO
from typing import Any

import pytest
from fastapi.testclient import TestClient
from rich.console import Console

from groundswell_client.models.alerts import AlertDetailInfo
from groundswell_client.record import decode
from monitoring.drivers import Drivers, PostDriver
from serving.cli.output.alert_card import alert_card
from serving.locales.wording import wording
from serving.notify.render import html, plain, slack, teams
from serving.notify.render.content import write
from serving.notify.render.digest_incidents import entry
from serving.reports.incidents import with_post
from serving.storage.database import Database
from serving.storage.digest_record import Digest
from serving.storage.post_names import NamedPost, PostNameStore, name_of_top_post
from serving.storage.post_record import PostName, SentPost
from serving.storage.post_store import PostStore
from tests.serving.conftest import NOW, NewUrl
from tests.serving.notify.conftest import EVIDENCE, notification
from tests.serving.reports.conftest import day as day
from tests.serving.web.conftest import stormy as stormy

WORDS = wording()
URL = "https://www.instagram.com/p/abc?a=1&b=2"
NAME = PostName("New lipstick,\nout on <b>Friday</b> " + "x" * 90, URL)
SHOWN = "“New lipstick, out on ‹b›Friday‹/b› "
BARE = EVIDENCE.drivers and EVIDENCE.drivers.posts[0].post_id


def messages(name: PostName | None) -> dict[str, str]:
    """The message of an alert on every kind of channel."""
    sent = [notification(top_post=name)]
    rendered = write(sent, WORDS)
    return {
        "plain": plain.render(sent, WORDS).body,
        "html": html.render(rendered, WORDS, chart=None),
        "slack": json.dumps(slack.render(rendered), ensure_ascii=False),
        "teams": json.dumps(teams.render(rendered), ensure_ascii=False),
    }


@pytest.mark.parametrize("channel", ["plain", "html", "slack", "teams"])
def test_a_message_names_the_post_by_its_text_and_links_to_it(channel: str) -> None:
    assert BARE
    known = messages(NAME)[channel]
    assert BARE not in known
    assert SHOWN in known
    assert (URL.replace("&", "&amp;") if channel == "html" else URL) in known
    assert "x" * 60 not in known  # shortened
    unknown = messages(None)[channel]
    assert BARE in unknown
    assert "Open the post" not in unknown


def test_a_post_without_text_is_named_by_its_id_and_linked() -> None:
    assert BARE
    for text in (None, "", " \n"):
        body = messages(PostName(text, URL))["plain"]
        assert BARE in body
        assert f"Open the post: {URL}" in body


def test_a_digest_names_the_post_too(day: Digest) -> None:
    incident = replace(day.incidents[0], kol_id="lena", top_post="p1")
    names = {NamedPost("lena", "p1"): NAME}
    shown = entry(with_post(incident, names), WORDS, None)
    assert any(SHOWN in line for line in shown.lines)
    assert shown.post is not None
    assert shown.post.text == URL
    for nobody in (with_post(incident, {}), with_post(replace(incident, top_post=None), names)):
        shown = entry(nobody, WORDS, None)
        assert shown.post is None
        assert not any(SHOWN in line for line in shown.lines)


def test_the_api_and_the_page_name_a_post_that_was_sent_after_its_alert(
    stormy: TestClient,
) -> None:
    (alert,) = stormy.get("/v1/alerts", params={"state": "open"}).json()["items"]
    post_id = alert["evidence"]["drivers"]["posts"][0]["post_id"]
    page = f"/alerts/{alert['alert_id']}"
    assert alert["posts"] == {}
    assert f"<bdi>{post_id}: " in stormy.get(page).text
    post = {"platform": "instagram", "post_id": post_id, "kols": ["lena"]}
    answer = stormy.post("/v1/posts", json=post | {"text": NAME.text, "url": URL})
    assert answer.status_code == 200
    (alert,) = stormy.get("/v1/alerts", params={"state": "open"}).json()["items"]
    name = alert["posts"][post_id]
    assert name["url"] == URL
    assert name["text"].startswith("New lipstick, out on")
    assert len(name["text"]) == 100
    detail = stormy.get(f"/v1{page}")
    assert detail.json()["events"][0]["posts"] == alert["posts"]
    text = stormy.get(page).text
    assert f'<a href="{URL.replace("&", "&amp;")}" rel="noreferrer">{SHOWN}' in text
    console = Console(width=200, record=True, file=StringIO())
    console.print(alert_card(decode(detail.content, AlertDetailInfo)))
    card = console.export_text()
    assert URL in card
    assert "“New lipstick, out on" in card


@pytest.fixture
async def database(new_url: NewUrl) -> AsyncIterator[Database]:
    database = Database(new_url())
    yield database
    await database.close()


async def test_of_two_posts_with_one_id_the_kols_own_is_meant(database: Database) -> None:
    def post(platform: str, post_id: str, *kols: str, text: str) -> SentPost:
        return SentPost(platform, post_id, frozenset(kols), text=text)

    await PostStore(database).save(
        [
            post("x", "1", "lena", text="hers on x"),
            post("y", "1", "mina", "zoe", text="theirs on y"),
            post("x", "2", "mina", text="only one"),
        ],
        NOW,
    )
    assert EVIDENCE.drivers is not None

    def evidence(*post_ids: str | None) -> Any:
        drivers = EVIDENCE.drivers
        assert isinstance(drivers, Drivers)
        posts = tuple(PostDriver(post_id, 1, 1.0, 0.0, 1.0) for post_id in post_ids)
        return replace(EVIDENCE, drivers=replace(drivers, posts=posts))

    both = evidence("1", None, "2", "3")
    names = await PostNameStore(database).of([(kol, both) for kol in ("lena", "mina", "ann")])
    found = {(one.kol_id, one.post_id): name.text for one, name in names.items()}
    assert found == {
        ("lena", "1"): "hers on x",
        ("lena", "2"): "only one",
        ("mina", "1"): "theirs on y",
        ("mina", "2"): "only one",
        ("ann", "2"): "only one",
    }
    top = name_of_top_post("lena", both, names)
    assert top is not None
    assert top.text == "hers on x"
    for other in (evidence(None, "1"), evidence(), replace(both, drivers=None)):
        assert name_of_top_post("lena", other, names) is None
