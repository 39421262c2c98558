"""The Bot API of Telegram."""

import json
from typing import Any

from werkzeug import Request, Response

from tests.sources.fake_platform import FakeComment, FakePlatform, Refusal

TOKEN = "123456789:AAExampleTokenOfABot"
CHANNEL, GROUP = 1234567890, 2345678901
SUBSCRIBERS = 48_200


def bot_id(bare: int) -> int:
    return -1_000_000_000_000 - bare


class TelegramBotApi(FakePlatform):
    """Keeps updates until the one after them is asked for."""

    type = "telegram"
    documented = (
        "https://core.telegram.org/bots/api (Making requests, Getting updates, Message,"
        " getChat, getChatMember, getChatMemberCount), as known on 1 December 2026,"
        " from memory and excerpts",
    )
    edits = posts = followers = True

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.updates: list[dict[str, Any]] = []
        self.sees_all = True
        self.numbers: dict[str, int] = {}  # message ids, by what the tests call them

    def settings(self) -> dict[str, Any]:
        return {"channel": "@lenapark", "token": TOKEN, "api_url": self.url}

    def publish(self, *comments: FakeComment) -> None:
        super().publish(*comments)
        for comment in self.undelivered():
            if comment.post_id not in self.numbers:
                self.add({"message": self.post(comment.post_id)})
            kind = "edited_message" if comment.edited_at else "message"
            if not comment.removed:
                self.add({kind: self.message(comment)})

    def add(self, update: dict[str, Any]) -> None:
        """Something happens."""
        number = self.updates[-1]["update_id"] + 1 if self.updates else 8_000
        self.updates.append({"update_id": number, **update})

    def number(self, name: str) -> int:
        return self.numbers.setdefault(name, len(self.numbers) + 100)

    def post(self, name: str) -> dict[str, Any]:
        """A post of the channel, as it comes to the group."""
        at = int(self.clock.now().timestamp()) - 20_000
        channel = {"id": bot_id(CHANNEL), "type": "channel", "username": "lenapark"}
        return {
            "message_id": self.number(name),
            "from": {"id": 777000, "is_bot": False, "first_name": "Telegram"},
            "sender_chat": channel,
            "chat": {"id": bot_id(GROUP), "type": "supergroup"},
            "date": at,
            "is_automatic_forward": True,
            "forward_origin": {
                "type": "channel",
                "chat": channel,
                "message_id": self.number(name) - 90,
                "date": at,
            },
            "text": f"Text of {name}",
        }

    def message(self, comment: FakeComment) -> dict[str, Any]:
        """A comment."""
        root = self.number(comment.post_id)
        answered = {"message_id": root, "is_automatic_forward": True}
        if comment.parent_id:
            answered = {"message_id": self.number(comment.parent_id)}
        found: dict[str, Any] = {
            "message_id": self.number(comment.comment_id),
            "from": {"id": 5000 + int(comment.author_id.split("-")[1]), "is_bot": False},
            "chat": {"id": bot_id(GROUP), "type": "supergroup"},
            "date": int(comment.created_at.timestamp()),
            "message_thread_id": root,
            "reply_to_message": answered,
            "text": comment.text,
        }
        if comment.edited_at:
            found["edit_date"] = int(comment.edited_at.timestamp())
        return found

    def refused(self, refusal: Refusal) -> Response:
        status = int(refusal.value)
        body: dict[str, Any] = {"ok": False, "error_code": status, "description": "refused"}
        if refusal is Refusal.BUSY:
            body |= {"description": "Too Many Requests", "parameters": {"retry_after": 37}}
        return self.json(body, status=status)

    def answer(self, request: Request) -> Response:
        if not request.path.startswith(f"/bot{TOKEN}/"):
            return self.json(
                {"ok": False, "error_code": 404, "description": "Not Found"}, status=404
            )
        method = request.path.rpartition("/")[2]
        found = getattr(self, f"_{method}")(request)
        return found if isinstance(found, Response) else self.json({"ok": True, "result": found})

    def _getMe(self, _: Request) -> Any:  # noqa: N802 - the method's name on the platform
        return {"id": 99, "username": "pr_bot", "can_read_all_group_messages": self.sees_all}

    def _getChatMember(self, _: Request) -> Any:  # noqa: N802
        return {"status": "member"}

    def _getChatMemberCount(self, _: Request) -> Any:  # noqa: N802
        return SUBSCRIBERS

    def _getChat(self, request: Request) -> Any:  # noqa: N802
        if request.args["chat_id"] == "@lenapark":
            return {"id": bot_id(CHANNEL), "type": "channel", "linked_chat_id": bot_id(GROUP)}
        if request.args["chat_id"] == str(bot_id(GROUP)):
            return {"id": bot_id(GROUP), "type": "supergroup"}
        refusal = {"ok": False, "error_code": 400, "description": "Bad Request: chat not found"}
        return self.json(refusal, status=400)

    def _getUpdates(self, request: Request) -> Any:  # noqa: N802
        assert set(json.loads(request.args["allowed_updates"])) == {"message", "edited_message"}
        first = int(request.args.get("offset", 0))
        self.updates = [one for one in self.updates if one["update_id"] >= first]
        return self.updates[: int(request.args["limit"])]


FAKE = TelegramBotApi
