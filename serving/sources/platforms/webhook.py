"""A webhook for any program: signed JSON, with paths to the fields of a comment."""

import json
from datetime import timedelta
from typing import Literal

from pydantic import Field, model_validator

from serving.sources.comment_paths import CommentPathsSpec
from serving.sources.faults import BadAnswer
from serving.sources.field_paths import FieldPath, value_at
from serving.sources.registry import SourceType, register
from serving.sources.signatures import verify_hmac, verify_time
from serving.sources.source import SourcePreview, WebhookAnswer, WebhookReceiver, WebhookRequest
from serving.sources.source_batch import SourceBatch, SourceComment
from serving.sources.source_context import SourceContext
from serving.sources.spec import ADVANCED, Secret

_MOST = 1000  # comments in one request
_LEAST_SECRET = 16
_HEADER = r"^[A-Za-z0-9-]+$"


class GenericWebhookSpec(CommentPathsSpec):
    """How requests are signed, and where the fields are."""

    platform: str = Field(
        title="Platform",
        description="Where the comments were written, in small letters: tiktok, forum.",
        pattern=r"^[a-z0-9][a-z0-9._-]{0,63}$",
    )
    secret: Secret = Field(
        title="Secret",
        description="What both sides sign with, for example from 'openssl rand -hex 32'.",
    )
    signature_header: str = Field(
        "X-Signature",
        title="Header of the signature",
        description="The header with the HMAC of the body in hex or base64.",
        pattern=_HEADER,
    )
    signature_prefix: str = Field(
        "",
        title="Prefix of the signature",
        description="What is before the signature in its header, such as sha256=.",
        max_length=40,
    )
    algorithm: Literal["sha256", "sha512", "sha1"] = Field(
        "sha256", title="Algorithm", description="The hash of the HMAC."
    )
    timestamp_header: str | None = Field(
        None,
        title="Header of the time",
        description="The header that says when a request was signed; the signature is then of the"
        " time, a dot and the body.",
        pattern=_HEADER,
    )
    tolerance_seconds: int = Field(
        300,
        title="Tolerance",
        description="How old, in seconds, a signed request may be.",
        ge=10,
        le=86_400,
    )
    delivery_header: str | None = Field(
        None,
        title="Header of the delivery",
        description="The header with an id of the request, by which a repeated one is known. It"
        " should be unset if the signature says enough.",
        pattern=_HEADER,
        json_schema_extra=ADVANCED,
    )
    items: FieldPath | None = Field(
        None,
        title="Path of the list",
        description="JMESPath of the comments in a body; unset if the body is one or a list.",
    )

    @model_validator(mode="after")
    def _long_secret(self) -> "GenericWebhookSpec":
        if len(self.secret.get_secret_value()) < _LEAST_SECRET:
            raise ValueError(
                f"the secret is shorter than {_LEAST_SECRET} characters; take a random one, for"
                " example from 'openssl rand -hex 32'"
            )
        return self


class GenericWebhook(WebhookReceiver):
    """Takes comments from a program that signs them."""

    def __init__(self, spec: GenericWebhookSpec, context: SourceContext) -> None:
        self._spec = spec
        self._context = context

    def receive(self, request: WebhookRequest) -> WebhookAnswer:
        """Verify a request and read its comments."""
        if request.method != "POST":
            verify_hmac("", b"", None)
        spec = self._spec
        signature = request.headers.get(spec.signature_header.lower())
        signed = request.body
        if spec.timestamp_header is not None:
            time = request.headers.get(spec.timestamp_header.lower())
            verify_time(time, self._context.clock.now(), timedelta(seconds=spec.tolerance_seconds))
            signed = f"{time}.".encode() + signed
        verify_hmac(
            spec.secret.get_secret_value(),
            signed,
            signature,
            algorithm=spec.algorithm,
            prefix=spec.signature_prefix,
        )
        key = signature
        if spec.delivery_header is not None:
            key = request.headers.get(spec.delivery_header.lower(), signature)
        return WebhookAnswer(SourceBatch(comments=self._comments(request.body)), delivery_key=key)

    async def preview(self) -> SourcePreview:
        """What it will take; there is nobody to ask."""
        url = self._context.webhook_url or "the address that is shown once it is added"
        return SourcePreview(
            account=f"requests to {url}",
            sees=(
                "comments that the program sends, new, edited or removed",
                "everything within a second of being sent",
            ),
            cannot_see=(
                "what the program does not send; nobody can be asked whether that is all",
                "that a request is missing: a program that stops looks like a quiet day",
            ),
            costs=("nothing",),
        )

    def _comments(self, body: bytes) -> list[SourceComment]:
        try:
            document = json.loads(body)
        except (ValueError, RecursionError):
            raise BadAnswer("the body is not JSON in UTF-8") from None
        found = document if self._spec.items is None else value_at(self._spec.items, document)
        items = found if isinstance(found, list) else [found]
        if len(items) > _MOST:
            raise BadAnswer(f"the body has {len(items):,} comments; send at most {_MOST:,} at once")
        comments = [self._spec.comment_in(item) for item in items if isinstance(item, dict)]
        if items and not any(comment.comment_id for comment in comments):
            raise BadAnswer(
                f"no item of the body has an id at {self._spec.comment_id!r}; correct the paths, or"
                " what is sent"
            )
        return comments


register(
    SourceType(
        name="webhook",
        title="Webhook of any program",
        about="Comments that a program of your own sends as signed JSON.",
        source=GenericWebhook,
        spec=GenericWebhookSpec,
        build=GenericWebhook,
        example={
            "platform": "forum",
            "secret": "b7e6c1f0a9d84e52b7e6c1f0a9d84e52",
            "timestamp_header": "X-Timestamp",
            "items": "data.comments",
            "comment_id": "id",
        },
        needs_kol=False,
    )
)
