"""Settings that sources of Meta's platforms have in common."""

from datetime import timedelta
from typing import Any

from pydantic import Field

from serving.sources.graph_api.graph_source import GraphSettings
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import QuotaPeriod
from serving.sources.spec import ADVANCED, Secret, SourceSpec

API_VERSION = "v25.0"
VERSION_FORMAT = r"^v\d{1,3}\.\d{1,2}$"


class GraphSpec(SourceSpec):
    """The tokens of the accounts, and what Meta's app signs with."""

    tokens: Secret = Field(
        title="Access tokens",
        description="One or more long-lived access tokens, separated by spaces or lines: one for"
        " each account, or one that reads several.",
    )
    app_secret: Secret = Field(
        title="App secret",
        description="What Meta signs webhooks with, from the App Dashboard. Enter two, separated"
        " by a space, if you are not sure which of two secrets signs.",
    )
    verify_token: Secret = Field(
        title="Verify token",
        description="A text that you invent, and enter again in the App Dashboard beside the"
        " callback URL.",
    )
    history_days: int = Field(
        90,
        title="Days of history",
        description="How old posts may be whose comments are read when an account is connected.",
        ge=1,
        le=3650,
    )
    daily_requests: int = Field(
        40_000,
        title="Requests a day",
        description="How many requests the source may send a day, for all accounts together.",
        ge=500,
        le=10_000_000,
    )
    api_version: str = Field(
        API_VERSION,
        title="Version of the API",
        description="The version of the Graph API that is asked.",
        pattern=VERSION_FORMAT,
        json_schema_extra=ADVANCED,
    )

    def settings(self) -> GraphSettings:
        """What the source needs of them."""
        return GraphSettings(
            tokens=self.tokens.get_secret_value(),
            app_secret=self.app_secret.get_secret_value(),
            verify_token=self.verify_token.get_secret_value(),
            history=timedelta(days=self.history_days),
            daily_requests=self.daily_requests,
        )


def graph_budget(spec: Any) -> QuotaBudget:
    """What a source may ask in a day."""
    return QuotaBudget(spec.daily_requests, QuotaPeriod())
