"""The HTML in a real browser: it is laid out in the card's width, and holds the chart."""

import base64
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from serving.charts.drawing import draw
from serving.delivery.example import example, example_chart
from serving.delivery.messages import html
from serving.delivery.messages.content import write
from serving.locales.wording import wording
from tests.serving.conftest import NOW

CHROMIUM = shutil.which("chromium")
CRITICAL, NEGATIVE, CARD = (179, 38, 30), (213, 94, 0), (255, 255, 255)


def shot(page: Path, width: int) -> Image.Image:
    assert CHROMIUM is not None
    picture = page.with_suffix(".png")
    subprocess.run(
        [
            CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic",
            "--no-first-run", "--disable-background-networking", "--disable-component-update",
            "--disable-sync", "--hide-scrollbars", f"--user-data-dir={page.parent / 'profile'}",
            f"--window-size={width},1500", f"--screenshot={picture}", page.as_uri(),
        ],
        check=True, capture_output=True, timeout=60,
    )  # fmt: skip
    return Image.open(BytesIO(picture.read_bytes())).convert("RGB")


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="needs Debian's chromium")
@pytest.mark.parametrize(("width", "card"), [(680, 600), (500, 484)])
def test_the_email_as_its_reader_sees_it(tmp_path: Path, width: int, card: int) -> None:
    words = wording("vi", "Asia/Ho_Chi_Minh")
    page = html.render(write([example(NOW, "https://pr.example.com")], words), words, chart="c")
    chart = base64.b64encode(draw(example_chart(NOW), words)).decode()
    file = tmp_path / "mail.html"
    file.write_text(page.replace("cid:c", f"data:image/png;base64,{chart}"), encoding="utf-8")
    image = shot(file, width)
    banner = [image.getpixel((x, 25)) for x in range(width)]
    assert banner.count(CRITICAL) > card * 0.6  # the flag's letters are on it
    assert banner[0] != CRITICAL != banner[-1]
    colours = {colour: count for count, colour in image.getcolors(1 << 24) or []}
    assert colours[NEGATIVE] > 500
    edges = [x for x in range(width) if image.getpixel((x, 70)) == CARD]
    assert edges[-1] - edges[0] + 1 == card
