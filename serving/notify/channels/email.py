"""E-mail through a mail server: plain text and HTML, with the chart inside."""

import hashlib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from typing import Annotated, Literal

import aiosmtplib
import structlog
from pydantic import Field

from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.mail_policy import MAIL_POLICY
from serving.notify.channels.mail_server import server_of
from serving.notify.channels.registry import ChannelContext, ChannelType, register
from serving.notify.channels.spec import ChannelSpec
from serving.notify.notification import Notification
from serving.notify.render import digest_content, digest_html, digest_plain, html, plain
from serving.notify.render.content import write
from serving.outgoing.address_rules import ForbiddenAddress
from serving.outgoing.resolution import connect
from serving.storage.digest_record import Digest

_log = structlog.get_logger(__name__)
_CHART = "chart@groundswell"
_QUIT_TIMEOUT = 1.0  # seconds for an answer to QUIT
_MAX_ERROR = 200  # characters of a server's answer that an error has
MailAddress = Annotated[str, Field(pattern=r"^[^@\s<>,;\"]+@[^@\s<>,;\"]+$", max_length=254)]


class EmailSpec(ChannelSpec):
    """A mail server, the sender and the recipients."""

    type: Literal["email"]
    sender: MailAddress = Field(alias="from")
    to: list[MailAddress] = Field(min_length=1, max_length=50)
    allow_plain: bool = False

    def check_url(self, url: str) -> None:
        """Check the URL of the mail server."""
        server_of(url, allow_plain=self.allow_plain)


class EmailChannel:
    """Sends an e-mail to fixed addresses, a burst as one."""

    most = 20

    def __init__(self, spec: EmailSpec, url: str, _secret: str, context: ChannelContext) -> None:
        self._rules = context.rules
        self._server = server_of(url, allow_plain=spec.allow_plain)
        self._sender = spec.sender
        self._to = list(spec.to)
        plain_addresses = all(one.isascii() for one in (self._sender, *self._to))
        self._policy = MAIL_POLICY if plain_addresses else MAIL_POLICY.clone(utf8=True)
        self._clock = context.clock
        self._attachments = context.attachments
        self._words = spec.wording
        self.interval = spec.interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; returning means that the server took it for at least one address."""
        await self._post(await self._compose(notifications))

    async def send_digest(self, digest: Digest, *, key: str, public_url: str | None) -> None:
        """Deliver a digest, as `send` does; digests of one name form a thread."""
        rendered = digest_content.write(digest, self._words, public_url)
        message = self._headed(rendered.subject, key, thread=f"digest-{digest.name}-{digest.every}")
        self._fill(
            message, digest_plain.body_of(rendered), digest_html.render(rendered, self._words)
        )
        await self._post(message)

    async def _post(self, message: EmailMessage) -> None:
        server = self._server
        try:
            opened = await connect(server.host, server.port, self._rules)
        except (ForbiddenAddress, OSError) as error:
            raise Unavailable(_one_line(str(error)) or type(error).__name__) from error
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            sock=opened,
            use_tls=server.tls == "at once",
            start_tls={"required": True, "if offered": None}.get(server.tls, False),
            username=server.user,
            password=server.password,
            timeout=None,  # the dispatcher bounds the total time
            tls_context=ssl.create_default_context(),
        )
        try:
            await smtp.connect()
            refused, _ = await smtp.sendmail(
                self._sender, self._to, message.as_bytes(), mail_options=await self._options(smtp)
            )
            await _quit(smtp)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _error_of([(one.code, one.message) for one in error.recipients]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _error_of([(error.code, error.message)]) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_one_line(str(error)) or type(error).__name__) from error
        finally:
            smtp.close()  # `async with` would wait for an answer to QUIT without end
            opened.close()
        for address, (code, answer) in refused.items():
            _log.error("recipient_refused", address=address, code=code, answer=_one_line(answer))

    async def _options(self, smtp: aiosmtplib.SMTP) -> list[str]:
        """What the server is asked for: addresses that are not ASCII need an extension.

        Raises:
            Rejected: the server does not have it.
        """
        if self._policy is MAIL_POLICY:
            return []
        await smtp.ehlo()
        if not smtp.supports_extension("smtputf8"):
            raise Rejected("the mail server takes no addresses that are not ASCII (SMTPUTF8)")
        return ["SMTPUTF8", "BODY=8BITMIME"]

    async def _compose(self, notifications: Sequence[Notification]) -> EmailMessage:
        rendered = write(notifications, self._words)
        first, last = notifications[0], notifications[-1]
        chart = None
        if len(notifications) == 1:
            chart = await self._attachments.of(first, self._words)
        thread = f"alert-{first.alert_id}" if len(notifications) == 1 else None
        message = self._headed(rendered.subject, f"{first.key} {last.key}", thread=thread)
        page = html.render(rendered, self._words, chart=_CHART if chart else None)
        self._fill(message, plain.body_of(rendered), page)
        if chart:
            _, shown = message.iter_parts()
            assert isinstance(shown, EmailMessage)
            shown.add_related(
                chart, "image", "png", cid=f"<{_CHART}>", filename="chart.png",
                disposition="inline",
            )  # fmt: skip
        return message

    def _headed(self, subject: str, key: str, *, thread: str | None) -> EmailMessage:
        """A message with its headers and no body.

        Args:
            subject: one line.
            key: the same at every attempt, so that mail clients show a repeated message once.
            thread: the same for every message of one thread; None for none.
        """
        domain = self._sender.rpartition("@")[2]
        message = EmailMessage(policy=self._policy)
        message["Subject"] = subject
        message["From"] = Address("Groundswell", addr_spec=self._sender)
        message["To"] = ", ".join(self._to)
        message["Date"] = format_datetime(self._clock.now())
        name = hashlib.blake2b(key.encode(), digest_size=16).hexdigest()
        message["Message-ID"] = f"<{name}@{domain}>"
        if thread is not None:
            message["References"] = f"<{thread}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        return message

    def _fill(self, message: EmailMessage, text: str, page: str) -> None:
        message.set_content(text, cte="quoted-printable")
        message.add_alternative(page, subtype="html", cte="quoted-printable")
        message["Content-Language"] = self._words.language  # last, or it moves into a part


async def _quit(smtp: aiosmtplib.SMTP) -> None:
    """QUIT; the server has the message, whatever it answers."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=_QUIT_TIMEOUT)


def _error_of(answers: Sequence[tuple[int, str]]) -> Unavailable | Rejected:
    """The error of a server's answers: after 4yz another attempt may help, after 5yz none can."""
    code, answer = min(answers)
    text = f"answered {code}: {_one_line(answer)}"
    return Unavailable(text) if code < 500 else Rejected(text)


def _one_line(answer: str) -> str:
    return " ".join(answer.split())[:_MAX_ERROR]


register(
    ChannelType(
        name="email",
        spec=EmailSpec,
        build=EmailChannel,
        example={
            "url": "smtps://alerts:s3cr3t-t0ken@mail.example.com",
            "from": "alerts@example.com",
            "to": ["pr@example.com"],
        },
        takes_digests=True,
    )
)
