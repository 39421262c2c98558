"""A feed in Atom (RFC 4287)."""

from typing import Any
from xml.sax.saxutils import escape

from werkzeug import Request, Response

from tests.sources.fake_platform import KINDS, FakeComment, FakePlatform


class FeedServer(FakePlatform):
    """A news site."""

    type = "rss"
    documented = ("https://www.rfc-editor.org/rfc/rfc4287 (2026-11-30)",)
    kinds = KINDS
    edits = True

    def settings(self) -> dict[str, Any]:
        return {"url": f"{self.url}/feed.xml", "only_named": False}

    def answer(self, request: Request) -> Response:
        if request.path != "/feed.xml":
            return Response(status=404)
        entries = "".join(map(_entry, reversed(self.comments.values())))
        head = "<title>News</title><id>urn:news</id><updated>2026-11-30T00:00:00Z</updated>"
        feed = f'<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom">{head}{entries}'
        return Response(feed + "</feed>\n", mimetype="application/atom+xml")


def _entry(comment: FakeComment) -> str:
    updated = comment.edited_at or comment.created_at
    return (
        f"<entry><id>urn:entry:{comment.comment_id}</id><title>{escape(comment.text)}</title>"
        f"<author><name>{comment.author_id}</name></author>"
        f"<published>{comment.created_at.isoformat()}</published>"
        f"<updated>{updated.isoformat()}</updated></entry>"
    )


FAKE = FeedServer
