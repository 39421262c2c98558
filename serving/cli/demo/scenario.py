"""Two days under the posts of three fictional KOLs: a storm, a praise surge and an ordinary one.

Mirelle Vane's followers find that a serum she sells burns; within the hour it is about her and no
longer about the serum; then those who stayed carry her through. Hạ Mây gives a lorry of coats to a
mountain school and is loved for it. Under 서휘윤 (Seo Hwi-yun) nothing happens but life.
"""

import bisect
import itertools
import math
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from serving.cli.demo.grammar import Phrasebook, Scribe, Voices

SPAN = timedelta(hours=48)
_DAWN = 6  # every KOL's clock when the scenario begins
_STEP = 0.05  # hours
_DECAY, _FLAT = 1.242, 5 / 60  # a post's comments: flat for five minutes, then a power law
_REPLY, _REPLY_WITHIN, _NAMED_REPLY = 0.18, 40, 0.4
_TOP_LIKES = 4_000


@dataclass(frozen=True, slots=True)
class Post:
    """One post and the comments it draws.

    Attributes:
        hour: when it went up, hours after the scenario's start.
        size: how many comments it would draw in the long run.
        moods: weights of the moods under it.
    """

    hour: float
    size: float
    moods: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Wave:
    """A crowd that comes on top: it swells for `rise` hours, then halves every `half` hours.

    Attributes:
        mood: of its comments.
        start: hours after the scenario's start.
        rise: hours from start to peak.
        half: hours in which it halves after the peak.
        peak: comments an hour at the peak.
        post: index of the post it stands under.
    """

    mood: str
    start: float
    rise: float
    half: float
    peak: float
    post: int

    def rate(self, hour: float) -> float:
        """Comments an hour at `hour`."""
        since = hour - self.start
        if since < 0:
            return 0.0
        return self.peak * (
            since / self.rise if since < self.rise else 0.5 ** ((since - self.rise) / self.half)
        )


@dataclass(frozen=True, slots=True)
class Kol:
    """A fictional KOL and what happens under the posts.

    Attributes:
        kol_id: as in the API.
        name: shown to people.
        book: the file with the lines.
        language: the KOL's own.
        platforms: where the posts stand, taken in turn.
        followers: as the profile says.
        abroad: weights of the languages of fans elsewhere; the rest is the KOL's own.
        background: comments an hour apart from posts and waves.
        moods: weights of the moods of the background.
        posts: in time order.
        waves: crowds on top.
        regulars: how many authors keep coming back.
    """

    kol_id: str
    name: str
    book: str
    language: str
    platforms: tuple[str, ...]
    followers: int
    abroad: Mapping[str, float]
    background: float
    moods: Mapping[str, float]
    posts: tuple[Post, ...]
    waves: tuple[Wave, ...]
    regulars: int


_MIRELLE = {"love": 0.54, "ask": 0.2, "chat": 0.16, "grumble": 0.1}
_MAY = {"love": 0.36, "order": 0.36, "ask": 0.18, "grumble": 0.1}
_SEO = {"love": 0.52, "ask": 0.2, "chat": 0.14, "grumble": 0.14}

KOLS = (
    Kol(
        "mirelle-vane", "Mirelle Vane", "mirelle", "en", ("instagram", "tiktok"), 640_000,
        {"vi": 0.05, "ko": 0.05}, 9, _MIRELLE,
        (Post(2.5, 170, _MIRELLE), Post(12, 190, _MIRELLE), Post(26.5, 190, _MIRELLE),
         Post(36.5, 150, {"defend": 0.45, "recover": 0.3, "love": 0.15, "personal": 0.1})),
        (Wave("review", 30, 0.25, 0.9, 95, 2), Wave("personal", 31, 0.5, 1.2, 190, 2),
         Wave("defend", 31.7, 1.2, 2.4, 50, 2), Wave("recover", 37, 1, 1.5, 34, 3)),
        420,
    ),
    Kol(
        "ha-may", "Hạ Mây", "ha_may", "vi", ("tiktok", "facebook"), 1_200_000,
        {"en": 0.05, "ko": 0.03}, 9, _MAY,
        (Post(13.5, 190, _MAY), Post(27, 90, _MAY), Post(33, 80, {"charity": 0.8, "love": 0.2})),
        (Wave("charity", 33, 0.7, 1.6, 130, 2),),
        380,
    ),
    Kol(
        "seo-hwiyun", "서휘윤", "seo", "ko", ("instagram", "youtube"), 2_300_000,
        {"en": 0.1, "vi": 0.07}, 9, _SEO,
        (Post(5, 120, _SEO), Post(14, 90, _SEO), Post(29.5, 130, _SEO), Post(38, 110, _SEO)),
        (),
        400,
    ),
)  # fmt: skip

# How often a comment of a mood comes from somebody who was not there before.
_NEWCOMERS = {"review": 0.3, "personal": 0.6, "defend": 0.08, "recover": 0.1, "charity": 0.5}
_NEWCOMERS_USUALLY = 0.2
_LIKED = {"review": 3.0, "personal": 4.0, "defend": 2.5, "charity": 3.0}


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of the scenario beforehand.

    Attributes:
        storm_kol: who gets the backlash.
        praised_kol: who gets the praise surge.
        ordinary_kol: under whom nothing happens.
        storm_after: from the scenario's start to the first hostile wave.
        personal_after: from the scenario's start to the moment it turns personal.
    """

    storm_kol: str
    praised_kol: str
    ordinary_kol: str
    storm_after: timedelta
    personal_after: timedelta


SCENARIO = Facts(
    storm_kol=KOLS[0].kol_id,
    praised_kol=KOLS[1].kol_id,
    ordinary_kol=KOLS[2].kol_id,
    storm_after=timedelta(hours=KOLS[0].waves[0].start),
    personal_after=timedelta(hours=KOLS[0].waves[1].start),
)


@dataclass(frozen=True, slots=True)
class Moment:
    """A comment before it is written.

    Attributes:
        hour: hours after the scenario's start.
        mood: what it is to say.
        post: index of the post it stands under.
    """

    hour: float
    mood: str
    post: int


def plan(kol: Kol, rng: random.Random) -> list[Moment]:
    """When which mood is voiced under which post of a KOL, in time order."""
    moments: list[Moment] = []
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
                moments.append(Moment(hour + rng.random() * _STEP, mood, post_index))
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
    kol: Kol, moments: Sequence[Moment], rng: random.Random, voices: Voices, start: datetime
) -> list[dict[str, object]]:
    book = Phrasebook.load(kol.book)
    crowd, scribe = _Crowd(kol, rng, voices), Scribe(book, voices, rng)
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


class _Crowd:
    """The authors under a KOL: regulars by a Zipf law, and people never seen before."""

    def __init__(self, kol: Kol, rng: random.Random, voices: Voices) -> None:
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
        if self._rng.random() < _NEWCOMERS.get(mood, _NEWCOMERS_USUALLY):
            return self._fresh(language)
        return self._rng.choices(self._regulars[language], cum_weights=self._weights[language])[0]

    def _fresh(self, language: str) -> str:
        while (handle := self._voices.handle(self._rng, language)) in self._taken:
            pass
        self._taken.add(handle)
        return handle


def _language(kol: Kol, book: Phrasebook, mood: str, rng: random.Random) -> str:
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
