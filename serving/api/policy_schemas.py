"""The bodies about what a KOL is judged by."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from monitoring.policy import OVERRIDABLE, Policy
from serving.api.alert_schemas import Name
from serving.api.schemas import KolOut
from serving.storage.policy_store import PolicyChange, effective, overrides

Override = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Share = Annotated[float, Field(gt=0, le=1)]


class PolicyIn(BaseModel):
    """What to set for a KOL. What is left out stays; null takes an override back."""

    model_config = ConfigDict(extra="forbid")

    sensitivity: Override | None = Field(None, description="False pages a month to accept.")
    minimum_negative: Override | None = Field(
        None, description="Expected negative comments an incident must hold."
    )
    critical_ratio: Override | None = Field(
        None, description="Critical: so many times the usual negatives an hour …"
    )
    critical_share: _Share | None = Field(
        None, description="… and at least this share of the comments negative …"
    )
    critical_negative: Override | None = Field(
        None, description="… and at least this many negative comments."
    )
    actor: Name = Field(description="Who sets it.")

    @model_validator(mode="after")
    def _sets_something(self) -> Self:
        if not self.overrides:
            raise PydanticCustomError(
                "nothing_to_set", f"give at least one of {', '.join(OVERRIDABLE)}"
            )
        return self

    @property
    def overrides(self) -> dict[str, float | None]:
        """What is to be set; None takes an override back."""
        return {name: getattr(self, name) for name in OVERRIDABLE if name in self.model_fields_set}


class OverridesOut(BaseModel):
    """What a KOL is judged by, overrides included."""

    sensitivity: float = Field(description="False pages a month that are accepted.")
    minimum_negative: float = Field(description="Negative comments an incident must hold.")
    critical_ratio: float = Field(description="Critical: times the usual negatives an hour …")
    critical_share: float = Field(description="… and this share of the comments negative …")
    critical_negative: float = Field(description="… and this many negative comments.")


class OverrideOut(BaseModel):
    """A value that was set for this KOL."""

    value: float
    actor: str = Field(description="Who set it.")
    at: datetime = Field(description="When, by the clock.")


class PolicyOut(BaseModel):
    """What a KOL is judged by, and what of it was set for this KOL."""

    effective: OverridesOut
    overridden: dict[str, OverrideOut]
    in_force: bool = Field(
        description="False while comments from before the last change wait to be worked off."
    )


class PolicyChangeOut(BaseModel):
    """Somebody set what a KOL is judged by."""

    change_id: int
    overrides: dict[str, float | None] = Field(description="Null took an override back.")
    actor: str
    at: datetime


class PolicyHistoryOut(PolicyOut):
    """What a KOL is judged by, and how it came to be."""

    changes: list[PolicyChangeOut] = Field(description="Last made first.")


class KolDetailOut(KolOut):
    """A KOL, how its stream stands, and what it is judged by."""

    policy: PolicyOut


def policy_out(standard: Policy, changes: Sequence[PolicyChange]) -> PolicyHistoryOut:
    """What a KOL is judged by after its changes, first made first."""
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
