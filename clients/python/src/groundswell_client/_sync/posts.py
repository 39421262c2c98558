"""Posts under which comments are written."""

from collections.abc import Mapping, Sequence

from groundswell_client._sync.connection import Connection
from groundswell_client.models.posts import PostDetailInfo, PostSubmission
from groundswell_client.values import part


class Posts:
    """`client.posts`. `client.kols.posts` lists those of a KOL."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def send(self, posts: Sequence[Mapping[str, object]]) -> PostSubmission:
        """Send posts, fields as in docs/openapi.json; all or, on an error, none are stored."""
        return self._connection.send("POST", "/posts", PostSubmission, [*posts])

    def get(self, platform: str, post_id: str) -> PostDetailInfo:
        """A post and its counts over time."""
        path = f"/posts/{part(platform)}/{part(post_id)}"
        return self._connection.get(path, PostDetailInfo)
