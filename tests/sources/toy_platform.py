"""The toy factory."""

from typing import Any

from werkzeug import Request, Response

from tests.sources.fake_platform import FakeComment, FakePlatform


class ToyPlatform(FakePlatform):
    """Lists what happened after a place."""

    type = "toy"
    documented = ("none: there is no such factory",)
    edits = removals = True

    def settings(self) -> dict[str, Any]:
        return {"toy": "robot", "token": "t0ken-of-the-toy", "api_url": self.url}

    def answer(self, request: Request) -> Response:
        after = int(request.args["after"])
        found = self._undelivered[after : after + self.page]
        return self.json(
            {
                "items": [_item(comment) for comment in found],
                "last": after + len(found),
                "more": len(self._undelivered) > after + len(found),
            }
        )


def _item(comment: FakeComment) -> dict[str, Any]:
    return {
        "id": comment.comment_id,
        "says": comment.text,
        "at": comment.created_at.isoformat(),
        "post": comment.post_id,
        "who": comment.author_id,
        "edited": comment.edited_at and comment.edited_at.isoformat(),
        "gone": comment.removed,
    }
