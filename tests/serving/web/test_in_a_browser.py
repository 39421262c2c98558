"""The page of an alert in a real browser: it can be read, and its form works, from there only."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.serving.browser import CHROMIUM, Tab, tab
from tests.serving.processes import service
from tests.serving.web.conftest import befall

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with service(tmp_path_factory.mktemp("page") / "page.db") as (_, client):
        yield client


@pytest.fixture(scope="module")
def path(client: httpx.Client) -> str:
    """Of the alert."""
    start = datetime.now(UTC).replace(second=0, microsecond=0) - timedelta(hours=21)
    return f"/alerts/{befall(client, start)['alert_id']}"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("browser")) as page:
        yield page


def work(client: httpx.Client, path: str) -> Any:
    return client.get(f"/v1{path}").json()["triage"]


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1000, 380])
@pytest.mark.parametrize("query", ["", "?language=vi&timezone=Asia/Ho_Chi_Minh&action=resolve"])
def test_it_can_be_read(
    client: httpx.Client, path: str, page: Tab, width: int, dark: bool, query: str
) -> None:
    page.screen(width, dark=dark)
    page.open(f"{client.base_url}{path}{query}")
    assert page.faults() == []
    assert page.run("document.images.length") == 1
    banner = "getComputedStyle(document.querySelector('.banner')).backgroundColor"
    assert page.run(banner) in ("rgb(179, 38, 30)", "rgb(138, 83, 0)")  # the style sheet holds
    ground = "getComputedStyle(document.querySelector('main')).backgroundColor"
    assert page.run(ground) == ("rgb(32, 37, 43)" if dark else "rgb(255, 255, 255)")
    form, chart = (f"document.querySelector('{name}').offsetTop" for name in ("form", "img"))
    assert page.run(f"{form} < {chart}") is bool(query)


def test_whoever_types_a_name_acknowledges(client: httpx.Client, path: str, page: Tab) -> None:
    page.open(f"{client.base_url}{path}?action=acknowledge")
    assert page.run("document.activeElement.name") == "actor"
    page.run("document.querySelector('button').click()")  # without a name the browser says no
    page.run("document.querySelector('[name=actor]').value = 'Mai Phương'")
    assert work(client, path)["acknowledged_by"] is None
    page.run("document.querySelector('button').click()")
    page.loaded()
    assert work(client, path)["acknowledged_by"] == "Mai Phương"
    assert "Mai Phương acknowledged it" in page.text()
    assert page.run("document.querySelector('[name=actor]').value") == "Mai Phương"
    assert page.faults() == []


def test_a_strangers_page_does_nothing(
    client: httpx.Client, path: str, page: Tab, tmp_path: Path
) -> None:
    before = work(client, path)
    stranger = tmp_path / "stranger.html"
    stranger.write_text(
        f'<form method="post" action="{client.base_url}{path}">'
        '<input name="action" value="resolve"><input name="actor" value="mallory"></form>'
    )
    page.open(stranger.as_uri())
    page.run("document.querySelector('form').submit()")
    page.loaded()
    assert "Nothing was changed" in page.text()
    assert work(client, path) == before


def test_the_documentation_works_within_its_policy(client: httpx.Client, page: Tab) -> None:
    listen = "violations = []; document.addEventListener('securitypolicyviolation', (event) => "
    listen += "violations.push(`${event.violatedDirective} ${event.blockedURI}`))"
    page._call("Page.addScriptToEvaluateOnNewDocument", source=listen)
    page.open(f"{client.base_url}/docs")
    deadline = time.monotonic() + 30
    while page.run("document.querySelectorAll('.opblock').length") < 30:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    page.run("document.querySelector('.opblock-summary-control').click()")
    assert page.run("violations") == []
