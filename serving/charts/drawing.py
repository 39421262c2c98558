"""Draws a mood chart as a PNG.

matplotlib's objects are used without pyplot, which keeps state for the whole process. The colours
are from the palette of Okabe and Ito, which people with colour blindness can distinguish; lines
also differ in their dashes. matplotlib brings DejaVu Sans: Latin with Vietnamese, Cyrillic, Greek,
Arabic and Hebrew. Other scripts are drawn if the machine has a font for them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING

from serving.charts.mood_chart import MoodChart
from serving.locales.quoting import cut, one_line
from serving.locales.wording import Wording, msg

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WIDTH, HEIGHT = 1080, 660  # pixels; legible at half and a third of that
_DPI = 150
_INK, _DIM, _GRID = "#1b2026", "#55606b", "#e3e8ed"
_COMMENTS, _NEGATIVE, _NORMAL, _OVER = "#9fc5e3", "#d55e00", "#1b2026", "#00795a"
_MARKS = {
    "began": (msg("began"), _DIM),
    "opened": (msg("detected"), _NEGATIVE),
    "escalated": (msg("escalated"), _NEGATIVE),
    "aftershock": (msg("second wave"), _NEGATIVE),
    "reopened": (msg("reopened"), _NEGATIVE),
    "resolved": (msg("resolved"), _OVER),
}
_LONGEST_NAME = 36
_MOST_TICKS = 7
_TICKS = tuple(timedelta(minutes=m) for m in (15, 30, 60, 120, 180, 360, 720, 1440, 2880, 5760))
# System fonts for the scripts that DejaVu Sans lacks.
_SYSTEM_FONTS = (
    "Noto Sans CJK JP", "Noto Sans CJK SC", "Noto Sans CJK KR", "Noto Sans JP", "Noto Sans SC",
    "Noto Sans KR", "WenQuanYi Zen Hei", "Noto Sans Thai", "Noto Sans Devanagari",
    "Noto Sans Bengali", "Noto Sans Tamil", "Unifont",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Fonts:
    """Families in the order in which a letter is looked for, and the letters that they have."""

    families: tuple[str, ...]
    letters: frozenset[int]

    def can(self, text: str) -> bool:
        """Whether every letter can be drawn."""
        return all(ord(letter) in self.letters for letter in text)

    def drawable(self, text: str) -> str:
        """The text with a box for every letter that cannot be drawn."""
        return "".join(letter if ord(letter) in self.letters else "\u25a1" for letter in text)


def draw(chart: MoodChart, words: Wording) -> bytes:
    """The chart as a PNG of 1080 x 660 pixels on a light ground.

    Takes some tenths of a second of processor time, and seconds the first time. Do not call it on
    an event loop or twice at once: matplotlib does not promise to be thread-safe.

    Args:
        chart: what to draw.
        words: the reader's language and time zone.
    """
    from matplotlib.figure import Figure
    from matplotlib.text import Text

    fonts = _fonts()
    figure = Figure(figsize=(WIDTH / _DPI, HEIGHT / _DPI), dpi=_DPI, facecolor="white")
    axes = figure.add_axes((0.09, 0.095, 0.89, 0.665))
    _plot(axes, chart, words)
    _mark(axes, chart, words, fonts)
    _scales(axes, chart, words)
    first, last = chart.bins[0].start, chart.bins[-1].start + chart.step
    span = words.span(chart.step)
    days = _days(first, last, words)
    caption = words.text("Comments per {span}, {days}", span=span, days=days)
    figure.text(
        0.02, 0.945, fonts.drawable(_title(chart, fonts)), va="center", size=16, weight="bold",
        color=_INK, parse_math=False,
    )  # fmt: skip
    figure.text(
        0.02, 0.87, fonts.drawable(caption), va="center", size=11.5, color=_DIM, parse_math=False
    )
    axes.legend(
        loc="lower left", bbox_to_anchor=(-0.08, 1.02), ncols=4, frameon=False, fontsize=11,
        handlelength=1.5, handletextpad=0.5, columnspacing=1.2, borderaxespad=0.0, labelcolor=_INK,
    )  # fmt: skip
    for artist in figure.findobj(Text):
        assert isinstance(artist, Text)
        artist.set_fontfamily(list(fonts.families))
    written = BytesIO()
    figure.savefig(
        written, format="png", dpi=_DPI, metadata={"Software": "Groundswell"},
        pil_kwargs={"optimize": True},
    )  # fmt: skip
    return written.getvalue()


def _plot(axes: "Axes", chart: MoodChart, words: Wording) -> None:
    """Areas for the observed comments, lines for what is normal; x in minutes from the start."""
    edges = [_minutes(chart, step.start) for step in chart.bins]
    edges.append(_minutes(chart, chart.bins[-1].start + chart.step))

    def stepped(values: Sequence[float]) -> list[float]:
        return [*values, values[-1]]

    axes.fill_between(
        edges, stepped([step.comments for step in chart.bins]), step="post", color=_COMMENTS,
        linewidth=0, label=words.text("comments"),
    )  # fmt: skip
    axes.fill_between(
        edges, stepped([step.negative for step in chart.bins]), step="post", color=_NEGATIVE,
        linewidth=0, label=words.text("negative"),
    )  # fmt: skip
    normal = [step.expected for step in chart.bins if step.expected is not None]
    dark = [step.expected_negative for step in chart.bins if step.expected_negative is not None]
    if len(normal) == len(dark) == len(chart.bins):
        for values, dashes, label in (
            (normal, (0, (5, 2)), words.text("normal")),
            (dark, (0, (1, 1.5)), words.text("normal negative")),
        ):
            axes.step(
                edges, stepped(values), where="post", color=_NORMAL, linewidth=1.4, label=label,
                linestyle=dashes,
            )  # fmt: skip


def _mark(axes: "Axes", chart: MoodChart, words: Wording, fonts: _Fonts) -> None:
    """Lines at the marks, with labels above, in two rows if they are close."""
    end = _minutes(chart, chart.bins[-1].start + chart.step)
    free = [-end, -end]  # where each row's last name ends
    for mark in chart.marks:
        at = min(max(_minutes(chart, mark.at), 0.0), end)
        label, colour = _MARKS[mark.reason]
        axes.axvline(at, color=colour, linewidth=1.3, linestyle=(0, (4, 2)), clip_on=False)
        text = f"{words.text(label)} {words.clock(mark.at)}"
        width = end * 0.0155 * len(text)
        right = at + width > end
        begins = at - width if right else at
        row = 0 if begins >= free[0] else 1
        if begins < free[row]:
            continue  # a line without a name: there is no room
        free[row] = begins + width
        axes.annotate(
            fonts.drawable(text), (at, 1.0), xycoords=("data", "axes fraction"),
            xytext=(-2 if right else 2, -11 - 14 * row), textcoords="offset points", fontsize=10.5,
            color=colour, ha="right" if right else "left", weight="bold", parse_math=False,
            bbox={"facecolor": "white", "alpha": 0.75, "linewidth": 0, "pad": 0.8},
        )  # fmt: skip


def _scales(axes: "Axes", chart: MoodChart, words: Wording) -> None:
    from matplotlib.ticker import MaxNLocator

    end = _minutes(chart, chart.bins[-1].start + chart.step)
    axes.set_xlim(0, end)
    top = max(max(step.comments, step.expected or 0.0) for step in chart.bins)
    axes.set_ylim(0, max(5.0, top) * 1.22)  # room for the names of the marks
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(lambda value, _place: words.number(value))
    ticks = list(_ticks(chart, words))
    axes.set_xticks([_minutes(chart, at) for at in ticks])
    axes.set_xticklabels([_tick(at, words) for at in ticks], parse_math=False)
    axes.tick_params(labelsize=11.5, colors=_DIM, length=0, pad=6)
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_DIM)


def _ticks(chart: MoodChart, words: Wording) -> Sequence[datetime]:
    """At most seven round instants of the reader's day."""
    first, last = chart.bins[0].start, chart.bins[-1].start + chart.step
    apart = next((apart for apart in _TICKS if (last - first) / apart <= _MOST_TICKS), _TICKS[-1])
    local = first.astimezone(words.zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    ahead = ceil((local - midnight) / apart)
    ticks = (
        (midnight + index * apart).astimezone(first.tzinfo)
        for index in range(ahead, ahead + _MOST_TICKS + 1)
    )
    return [at for at in ticks if first <= at < last]


def _tick(at: datetime, words: Wording) -> str:
    local = at.astimezone(words.zone)
    return words.day(at) if (local.hour, local.minute) == (0, 0) else words.clock(at)


def _days(first: datetime, last: datetime, words: Wording) -> str:
    """The day or days, and the time zone."""
    days = dict.fromkeys([words.day(first), words.day(last - timedelta(microseconds=1))])
    return f"{' – '.join(days)}, {words.zone_name(first)}"  # noqa: RUF001 - a dash between days


def _title(chart: MoodChart, fonts: _Fonts) -> str:
    """The KOL's name, or its id where no font has the name's letters."""
    name = one_line(chart.name)
    return cut(name if fonts.can(name) else one_line(chart.kol_id), _LONGEST_NAME)


def _minutes(chart: MoodChart, at: datetime) -> float:
    return (at - chart.bins[0].start) / timedelta(minutes=1)


@cache
def _fonts() -> _Fonts:
    """DejaVu Sans, then what the machine has of the fonts for other scripts."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    here = set(fontManager.get_font_names())
    families = ("DejaVu Sans", *(name for name in _SYSTEM_FONTS if name in here))
    letters: set[int] = set()
    for family in families:
        path = fontManager.findfont(FontProperties(family=[family]))
        letters |= get_font(path).get_charmap().keys()
    return _Fonts(families, frozenset(letters))
