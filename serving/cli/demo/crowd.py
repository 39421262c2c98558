"""The authors of the demo's comments: regulars by a Zipf law, and people not seen before."""

import itertools
import random

from serving.cli.demo.cast import DemoKol
from serving.cli.demo.grammar import Voices

# How often a comment of a mood comes from somebody who was not there before.
_NEWCOMERS = {"review": 0.3, "personal": 0.6, "defend": 0.08, "recover": 0.1, "charity": 0.5}
_NEWCOMERS_USUALLY = 0.2


class DemoCrowd:
    """The authors under one KOL's posts.

    Args:
        kol: whose posts.
        rng: decides who writes.
        voices: names them.
    """

    def __init__(self, kol: DemoKol, rng: random.Random, voices: Voices) -> None:
        self._rng, self._voices, self._kol = rng, voices, kol
        self._taken: set[str] = set()
        self._regulars: dict[str, list[str]] = {}
        self._weights: dict[str, list[float]] = {}
        for language, share in {**kol.abroad, kol.language: 1 - sum(kol.abroad.values())}.items():
            size = max(round(kol.regulars * share), 5)
            self._regulars[language] = [self._fresh(language) for _ in range(size)]
            self._weights[language] = list(
                itertools.accumulate((rank + 3) ** -0.9 for rank in range(size))
            )

    def author(self, language: str, mood: str) -> str:
        """The author of one comment."""
        if self._rng.random() < _NEWCOMERS.get(mood, _NEWCOMERS_USUALLY):
            return self._fresh(language)
        return self._rng.choices(self._regulars[language], cum_weights=self._weights[language])[0]

    def _fresh(self, language: str) -> str:
        while (handle := self._voices.handle(self._rng, language)) in self._taken:
            pass
        self._taken.add(handle)
        return handle
