"""Facebook: comments on the posts of pages, and what visitors write there."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from serving.sources.facebook.facebook_api import FacebookApi
from serving.sources.facebook.feed_changes import FeedChange, read_change
from serving.sources.graph_api.graph_client import GraphClient
from serving.sources.graph_api.graph_preview import PreviewWording
from serving.sources.graph_api.graph_source import GraphSource
from serving.sources.graph_api.graph_spec import GraphSpec, graph_budget
from serving.sources.graph_api.token_keeper import split_secrets
from serving.sources.graph_api.webhook_calls import GraphNotice, notices_of
from serving.sources.registry import SourceType, register
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED


class FacebookSpec(GraphSpec):
    """An app of Meta's, and the pages that it may read."""

    app_id: str | None = Field(
        None,
        title="App id",
        description="The id of the app, if other apps are installed on the same pages.",
        json_schema_extra=ADVANCED,
    )
    api_url: str = Field(
        "https://graph.facebook.com",
        title="Address of the API",
        description="Where the Graph API answers.",
        json_schema_extra=ADVANCED,
    )


class FacebookSource(GraphSource):
    """See `GraphSource`."""

    platform = "facebook"
    title = "Facebook"
    flat = True
    wording = PreviewWording(
        sees=(
            "Comments and replies on the pages' posts, their edits and removals, at once by"
            " webhook and again by asking.",
            "What visitors write on the pages, if the webhook is set up.",
            "Likes of comments.",
            "Posts with text, link, reactions, comments and shares, and the number of followers.",
        ),
        cannot_see=(
            "Personal profiles and groups: Meta gives them to no app.",
            "Who wrote a comment, if Meta does not name a person to the page.",
            "Messages, stories and comments on advertisements that are no posts of the page.",
            "Posts of visitors from the time before the source was added, or while the webhook"
            " was not called.",
        ),
    )

    def __init__(self, spec: FacebookSpec, context: SourceContext) -> None:
        settings = spec.settings()
        client = GraphClient(
            context, spec.api_url, proof_secret=split_secrets(settings.app_secret)[0]
        )
        api = FacebookApi(client, spec.api_version, context.clock, app_id=spec.app_id)
        super().__init__(api, settings, context)

    def notices(self, body: Any) -> Sequence[GraphNotice]:
        """Changes of pages."""
        return notices_of(body, "page")

    def read_notice(self, notice: GraphNotice, now: datetime) -> Sequence[FeedChange]:
        """A change of a feed; nothing of other fields."""
        return read_change(notice, now) if notice.field == "feed" else []


FACEBOOK = register(
    SourceType(
        name="facebook",
        title="Facebook",
        about="Comments on the posts of Facebook pages, and what visitors write there.",
        platform="facebook",
        source=FacebookSource,
        spec=FacebookSpec,
        build=FacebookSource,
        example={
            "tokens": "EAAG-token-of-the-system-user",
            "app_secret": "0123456789abcdef0123456789abcdef",
            "verify_token": "a-text-that-you-invent",
        },
        budget=graph_budget,
        needs_kol=False,
    )
)
