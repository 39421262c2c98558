"""The settings of a TikTok source."""

from pydantic import Field

from serving.sources.spec import ADVANCED, Secret, SourceSpec

DAY_REQUESTS = 20_000


class TikTokSpec(SourceSpec):
    """One TikTok account that allowed one app."""

    business_id: str = Field(
        title="Business id",
        description="The open_id that TikTok gave out with the tokens of the account.",
        min_length=1,
        max_length=200,
    )
    app_id: str = Field(
        title="App id",
        description="The id of your app: in the TikTok for Business portal under My Apps.",
        min_length=1,
        max_length=100,
    )
    app_secret: Secret = Field(
        title="App secret",
        description="The secret of your app, beside its id; it also signs the calls.",
    )
    refresh_token: Secret = Field(
        title="Refresh token",
        description="What TikTok gave out when the account allowed the app; it lives for a year.",
    )
    access_token: Secret | None = Field(
        None,
        title="Access token",
        description="The token that came with it; it lives for a day, and the source gets new ones"
        " by itself.",
    )
    webhook: bool = Field(
        True,
        title="Webhook",
        description="Whether TikTok shall call this source; an app calls one address only, so say"
        " no for all but one source of an app.",
    )
    requests_a_day: int = Field(
        DAY_REQUESTS,
        title="Requests a day",
        description="How many requests this source may send in a day.",
        ge=1_000,
        le=800_000,
    )
    api_url: str = Field(
        "https://business-api.tiktok.com/open_api/v1.3",
        title="Address of the API",
        description="Where the TikTok API for Business answers.",
        json_schema_extra=ADVANCED,
    )
