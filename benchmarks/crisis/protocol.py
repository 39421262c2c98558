"""All parameters of the protocol."""

from dataclasses import dataclass

MINUTES_PER_DAY = 1440
DAYS = 56
WARM_UP_DAYS = 14
MINUTES = DAYS * MINUTES_PER_DAY
WEEKS = (DAYS - WARM_UP_DAYS) / 7
MISSED_MINUTES = 24 * 60.0  # a miss counts as this delay

CALIBRATION_SEED = 71_001
TEST_SEED = 93_002

BUDGETS = (0.1, 0.25, 1.0)  # false pages per KOL-week

HIT_RATE = 0.75  # P(called negative | negative)
FALSE_LABEL_RATE = 0.08  # P(called negative | not negative)

POST_KAPPA = 30.0
POSTS_PER_DAY = (0.4, 1.0, 2.0)
BACKGROUND = 0.25
SIZE_SIGMA = 0.9
VIRAL = 0.03
VIRAL_TAIL = 1.5
KERNEL_DAYS = 7
KERNEL_FLAT = 5
KERNEL_EXPONENT = 1.242
NOISE_SIGMA = 0.25
NOISE_MINUTES = 30.0
WEEKEND = 1.25

CRISES = ("flash", "night", "aftershock", "slow", "flip", "brigade")
HARD_NEGATIVES = ("praise", "viral", "spam", "giveaway", "outage")
CRISES_PER_KOL = 2
HARD_NEGATIVES_PER_KOL = 4


@dataclass(frozen=True, slots=True)
class Tier:
    """A size class of KOLs.

    Attributes:
        name: its name among marketers.
        comments: median number per day.
        peak: lowest and highest peak of a crisis, as a multiple of the mean rate.
        brigade: size of a brigade, as a multiple of that at the small tiers.
    """

    name: str
    comments: float
    peak: tuple[float, float]
    brigade: float = 1.0


TIERS = (
    Tier("nano", 20, (100, 400)),
    Tier("micro", 150, (40, 150)),
    Tier("mid", 1_200, (15, 60)),
    Tier("macro", 10_000, (8, 25), 5.0),
    Tier("mega", 80_000, (4, 12), 25.0),
)
