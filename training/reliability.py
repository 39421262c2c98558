"""Draws reliability diagrams (Murphy and Winkler 1977) as SVG for light and dark pages."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path

import numpy as np

from model.backend import SENTIMENT
from training.evaluate import Scored, by_language, pooled, sound
from training.metrics import Probabilities, Reliability, reliability

_FEW = 20
_COLUMNS = 4
_LARGE, _SMALL = 420, 130
_STRIP = 0.18  # height of the strip of counts, as a share of the side of the square above it
_INK, _BAR = "#7a7a7a", "#4c8dd6"


def write_diagrams(
    folder: Path, scored: Sequence[Scored], apart: Sequence[Scored] = ()
) -> dict[str, str]:
    """Write one diagram per head, and one of sentiment by language.

    Args:
        folder: where to write them.
        scored: the val sets, calibrated.
        apart: the evaluation sets, calibrated; used for the languages only.

    Returns:
        File name → title, in order of display.
    """
    files = {}
    for head in dict.fromkeys(part.split.data.head for part in scored):
        if judged := sound(scored, head):
            name, title = f"reliability-{head}.svg", f"Reliability of {head}"
            figures = reliability(*pooled(judged))
            (folder / name).write_text(diagram(title, figures), encoding="utf-8")
            files[name] = title
    languages = by_language([*sound(scored, SENTIMENT), *apart])
    if languages:
        name, title = "reliability-languages.svg", f"Reliability of {SENTIMENT} by language"
        each = {lang: reliability(*rows) for lang, rows in languages.items()}
        (folder / name).write_text(small_multiples(title, each), encoding="utf-8")
        files[name] = title
    return files


def diagram(title: str, figures: Reliability) -> str:
    """One large diagram. Each bar shows how often the most likely class is correct at its
    probability, the dashed diagonal the ideal; below are the numbers of texts in each bin.
    """
    side, left, top = _LARGE, 56, 48
    step, strip = side / len(figures.counts), _STRIP * side
    below = top + side + 36 + strip
    parts = [
        _text(left, 18, title, size=14, anchor="start"),
        _text(left, 36, _caption(figures), anchor="start"),
        _panel(figures, left, top, side, gap=36),
    ]
    for share in (0.0, 0.25, 0.5, 0.75, 1.0):
        parts += [
            _text(left + share * side, top + side + 14, f"{share:g}"),
            _text(left - 6, top + (1 - share) * side + 4, f"{share:g}", anchor="end"),
        ]
    for index in np.flatnonzero(figures.counts):
        middle = left + (index + 0.5) * step
        parts.append(_text(middle, below + 10, str(figures.counts[index]), size=8))
    parts += [
        _text(left + side / 2, top + side + 28, "probability of the most likely class"),
        _text(left + side / 2, below + 26, "texts in each bin"),
        f'<g transform="rotate(-90 16 {top + side / 2:g})">'
        + _text(16, top + side / 2, "how often it is correct")
        + "</g>",
    ]
    return _document(title, left + side + 24, below + 36, parts)


def small_multiples(title: str, panels: Mapping[str, Reliability]) -> str:
    """One small diagram per name, in rows of four."""
    side, wide, high = _SMALL, _SMALL + 30, _SMALL * (1 + _STRIP) + 62
    rows = -(-len(panels) // _COLUMNS)
    parts = [_text(15, 18, title, size=14, anchor="start")]
    for index, (name, figures) in enumerate(panels.items()):
        x = 15 + index % _COLUMNS * wide
        y = 30 + index // _COLUMNS * high
        parts += [
            _text(x, y + 12, f"{name}, {figures.rows} texts", anchor="start"),
            _text(x, y + 25, _caption(figures, short=True), size=10, anchor="start"),
            _panel(figures, x, y + 32, side, gap=4),
        ]
    return _document(title, 15 + _COLUMNS * wide, 30 + rows * high, parts)


def _panel(figures: Reliability, x: float, y: float, side: float, *, gap: float) -> str:
    """A square with bars and a diagonal, and a strip of counts ``gap`` below it."""
    step, strip = side / len(figures.counts), _STRIP * side
    ground, floor = y + side, y + side + gap + strip
    many = _bars(figures.accuracy * (figures.counts >= _FEW), x, ground, step, side)
    few = _bars(figures.accuracy * (figures.counts < _FEW), x, ground, step, side)
    counts = _bars(figures.counts / figures.counts.max(), x, floor, step, strip)
    return (
        f'<path d="{many}" fill="{_BAR}"/><path d="{few}" fill="{_BAR}" fill-opacity=".35"/>'
        f'<path d="{counts}" fill="{_INK}" fill-opacity=".6"/>'
        f'<path d="M{x:g} {y:g}h{side:g}v{side:g}h-{side:g}z" fill="none" stroke="{_INK}"/>'
        f'<path d="M{x:g} {ground:g}l{side:g} -{side:g}" stroke="{_INK}" stroke-dasharray="4 3"/>'
    )


def _bars(heights: Probabilities, x: float, ground: float, step: float, full: float) -> str:
    """The outline of adjacent bars; a height of 1 is drawn as ``full``."""
    return "".join(
        f"M{x + index * step + 0.5:.1f} {ground:.1f}v{-height * full:.1f}"
        f"h{step - 1:.1f}v{height * full:.1f}z"
        for index, height in enumerate(heights)
        if height > 0
    )


def _caption(figures: Reliability, *, short: bool = False) -> str:
    if short:
        return f"ECE {figures.error:.3f} (chance {figures.floor:.3f})"
    expected = f"of a perfect model {figures.floor:.3f} by chance"
    return f"{figures.rows} texts, ECE {figures.error:.3f}, {expected}"


def _text(x: float, y: float, said: str, *, size: int = 11, anchor: str = "middle") -> str:
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" text-anchor="{anchor}">{escape(said)}</text>'
    )


def _document(title: str, width: float, height: float, parts: Sequence[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
        f'width="{width:g}" height="{height:g}" role="img" '
        f'font-family="sans-serif" fill="{_INK}">'
    )
    return "\n".join([head, f"<title>{escape(title)}</title>", *parts, "</svg>"]) + "\n"
