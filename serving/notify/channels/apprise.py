"""E-mail, chat and on-call services through apprise; needs the extra `notify`."""

import re
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from serving.locales.wording import Wording
from serving.notify.attachments import Attachments
from serving.notify.channels.base import Unavailable
from serving.notify.notification import Notification
from serving.notify.render.plain import render

if TYPE_CHECKING:
    from apprise import AppriseAttachment, AppriseResult

# Services that people are reached by. Left out: what acts on this machine (desktops, syslog), and
# apprise's own plain webhooks, for `type = "webhook"` is signed.
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


def fault_of(url: str) -> str | None:
    """What is wrong with an apprise URL, without repeating it; None if nothing is."""
    scheme, found, _ = url.partition("://")
    if not found:
        return "the URL has no scheme; apprise's documentation has each service's form"
    if scheme.lower() not in SCHEMES:
        return f"the URL's scheme is not supported; supported are {', '.join(sorted(SCHEMES))}"
    try:
        from apprise import Apprise
    except ModuleNotFoundError:
        return MISSING
    if not Apprise().add(url):
        return f"apprise cannot read this {scheme.lower()} URL; see its documentation for the form"
    return None


class AppriseChannel:
    """Sends text through one apprise URL, a burst as one message.

    The chart goes along where the service takes attachments.
    """

    most = 20

    def __init__(
        self, url: str, interval: timedelta, words: Wording, attachments: Attachments
    ) -> None:
        """Build the channel; `fault_of` has found nothing wrong with `url`."""
        from apprise import Apprise

        self._service = Apprise()
        self._service.add(url)
        for service in self._service:
            service.request_rate_per_sec = 0.0  # the sender keeps the pace
        self._name = url.partition("://")[0].lower()
        parts = re.split(r"[/:@?&=]+", url.partition("://")[2])
        self._secrets = {part for part in parts if len(part) >= 5}
        self._words = words
        self._attachments = attachments
        self.interval = interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; apprise does not say whether another attempt may help, so it always may."""
        from apprise import NotifyFormat, NotifyType

        message = render(notifications, self._words)
        worst = {"info": NotifyType.INFO, "warning": NotifyType.WARNING}.get(
            notifications[-1].severity, NotifyType.FAILURE
        )
        over = notifications[-1].reason in ("resolved", "test")
        result = await self._service.async_notify(
            body=message.body,
            title=message.subject,
            notify_type=NotifyType.SUCCESS if over else worst,
            body_format=NotifyFormat.TEXT,
            attach=await self._chart(notifications),
        )
        if not result:
            raise Unavailable(f"{self._name} did not take it{self._reason(result)}")

    async def _chart(self, notifications: Sequence[Notification]) -> "AppriseAttachment | None":
        """What led to a single transition, as a picture."""
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
        """The service's own words, without any part of the URL."""
        words = " ".join(entry.message for entry in result.logs())
        for secret in self._secrets:
            words = words.replace(secret, "***")
        return f": {words[:300]}" if words else ""
