"""The cards that an app has sent to a chat, changed when their alert is over."""

import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import structlog

from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.lark_app import LarkApp
from serving.notify.render import lark
from serving.notify.render.content import Content, RenderedMessage

_MOST_CARDS = 500  # that are known at once; what is older stays as it was sent
_MESSAGE_ID = re.compile(r"\w{1,100}", re.ASCII)
_ENDED = ("over", "withdrawn")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Sent:
    message_id: str
    content: Content


class LarkCards:
    """Sends cards to a chat. It knows those that it sent since the service started."""

    def __init__(self, app: LarkApp, chat_id: str) -> None:
        self._app = app
        self._chat_id = chat_id
        self._sent: OrderedDict[str, list[_Sent]] = OrderedDict()  # by alert

    async def send(self, card: bytes, keys: Sequence[str], message: RenderedMessage) -> None:
        """Send a card, then say on the former ones of its alerts that are over that they are.

        Args:
            card: the card, in JSON.
            keys: the idempotency keys of what it says. Lark takes the same ones once in an hour.
            message: what it says.

        Raises:
            Unavailable: not delivered; try again.
            Rejected: not delivered, and never will be.
        """
        content = {
            "receive_id": self._chat_id,
            "msg_type": "interactive",
            "content": card.decode(),
            "uuid": hashlib.sha256("\n".join(keys).encode()).hexdigest()[:50],
        }
        path = "/im/v1/messages?receive_id_type=chat_id"
        answer = await self._app.call("POST", path, content)
        for item in message.items:
            if item.tone in _ENDED:
                await self._end(item)
        if len(message.items) == 1 and message.items[0].tone not in _ENDED:
            self._keep(answer.get("data"), message.items[0])

    def _keep(self, data: object, content: Content) -> None:
        message_id = data.get("message_id") if isinstance(data, dict) else None
        if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
            return
        self._sent.setdefault(content.alert_id, []).append(_Sent(message_id, content))
        self._sent.move_to_end(content.alert_id)
        while sum(map(len, self._sent.values())) > _MOST_CARDS:
            self._sent.popitem(last=False)

    async def _end(self, ended: Content) -> None:
        """Change the former cards of an alert. The message of the end was sent in any case."""
        for sent in self._sent.pop(ended.alert_id, ()):
            former = replace(sent.content, tone=ended.tone, flag=ended.flag)
            card = lark.render(RenderedMessage(former.subject, (former,)), status=ended.sentence)
            content = {"content": json.dumps(card, ensure_ascii=False)}
            try:
                await self._app.call("PATCH", f"/im/v1/messages/{sent.message_id}", content)
            except (Rejected, Unavailable) as error:
                _log.warning("lark_card_unchanged", alert_id=ended.alert_id, error=str(error))
