"""Fixed stories through the whole engine, and all that it makes of them.

After a change of what is computed, write the new files: `python -m tests.monitoring.golden_story`,
and say in the change why the figures moved.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec

from monitoring.alerts import AlertEvent
from monitoring.detectors.volume_surge import VolumeSurge, VolumeSurgeSettings
from monitoring.drivers import Drivers, explain
from monitoring.engine import Engine
from monitoring.near_duplicates import RecentTexts, signature
from monitoring.snapshot import decode
from monitoring.terms import terms_of
from tests.monitoring.streams import START, Scene, comments_of, scored

FOLDER = Path(__file__).with_name("golden")
STEP = VolumeSurgeSettings().step
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
DAY = 24 * 60
CRISIS = (
    Scene(6 * DAY, 0.5, 0.12),
    Scene(90, 4.0, 0.85),  # backlash
    Scene(5 * 60, 0.5, 0.15),
    Scene(45, 6.0, 0.9),  # an aftershock
    Scene(2 * DAY, 0.5, 0.12),
    Scene(12 * 60, 0.7, 0.45),  # discontent at nearly normal volume
    Scene(DAY, 0.5, 0.12),
)
COPIES = (
    Scene(5 * DAY, 0.6, 0.2),
    Scene(40, 5.0, 0.9, copied=True),  # a brigade
    Scene(DAY, 0.6, 0.2),
    Scene(60, 4.0, 0.0, copied=True),  # a comment flood that says nothing bad
    Scene(DAY, 0.6, 0.2),
)
BURN = (
    Scene(6 * DAY, 0.5, 0.12),
    Scene(14 * 60, 1.0, 0.16),  # a slow burn
    Scene(DAY, 0.5, 0.12),
)
ATTENTION = (
    Scene(8 * DAY, 0.5, 0.12),
    Scene(6 * 60, 10.0, 0.12),  # an attention surge
    Scene(DAY, 0.5, 0.12),
)
PRAISE = (
    Scene(5 * DAY, 0.5, 0.5),
    Scene(120, 5.0, 0.02),  # praise
    Scene(DAY, 0.5, 0.5),
    Scene(30 * 60, 0.0, 0.0),  # a data gap
    Scene(DAY, 0.5, 0.5),
    Scene(4 * DAY, 0.5, 0.75),  # what stays so long is the new normal
)
TEXTS = (
    "The cream burned my skin, don't buy it! https://x.example/a @shop",
    "the CREAM burned my skin... dont buy",
    "kem trộn lừa đảo, bán kem trộn 2026",
    "뒷광고 실망이에요 언니",
    "ครีมนี้โกงลูกค้า โกงกันชัดๆ",
    "这是虚假宣传 and a lie",
    "ok 'quoted' don't I x",
    "e\u0301 é ½ ﬁne",
)


def engine_story(scenes: tuple[Scene, ...], seed: int) -> Callable[[], dict[str, Any]]:
    """Events, every 61st minute's scores, gaps to come, and the state after each scene."""

    def tell() -> dict[str, Any]:
        engine, events, scores, states = Engine(), [], [], []
        comments = iter(comments_of(scenes, seed))
        ends = _ends(scenes)
        end, seen, due = next(ends), 0, []
        for comment in comments:
            at = comment.comment.created_at
            while at >= end:
                silent = engine.silence("lena", end)
                due.append(str(engine.gap_due("lena")))
                events += silent.events
                states.append(msgspec.to_builtins(decode("lena", engine.snapshot("lena"))))
                end = next(ends)
            said = engine.observe(comment)
            events += said.events
            for score in said.minute_scores:
                seen += 1
                if seen % 61 == 0:
                    scores.append(asdict(score))
        last = engine.advance("lena", end + 72 * HOUR)
        status = asdict(engine.status("lena"))
        return plain(
            {"events": [_event(one) for one in events + last.events], "scores": scores,
             "states": states[1::2], "status": status, "due": due}
        )  # fmt: skip

    return tell


def _event(event: AlertEvent) -> dict[str, Any]:
    """An event without its sentence, whose words have tests of their own."""
    found = asdict(event)
    del found["evidence"]["summary"]
    return found


def _ends(scenes: tuple[Scene, ...]) -> Iterator[datetime]:
    at = START
    for scene in scenes:
        at += scene.minutes * MINUTE
        yield at
    yield at + 365 * 24 * HOUR


def surge_story() -> dict[str, Any]:
    """The attention of three weeks, with a trend, nights, a surge and a silence."""
    rng, detector = random.Random(9), VolumeSurge()
    scores = []
    steps = 24 * 60 // STEP
    for index in range(21 * steps):
        rate = 12.0 + index / steps + (8.0 if index % steps > steps // 2 else 0.0)
        rate *= 9.0 if 16 * steps < index < 16 * steps + 6 else 1.0
        if 18 * steps < index < 18 * steps + 40:
            continue
        detector.learn_one(STEP * index, sum(rng.random() < 0.5 for _ in range(int(2 * rate))))
        if index % 37 == 0 or 16 * steps - 3 < index < 16 * steps + 20:
            scores.append(detector.score_one())
    return plain({"scores": scores, "state": msgspec.to_builtins(detector.state)})


def drivers_story() -> dict[str, Any]:
    """What sets 80 comments apart from 300: posts, terms, samples, audience."""
    rng = random.Random(4)

    def write(number: int, negative: float, texts: tuple[str, ...]) -> Any:
        return scored(
            START + number * MINUTE,
            number,
            round(negative, 3),
            text=f"{rng.choice(texts)} {rng.randrange(50)}",
            author=None if number % 11 == 0 else f"u{rng.randrange(60)}",
            post_id=f"p{rng.randrange(5)}",
            likes=rng.randrange(40),
            lang=rng.choice(["en", "vi", None]),
        )

    calm = [write(n, 0.3 * rng.random(), TEXTS[3:]) for n in range(300)]
    storm = [write(n, 0.4 + 0.6 * rng.random(), TEXTS[:6]) for n in range(300, 380)]
    found = {
        "own": explain(storm, calm),
        "known": explain(storm, calm, 0.2, 3),
        "alone": explain(storm[:20], []),
        "none": explain([], []),
    }
    return plain({name: _figures(drivers) for name, drivers in found.items()})


def _figures(drivers: Drivers) -> dict[str, Any]:
    """Drivers without the sentences about the audience."""
    return asdict(replace(drivers, audience=replace(drivers.audience, reasons=())))


def texts_story() -> dict[str, Any]:
    """The terms of texts in six scripts, and which texts nearly repeat another."""
    recent = RecentTexts([])
    rng = random.Random(2)
    alike = [
        recent.add(signature(f"{rng.choice(TEXTS)} {'wow ' * rng.randrange(9)}{number % 3}"))
        for number in range(400)
    ]
    return {
        "terms": {text: sorted(terms_of(text)) for text in TEXTS},
        "signatures": {text: signature(text) for text in (*TEXTS, "123456789012", "abcdefghijkl")},
        "alike": [number for number, one in enumerate(alike) if one],
    }


def plain(value: Any) -> Any:
    """Only what JSON has, floats to nine digits."""
    if isinstance(value, float):
        return float(f"{value:.9g}")
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, datetime | timedelta):
        return str(value)
    return value


STORIES: dict[str, Callable[[], dict[str, Any]]] = {
    "crisis": engine_story(CRISIS, 1),
    "copies": engine_story(COPIES, 2),
    "praise": engine_story(PRAISE, 3),
    "burn": engine_story(BURN, 5),
    "attention": engine_story(ATTENTION, 6),
    "surge": surge_story,
    "drivers": drivers_story,
    "texts": texts_story,
}

if __name__ == "__main__":
    for name, story in STORIES.items():
        (FOLDER / f"{name}.json").write_text(json.dumps(story(), ensure_ascii=False) + "\n")
