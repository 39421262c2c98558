"""Instagram: comments, replies, live comments and mentions of professional accounts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from serving.sources.faults import BadAnswer
from serving.sources.graph_api.graph_client import GraphClient, optional_text, text_of
from serving.sources.graph_api.graph_preview import PreviewWording
from serving.sources.graph_api.graph_records import CommentLookup
from serving.sources.graph_api.graph_source import GraphSource
from serving.sources.graph_api.graph_spec import GraphSpec, graph_budget
from serving.sources.graph_api.token_keeper import split_secrets
from serving.sources.graph_api.webhook_calls import GraphNotice, notices_of
from serving.sources.instagram.instagram_api import InstagramApi
from serving.sources.registry import SourceType, register
from serving.sources.source_batch import SourceComment, SourcePost, SourceRemoval
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED

_HOSTS = {
    "instagram": "https://graph.instagram.com",
    "facebook": "https://graph.facebook.com",
}
_KNOWN_POSTS = 20_000


class InstagramSpec(GraphSpec):
    """An app of Meta's, and the accounts that allowed it."""

    login: Literal["instagram", "facebook"] = Field(
        "instagram",
        title="Login",
        description="How the accounts allowed the app: with Instagram Login (one token for each"
        " account) or with Facebook Login (a token for all accounts of your pages).",
    )
    app_id: str | None = Field(
        None,
        title="App id",
        description="The id of the app, if other apps call for the same accounts.",
        json_schema_extra=ADVANCED,
    )
    api_url: str | None = Field(
        None,
        title="Address of the API",
        description="Where the Graph API answers, if not where the login says.",
        json_schema_extra=ADVANCED,
    )


class InstagramSource(GraphSource):
    """See `GraphSource`."""

    platform = "instagram"
    title = "Instagram"
    flat = False
    wording = PreviewWording(
        sees=(
            "Comments and replies under the accounts' posts and reels, at once by webhook and"
            " again by asking.",
            "Comments under live broadcasts while they run, if the webhook is set up.",
            "Likes of comments, and comments that are deleted from among the newest hundred of a"
            " post.",
            "Posts with text, link, likes and number of comments, and the number of followers.",
        ),
        cannot_see=(
            "Comments of private accounts, of people whom the account restricts, and under posts"
            " with an age limit.",
            "Live comments that were missed: Instagram gives them out only during the broadcast.",
            "Messages and stories.",
            "Mentions, unless the accounts allowed the app with Facebook Login.",
            "Whether a comment was deleted while the service did not run, if it is not among the"
            " newest hundred of a post.",
        ),
    )

    def __init__(self, spec: InstagramSpec, context: SourceContext) -> None:
        self._by_page = spec.login == "facebook"
        client = GraphClient(
            context,
            spec.api_url or _HOSTS[spec.login],
            proof_secret=split_secrets(spec.settings().app_secret)[0] if self._by_page else None,
        )
        api = InstagramApi(
            client,
            spec.api_version,
            context.clock,
            by_page=self._by_page,
            app_id=spec.app_id,
        )
        super().__init__(api, spec.settings(), context)
        self._known_posts: dict[str, None] = {}

    def note_posts(self, post_ids: Sequence[str]) -> None:
        """Learn the ids of posts: a call about an album names one of its pictures instead."""
        for post_id in post_ids:
            self._known_posts[post_id] = None
        while len(self._known_posts) > _KNOWN_POSTS:
            del self._known_posts[next(iter(self._known_posts))]

    def notices(self, body: Any) -> Sequence[GraphNotice]:
        """Changes of Instagram accounts."""
        return notices_of(body, "instagram")

    def read_notice(
        self, notice: GraphNotice, now: datetime
    ) -> Sequence[SourceComment | SourceRemoval | SourcePost | CommentLookup]:
        """A comment, or a mention that has to be asked for; nothing of other fields."""
        value = notice.value
        if notice.field in {"comments", "live_comments"}:
            return self._comment(notice)
        if notice.field == "mentions" and self._by_page:
            media_id, comment_id = (
                optional_text(value, name) for name in ("media_id", "comment_id")
            )
            if media_id is None and comment_id is None:
                raise BadAnswer("Instagram called about a mention without 'media_id'")
            return [CommentLookup(notice.account_id, comment_id, media_id, mention=True)]
        return []

    def _comment(self, notice: GraphNotice) -> list[SourceComment | CommentLookup]:
        value = notice.value
        comment_id = text_of(value, "id")
        media = optional_text(value, "media", "original_media_id") or optional_text(
            value, "media", "id"
        )
        product = optional_text(value, "media", "media_product_type")
        # Under a picture of an album, Instagram names the picture and not the post.
        is_post = notice.field == "live_comments" or media in self._known_posts or product != "FEED"
        comment = SourceComment(
            comment_id=comment_id,
            text=optional_text(value, "text") or "",
            created_at=notice.at,  # the call has no other time
            post_id=media if is_post else None,
            author_id=optional_text(value, "from", "id")
            or optional_text(value, "from", "username"),
            parent_id=optional_text(value, "parent_id"),
        )
        return [comment] if is_post else [comment, CommentLookup(notice.account_id, comment_id)]


INSTAGRAM = register(
    SourceType(
        name="instagram",
        title="Instagram",
        about="Comments on posts, reels and live broadcasts of professional Instagram accounts.",
        platform="instagram",
        source=InstagramSource,
        spec=InstagramSpec,
        build=InstagramSource,
        example={
            "tokens": "IGAA-token-of-lena IGAA-token-of-minh",
            "app_secret": "0123456789abcdef0123456789abcdef",
            "verify_token": "a-text-that-you-invent",
        },
        budget=graph_budget,
        needs_kol=False,
    )
)
