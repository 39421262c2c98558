"""Posts under which comments are written."""

from collections.abc import Mapping, Sequence

from groundswell_client._async.connection import AsyncConnection
from groundswell_client.models.posts import PostDetailInfo, PostSubmission
from groundswell_client.values import part


class AsyncPosts:
    """`client.posts`. `client.kols.posts` lists those of a KOL."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def send(self, posts: Sequence[Mapping[str, object]]) -> PostSubmission:
        """Send posts, fields as in docs/openapi.json; all or, on an error, none are stored."""
        return await self._connection.send("POST", "/posts", PostSubmission, [*posts])

    async def get(self, platform: str, post_id: str) -> PostDetailInfo:
        """A post and its counts over time."""
        path = f"/posts/{part(platform)}/{part(post_id)}"
        return await self._connection.get(path, PostDetailInfo)
