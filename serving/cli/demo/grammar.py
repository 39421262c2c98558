"""Comments written from lines, slots and voices: the demo's people.

`lines/<kol>.toml` holds whole lines by language and mood, with `{slots}` to fill;
`lines/voices.toml` holds how people of a language open, end, shorten and decorate them.
"""

import random
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

SOUR = frozenset({"grumble", "review", "personal"})
MILD = frozenset({"love", "defend", "recover", "charity"})

_SLOT = re.compile(r"\{(\w+)\}")
_COMPOUND, _OPENER, _TAIL, _EMOJI, _FLAT_EMOJI = 0.06, 0.14, 0.14, 0.38, 0.12
_SHORTEN, _CAPITAL, _LOUD, _TYPO = 0.3, 0.35, 0.03, 0.06


def _read(name: str) -> dict[str, dict[str, dict[str, list[str]]]]:
    return tomllib.loads((files(__package__) / "lines" / f"{name}.toml").read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class Voices:
    """How people of each language write and what they are called.

    Attributes:
        by_language: language -> kind (`openers`, `tails`, `mild_emoji`, …) -> choices.
    """

    by_language: Mapping[str, Mapping[str, Sequence[str]]]

    @classmethod
    def load(cls) -> "Voices":
        """Read `lines/voices.toml`."""
        return cls(tomllib.loads((files(__package__) / "lines/voices.toml").read_text("utf-8")))

    def handle(self, rng: random.Random, language: str) -> str:
        """A made-up account name, for example `linh.dalat92`."""
        voice = self.by_language[language]
        joint = rng.choice([".", "_", ""])
        number = rng.choice(["", "", str(rng.randrange(1, 100)), str(rng.randrange(1985, 2010))])
        return f"{rng.choice(voice['names'])}{joint}{rng.choice(voice['nouns'])}{number}"

    def speak(self, rng: random.Random, language: str, mood: str, line: str) -> str:
        """One line as one person would type it."""
        voice = self.by_language[language]
        sour = "sour_" if mood in SOUR else ""
        if rng.random() < _SHORTEN:
            for pair in voice["shorten"]:
                long, _, short = pair.partition("=")
                if rng.random() < 0.5:
                    line = re.sub(rf"(?<!\w){re.escape(long)}(?!\w)", short, line)
        if mood in SOUR | MILD:
            opener = rng.choice(voice[sour + "openers"])
            if rng.random() < _OPENER and not line.lower().startswith(opener):
                line = f"{opener} {line}"
            if rng.random() < _TAIL:
                line = f"{line} {rng.choice(voice[sour + 'tails'])}"
        if language == "en":
            line = _typed(rng, line)
        if rng.random() < (_EMOJI if mood in SOUR | MILD else _FLAT_EMOJI):
            kind = "sour_emoji" if sour else "mild_emoji" if mood in MILD else "flat_emoji"
            line = f"{line} {rng.choice(voice[kind]) * rng.choice([1, 1, 1, 2, 3])}"
        return line


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """What is said under one KOL's posts.

    Attributes:
        lines: language -> mood -> lines with slots.
        slots: language -> slot -> fillings.
    """

    lines: Mapping[str, Mapping[str, Sequence[str]]]
    slots: Mapping[str, Mapping[str, Sequence[str]]]

    @classmethod
    def load(cls, name: str) -> "Phrasebook":
        """Read `lines/<name>.toml`."""
        book = _read(name)
        return cls(book["lines"], book["slots"])

    def languages(self, mood: str) -> list[str]:
        """The languages that have lines for a mood."""
        return [language for language, moods in self.lines.items() if mood in moods]


class Scribe:
    """Writes a KOL's comments. A line comes again only when all others of its mood have been
    used: a real crowd hardly repeats itself word for word.

    Args:
        book: what is said.
        voices: how it is said.
        rng: decides everything.
    """

    def __init__(self, book: Phrasebook, voices: Voices, rng: random.Random) -> None:
        self._book, self._voices, self._rng = book, voices, rng
        self._unused: dict[tuple[str, str], list[str]] = {}

    def write(self, language: str, mood: str) -> str:
        """A comment in a language and a mood."""
        line = self._line(language, mood)
        if mood in SOUR and self._rng.random() < _COMPOUND:
            line = f"{line.rstrip('.')}. {self._line(language, mood)}"
        return self._voices.speak(self._rng, language, mood, line)

    def _line(self, language: str, mood: str) -> str:
        unused = self._unused.setdefault((language, mood), [])
        if not unused:
            unused += self._book.lines[language][mood]
            self._rng.shuffle(unused)
        slots = self._book.slots.get(language, {})
        return _SLOT.sub(lambda match: self._rng.choice(slots[match[1]]), unused.pop())


def _typed(rng: random.Random, line: str) -> str:
    """Latin letters as thumbs type them: a capital, shouting, two letters swapped."""
    if rng.random() < _CAPITAL:
        line = line[:1].upper() + line[1:]
    elif rng.random() < _LOUD:
        line = line.upper()
    if rng.random() < _TYPO:
        spots = [i for i in range(1, len(line) - 2) if line[i : i + 2].isalpha()]
        if spots:
            i = rng.choice(spots)
            line = line[:i] + line[i + 1] + line[i] + line[i + 2 :]
    return line
