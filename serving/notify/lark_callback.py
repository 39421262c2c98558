"""Requests that Lark sends when somebody presses a button of a card: verified and decrypted.

As in "Receive callbacks", "Encrypt key" and "Card interaction callback" of Lark's documentation
(open.larksuite.com/document), as of November 2026.
"""

import base64
import hashlib
import hmac
import json
import re
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from serving.errors import RateLimited, ServingError
from serving.notify.channels.lark import LarkSpec
from serving.notify.config.configured_channel import ConfiguredChannel
from serving.notify.render.lark import ACKNOWLEDGE

FRESH = timedelta(minutes=5)
_MOST_VERIFIED = 600  # within twice that time; more is no team that presses buttons
_BLOCK = 16  # bytes of AES
_ID = re.compile(r"[\w-]{1,64}", re.ASCII)
_LONGEST = 1000  # characters of a challenge


class NotFromLark(ServingError):
    """A callback is not verified; nothing in it can be trusted."""

    code = "unauthenticated"


@dataclass(frozen=True, slots=True)
class Challenge:
    """Lark asks whether this address takes callbacks; `text` is the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ButtonPress:
    """Somebody pressed a button of a card.

    Attributes:
        channels: the channels that write to the chat of the card.
        open_id: of the person.
        action: the button's.
        alert_id: of the alert that the card shows; not checked yet.
    """

    channels: tuple[str, ...]
    open_id: str
    action: str
    alert_id: str


@dataclass(frozen=True, slots=True)
class _App:
    """An app, and the channels that write as it, by chat."""

    app_id: str
    encrypt_key: str = field(repr=False)
    token: str = field(repr=False)
    chats: Mapping[str, tuple[str, ...]]


class LarkCallbacks:
    """Verifies callbacks of the apps in the channels file, each only once."""

    def __init__(self, channels: Mapping[str, ConfiguredChannel]) -> None:
        self._apps = _apps_of(channels)
        self._verified = OrderedDict[str, datetime]()  # signatures

    @property
    def expected(self) -> bool:
        """Whether some app sends callbacks."""
        return bool(self._apps)

    def read(
        self, headers: Mapping[str, str], body: bytes, now: datetime
    ) -> Challenge | ButtonPress:
        """What a request says.

        Args:
            headers: of the request, names in lower case.
            body: as it came.
            now: the instant.

        Raises:
            NotFromLark: it is not verified, old, or came before.
            RateLimited: too many came.
        """
        encrypted = _encrypted(body)
        signature = headers.get("x-lark-signature", "")
        signed = self._signer(headers, body, signature)
        if signed is None:
            return self._challenge(encrypted)
        self._check_fresh(headers, signature, now)
        content = _decrypted(encrypted, signed.encrypt_key)
        if content is None:
            raise NotFromLark("the body cannot be decrypted")
        if (challenge := _challenge_in(content, signed)) is not None:
            return challenge
        return _press(content, signed)

    def _signer(self, headers: Mapping[str, str], body: bytes, signature: str) -> _App | None:
        """The app whose key signed the request; None if none did."""
        start = headers.get("x-lark-request-timestamp", "") + headers.get(
            "x-lark-request-nonce", ""
        )
        for app in self._apps:
            signed = hashlib.sha256((start + app.encrypt_key).encode() + body).hexdigest()
            if hmac.compare_digest(signed.encode(), signature.encode()):
                return app
        return None

    def _challenge(self, encrypted: bytes) -> Challenge:
        """The challenge in a request without signature: whoever has the key encrypted it."""
        for app in self._apps:
            content = _decrypted(encrypted, app.encrypt_key)
            if content is not None and (found := _challenge_in(content, app)) is not None:
                return found
        raise NotFromLark("the signature is wrong")

    def _check_fresh(self, headers: Mapping[str, str], signature: str, now: datetime) -> None:
        written = headers.get("x-lark-request-timestamp", "")
        if not (written.isascii() and written.isdigit() and len(written) <= 16):
            raise NotFromLark("the timestamp cannot be read")
        seconds = int(written) / 1000 ** max(0, (len(written) - 10 + 2) // 3)  # s, ms or µs
        if abs(now.timestamp() - seconds) > FRESH.total_seconds():
            raise NotFromLark("it was signed more than five minutes ago, or a clock is wrong")
        while self._verified and next(iter(self._verified.values())) < now - 2 * FRESH:
            self._verified.popitem(last=False)
        if signature in self._verified:
            raise NotFromLark("it came before")
        if len(self._verified) >= _MOST_VERIFIED:
            raise RateLimited("too many buttons are pressed", retry_after=60)
        self._verified[signature] = now


def _apps_of(channels: Mapping[str, ConfiguredChannel]) -> Sequence[_App]:
    found: dict[tuple[str, str, str], dict[str, tuple[str, ...]]] = {}
    for name, channel in channels.items():
        spec = channel.spec
        if not (isinstance(spec, LarkSpec) and spec.calls_back):
            continue
        secrets = channel.other_secrets
        key = (
            spec.app_id or "",
            secrets["encrypt_key_env"],
            secrets["verification_token_env"],
        )
        chats, chat = found.setdefault(key, {}), spec.chat_id or ""
        chats[chat] = (*chats.get(chat, ()), name)
    return [_App(*key, chats) for key, chats in found.items()]


def _encrypted(body: bytes) -> bytes:
    """The bytes that a body holds.

    Raises:
        NotFromLark: there are none.
    """
    try:
        return base64.b64decode(json.loads(body)["encrypt"], validate=True)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise NotFromLark("the body is not encrypted; set an Encrypt Key in Lark") from error


def _decrypted(encrypted: bytes, key: str) -> Mapping[str, Any] | None:
    """The object that was encrypted (AES-256-CBC, the first block is the IV); None if not so."""
    if len(encrypted) < 2 * _BLOCK or len(encrypted) % _BLOCK:
        return None
    aes = algorithms.AES(hashlib.sha256(key.encode()).digest())
    decryptor = Cipher(aes, modes.CBC(encrypted[:_BLOCK])).decryptor()
    unpadder = PKCS7(8 * _BLOCK).unpadder()
    try:
        padded = decryptor.update(encrypted[_BLOCK:]) + decryptor.finalize()
        content = json.loads(unpadder.update(padded) + unpadder.finalize())
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def _challenge_in(content: Mapping[str, Any], app: _App) -> Challenge | None:
    if content.get("type") != "url_verification":
        return None
    _check_token(content.get("token"), app)
    text = content.get("challenge")
    if not isinstance(text, str) or len(text) > _LONGEST:
        raise NotFromLark("the challenge is no text")
    return Challenge(text)


def _check_token(token: object, app: _App) -> None:
    given = token if isinstance(token, str) else ""
    if not hmac.compare_digest(given.encode(), app.token.encode()):
        raise NotFromLark("the verification token is wrong")


def _press(content: Mapping[str, Any], app: _App) -> ButtonPress:
    header, event = _part(content, "header"), _part(content, "event")
    _check_token(header.get("token"), app)
    if header.get("app_id") != app.app_id:
        raise NotFromLark("it is of another app")
    if header.get("event_type") != "card.action.trigger":
        raise NotFromLark("it is no press of a button; subscribe to card.action.trigger only")
    value = _part(_part(event, "action"), "value")
    open_id = _part(event, "operator").get("open_id")
    if not (isinstance(open_id, str) and _ID.fullmatch(open_id)):
        raise NotFromLark("it does not say who pressed the button")
    action, alert_id = value.get("action"), value.get("alert_id")
    chat = _part(event, "context").get("open_chat_id")
    channels = app.chats.get(chat, ()) if isinstance(chat, str) else ()
    if action != ACKNOWLEDGE or not (isinstance(alert_id, str) and _ID.fullmatch(alert_id)):
        channels = ()  # a card that somebody else wrote as the same app
    return ButtonPress(channels, open_id, ACKNOWLEDGE, str(alert_id)[:64])


def _part(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = content.get(name)
    return part if isinstance(part, dict) else {}
