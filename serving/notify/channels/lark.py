"""Lark and Feishu: cards through the webhook of a group's custom bot, or through an app's bot.

Lark's own library is not used: it brings 49 MB and a second cryptographic library for what is two
requests, an HMAC and a token.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from serving.notify.channels.base import Channel
from serving.notify.channels.chat_webhook import HEADERS, ChatWebhook
from serving.notify.channels.http_post import ask
from serving.notify.channels.lark_answer import content_of
from serving.notify.channels.lark_app import LarkApp
from serving.notify.channels.lark_cards import LarkCards
from serving.notify.channels.masking import secrets_of
from serving.notify.channels.registry import ChannelContext, ChannelType, register
from serving.notify.channels.spec import MIN_SECRET, ChannelSpec, EnvName, check_http_url
from serving.notify.notification import Notification
from serving.notify.render import lark
from serving.notify.render.content import RenderedMessage

_HOST = "https://open.larksuite.com"
_HOOK = "/bot/v2/hook/"
_MAX_ANSWER = 64 * 1024  # bytes


class LarkSpec(ChannelSpec):
    """The webhook of a custom bot, or, with `app_id`, an app whose cards can be changed later."""

    type: Literal["lark"]
    secret_env: EnvName | None = None
    app_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    chat_id: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$")
    encrypt_key_env: EnvName | None = None
    verification_token_env: EnvName | None = None

    @model_validator(mode="before")
    @classmethod
    def _lark_unless_said(cls, values: Any) -> Any:
        if isinstance(values, dict) and "app_id" in values and not {"url", "url_env"} & set(values):
            return {**values, "url": _HOST}
        return values

    @model_validator(mode="after")
    def _whole(self) -> "LarkSpec":
        app = (self.chat_id, self.encrypt_key_env, self.verification_token_env)
        if self.app_id is None and any(one is not None for one in app):
            raise ValueError(
                "chat_id, encrypt_key_env and verification_token_env are of an app; name it with "
                "app_id, or leave them out"
            )
        if self.app_id is not None and (self.chat_id is None or self.secret_env is None):
            raise ValueError(
                "an app needs chat_id, the chat that it writes to, and secret_env, the environment "
                "variable that has its App Secret"
            )
        if (self.encrypt_key_env is None) != (self.verification_token_env is None):
            raise ValueError(
                "buttons that acknowledge need both encrypt_key_env and verification_token_env"
            )
        return self

    @property
    def secret_variable(self) -> str | None:
        """The environment variable of the signing secret, or of the app's."""
        return self.secret_env

    @property
    def other_variables(self) -> Mapping[str, str]:
        """The environment variables of what verifies that Lark itself calls."""
        named = {
            "encrypt_key_env": self.encrypt_key_env,
            "verification_token_env": self.verification_token_env,
        }
        return {setting: name for setting, name in named.items() if name is not None}

    @property
    def calls_back(self) -> bool:
        """Whether its cards have a button that acknowledges."""
        return self.encrypt_key_env is not None

    def check_url(self, url: str) -> None:
        """Check the URL: that of a bot, or with an app that of the host alone."""
        check_http_url(url)
        path = urlsplit(url).path
        if self.app_id is not None:
            if path.strip("/"):
                raise ValueError(f"with app_id, url is the host alone, such as {_HOST}")
        elif _HOOK not in path:
            raise ValueError(f"the URL is none of a custom bot: {_HOST}/open-apis{_HOOK}…")

    def check_secret(self, secret: str) -> None:
        """Check nothing: Lark makes the secret."""

    def check_other_secret(self, setting: str, secret: str) -> None:
        """Check that the key is long enough that nobody guesses it; Lark makes the token."""
        if setting == "encrypt_key_env" and len(secret) < MIN_SECRET:
            raise ValueError(
                f"the key in {self.encrypt_key_env} is shorter than {MIN_SECRET} characters; set a "
                "longer Encrypt Key in Lark's developer console"
            )


def sign(secret: str, timestamp: int) -> str:
    """The signature of a custom bot: Base64 HMAC-SHA256 of nothing, the key is time and secret."""
    key = f"{timestamp}\n{secret}".encode()
    return base64.b64encode(hmac.new(key, digestmod=hashlib.sha256).digest()).decode()


class LarkWebhook(ChatWebhook):
    """Sends cards to the webhook of a custom bot; a request may have 20 KB."""

    most = 10
    most_bytes = 19_000

    def __init__(self, spec: LarkSpec, url: str, secret: str, context: ChannelContext) -> None:
        super().__init__(spec, url, secret, context)
        self._secret = secret
        self._clock = context.clock

    def render(self, message: RenderedMessage) -> dict[str, Any]:
        """The card of a message, signed if there is a secret."""
        body = {"msg_type": "interactive", "card": lark.render(message)}
        if not self._secret:
            return body
        now = int(self._clock.now().timestamp())
        return {"timestamp": str(now), "sign": sign(self._secret, now), **body}

    async def deliver(
        self, body: bytes, _notifications: Sequence[Notification], _message: RenderedMessage
    ) -> None:
        """POST a card; code 0 means delivered."""
        answer = await ask(self._http, "POST", self._url, body, HEADERS, most=_MAX_ANSWER)
        content_of(answer, secrets_of(self._url) | ({self._secret} - {""}))


class LarkBot(ChatWebhook):
    """Sends cards through an app, and shows on them that their alert is over."""

    most = 10
    most_bytes = 28_000  # of 30 KB that a card may have, as Lark measures it

    def __init__(self, spec: LarkSpec, url: str, secret: str, context: ChannelContext) -> None:
        super().__init__(spec, url, secret, context)
        assert spec.app_id is not None
        assert spec.chat_id is not None
        self._calls_back = spec.calls_back
        app = LarkApp(context.http, url, spec.app_id, secret, context.clock)
        self._cards = LarkCards(app, spec.chat_id)

    def render(self, message: RenderedMessage) -> dict[str, Any]:
        """The card of a message."""
        return lark.render(message, calls_back=self._calls_back)

    async def deliver(
        self, body: bytes, notifications: Sequence[Notification], message: RenderedMessage
    ) -> None:
        """Send a card; then say on former cards which of their alerts are over."""
        await self._cards.send(body, [one.key for one in notifications], message)


def _build(spec: LarkSpec, url: str, secret: str, context: ChannelContext) -> Channel:
    kind = LarkWebhook if spec.app_id is None else LarkBot
    return kind(spec, url, secret, context)


register(
    ChannelType(
        name="lark",
        spec=LarkSpec,
        build=_build,
        example={"url": "https://open.larksuite.com/open-apis/bot/v2/hook/s3cr3t-t0ken"},
    )
)
