"""What an answer of Lark means: it says so with a `code` in the body, whatever the HTTP status is.

The codes are those of "Send message", "Common error codes" and "Custom bot usage guide" in Lark's
documentation (open.larksuite.com/document), as of November 2026.
"""

import json
from collections.abc import Mapping, Set
from datetime import timedelta
from typing import Any

from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.http_post import ServerAnswer, failure, pause_of
from serving.notify.channels.masking import mask

_MAX_WORDS = 200  # characters of an answer in an error
# The token is unknown to Lark, or has ended.
TOKEN_CODES = frozenset({99991661, 99991663, 99991664, 99991665, 99991668})
_TOO_OFTEN = frozenset({99991400, 230020, 11232})
_UNDER_WAY = frozenset({230049})  # the same message is being sent
_PERMANENT = {
    9499: "the request is not right",
    10003: "app_id or the secret of the app is not right",
    10014: "the secret of the app is not right",
    11246: "the card is not right",
    19001: "the URL leads to no bot; copy it again from the group's settings",
    19021: "the signature is not right; check secret_env, and the clock of this machine",
    19022: "the bot does not take messages from the address of this machine",
    19024: "the bot wants a keyword; turn keywords off in its security settings",
    230001: "a parameter is not right",
    230002: "the bot is not in the chat; add it to the group",
    230006: "the app has no bot; add the feature, and publish a version",
    230013: "the app is not available to the receiver",
    230017: "the bot does not own the message",
    230018: "the settings of the group forbid it",
    230022: "the message has words that Lark does not take",
    230025: "the message is too long",
    230027: "the app lacks a permission; it needs im:message:send_as_bot",
    230028: "the message did not pass the audit of your organisation",
    230034: "chat_id names no chat",
    230035: "the bot may not write in the chat",
    230038: "the chat is of another organisation",
    230053: "the receiver has stopped the bot",
    230054: "the chat takes no messages of this type",
    230075: "the chat is encrypted",
    230099: "the card is not right",
    232009: "the chat was dissolved",
    99991401: "the app does not take requests from the address of this machine",
    99991672: "the app lacks a permission; it needs im:message:send_as_bot",
}


class TokenEnded(Unavailable):
    """Lark does not take the token of the app any more; it gives a new one."""


def content_of(answer: ServerAnswer, secrets: Set[str]) -> Mapping[str, Any]:
    """The content of an answer that says that the request was carried out.

    Args:
        answer: as it came.
        secrets: never part of an error.

    Raises:
        TokenEnded: ask for another token, and try once more.
        Unavailable: it was not carried out; try again.
        Rejected: it was not, and never will be.
    """
    words = " ".join(answer.body[:_MAX_WORDS].decode("utf-8", "replace").split())
    try:
        content = json.loads(answer.body)
        code = content.get("code", content.get("StatusCode"))
    except (ValueError, AttributeError, RecursionError):
        content, code = {}, None
    if not isinstance(code, int):
        if 200 <= answer.status < 300:
            raise Unavailable("its answer is none of Lark's", answered=True)
        after = answer.headers.get("Retry-After", "")
        raise failure(answer.status, mask(words, secrets), after)
    if code == 0:
        found: Mapping[str, Any] = content
        return found
    said = mask(" ".join(str(content.get("msg", "")).split()), secrets)[:_MAX_WORDS]
    raise _fault(answer, code, said)


def _fault(answer: ServerAnswer, code: int, said: str) -> Rejected | Unavailable:
    message = f"Lark answered {code}: {_PERMANENT.get(code) or said or 'no reason given'}"
    if code in TOKEN_CODES:
        return TokenEnded(message)
    if code in _TOO_OFTEN:
        reset = answer.headers.get("X-Ogw-Ratelimit-Reset", "")
        after = answer.headers.get("Retry-After", "")
        return Unavailable(message, retry_after=pause_of(reset or after) or timedelta(seconds=1))
    if code in _PERMANENT:
        return Rejected(f"{message} ({said})" if said else message)
    if code in _UNDER_WAY or answer.status < 300:
        return Unavailable(message, answered=code not in _UNDER_WAY)
    return failure(answer.status, message)
