"""A type of source in one file: its settings, its work and its registration."""

from collections.abc import Mapping
from typing import Any

from pydantic import Field

from serving.sources.faults import BadAnswer
from serving.sources.quota import QuotaBudget
from serving.sources.quota_period import QuotaPeriod
from serving.sources.registry import SourceType
from serving.sources.source import Poller, SourceCursor, SourcePreview
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, Secret, SourceSpec

_PAGE = 100


class ToySourceSpec(SourceSpec):
    """A toy that people write comments on."""

    toy: str = Field(title="Toy", description="The name of the toy, as on its box.", min_length=1)
    token: Secret = Field(title="Token", description="The token from the toy's settings.")
    api_url: str = Field(
        "https://toys.example.com",
        title="Address of the API",
        description="Where the toy factory answers.",
        json_schema_extra=ADVANCED,
    )


class ToySource(Poller):
    """Asks for the comments after the last one."""

    def __init__(self, spec: ToySourceSpec, context: SourceContext) -> None:
        self._toy = spec.toy
        token = spec.token.get_secret_value()
        self._client = context.client(spec.api_url, headers={"Authorization": f"Bearer {token}"})

    async def poll(self, cursor: SourceCursor | None) -> SourceBatch:
        """The next page."""
        after = (cursor or {}).get("after", 0)
        comments, last, more = await self._page(after)
        return SourceBatch(comments=comments, cursor={"after": last}, more=more)

    async def preview(self) -> SourcePreview:
        """The first page."""
        comments, _, _ = await self._page(0)
        return SourcePreview(
            account=self._toy,
            sees=("comments, their edits and removals",),
            cannot_see=("likes",),
            costs=("nothing",),
            comments=tuple(comments[:10]),
        )

    async def _page(self, after: int) -> tuple[list[SourceComment], int, bool]:
        answer = await self._client.get(f"/toys/{self._toy}/comments", {"after": after})
        found = answer.object()
        try:
            comments = [_comment(item) for item in found["items"]]
            return comments, int(found["last"]), bool(found["more"])
        except (KeyError, TypeError, ValueError):
            raise BadAnswer("the toy factory answered something that is no list") from None


def _comment(item: Mapping[str, Any]) -> SourceComment:
    return SourceComment(
        comment_id=item["id"],
        text=item["says"],
        created_at=item["at"],
        post_id=item["post"],
        author_id=item["who"],
        edited_at=item["edited"],
        removed=item["gone"],
    )


TOY = SourceType(
    name="toy",
    title="Toy",
    about="Comments that people write on a toy.",
    platform="toy",
    source=ToySource,
    spec=ToySourceSpec,
    build=ToySource,
    example={"toy": "robot", "token": "t0ken-of-the-toy"},
    budget=lambda _spec: QuotaBudget(10_000, QuotaPeriod()),
)
