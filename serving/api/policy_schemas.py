"""Schemas of detection policies and their overrides."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from monitoring.policy import OVERRIDABLE, Policy
from serving.api.alert_schemas import Actor
from serving.api.entity_tag import Edited
from serving.api.kol_schemas import KolOut
from serving.storage.policy_store import PolicyChange, effective, overrides

Override = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Share = Annotated[float, Field(gt=0, le=1)]


class PolicyIn(BaseModel):
    """Overrides for a KOL. Omitted fields keep their value; null removes an override."""

    model_config = ConfigDict(extra="forbid")

    sensitivity: Override | None = Field(
        None, description="Number of false pages per month that is acceptable."
    )
    minimum_negative: Override | None = Field(
        None, description="Minimum of expected negative comments in an incident."
    )
    critical_ratio: Override | None = Field(
        None, description="Critical: this many times the expected negative comments per hour …"
    )
    critical_share: _Share | None = Field(
        None, description="… and at least this share of negative comments …"
    )
    critical_negative: Override | None = Field(
        None, description="… and at least this many negative comments."
    )
    actor: Actor = None

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if not self.overrides:
            raise PydanticCustomError(
                "nothing_to_set", f"give at least one of {', '.join(OVERRIDABLE)}"
            )
        return self

    @property
    def overrides(self) -> dict[str, float | None]:
        """The fields of the request that are set; None removes an override."""
        return {name: getattr(self, name) for name in OVERRIDABLE if name in self.model_fields_set}


class OverridesOut(BaseModel):
    """The detection policy of a KOL, with its overrides applied."""

    sensitivity: float = Field(description="Number of false pages per month that is acceptable.")
    minimum_negative: float = Field(
        description="Minimum of expected negative comments in an incident."
    )
    critical_ratio: float = Field(
        description="Critical: this many times the expected negative comments per hour …"
    )
    critical_share: float = Field(description="… and at least this share of negative comments …")
    critical_negative: float = Field(description="… and at least this many negative comments.")


class OverrideOut(BaseModel):
    """An override of this KOL."""

    value: float
    actor: str = Field(description="The person who set it.")
    at: datetime = Field(description="Time of the change (wall clock).")


class PolicyOut(Edited):
    """The detection policy of a KOL, and which of its values are overrides."""

    edited_fields = ("effective", "overridden")

    effective: OverridesOut
    overridden: dict[str, OverrideOut]
    in_force: bool = Field(
        description="False while comments received before the last change are not processed yet."
    )


class PolicyChangeOut(BaseModel):
    """A change of the overrides of a KOL."""

    change_id: int
    overrides: dict[str, float | None] = Field(
        description="Changed values; null removed an override."
    )
    actor: str
    at: datetime


class PolicyHistoryOut(PolicyOut):
    """The detection policy of a KOL with its history."""

    changes: list[PolicyChangeOut] = Field(description="Newest first.")


class KolDetailOut(KolOut):
    """A KOL, the status of its stream, and its detection policy."""

    policy: PolicyOut


def policy_out(standard: Policy, changes: Sequence[PolicyChange]) -> PolicyHistoryOut:
    """The policy of a KOL after its changes, oldest first."""
    return PolicyHistoryOut(
        effective=OverridesOut.model_validate(asdict(effective(standard, changes))),
        overridden={
            name: OverrideOut.model_validate(
                {"value": change.overrides[name], "actor": change.actor, "at": change.at}
            )
            for name, change in overrides(changes).items()
        },
        in_force=not changes or changes[-1].after_mark is not None,
        changes=[
            PolicyChangeOut(
                change_id=change.change_id,
                overrides=dict(change.overrides),
                actor=change.actor,
                at=change.at,
            )
            for change in reversed(changes)
        ],
    )
