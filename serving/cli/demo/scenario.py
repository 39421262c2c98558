"""Two days of comments under the posts of the demo's KOLs, computed from a seed."""

import bisect
import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from serving.cli.demo.cast import KOLS, DemoKol
from serving.cli.demo.crowd import DemoCrowd
from serving.cli.demo.grammar import Phrasebook, Scribe, Voices

SPAN = timedelta(hours=48)
_DAWN = 6  # every KOL's clock when the scenario begins
_STEP = 0.05  # hours
_DECAY, _FLAT = 1.242, 5 / 60  # a post's comments: flat for five minutes, then a power law
_REPLY, _REPLY_WITHIN, _NAMED_REPLY = 0.18, 40, 0.4
_TOP_LIKES = 4_000
_LIKED = {"review": 3.0, "personal": 4.0, "defend": 2.5, "charity": 3.0}


@dataclass(frozen=True, slots=True)
class PlannedComment:
    """A comment before it is written.

    Attributes:
        hour: hours after the scenario's start.
        mood: of its text.
        post: index of the post that it is written under.
    """

    hour: float
    mood: str
    post: int


def plan(kol: DemoKol, rng: random.Random) -> list[PlannedComment]:
    """When a comment of which mood is written under which post of a KOL, in time order."""
    moments: list[PlannedComment] = []
    hours = SPAN / timedelta(hours=1)
    for index in range(round(hours / _STEP)):
        hour = index * _STEP
        day = _day(hour)
        latest = max(bisect.bisect_right([post.hour for post in kol.posts], hour) - 1, 0)
        sources = [(kol.background * day, kol.moods, latest)]
        for number, post in enumerate(kol.posts):
            sources.append((post.size * _decay(hour - post.hour) * day, post.moods, number))
        sources += [(wave.rate(hour), {wave.mood: 1.0}, wave.post) for wave in kol.waves]
        for rate, moods, post_index in sources:
            for _ in range(_poisson(rng, rate * _STEP)):
                mood = rng.choices(list(moods), list(moods.values()))[0]
                moments.append(PlannedComment(hour + rng.random() * _STEP, mood, post_index))
    return sorted(moments, key=lambda moment: moment.hour)


def generate(end: datetime, seed: int = 20) -> list[dict[str, object]]:
    """The scenario's comments as items of `POST /v1/comments`, in time order.

    Args:
        end: when the two days end, aware; whole seconds.
        seed: another seed gives other comments of the same two days.
    """
    start = end.astimezone(UTC) - SPAN
    voices = Voices.load()
    items: list[dict[str, object]] = []
    for kol in KOLS:
        # Seeded by text: the same numbers in every Python.
        rng = random.Random(f"{seed}/{kol.kol_id}")  # noqa: S311 - a story, not a secret
        items += _write(kol, plan(kol, rng), rng, voices, start)
    return sorted(items, key=lambda item: (str(item["created_at"]), str(item["comment_id"])))


def _write(
    kol: DemoKol,
    moments: Sequence[PlannedComment],
    rng: random.Random,
    voices: Voices,
    start: datetime,
) -> list[dict[str, object]]:
    book = Phrasebook.load(kol.book)
    crowd, scribe = DemoCrowd(kol, rng, voices), Scribe(book, voices, rng)
    under: dict[int, list[dict[str, object]]] = {}
    items: list[dict[str, object]] = []
    for number, moment in enumerate(moments, start=1):
        language = _language(kol, book, moment.mood, rng)
        author = crowd.author(language, moment.mood)
        text = scribe.write(language, moment.mood)
        earlier = under.setdefault(moment.post, [])
        item: dict[str, object] = {
            "platform": kol.platforms[moment.post % len(kol.platforms)],
            "comment_id": f"{kol.kol_id}-{number:05d}",
            "kol_id": kol.kol_id,
            "post_id": f"{kol.kol_id}-post-{moment.post + 1}",
            "author_id": author,
            "text": text,
            "created_at": (start + timedelta(seconds=int(moment.hour * 3600))).isoformat(),
            "lang": language,
            "likes": _likes(rng, moment.mood),
        }
        if earlier and rng.random() < _REPLY:
            parent = rng.choice(earlier[-_REPLY_WITHIN:])
            item["parent_id"] = parent["comment_id"]
            if rng.random() < _NAMED_REPLY:
                item["text"] = f"@{parent['author_id']} {text}"
        earlier.append(item)
        items.append(item)
    return items


def _language(kol: DemoKol, book: Phrasebook, mood: str, rng: random.Random) -> str:
    spoken = book.languages(mood)
    weights = {**kol.abroad, kol.language: 1 - sum(kol.abroad.values())}
    return rng.choices(spoken, [weights[language] for language in spoken])[0]


def _likes(rng: random.Random, mood: str) -> int:
    return min(int((rng.paretovariate(1.1) - 1) * _LIKED.get(mood, 1.0)), _TOP_LIKES)


def _day(hour: float) -> float:
    """Two humps, lunch and evening, and little at night; 1 on average over a day."""
    clock = (hour + _DAWN) % 24
    lunch = math.exp(-(((clock - 12.5) / 2.5) ** 2))
    evening = math.exp(-(((clock - 20) / 2.8) ** 2))
    return (0.25 + 1.1 * lunch + 2.0 * evening) / 0.862


def _decay(since: float) -> float:
    """Density of a post's comments `since` hours after it went up; its integral is about 1."""
    if since < 0:
        return 0.0
    norm = _FLAT + _FLAT / (_DECAY - 1)
    return (1.0 if since < _FLAT else (since / _FLAT) ** -_DECAY) / norm


def _poisson(rng: random.Random, mean: float) -> int:
    """A Poisson number by multiplying uniforms (Knuth 1969); fine for the small means here."""
    limit, product, count = math.exp(-mean), rng.random(), 0
    while product > limit:
        product *= rng.random()
        count += 1
    return count
