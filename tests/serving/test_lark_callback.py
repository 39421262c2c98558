"""Buttons of cards in Lark: what is verified acknowledges, everything else changes nothing."""

import asyncio
import base64
import hashlib
import json
import os
from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from fastapi.testclient import TestClient

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.clock import TestClock
from serving.notify.outbox import NotificationOutbox
from serving.notify.routing.routes import Route
from serving.settings import Settings
from serving.storage.database import Database
from serving.storage.pipeline_step import PipelineStep
from serving.storage.step_store import StepStore
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import transition

PATH = "/v1/lark/callback"
KEY, TOKEN = "the-encrypt-key-of-the-app", "the-verification-token"
NONCES = count()
CHANNELS = """
[channels.desk]
type = "lark"
url = "http://127.0.0.1:9"
app_id = "cli_1"
chat_id = "oc_desk"
secret_env = "APP_SECRET"
encrypt_key_env = "LARK_KEY"
verification_token_env = "LARK_TOKEN"

[channels.other]
type = "lark"
url = "http://127.0.0.1:9"
app_id = "cli_1"
chat_id = "oc_other"
secret_env = "APP_SECRET"
encrypt_key_env = "LARK_KEY"
verification_token_env = "LARK_TOKEN"
language = "vi"

[[routes]]
kols = ["lena"]
channels = ["desk"]

[[routes]]
kols = ["mina"]
channels = ["other"]
"""


async def seed(url: str) -> None:
    """Alerts a1 and a2 are of lena and in the chat of the desk, b2 of mina and in the other one."""
    database = Database(url)
    routes = Route(("desk",), kols=frozenset({"lena"})), Route(("other",), frozenset({"mina"}))
    outbox = NotificationOutbox(
        routes,
        TestClock(NOW),
        max_age=timedelta(hours=24),
        late_page_within=timedelta(hours=2),
        on_commit=lambda _: None,
    )
    steps = StepStore(database, outbox)
    events = [
        transition(),
        transition(alert_id="a2"),
        transition(alert_id="b2", kol_id="mina"),
    ]
    step = PipelineStep(seq=0, model="m", events=events)
    await steps.commit(step, await steps.progress())
    await database.close()


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("lark")
    url = f"sqlite:///{folder / 'lark.db'}"
    Database(url).upgrade()
    asyncio.run(seed(url))
    channels = folder / "channels.toml"
    channels.write_text(CHANNELS)
    settings = Settings(database_url=url, channels=channels, _env_file=None)
    classifier = SentimentClassifier.from_backend(FakeBackend())
    with pytest.MonkeyPatch.context() as patch:
        for name, value in (("APP_SECRET", "x" * 32), ("LARK_KEY", KEY), ("LARK_TOKEN", TOKEN)):
            patch.setenv(name, value)
        app = create_app(settings, classifier=classifier, clock=TestClock(NOW))
        with TestClient(app) as client:
            yield client


def press(alert_id: str = "a1", chat: str = "oc_desk", **header: str) -> dict[str, Any]:
    """What Lark says when somebody presses the button of a card."""
    return {
        "schema": "2.0",
        "header": {
            "event_id": "e1",
            "event_type": "card.action.trigger",
            "token": TOKEN,
            "app_id": "cli_1",
            **header,
        },
        "event": {
            "operator": {"open_id": "ou_84aad35d", "tenant_key": "t"},
            "action": {"tag": "button", "value": {"action": "acknowledge", "alert_id": alert_id}},
            "context": {"open_message_id": "om_1", "open_chat_id": chat},
        },
    }


def encrypted(content: Any, key: str = KEY) -> bytes:
    """A body as Lark encrypts it."""
    plain = json.dumps(content).encode()
    left = 16 - len(plain) % 16
    iv = os.urandom(16)
    aes = algorithms.AES(hashlib.sha256(key.encode()).digest())
    encryptor = Cipher(aes, modes.CBC(iv)).encryptor()
    sealed = iv + encryptor.update(plain + bytes([left]) * left) + encryptor.finalize()
    return json.dumps({"encrypt": base64.b64encode(sealed).decode()}).encode()


def signed(body: bytes, timestamp: str | None = None, key: str = KEY) -> dict[str, str]:
    """The headers with which Lark signs a body."""
    timestamp, nonce = timestamp or str(int(NOW.timestamp())), f"n{next(NONCES)}"
    digest = hashlib.sha256((timestamp + nonce + key).encode() + body).hexdigest()
    return {
        "Content-Type": "application/json; charset=utf-8",
        "X-Lark-Request-Timestamp": timestamp,
        "X-Lark-Request-Nonce": nonce,
        "X-Lark-Signature": digest,
    }


def called(client: TestClient, content: Any, timestamp: str | None = None) -> httpx.Response:
    body = encrypted(content)
    return client.post(PATH, content=body, headers=signed(body, timestamp))


def acknowledged_by(client: TestClient, alert_id: str) -> str | None:
    found: str | None = client.get(f"/v1/alerts/{alert_id}").json()["triage"]["acknowledged_by"]
    return found


def test_a_button_acknowledges_as_the_person_who_pressed_it(client: TestClient) -> None:
    answer = called(client, press())
    assert answer.status_code == 200, answer.text
    said = answer.json()
    assert said["toast"] == {"type": "success", "content": "The alert is acknowledged."}
    card = json.dumps(said["card"]["data"])
    assert "ou_84aad35d (Lark, desk)" in card
    assert '"value"' not in card
    assert acknowledged_by(client, "a1") == "ou_84aad35d (Lark, desk)"
    entry = client.get("/v1/audit", params={"action": "lark_callback"}).json()["items"][0]
    assert (entry["principal_kind"], entry["principal_id"]) == ("chat", "ou_84aad35d")
    assert (entry["outcome"], entry["kols"]) == ("done", ["lena"])
    again = called(client, press()).json()
    assert again["toast"]["content"] == "The alert was acknowledged before."
    assert "card" in again


def test_the_challenge_of_lark_is_answered_signed_or_not(client: TestClient) -> None:
    challenge = {"type": "url_verification", "token": TOKEN, "challenge": "ajls384kdjx98XX"}
    assert called(client, challenge).json() == {"challenge": "ajls384kdjx98XX"}
    unsigned = {"Content-Type": "application/json"}
    answer = client.post(PATH, content=encrypted(challenge), headers=unsigned)
    assert answer.json() == {"challenge": "ajls384kdjx98XX"}
    refused = client.post(PATH, content=json.dumps(challenge).encode(), headers=unsigned)
    assert refused.status_code == 401
    other = encrypted(challenge | {"token": "another"})
    assert client.post(PATH, content=other, headers=unsigned).status_code == 401


MILLISECONDS = int(NOW.timestamp() * 1000)


@pytest.mark.parametrize("timestamp", [str(MILLISECONDS), str(MILLISECONDS * 1000)])
def test_a_timestamp_may_be_in_smaller_units(client: TestClient, timestamp: str) -> None:
    assert called(client, press("test"), timestamp).json()["toast"]["type"] == "info"


def test_a_made_up_alert_shows_that_the_way_back_works(client: TestClient) -> None:
    said = called(client, press("test")).json()
    assert "made-up alert" in said["toast"]["content"]
    assert "card" not in said


def unsigned(body: bytes) -> dict[str, str]:
    return {"Content-Type": "application/json"}


def by_another(body: bytes) -> dict[str, str]:
    return signed(body, key="another-key-of-somebody")


def of_another_body(_: bytes) -> dict[str, str]:
    return signed(encrypted(press("a2")))


def stale(body: bytes) -> dict[str, str]:
    return signed(body, str(int(NOW.timestamp()) - 301))


def from_the_future(body: bytes) -> dict[str, str]:
    return signed(body, str(int(NOW.timestamp()) + 301))


def without_time(body: bytes) -> dict[str, str]:
    return signed(body, "soon")


@pytest.mark.parametrize(
    ("headers", "content", "why"),
    [
        (unsigned, press("a2"), "signature"),
        (by_another, press("a2"), "signature"),
        (of_another_body, press("a2"), "signature"),
        (stale, press("a2"), "five minutes"),
        (from_the_future, press("a2"), "five minutes"),
        (without_time, press("a2"), "timestamp"),
        (signed, press("a2", token="another"), "token"),
        (signed, press("a2", app_id="cli_2"), "another app"),
        (signed, press("a2", event_type="im.message.receive_v1"), "no press of a button"),
        (signed, press("a2") | {"event": {}}, "who pressed"),
        (signed, press("a2") | {"header": 7}, "token"),
        (signed, ["a list"], "decrypted"),
    ],
)
def test_what_is_not_verified_changes_nothing(
    client: TestClient, headers: Any, content: Any, why: str
) -> None:
    body = encrypted(content)
    answer = client.post(PATH, content=body, headers=headers(body))
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
    assert why in answer.json()["detail"]
    assert acknowledged_by(client, "a2") is None


@pytest.mark.parametrize(
    "body",
    [b"[]", b'{"encrypt": 7}', b'{"encrypt": "AAAA"}', json.dumps(press("a2")).encode(),
     encrypted(press("a2"), key="another-key-of-somebody")],
)  # fmt: skip
def test_a_signed_body_that_lark_did_not_encrypt_changes_nothing(
    client: TestClient, body: bytes
) -> None:
    assert client.post(PATH, content=body, headers=signed(body)).status_code == 401
    assert acknowledged_by(client, "a2") is None


def test_a_request_is_taken_once(client: TestClient) -> None:
    body = encrypted(press("test"))
    headers = signed(body)
    assert client.post(PATH, content=body, headers=headers).status_code == 200
    again = client.post(PATH, content=body, headers=headers)
    assert (again.status_code, "came before" in again.text) == (401, True)


@pytest.mark.parametrize(
    "content",
    [press("nobody"), press("b2"), press("a2", "oc_other"), press("a2", "oc_elsewhere"),
     press("../a2")],
)  # fmt: skip
def test_a_card_acknowledges_only_what_its_chat_was_sent(client: TestClient, content: Any) -> None:
    said = called(client, content).json()
    assert said["toast"]["type"] == "error"
    assert "card" not in said
    assert acknowledged_by(client, "a2") is None
    assert acknowledged_by(client, "b2") is None


def test_the_answer_is_in_the_language_of_the_channel(client: TestClient) -> None:
    said = called(client, press("b2", "oc_other")).json()
    assert said["toast"]["content"] == "Cảnh báo đã được tiếp nhận xử lý."


def test_the_callback_reads_no_large_body(client: TestClient) -> None:
    body = b'{"encrypt": "' + b"A" * 70_000 + b'"}'
    assert client.post(PATH, content=body, headers=signed(body)).status_code == 413


def test_without_a_button_that_calls_back_there_is_nothing(tmp_path: Path) -> None:
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'a.db'}", _env_file=None)
    classifier = SentimentClassifier.from_backend(FakeBackend())
    with TestClient(create_app(settings, classifier=classifier)) as client:
        assert called(client, press()).status_code == 404
