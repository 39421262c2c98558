"""A real storm: tweets to US airlines, February 2015, with the human labels as probabilities."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pandas as pd
import pytest

from monitoring.engine import Engine
from monitoring.events import Comment, ScoredComment
from monitoring.policy import Policy

SHARED = Path(__file__).parents[2].parent / "shared"
NEW_YORK = ZoneInfo("America/New_York")

pytestmark = pytest.mark.skipif(not SHARED.exists(), reason="needs ../shared")


def opened() -> dict[str, list[datetime]]:
    frame = pd.read_parquet(SHARED / "streams" / "airline_feb2015.parquet")
    frame = frame.sort_values(["created_at", "comment_id"])
    engine = Engine(Policy(sensitivity=0.43))  # one false page in ten KOL-weeks
    pages: dict[str, list[datetime]] = {}
    for row in frame.itertuples():
        negative = float(row.label == "negative")
        comment = Comment(
            platform=row.platform,
            comment_id=row.comment_id,
            kol_id=row.kol_id,
            text=row.text,
            created_at=row.created_at.to_pydatetime().astimezone(UTC),
            author_id=row.author_id,
        )
        positive = (1 - negative) * (row.label == "positive")
        scored = ScoredComment(comment, negative, 1 - negative - positive, positive)
        for event in engine.observe(scored).events:
            if event.pages and row.kol_id != "american":  # its collection began in the storm
                pages.setdefault(row.kol_id, []).append(event.at.astimezone(NEW_YORK))
    return pages


def test_the_storm_is_detected_with_four_days_of_history():
    pages = opened()
    evening = datetime(2015, 2, 21, 18, tzinfo=NEW_YORK)
    midnight = datetime(2015, 2, 23, tzinfo=NEW_YORK)
    for airline in ("us-airways", "united", "delta"):
        assert any(evening <= at < midnight for at in pages[airline]), airline
    assert any(at.date().isoformat() == "2015-02-21" for at in pages["southwest"])
    assert sum(len(times) for times in pages.values()) <= 8
    calm = timedelta(days=1)
    late = [at for times in pages.values() for at in times if at > midnight + calm]
    assert late == []
