"""E-mail, chat and on-call services through apprise; needs the extra `notify`."""

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Literal

from serving.notify.channels.base import Unavailable
from serving.notify.channels.http_post import failure
from serving.notify.channels.masking import mask
from serving.notify.channels.registry import ChannelContext, ChannelType, register
from serving.notify.channels.spec import ChannelSpec
from serving.notify.notification import Notification
from serving.notify.render.parts import byte_length, split, utf16_length
from serving.notify.render.plain import Text, render
from serving.outgoing.address_rules import ForbiddenAddress
from serving.outgoing.guarded_requests import RequestsGuard, bound_requests
from serving.outgoing.guarded_thread import run_guarded

if TYPE_CHECKING:
    from apprise import AppriseAttachment, AppriseResult

# Services that reach people. Left out: those that act on this machine (desktops, syslog), and
# apprise's own plain webhooks, because `type = "webhook"` is signed.
SCHEMES = frozenset(
    {
        "discord", "dingtalk", "feishu", "gchat", "googlechat", "gotify", "gotifys", "lark",
        "line", "mailto", "mailtos", "matrix", "matrixs", "mattermost", "mmost", "mmosts",
        "msteams", "ntfy", "ntfys", "opsgenie", "pagerduty", "pagertree", "pbul", "pover",
        "rocket", "rockets", "signal", "signals", "slack", "sns", "splunk", "tgram", "twilio",
        "victorops", "vonage", "webex", "wecombot", "whatsapp", "workflow", "workflows", "wxteams",
        "zulip",
    }
)  # fmt: skip
# The longest text of services that take less than apprise believes. Apprise knows the others.
_LONGEST = {"ntfy": 4096, "ntfys": 4096}
_COUNT_BYTES = frozenset(
    {"dingtalk", "feishu", "lark", "ntfy", "ntfys", "webex", "wecombot", "wxteams"}
)
_LONGEST_OF_ALL = 30_000
_BESIDES = 40  # what apprise writes between title and text
_SHORT, _SHORT_PARTS, _PARTS = 1000, 2, 8  # a text message of a telephone is cut, not sent in many
MISSING = 'apprise is not installed: pip install "groundswell[notify]"'


class AppriseSpec(ChannelSpec):
    """A service that apprise reaches."""

    type: Literal["apprise"]

    def check_url(self, url: str) -> None:
        """Check an apprise URL."""
        scheme, found, _ = url.partition("://")
        if not found:
            raise ValueError(
                "the URL has no scheme; apprise's documentation has each service's form"
            )
        if scheme.lower() not in SCHEMES:
            raise ValueError(
                f"the URL's scheme is not supported; supported are {', '.join(sorted(SCHEMES))}"
            )
        try:
            from apprise import Apprise
        except ModuleNotFoundError:
            raise ValueError(MISSING) from None
        if not Apprise().add(url):
            raise ValueError(
                f"apprise cannot read this {scheme.lower()} URL; see its documentation for the form"
            )


class AppriseChannel:
    """Sends text through one apprise URL, a burst as one message.

    A text that is too long for the service is sent in parts. The chart is attached if the service
    takes attachments.
    """

    most = 20

    def __init__(self, spec: AppriseSpec, url: str, _secret: str, context: ChannelContext) -> None:
        """Build the channel; `spec.check_url` has accepted `url`."""
        from apprise import Apprise, AppriseAsset

        bound_requests()
        self._apprise = Apprise(asset=AppriseAsset(async_mode=False))  # all in the thread of a send
        self._apprise.add(url)
        (self._service,) = self._apprise
        self._service.request_rate_per_sec = 0.0  # the dispatcher keeps the rate
        self._service.redirects = False
        self._name = url.partition("://")[0].lower()
        parts = re.split(r"[/:@?&=]+", url.partition("://")[2])
        self._secrets = {part for part in parts if len(part) >= 5}
        self._rules = context.rules
        self._words = spec.wording
        self._attachments = context.attachments
        self.interval = spec.interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; a service that refuses a message is not asked again."""
        from apprise import NotifyFormat, NotifyType

        message = render(notifications, self._words)
        last = notifications[-1]
        worst = {"info": NotifyType.INFO, "warning": NotifyType.WARNING}.get(
            last.severity, NotifyType.FAILURE
        )
        over = last.withdrawn or last.reason in ("resolved", "test")
        chart = await self._chart(notifications)
        parts = self._parts(message)
        for place, part in enumerate(parts):
            first = place == 0
            await self._post(
                partial(
                    self._apprise.notify,
                    body=part,
                    title=message.subject if first else f"({place + 1}/{len(parts)})",
                    notify_type=NotifyType.SUCCESS if over else worst,
                    body_format=NotifyFormat.TEXT,
                    attach=chart if first else None,
                )
            )

    async def _post(self, notify: "Callable[[], AppriseResult]") -> None:
        guard = RequestsGuard(self._rules)
        result = await run_guarded(notify, guard)
        if result:
            return
        try:
            guard.check()
        except ForbiddenAddress as error:
            raise Unavailable(str(error)) from error
        for answer in reversed(guard.answers):
            if not 200 <= answer.status < 300:
                words = mask(answer.words, self._secrets)
                raise failure(answer.status, words, answer.retry_after)
        raise Unavailable(f"{self._name} did not take the message{self._reason(result)}")

    def _parts(self, message: Text) -> list[str]:
        """The text in parts that the service takes, below the title."""
        size = byte_length if self._name in _COUNT_BYTES else utf16_length
        longest = min(_LONGEST.get(self._name, self._service.body_maxlen), _LONGEST_OF_ALL)
        room = max(longest - size(message.subject) - _BESIDES, longest // 2)
        return split(message.body, room, size, most=_PARTS if longest >= _SHORT else _SHORT_PARTS)

    async def _chart(self, notifications: Sequence[Notification]) -> "AppriseAttachment | None":
        """The chart of a single transition."""
        from apprise import AppriseAttachment
        from apprise.attachment.memory import AttachMemory

        if len(notifications) > 1 or not self._service.attachment_support:
            return None
        png = await self._attachments.of(notifications[0], self._words)
        if png is None:
            return None
        chart = AttachMemory(png, name="chart.png", mimetype="image/png")  # type: ignore[no-untyped-call]
        return AppriseAttachment(chart)

    def _reason(self, result: "AppriseResult") -> str:
        """What apprise says, without any part of the URL."""
        answer = mask(" ".join(entry.message for entry in result.logs()), self._secrets)
        return f": {answer[:300]}" if answer else ""


register(
    ChannelType(
        name="apprise",
        spec=AppriseSpec,
        build=AppriseChannel,
        example={"url": "ntfy://ntfy.example.com/s3cr3t-t0ken"},
    )
)
