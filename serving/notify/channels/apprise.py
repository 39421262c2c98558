"""E-mail, chat and on-call services through apprise; needs the extra `notify`."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from serving.notify.channels.base import Unavailable
from serving.notify.channels.masking import mask
from serving.notify.channels.registry import ChannelContext, ChannelType, register
from serving.notify.channels.spec import ChannelSpec
from serving.notify.notification import Notification
from serving.notify.render.plain import render

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

    The chart is attached if the service takes attachments.
    """

    most = 20

    def __init__(self, spec: AppriseSpec, url: str, _secret: str, context: ChannelContext) -> None:
        """Build the channel; `spec.check_url` has accepted `url`."""
        from apprise import Apprise

        self._service = Apprise()
        self._service.add(url)
        for service in self._service:
            service.request_rate_per_sec = 0.0  # the dispatcher keeps the rate
        self._name = url.partition("://")[0].lower()
        parts = re.split(r"[/:@?&=]+", url.partition("://")[2])
        self._secrets = {part for part in parts if len(part) >= 5}
        self._words = spec.wording
        self._attachments = context.attachments
        self.interval = spec.interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; apprise does not say whether another attempt may help, so it always may."""
        from apprise import NotifyFormat, NotifyType

        message = render(notifications, self._words)
        last = notifications[-1]
        worst = {"info": NotifyType.INFO, "warning": NotifyType.WARNING}.get(
            last.severity, NotifyType.FAILURE
        )
        over = last.withdrawn or last.reason in ("resolved", "test")
        result = await self._service.async_notify(
            body=message.body,
            title=message.subject,
            notify_type=NotifyType.SUCCESS if over else worst,
            body_format=NotifyFormat.TEXT,
            attach=await self._chart(notifications),
        )
        if not result:
            raise Unavailable(f"{self._name} did not take the message{self._reason(result)}")

    async def _chart(self, notifications: Sequence[Notification]) -> "AppriseAttachment | None":
        """The chart of a single transition."""
        from apprise import AppriseAttachment
        from apprise.attachment.memory import AttachMemory

        if len(notifications) > 1 or not all(one.attachment_support for one in self._service):
            return None
        png = await self._attachments.of(notifications[0], self._words)
        if png is None:
            return None
        chart = AttachMemory(png, name="chart.png", mimetype="image/png")  # type: ignore[no-untyped-call]
        return AppriseAttachment(chart)

    def _reason(self, result: "AppriseResult") -> str:
        """What the service answered, without any part of the URL."""
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
