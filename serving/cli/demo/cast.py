"""The three fictional KOLs of the demo, their posts, and the waves of comments under them.

Mirelle Vane's followers find that a serum she sells burns. Within the hour the comments are about
her and no longer about the serum; then those who stayed carry her through. Hạ Mây gives a lorry of
coats to a mountain school and is praised for it. Under 서휘윤 (Seo Hwi-yun) nothing happens.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class DemoPost:
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
class CommentWave:
    """Extra comments: their rate grows for `rise` hours, then halves every `half` hours.

    Attributes:
        mood: of its comments.
        start: hours after the scenario's start.
        rise: hours from start to peak.
        half: hours in which it halves after the peak.
        peak: comments an hour at the peak.
        post: index of the post that they are written under.
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
class DemoKol:
    """A fictional KOL and what happens under the posts.

    Attributes:
        kol_id: as in the API.
        name: shown to people.
        book: the file with the lines.
        language: the KOL's own.
        platforms: where the posts are, taken in turn.
        followers: as the profile says.
        abroad: weights of the languages of fans elsewhere; the rest is the KOL's own.
        background: comments an hour apart from posts and waves.
        moods: weights of the moods of the background.
        posts: in time order.
        waves: on top.
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
    posts: tuple[DemoPost, ...]
    waves: tuple[CommentWave, ...]
    regulars: int


_MIRELLE = {"love": 0.54, "ask": 0.2, "chat": 0.16, "grumble": 0.1}
_MAY = {"love": 0.36, "order": 0.36, "ask": 0.18, "grumble": 0.1}
_SEO = {"love": 0.52, "ask": 0.2, "chat": 0.14, "grumble": 0.14}

KOLS = (
    DemoKol(
        "mirelle-vane", "Mirelle Vane", "mirelle", "en", ("instagram", "tiktok"), 640_000,
        {"vi": 0.05, "ko": 0.05}, 9, _MIRELLE,
        (DemoPost(2.5, 170, _MIRELLE), DemoPost(12, 190, _MIRELLE), DemoPost(26.5, 190, _MIRELLE),
         DemoPost(36.5, 150, {"defend": 0.45, "recover": 0.3, "love": 0.15, "personal": 0.1})),
        (CommentWave("review", 30, 0.25, 0.9, 95, 2), CommentWave("personal", 31, 0.5, 1.2, 190, 2),
         CommentWave("defend", 31.7, 1.2, 2.4, 50, 2), CommentWave("recover", 37, 1, 1.5, 34, 3)),
        420,
    ),
    DemoKol(
        "ha-may", "Hạ Mây", "ha_may", "vi", ("tiktok", "facebook"), 1_200_000,
        {"en": 0.05, "ko": 0.03}, 9, _MAY,
        (DemoPost(13.5, 190, _MAY), DemoPost(27, 90, _MAY),
         DemoPost(33, 80, {"charity": 0.8, "love": 0.2})),
        (CommentWave("charity", 33, 0.7, 1.6, 130, 2),),
        380,
    ),
    DemoKol(
        "seo-hwiyun", "서휘윤", "seo", "ko", ("instagram", "youtube"), 2_300_000,
        {"en": 0.1, "vi": 0.07}, 9, _SEO,
        (DemoPost(5, 120, _SEO), DemoPost(14, 90, _SEO), DemoPost(29.5, 130, _SEO),
         DemoPost(38, 110, _SEO)),
        (),
        400,
    ),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ScenarioFacts:
    """What happens in the scenario.

    Attributes:
        storm_kol: the KOL with the backlash.
        praised_kol: the KOL with the praise surge.
        ordinary_kol: the KOL without an incident.
        storm_after: from the scenario's start to the first hostile wave.
        personal_after: from the scenario's start to the moment it turns personal.
    """

    storm_kol: str
    praised_kol: str
    ordinary_kol: str
    storm_after: timedelta
    personal_after: timedelta


SCENARIO = ScenarioFacts(
    storm_kol=KOLS[0].kol_id,
    praised_kol=KOLS[1].kol_id,
    ordinary_kol=KOLS[2].kol_id,
    storm_after=timedelta(hours=KOLS[0].waves[0].start),
    personal_after=timedelta(hours=KOLS[0].waves[1].start),
)
