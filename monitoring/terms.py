"""Terms that set one set of comments apart from another, in any script.

Words where the script separates them, runs of characters where it does not (Thai, Lao, Khmer,
Burmese, Chinese, Japanese), both for Korean, whose words carry their particles. Ranked by weighted
log-odds with an informative Dirichlet prior (Monroe, Colaresi, Quinn 2008, "Fightin' Words").
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_LINK = re.compile(r"https?://\S+|www\.\S+|(?<!\w)@\w+")
_PRIOR = 500.0  # comments' worth of terms the prior counts
_RUN = (2, 3, 4)  # clusters in a run of an unsegmented script
_SYLLABLES = (2, 3)
_PHRASE = (1, 2, 3)  # words in a phrase
_UNSEGMENTED = (
    (0x0E00, 0x0EFF),  # Thai, Lao
    (0x1000, 0x109F),  # Burmese
    (0x1780, 0x17FF),  # Khmer
    (0x3040, 0x30FF),  # kana
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xF900, 0xFAFF),
    (0x20000, 0x2FFFF),
)


@dataclass(frozen=True, slots=True)
class Term:
    """A term that sets the incident apart.

    Attributes:
        text: the term, case-folded.
        z: its log-odds over their standard deviation; about 2 is hardly chance.
        incident: comments of the incident that hold it.
        baseline: comments of the baseline that hold it.
    """

    text: str
    z: float
    incident: int
    baseline: int


def terms_of(text: str) -> set[str]:
    """The terms of one comment: words, phrases of two or three words, runs of characters."""
    plain = unicodedata.normalize("NFKC", _LINK.sub(" ", text)).casefold()
    found: set[str] = set()
    words: list[str] = []
    for word in [*_words(plain), ""]:
        if word and not _unsegmented(word[0]):
            words.append(word)
            if "\uac00" <= word[0] <= "\ud7a3":
                found.update(_runs(list(word), _SYLLABLES))
            continue
        found.update(_phrases(words))
        words = []
        if word:
            found.update(_runs(_clusters(word), _RUN))
    return found


def _words(text: str) -> list[str]:
    """Maximal runs of letters, marks and digits, split where segmented script meets the other."""
    words: list[str] = []
    current = ""
    for char in text:
        kind = unicodedata.category(char)[0]
        if kind in "LMN" or (char == "'" and current):
            if kind != "M" and current and _unsegmented(char) != _unsegmented(current[0]):
                words.append(current)
                current = ""
            current += char
        elif current:
            words.append(current)
            current = ""
    if current:
        words.append(current)
    return [word.rstrip("'") for word in words]


def _clusters(word: str) -> list[str]:
    clusters: list[str] = []
    for char in word:
        if clusters and unicodedata.category(char)[0] == "M":
            clusters[-1] += char
        else:
            clusters.append(char)
    return clusters


def _runs(parts: list[str], lengths: tuple[int, ...]) -> set[str]:
    return {
        "".join(parts[i : i + length]) for length in lengths for i in range(len(parts) - length + 1)
    }


def _phrases(words: list[str]) -> set[str]:
    return {
        " ".join(words[i : i + length])
        for length in _PHRASE
        for i in range(len(words) - length + 1)
        if length > 1 or len(words[i]) > 1
    }


def _unsegmented(char: str) -> bool:
    point = ord(char)
    return any(low <= point <= high for low, high in _UNSEGMENTED)


def distinctive(
    incident: Sequence[tuple[set[str], float]], baseline: Iterable[set[str]], top: int
) -> list[Term]:
    """The terms that set the incident apart, best first.

    Args:
        incident: per comment its terms and its weight in [0, 1].
        baseline: per comment its terms.
        top: how many to return at most.

    Returns:
        Terms with z > 1.96 in at least two comments; a term that lives inside a better one, or
        around it, and is as frequent is left out.
    """
    here: Counter[str] = Counter()
    weighted: Counter[str] = Counter()
    for terms, weight in incident:
        here.update(terms)
        for term in terms:
            weighted[term] += weight  # type: ignore[assignment]
    there: Counter[str] = Counter()
    for terms in baseline:
        there.update(terms)
    n_here = math.fsum(weighted.values())  # exact, so the same in any order
    n_there = float(there.total())
    pool = n_here + n_there
    if pool == 0:
        return []
    ranked: list[Term] = []
    for term, count in here.items():
        if count < 2:
            continue
        prior = _PRIOR * (weighted[term] + there[term]) / pool
        prior = max(prior, 0.01)
        one, other = weighted[term] + prior, there[term] + prior
        odds = math.log(one / max(n_here + _PRIOR - one, 1e-9)) - math.log(
            other / max(n_there + _PRIOR - other, 1e-9)
        )
        z = odds / math.sqrt(1 / one + 1 / other)
        if z > 1.96:
            ranked.append(Term(term, z, count, there[term]))
    ranked.sort(key=lambda term: (-term.z, -len(term.text), term.text))
    chosen: list[Term] = []
    for candidate in ranked:
        if len(chosen) == top:
            break
        if not any(_same(candidate, kept) for kept in chosen):
            chosen.append(candidate)
    return chosen


def _same(term: Term, kept: Term) -> bool:
    nested = term.text in kept.text or kept.text in term.text
    overlap = nested or _overlap(term.text, kept.text)
    low, high = sorted((term.incident, kept.incident))
    return overlap and low >= 0.6 * high


def _overlap(one: str, other: str) -> bool:
    """Whether the end of one is the beginning of the other, by at least half of the shorter."""
    shortest = min(len(one), len(other))
    need = max(2, (shortest + 1) // 2)
    return any(
        one.endswith(other[:length]) or other.endswith(one[:length])
        for length in range(need, shortest + 1)
    )
