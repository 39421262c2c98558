"""Signed JSON of any program: what verifies, what is read, what is refused."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from serving.clock import TestClock
from serving.sources.faults import BadAnswer, UnverifiedRequest
from serving.sources.registry import source_types
from serving.sources.source import WebhookReceiver, WebhookRequest
from tests.sources.fakes.webhook import SendingProgram
from tests.sources.source_harness import harness

NOW = datetime(2026, 11, 30, 14, 0, tzinfo=UTC)
SECRET = "b7e6c1f0a9d84e52b7e6c1f0a9d84e52"
TYPE = source_types()["webhook"]


async def receive(request: WebhookRequest, later: timedelta = timedelta(), **changes: Any) -> Any:
    clock = TestClock(NOW)
    fake = SendingProgram(clock)
    clock.advance(later)
    async with harness(TYPE, fake, clock, changes=changes) as tried:
        assert isinstance(tried.source, WebhookReceiver)
        return tried.source.receive(request)


def signed(body: bytes) -> WebhookRequest:
    return SendingProgram(TestClock(NOW)).delivery(body)


ITEM = {"id": 7, "text": "hi", "created_at": 1_764_500_000, "user": {"id": 12}, "likes": "many"}
BODY = json.dumps({"data": {"comments": [ITEM, "x", {"text": "no id"}]}}).encode()


async def test_numbers_and_paths_are_read_and_nonsense_is_left_to_the_log() -> None:
    answer = await receive(signed(BODY))
    first, second = answer.batch.comments
    assert (first.comment_id, first.author_id, first.created_at) == ("7", "12", 1_764_500_000)
    assert first.likes is None
    assert second.comment_id == ""  # counted and explained as rejected
    assert answer.batch.cursor is None


async def test_a_stale_signature_does_not_verify() -> None:
    assert (await receive(signed(BODY), timedelta(seconds=300))).delivery_key
    for later in (301, -301):
        with pytest.raises(UnverifiedRequest):
            await receive(signed(BODY), timedelta(seconds=later))


async def test_a_handshake_does_not_verify() -> None:
    with pytest.raises(UnverifiedRequest):
        await receive(WebhookRequest("GET", {"hub.challenge": "x"}, {}, b""))


@pytest.mark.parametrize("algorithm", ["sha256", "sha512", "sha1"])
async def test_signatures_may_be_in_base64_and_of_other_hashes(algorithm: str) -> None:
    digest = hmac.new(SECRET.encode(), BODY, algorithm).digest()
    for written in (base64.b64encode(digest).decode(), digest.hex()):
        request = WebhookRequest("POST", {}, {"x-sign": written, "x-id": "d1"}, BODY)
        answer = await receive(
            request,
            algorithm=algorithm,
            signature_header="X-Sign",
            signature_prefix="",
            timestamp_header=None,
            delivery_header="X-Id",
        )
        assert answer.delivery_key == "d1"


async def test_too_many_comments_are_a_bad_answer() -> None:
    many = json.dumps({"data": {"comments": [ITEM] * 1001}}).encode()
    with pytest.raises(BadAnswer, match="at most 1,000"):
        await receive(signed(many))


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("secret", "short", "shorter than 16"),
        ("items", "data[", "no field path"),
        ("signature_header", "X Sign", "pattern"),
        ("platform", "Forum!", "pattern"),
        ("unknown", 1, "Extra inputs"),
    ],
)
def test_settings_that_cannot_work_are_named(name: str, value: object, said: str) -> None:
    settings = {"platform": "forum", "secret": SECRET, name: value}
    with pytest.raises(ValidationError, match=said) as found:
        TYPE.spec.model_validate(settings)
    assert SECRET not in str(found.value.errors(include_input=False))


def test_the_fake_signs_as_the_page_says() -> None:
    request = signed(b"{}")
    plain = f"{int(NOW.timestamp())}.".encode() + b"{}"
    expected = hmac.new(SECRET.encode(), plain, hashlib.sha256).hexdigest()
    assert request.headers["x-signature"] == f"sha256={expected}"
