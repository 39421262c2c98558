"""A program of one's own that signs as docs/sources/webhook.md says."""

import hashlib
import hmac
import json
from collections.abc import Sequence
from typing import Any

from serving.sources.source import WebhookRequest
from tests.sources.fake_platform import FakeComment, FakePlatform

_SECRET = "b7e6c1f0a9d84e52b7e6c1f0a9d84e52"


class SendingProgram(FakePlatform):
    """Sends each comment in a request of its own."""

    type = "webhook"
    documented = ("docs/sources/webhook.md of this repository",)
    has_kol = False
    edits = removals = True

    def settings(self) -> dict[str, Any]:
        return {
            "platform": "forum",
            "secret": _SECRET,
            "signature_prefix": "sha256=",
            "timestamp_header": "X-Timestamp",
            "items": "data.comments",
            "comment_id": "id",
            "author_id": "user.id",
        }

    def deliveries(self) -> Sequence[WebhookRequest]:
        return [
            self.delivery(json.dumps({"data": {"comments": [_item(one)]}}).encode())
            for one in self.undelivered()
        ]

    def delivery(self, body: bytes) -> WebhookRequest:
        time = str(int(self.clock.now().timestamp()))
        signed = f"{time}.".encode() + body
        digest = hmac.new(_SECRET.encode(), signed, hashlib.sha256).hexdigest()
        headers = {
            "x-signature": f"sha256={digest}",
            "x-timestamp": time,
            "content-type": "application/json",
        }
        return WebhookRequest("POST", {}, headers, body)


def _item(comment: FakeComment) -> dict[str, Any]:
    return {
        "id": comment.comment_id,
        "text": comment.text,
        "created_at": comment.created_at.isoformat(),
        "handle": "lena-park",
        "post_id": comment.post_id,
        "user": {"id": comment.author_id},
        "likes": comment.likes,
        "edited_at": comment.edited_at and comment.edited_at.isoformat(),
        "deleted": comment.removed,
    }


FAKE = SendingProgram
