"""Threads: replies to the posts of accounts, and mentions of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from serving.sources.graph_api.graph_client import GraphClient
from serving.sources.graph_api.graph_preview import PreviewWording
from serving.sources.graph_api.graph_source import GraphSource
from serving.sources.graph_api.graph_spec import VERSION_FORMAT, GraphSpec, graph_budget
from serving.sources.graph_api.webhook_calls import GraphNotice
from serving.sources.registry import SourceType, register
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED
from serving.sources.threads.threads_api import ThreadsApi
from serving.sources.threads.threads_calls import ThreadsChange, read_change, threads_notices


class ThreadsSpec(GraphSpec):
    """An app with the Threads use case, and the accounts that allowed it."""

    api_version: str = Field(
        "v1.0",
        title="Version of the API",
        description="The version of the Threads API that is asked.",
        pattern=VERSION_FORMAT,
        json_schema_extra=ADVANCED,
    )
    api_url: str = Field(
        "https://graph.threads.net",
        title="Address of the API",
        description="Where the Threads API answers.",
        json_schema_extra=ADVANCED,
    )


class ThreadsSource(GraphSource):
    """See `GraphSource`."""

    platform = "threads"
    title = "Threads"
    flat = True
    wording = PreviewWording(
        sees=(
            "Replies of every depth under the accounts' posts, at once by webhook and again by"
            " asking.",
            "Mentions of the accounts in public posts, if the webhook is set up.",
            "Posts with text and link; likes, replies, reposts, quotes, views and the number of"
            " followers, if the accounts allowed insights.",
        ),
        cannot_see=(
            "Likes of replies: Threads gives them to nobody but their authors.",
            "Who wrote a reply, but for the name; somebody who changes it counts as another.",
            "Whether Threads calls the webhook: it cannot be asked.",
            "Mentions of the time before the source was added, and quotes that do not name the"
            " account.",
        ),
    )

    def __init__(self, spec: ThreadsSpec, context: SourceContext) -> None:
        client = GraphClient(context, spec.api_url)
        api = ThreadsApi(client, spec.api_version, context.clock)
        super().__init__(api, spec.settings(), context)

    def notices(self, body: Any) -> Sequence[GraphNotice]:
        """Changes of any of the accounts."""
        return threads_notices(body, self._finder.handles)

    def read_notice(self, notice: GraphNotice, now: datetime) -> Sequence[ThreadsChange]:
        """A reply, a mention, a removal or a post of the account."""
        return read_change(notice, now)


THREADS = register(
    SourceType(
        name="threads",
        title="Threads",
        about="Replies to the posts of Threads accounts, and mentions of them.",
        platform="threads",
        source=ThreadsSource,
        spec=ThreadsSpec,
        build=ThreadsSource,
        example={
            "tokens": "THAA-token-of-lena THAA-token-of-minh",
            "app_secret": "0123456789abcdef0123456789abcdef",
            "verify_token": "a-text-that-you-invent",
        },
        budget=graph_budget,
        needs_kol=False,
    )
)
