"""One name for one thing, the field's words for all of them, and files that are short."""

import ast
import io
import re
import statistics
import tokenize
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("clients", "model", "monitoring", "serving", "training", "benchmarks", "deploy", "tests")
PRODUCT = ("clients", "model", "monitoring", "serving", "training")
MEDIAN_LINES, MOST_LINES = 150, 400

# Old names, as the parts that snake_case and CamelCase are made of, and what to say instead.
# A capital counts: `Watch` is the old class, `watch` may be any argument.
OLD_NAMES: Mapping[str, str] = {
    "Pulse": "Broadcast",
    "pulse": "broadcast",
    "beat": "notify",
    "clockwork": "event_time",
    "Telling": "PlannedNotification",
    "telling": "plan",
    "tellings": "plan",
    "Occasion": "RouteInput",
    "occasion": "route_input",
    "Escalating": "Escalator",
    "Unmuting": "UnmuteNotifier",
    "Digesting": "DigestScheduler",
    "second_look": "suppression",
    "kept_back": "suppressed",
    "untold": "suppressed_open",
    "owed": "pending",
    "Told": "Notified, Reported",
    "told_of": "notified_of",
    "is_told": "is_notified, is_reported",
    "are_told": "are_notified",
    "was_told": "was_notified",
    "be_told": "be_notified",
    "not_told": "not_reported",
    "Deed": "ActionRequest",
    "deed": "request",
    "deeds": "requests",
    "act": "action",
    "acts": "actions",
    "Standing": "AlertStatus",
    "standing": "status",
    "Watch": "Monitor",
    "Reading": "MinuteScore",
    "forget": "reset",
    "obey": "set_policy",
    "obeys": "set_policy",
    "heard": "observed",
    "Heard": "Observed",
    "mars": "taints",
    "deaf": "missed_input",
    "stirred": "has_open_alert",
    "doubts": "maybe_outage",
    "vigil": "cooldown",
    "knobs": "overrides",
    "mirrors": "stateful_receivers",
    "goes_on": "continue",
    "NOBODY": "EMPTY",
    "Studio": "ChartService",
    "studio": "chart_service",
    "pictures": "attachments",
    "looks": "templates",
    "worked_off": "processed",
    "work_off": "process",
    "befell": "happened_to",
    "the_usual": "the_baseline",
    "hears": "detects",
}
# Old names of classes that are right as a part of others, such as SortOrder.
OLD_CLASSES: Mapping[str, str] = {
    "Act": "Action",
    "Directory": "NotificationConfig",
    "Editor": "DigestBuilder",
    "Letter": "RenderedDigest",
    "Order": "DigestRequest",
    "Recent": "ExponentialWindow",
    "Rounds": "PeriodicWorker",
    "Work": "TriageStatus",
}
# Old phrases in comments, docstrings, messages, pages and translations; case does not matter.
OLD_PHRASES: Mapping[str, str] = {
    r"work(s|ed|ing)?(?: \w+)? off": "process",
    r"deriv(e|es|ed|ing)(?: \w+)? again": "rebuild",
    r"befell": "happened to",
    r"(is|are|was|were|be|been|being|not|never|whoever was|to be) told": "is notified, is reported",
    r"told of": "notified of",
    r"untold": "suppressed, unreported",
    r"the usual": "normal, baseline",
    r"stands(?! for\b)": "is",
    r"heard|hears": "sees, detects",
    r"telling|tellings": "notification, plan",
    r"clockwork": "event time",
    r"second look": "suppression",
    r"kept back": "suppressed",
    r"knobs?": "setting, override",
    r"vigil": "cooldown",
    r"deeds?": "action",
}
# Where an old word is right after all: (file, word or line part) → why.
HONEST: Mapping[tuple[str, str], str] = {}

# Not ours to word: history, and what people wrote under posts.
_SKIPPED = (
    "CHANGELOG.md",
    "serving/storage/migrations/",
    "training/written/",
    "training/evaluation/",
    "training/robustness/families/",
    "serving/cli/demo/lines/",
    "model/weights/",
    "tests/test_names.py",
)
_SUFFIXES = {".py", ".md", ".toml", ".yml", ".yaml", ".json", ".html", ".css", ".js", ".ftl", ".po"}
# Python 3.12 cuts f-strings into pieces.
_PROSE = {tokenize.STRING, tokenize.COMMENT, getattr(tokenize, "FSTRING_MIDDLE", -1)}
_PARTS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_PHRASES = {
    re.compile(rf"\b(?:{phrase})\b", re.IGNORECASE): instead
    for phrase, instead in OLD_PHRASES.items()
}


def python_files(*rooms: str) -> list[Path]:
    """Every Python file of some rooms, in order."""
    return sorted(path for room in rooms for path in (ROOT / room).rglob("*.py"))


def words_of(name: str) -> set[str]:
    """The parts of an identifier, and each run of them that snake_case joins."""
    parts = [part for chunk in name.split("_") for part in _PARTS.findall(chunk)]
    return {"_".join(parts[i : j + 1]) for i in range(len(parts)) for j in range(i, len(parts))}


def pieces_of(path: Path) -> Iterator[tuple[int, str, bool]]:
    """(line, text, whether it is an identifier) of a file; other files than Python are prose."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".py":
        for number, line in enumerate(text.splitlines(), 1):
            yield number, line, False
        return
    yield 0, path.stem, True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.NAME:
            yield token.start[0], token.string, True
        elif token.type in _PROSE:
            for offset, line in enumerate(token.string.splitlines()):
                yield token.start[0] + offset, line, False


def old_words(path: Path) -> Iterator[str]:
    """Every old word of a file, with its place and what to say instead."""
    where = path.relative_to(ROOT).as_posix()
    for number, text, is_name in pieces_of(path):
        found: dict[str, str] = {}
        if is_name:
            found = {word: OLD_NAMES[word] for word in words_of(text) & OLD_NAMES.keys()}
            if text.strip("_") in OLD_CLASSES:
                found[text] = OLD_CLASSES[text.strip("_")]
        else:
            for pattern, instead in _PHRASES.items():
                found |= {match.group(): instead for match in pattern.finditer(text)}
        for word, instead in found.items():
            if not any(where == file and part in text for file, part in HONEST):
                yield f"{where}:{number}: {word!r} in {text.strip()[:80]!r}; say {instead}"


def worded_files() -> list[Path]:
    """The files whose words are ours."""
    inside = [path for room in (*ROOMS, "docs") for path in (ROOT / room).rglob("*")]
    paths = [
        *inside,
        *ROOT.glob("*.md"),
        *ROOT.glob("*.toml"),
        ROOT / "Makefile",
        ROOT / "Dockerfile",
    ]
    return sorted(
        path
        for path in paths
        if (path.suffix in _SUFFIXES or path.parent == ROOT)
        and not path.relative_to(ROOT).as_posix().startswith(_SKIPPED)
    )


def test_no_class_name_is_defined_twice() -> None:
    places: defaultdict[str, list[str]] = defaultdict(list)
    for path in python_files(*ROOMS):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    twice = {name: at for name, at in places.items() if len(at) > 1}
    assert twice == {}


def test_old_words_are_gone() -> None:
    found = [word for path in worded_files() for word in old_words(path)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("source", "word"),
    [
        ("class BacklashWatch:\n    pass\n", "Watch"),
        ("mirrors = stateful()\n", "mirrors"),
        ("until_it_is_told = 1\n", "is_told"),
        ("# The log is worked off.\n", "worked off"),
        ('"""Whoever is told hears of the end."""\n', "is told"),
        ('say = f"the usual is {1}"\n', "the usual"),
    ],
)
def test_an_old_word_would_be_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, word: str
) -> None:
    monkeypatch.setattr("tests.test_names.ROOT", tmp_path)
    path = tmp_path / "some.py"
    path.write_text(source)
    assert any(repr(word) in one for one in old_words(path))


@pytest.mark.parametrize(
    "source", ["watch = ask()\n", "SortOrder.DESCENDING\n", "# It stands for a text.\n"]
)
def test_other_words_are_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str) -> None:
    monkeypatch.setattr("tests.test_names.ROOT", tmp_path)
    path = tmp_path / "some.py"
    path.write_text(source)
    assert list(old_words(path)) == []


def test_every_exception_is_still_needed() -> None:
    for (file, part), reason in HONEST.items():
        assert part in (ROOT / file).read_text(encoding="utf-8"), (file, part)
        assert reason


def test_files_are_short() -> None:
    lengths = {
        path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files(*ROOMS)
    }
    assert [path for path, length in lengths.items() if length > MOST_LINES] == []
    ours = [
        length for path, length in lengths.items() if path.relative_to(ROOT).parts[0] in PRODUCT
    ]
    assert statistics.median(ours) <= MEDIAN_LINES
