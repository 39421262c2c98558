"""The HTML in a real browser: it can be read on a desk and on a phone, and holds the chart."""

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from serving.charts.drawing import draw
from serving.locales.wording import wording
from serving.notify.example import example, example_chart
from serving.notify.render import html
from serving.notify.render.content import RenderedMessage, write
from tests.serving.browser import CHROMIUM, Tab, tab
from tests.serving.conftest import NOW
from tests.serving.notify.render.conftest import hostile

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium"),
]
WORDS = wording("vi", "Asia/Ho_Chi_Minh")
CRITICAL, NEGATIVE = (179, 38, 30), (213, 94, 0)


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(tmp_path_factory.mktemp("browser")) as page:
        yield page


@pytest.fixture(scope="module")
def chart() -> str:
    png = base64.b64encode(draw(example_chart(NOW), WORDS)).decode()
    return f"data:image/png;base64,{png}"


def mail(folder: Path, rendered: RenderedMessage, chart: str) -> str:
    file = folder / "mail.html"
    written = html.render(rendered, WORDS, chart="c").replace("cid:c", chart)
    file.write_text(written, encoding="utf-8")
    return file.as_uri()


def pixels(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return sum(count for count, found in image.getcolors(1 << 24) or [] if found == colour)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize(("width", "card"), [(680, 600), (380, 364)])
def test_the_email_as_its_reader_sees_it(
    tmp_path: Path, page: Tab, chart: str, width: int, card: int, dark: bool
) -> None:
    rendered = write([example(NOW, "https://pr.example.com")], WORDS)
    page.screen(width, 1500, dark=dark)
    page.open(mail(tmp_path, rendered, chart))
    assert page.faults() == []
    shown, content = page.text(), rendered.items[0]
    for text in (content.flag, content.name, content.headline, *content.quotes):
        assert text in shown
    assert shown.count(content.sentence) == 1  # the one for lists of messages is not shown
    assert page.run("document.querySelector('.card').getBoundingClientRect().width") == card
    assert page.run("document.images[0].getBoundingClientRect().width") == card - 64
    image = page.shot()
    assert pixels(image, CRITICAL) > 20 * card
    assert pixels(image, NEGATIVE) > 500  # of the chart's ink


@pytest.mark.parametrize("count", [1, 20])
def test_words_without_an_end_make_no_page_wider(
    tmp_path: Path, page: Tab, chart: str, count: int
) -> None:
    page.screen(380)
    page.open(mail(tmp_path, write([hostile()] * count, WORDS), chart))
    assert page.faults() == []


def test_what_keeps_a_reader_from_reading_is_found(tmp_path: Path, page: Tab) -> None:
    file = tmp_path / "bad.html"
    file.write_text(
        '<body style="margin:0;background:#fff"><img src="gone.png" alt="chart">'
        '<p style="color:#bbb">grey</p><p style="font-size:9px">small</p>'
        '<p style="position:absolute;left:-9px">left</p><div style="width:500px">wide</div>'
    )
    page.screen(380)
    page.open(file.as_uri())
    assert page.faults() == [
        "wider than the screen by 120", "no picture: chart", "faint: grey", "tiny: small",
        "cut off: left",
    ]  # fmt: skip
