"""Schemas of KOLs, their followers and their mood."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)
from pydantic_core import PydanticCustomError

from monitoring.kinds import Severity
from serving.api.alert_schemas import Actor
from serving.api.aware_time import AwareTime
from serving.api.delay_schemas import PlatformDelayOut
from serving.api.entity_tag import Edited
from serving.api.kol_params import RawKolId
from serving.ingest.comment import MAX_LIKES, storable
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.service import Service
from serving.storage.kol_alias_rows import AliasKind
from serving.storage.kol_handle_rows import handle_key
from serving.storage.kol_store import KolRecord
from serving.storage.source_delay import SourceDelay

Line = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$"),
    BeforeValidator(storable),
]
Tier = Literal["nano", "micro", "mid", "macro", "mega"]
Relation = Literal["in_house", "partner"]


def _account(value: str) -> str:
    if not handle_key(value):
        raise PydanticCustomError("empty_handle", "must hold more than '@'")
    return value


_Handle = Annotated[Line, AfterValidator(_account)]


class KolIn(BaseModel):
    """The profile of a KOL. Omitted fields are cleared."""

    model_config = ConfigDict(extra="forbid")

    name: Line | None = None
    handles: dict[Line, _Handle] = Field(
        {},
        max_length=50,
        description="Account by platform, with or without `@`. Comments may name the KOL by it.",
    )
    followers: int | None = Field(
        None,
        ge=0,
        le=MAX_LIKES,
        description="Over all platforms, now. Every number is kept with its time.",
    )
    tier: Tier | None = None
    relation: Relation | None = None


class KolStatusOut(BaseModel):
    """The status of a KOL's stream at its last comment."""

    model_config = ConfigDict(from_attributes=True)

    kol_id: str
    watermark: datetime | None = Field(
        description="Event time before which all minutes are closed."
    )
    score: float = Field(
        description="Highest ratio of a detector's score to its threshold; 1 raises an alert."
    )
    negative_share: float = Field(description="Negative share in the last half hour, 0 to 1.")
    mood: float = Field(description="Mood in the last half hour, -1 to 1.")
    expected_negative_share: float = Field(description="Normal negative share for this KOL.")
    comments_per_hour: float = Field(description="Comments per hour in the last half hour.")
    expected_comments_per_hour: float = Field(
        description="Normal number of comments for this KOL at this hour of the week."
    )
    alert_id: str | None = Field(description="Id of the open backlash alert.")
    severity: Severity | None = Field(description="Severity of that alert.")
    late: int = Field(description="Number of comments that were too late for detection.")
    duplicates: int = Field(description="Number of comments repeated within an open minute.")
    learning: bool = Field(
        description="True while there are too few comments to know what is normal."
    )


class KolAliasOut(BaseModel):
    """An id that leads to a KOL."""

    model_config = ConfigDict(from_attributes=True)

    kol_id: str
    kind: AliasKind
    actor: str = Field(description="The person who renamed or merged it.")
    at: datetime = Field(description="Time of the change (wall clock).")


class RenameIn(BaseModel):
    """A new id for a KOL."""

    model_config = ConfigDict(extra="forbid")

    new_id: RawKolId = Field(description="Letters, digits and `-._~`, 128 characters at most.")
    actor: Actor = None


class MergeIn(BaseModel):
    """The KOL that another is merged into."""

    model_config = ConfigDict(extra="forbid")

    into: RawKolId = Field(description="Id of the KOL that gets the comments.")
    actor: Actor = None


class KolActorIn(BaseModel):
    """The person who changes a KOL."""

    model_config = ConfigDict(extra="forbid")

    actor: Actor = None


class KolOut(Edited):
    """A KOL and the status of its stream."""

    edited_fields = ("name", "handles", "followers", "tier", "relation", "archived_at")

    kol_id: str
    name: str | None
    handles: dict[str, str]
    followers: int | None = Field(description="Newest number of followers, over all platforms.")
    tier: Tier | None
    relation: Relation | None
    registered_at: datetime
    duplicates: int = Field(description="Number of comments that were sent again.")
    archived_at: datetime | None = Field(
        description="Since when it is archived; null if it is not."
    )
    aliases: list[KolAliasOut] = Field(
        description="Ids that lead to it: former ones, and those of KOLs that were merged into it."
    )
    sources: list[PlatformDelayOut] = Field(
        description="The platforms that live comments came from."
    )
    status: KolStatusOut | None = Field(description="Null until the first comment is processed.")

    @classmethod
    def of(cls, kol: KolRecord, delays: Sequence[SourceDelay], **more: object) -> Self:
        """A KOL as its reader sees it; `more` are the further fields of a subclass."""
        status = None if kol.status is None else KolStatusOut.model_validate(kol.status)
        return cls.model_validate(
            asdict(kol.profile)
            | {
                "kol_id": kol.kol_id,
                "registered_at": kol.registered_at,
                "duplicates": kol.duplicates,
                "archived_at": kol.archived_at,
                "aliases": [KolAliasOut.model_validate(alias) for alias in kol.aliases],
                "sources": [PlatformDelayOut.of(delay) for delay in delays],
                "status": status,
            }
            | more
        )


class KolList(BaseModel):
    """A page of KOLs by id."""

    items: list[KolOut]
    next_cursor: str | None


class FollowerCountIn(BaseModel):
    """How many followers a KOL had at an instant, over all platforms."""

    model_config = ConfigDict(extra="forbid")

    followers: int = Field(ge=0, le=MAX_LIKES)
    at: AwareTime | None = Field(
        None, description="When they were counted; default: now. Not in the future."
    )


class FollowerCountOut(BaseModel):
    """How many followers a KOL had at an instant, over all platforms."""

    model_config = ConfigDict(from_attributes=True)

    at: datetime
    followers: int


class FollowerList(BaseModel):
    """A page of follower counts, newest first."""

    items: list[FollowerCountOut]
    next_cursor: str | None


class MoodPointOut(BaseModel):
    """One step of a KOL's mood. Steps without comments are left out."""

    start: datetime
    comments: int
    negative_share: float = Field(description="Mean of P(negative), 0 to 1.")
    positive_share: float = Field(description="Mean of P(positive), 0 to 1.")
    mood: float = Field(description="Mean of P(positive) - P(negative), -1 to 1.")


class MoodOut(BaseModel):
    """A KOL's mood over time."""

    kol_id: str
    since: AwareDatetime
    until: AwareDatetime
    step: int = Field(description="Length of a step in seconds.")
    points: list[MoodPointOut]


async def kol_out(kol_id: str, service: Service, visible: KolLimit = EVERY_KOL) -> KolOut:
    """A KOL as its reader sees it now.

    Raises:
        NotFound: there is no such KOL.
    """
    delays = await service.delays.of_kols([kol_id])
    return KolOut.of(await service.kols.get(kol_id, visible), delays[kol_id])
