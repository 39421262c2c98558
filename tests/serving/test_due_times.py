"""KOLs come up when they are due, once, the earliest first."""

import random
from datetime import timedelta

from serving.pipeline.due_times import DueTimes
from tests.serving.conftest import NOW

SECOND = timedelta(seconds=1)


def test_kols_come_up_when_they_are_due_as_a_sorted_list_says() -> None:
    rng, times, expected = random.Random(5), DueTimes(), dict[str, float]()
    for step in range(2000):
        now, kol_id = step / 7, f"kol-{rng.randrange(40)}"
        if rng.random() < 0.2:
            times.drop(kol_id)
            expected.pop(kol_id, None)
        else:
            expected[kol_id] = now + rng.expovariate(0.1)
            times.set(kol_id, NOW + expected[kol_id] * SECOND)
        assert times.get(kol_id) == (
            NOW + expected[kol_id] * SECOND if kol_id in expected else None
        )
        due = {kol_id: at for kol_id, at in expected.items() if at <= now}
        assert times.is_due(NOW + now * SECOND) == bool(due)
        limit = rng.randrange(1, 4)
        taken = times.take(NOW + now * SECOND, limit)
        assert len(taken) == min(limit, len(due))
        # Within a second, any order will do.
        latest = max((int(due[kol_id]) for kol_id in taken), default=0)
        left = [at for kol_id, at in due.items() if kol_id not in taken]
        assert all(int(at) >= latest for at in left)
        for kol_id in taken:
            assert due.pop(kol_id) == expected.pop(kol_id)


def test_what_is_not_due_is_not_touched() -> None:
    times = DueTimes()
    for number in range(50_000):
        times.set(f"kol-{number}", NOW + (60 + number) * SECOND)
    before = list(times._seconds)
    assert times.take(NOW + 62 * SECOND, 100) == ["kol-0", "kol-1", "kol-2"]
    assert times.take(NOW + 62 * SECOND, 100) == []
    assert len(times._seconds) == len(before) - 3
