"""What a reliability diagram shows."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import numpy as np
import pytest

from tests.training.honest import scored
from training.evaluate import Scored
from training.metrics import reliability
from training.reliability import diagram, small_multiples, write_diagrams

SVG = "{http://www.w3.org/2000/svg}"


def texts_of(svg: str) -> list[str]:
    return [element.text or "" for element in ET.fromstring(svg).iter(f"{SVG}text")]


def bars_of(svg: str, index: int) -> list[float]:
    """Heights of the bars of the path at an index, as drawn."""
    outline = list(ET.fromstring(svg).iter(f"{SVG}path"))[index].attrib["d"]
    return [float(height) for height in re.findall(r"v-([0-9.]+)h", outline)]


def test_bars_counts_and_errors_are_those_measured() -> None:
    probabilities = np.array([[0.9, 0.1]] * 40 + [[0.3, 0.7]] * 10)
    truth = np.array([0] * 30 + [1] * 10 + [1] * 10)
    figures = reliability(truth, probabilities)
    svg = diagram("mood & more", figures)
    said = texts_of(svg)
    assert "mood & more" in said
    assert any(f"50 texts, ECE {figures.error:.3f}" in text for text in said)
    assert any(f"{figures.floor:.3f} by chance" in text for text in said)
    assert {"40", "10"} <= set(said)
    many, few, counts = (bars_of(svg, index) for index in range(3))
    assert many == pytest.approx([0.75 * 420])
    assert few == pytest.approx([420])
    assert counts[1] == pytest.approx(4 * counts[0], abs=0.2)


def test_every_language_has_its_panel() -> None:
    panels = {f"l{i}": reliability(*rows(scored(300 + i))) for i in range(20)}
    svg = small_multiples("moods", panels)
    said = texts_of(svg)
    for name, figures in panels.items():
        assert f"{name}, {figures.rows} texts" in said
        assert f"ECE {figures.error:.3f} (chance {figures.floor:.3f})" in said
    assert len(svg.encode()) < 40_000


def test_a_picture_for_each_head_and_one_by_language(tmp_path: Path) -> None:
    part = scored(400)
    noisy = replace(part, split=replace(part.split, data=replace(part.split.data, noisy=True)))
    assert write_diagrams(tmp_path, [noisy]) == {}
    files = write_diagrams(tmp_path, [part, noisy])
    assert list(files) == ["reliability-sentiment.svg", "reliability-languages.svg"]
    assert {path.name for path in tmp_path.iterdir()} == set(files)
    assert any(text.startswith("400 texts") for text in texts_of(read(tmp_path, files, 0)))
    assert "en, 200 texts" in texts_of(read(tmp_path, files, 1))


def test_evaluation_sets_are_shown_by_language_only(tmp_path: Path) -> None:
    own = scored(60, langs=("vi",))
    files = write_diagrams(tmp_path, [scored(400)], [own])
    assert any(text.startswith("400 texts") for text in texts_of(read(tmp_path, files, 0)))
    assert "vi, 60 texts" in texts_of(read(tmp_path, files, 1))


def read(folder: Path, files: dict[str, str], index: int) -> str:
    return (folder / list(files)[index]).read_text()


def rows(part: Scored) -> tuple[np.ndarray, np.ndarray]:
    return part.split.labels, part.probabilities
