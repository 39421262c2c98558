"""Schemas of delays: how late the comments of a platform arrive."""

from datetime import timedelta
from typing import Self

from pydantic import BaseModel, Field

from serving.locales.wording import wording
from serving.storage.source_delay import SourceDelay

_SOON = timedelta(minutes=1)


class PlatformDelayOut(BaseModel):
    """How late the comments of a KOL on one platform usually arrive."""

    platform: str
    comments: int = Field(
        description="Number of live comments: not older than a week when they arrived."
    )
    delay_p10_seconds: float | None = Field(
        description="One live comment in ten arrives sooner after it was written; null until "
        "the normal delay is known."
    )
    delay_p90_seconds: float | None = Field(
        description="One live comment in ten arrives later; null until the normal delay is known."
    )
    says: str = Field(description="The normal delay in words.")

    @classmethod
    def of(cls, delay: SourceDelay) -> Self:
        """A delay as its reader sees it."""
        return cls(
            platform=delay.platform,
            comments=delay.comments,
            delay_p10_seconds=None if delay.least is None else delay.least.total_seconds(),
            delay_p90_seconds=None if delay.most is None else delay.most.total_seconds(),
            says=_in_words(delay),
        )


def _in_words(delay: SourceDelay) -> str:
    if delay.least is None or delay.most is None:
        return "not known yet"
    if delay.most < _SOON:
        return "arrives within a minute"
    return f"arrives {wording().span_range(delay.least, delay.most)} late"
