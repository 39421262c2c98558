"""An invented alert, for seeing what a channel will show. Nobody in it exists."""

from datetime import UTC, datetime, timedelta

from monitoring.audience import Audience
from monitoring.drivers import Drivers, PostDriver, Sample
from monitoring.evidence import Evidence
from monitoring.kinds import AlertKind
from monitoring.summary import summarise
from serving.charts.drawing import draw
from serving.charts.mood_chart import Bin, Mark, MoodChart
from serving.locales.wording import Wording
from serving.notify.notification import Notification

_NAME, _KOL, _POST, _KIND = "Mirelle Vane", "mirelle-vane", "spf-drops-launch", AlertKind.BACKLASH
_STEP = timedelta(minutes=5)
# Comments and negatives in each five minutes from two hours before, and what is normal.
_CALM = ((9, 1), (12, 1), (8, 2), (11, 1), (14, 2), (10, 1), (9, 1), (13, 2), (12, 1), (10, 2))
_STORM = ((14, 5), (19, 10), (31, 19), (46, 31), (68, 49), (93, 70))
_USUAL, _USUAL_NEGATIVE = 10.6, 1.5
_SAMPLES = (
    ("This serum burned my skin and all she does is delete comments.", 0.97, 412),
    ("Kem này làm mình nổi mẩn cả tuần, hỏi thì bị chặn luôn.", 0.95, 96),
    ("I trusted you for years. What a fucking scam, I want my money back", 0.96, 188),
)


def example(now: datetime, public_url: str | None) -> Notification:
    """A storm that opened an alert at the last full five minutes.

    Args:
        now: aware.
        public_url: under which people reach this service; None leaves links out.
    """
    at = _opened(now)
    begun = at - len(_STORM) * _STEP
    comments = sum(count for count, _ in _STORM)
    negative = float(sum(dark for _, dark in _STORM))
    usual = len(_STORM) * _USUAL
    share = _USUAL_NEGATIVE / _USUAL
    samples = tuple(
        Sample(
            "instagram", f"example-{index}", _POST, None, text, dark, None, likes, at.isoformat()
        )
        for index, (text, dark, likes) in enumerate(_SAMPLES)
    )
    drivers = Drivers(
        posts=(PostDriver(_POST, 214, 161.0, 214 * share, 161.0 - 214 * share),),
        terms=(),
        representative=samples,
        most_liked=(),
        audience=Audience(203, 0.01, 0.04, 0.31, 0.46, 0.03, "organic", ()),
        offensive_share=None,
        languages=(("en", 231), ("vi", 40)),
        platforms=(("instagram", comments),),
    )
    evidence = Evidence(
        begun, at, begun, comments, negative, usual, share, comments / usual, (), drivers
    )
    evidence = evidence.saying(summarise(_KIND, _KOL, evidence))
    return Notification(
        key=f"test-{now.isoformat()}",
        alert_id="test",
        kol_id=_KOL,
        kol_name=_NAME,
        kind=_KIND,
        severity="critical",
        reason="test",
        at=at,
        opened_at=at,
        evidence=evidence,
        public_url=public_url,
    )


def example_chart(now: datetime) -> MoodChart:
    """What the chart of that storm shows."""
    at = _opened(now)
    counts = [_CALM[index % len(_CALM)] for index in range(24)] + list(_STORM)
    first = at - len(counts) * _STEP
    bins = tuple(
        Bin(first + index * _STEP, count, float(dark), _USUAL, _USUAL_NEGATIVE)
        for index, (count, dark) in enumerate(counts)
    )
    marks = (Mark(at - len(_STORM) * _STEP, "began"), Mark(at, "opened"))
    return MoodChart(_NAME, _KOL, _STEP, bins, marks)


class ExampleAttachments:
    """Draws the example's chart; no store is read."""

    async def of(self, notification: Notification, words: Wording) -> bytes | None:
        """The PNG."""
        return draw(example_chart(notification.at), words)


def _opened(now: datetime) -> datetime:
    return now - (now - datetime(1970, 1, 1, tzinfo=UTC)) % _STEP
