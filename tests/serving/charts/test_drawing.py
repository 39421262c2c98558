"""The PNG: its size, what is seen in it, and letters that no font has."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from serving.charts import drawing
from serving.charts.drawing import draw
from serving.charts.mood_chart import Bin, Mark, MoodChart
from serving.locales.wording import wording
from serving.notify.example import example_chart
from tests.serving.conftest import NOW

ENGLISH, VIETNAMESE = wording(), wording("vi", "Asia/Ho_Chi_Minh")
NEGATIVE, COMMENTS = (213, 94, 0), (159, 197, 227)


def pixels(png: bytes) -> Image.Image:
    image = Image.open(BytesIO(png))
    assert image.format == "PNG"
    return image.convert("RGB")


def count(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return sum(n for n, found in image.getcolors(1 << 24) or [] if found == colour)


def test_the_storm_is_seen() -> None:
    chart = example_chart(NOW)
    png = draw(chart, ENGLISH)
    assert len(png) < 150_000
    image = pixels(png)
    assert image.size == (drawing.WIDTH, drawing.HEIGHT) == (1080, 660)
    assert image.getpixel((2, 2)) == (255, 255, 255)
    stormy = count(image, NEGATIVE)
    calm = replace(chart, bins=tuple(replace(step, negative=0.0) for step in chart.bins))
    without = pixels(draw(calm, ENGLISH))
    assert count(without, NEGATIVE) < stormy / 4
    assert count(without, COMMENTS) > count(image, COMMENTS)


def test_the_same_chart_is_the_same_picture_and_words_change_it() -> None:
    chart = example_chart(NOW)
    assert draw(chart, ENGLISH) == draw(chart, ENGLISH) != draw(chart, VIETNAMESE)


@pytest.mark.parametrize(
    "name",
    [
        "$\\frac{1}{0}$ $x^2",
        "<b>everyone</b> \u202e\x00\x1b",
        "x" * 10_000,
        "Trần Thị Hằng",
        "김서연",
        "ณัฐพล",
        "محمد",
        "😡😡",
        "",
    ],
)
def test_any_name_can_be_drawn(name: str) -> None:
    chart = replace(example_chart(NOW), name=name)
    assert pixels(draw(chart, VIETNAMESE)).size == (1080, 660)


def test_a_name_without_glyphs_gives_way_to_the_id() -> None:
    fonts = drawing._Fonts(("DejaVu Sans",), frozenset(map(ord, "abcê-…")))
    chart = replace(example_chart(NOW), name="김", kol_id="abc")
    assert drawing._title(chart, fonts) == "abc"
    assert drawing._title(replace(chart, name="bê"), fonts) == "bê"
    assert fonts.drawable("김a") == "\u25a1a"


@pytest.mark.parametrize(
    ("bins", "step", "marks"),
    [
        ([(0, 0.0)], 5, ["began"]),
        ([(0, 0.0)] * 30, 5, []),
        ([(1_000_000, 999_999.5)] * 144, 480, ["began", "opened", "resolved"]),
        ([(3, 1.0)] * 144, 30, ["began", *["reopened", "resolved", "aftershock"] * 40]),
    ],
)
def test_any_figures_can_be_drawn(
    bins: list[tuple[int, float]], step: int, marks: list[str]
) -> None:
    length = timedelta(minutes=step)
    chart = MoodChart(
        "Lena", "lena", length,
        tuple(Bin(NOW + i * length, *sums, None, None) for i, sums in enumerate(bins)),
        tuple(Mark(NOW + i * timedelta(minutes=7), reason) for i, reason in enumerate(marks)),
    )  # fmt: skip
    assert pixels(draw(chart, ENGLISH)).size == (1080, 660)


@pytest.mark.parametrize("hours", [0.5, 3, 12, 72, 24 * 48])
def test_ticks_are_few_and_round(hours: float) -> None:
    step = timedelta(hours=hours) / 12
    chart: Any = replace(
        example_chart(NOW),
        step=step,
        bins=tuple(Bin(NOW + i * step, 1, 0.0, None, None) for i in range(12)),
    )
    ticks = drawing._ticks(chart, VIETNAMESE)
    assert 2 <= len(ticks) <= 8
    assert all(at.astimezone(VIETNAMESE.zone).minute % 15 == 0 for at in ticks)
