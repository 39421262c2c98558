"""E-mail through a mail server: plain text and HTML beside each other, the chart within."""

import hashlib
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

import aiosmtplib
import structlog

from serving.addresses import is_loopback
from serving.clock import Clock
from serving.locales.wording import Wording
from serving.notify.attachments import Attachments
from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.notification import Notification
from serving.notify.render import digest_content, digest_html, digest_plain, html, plain
from serving.notify.render.content import write
from serving.storage.digest_record import Digest

_log = structlog.get_logger(__name__)
_CHART = "chart@groundswell"
_PORTS = {"smtp": 587, "smtps": 465}
_FAREWELL = 1.0  # seconds for an answer to QUIT
_TOLD = 200  # characters of a server's answer that are passed on


@dataclass(frozen=True, slots=True)
class MailServer:
    """A mail server.

    Attributes:
        host: its name.
        port: 465 for `smtps`, else 587, unless the URL says so.
        tls: "at once", "required" (STARTTLS), or "if offered" (STARTTLS).
        user: to log in as; None does not log in.
        password: of the user.
    """

    host: str
    port: int
    tls: str
    user: str | None
    password: str | None


def server_of(url: str, *, allow_plain: bool) -> MailServer:
    """Read smtp://USER:PASSWORD@HOST:PORT or smtps://…, special characters percent-encoded.

    Past this machine the connection is encrypted, unless `allow_plain`: then only if offered.

    Raises:
        ValueError: what is wrong with the URL, without repeating it.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL cannot be read; write it like smtps://host:465") from None
    if parts.scheme not in _PORTS or not host:
        raise ValueError("the URL must begin with smtps:// or smtp:// and name a host")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ValueError("the URL ends after the port; addresses stand in 'from' and 'to'")
    if parts.scheme == "smtps":
        tls = "at once"
    else:
        tls = "if offered" if allow_plain or is_loopback(host) else "required"
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if (user is None) != (password is None):
        raise ValueError("the URL must give both user and password, or neither")
    return MailServer(host, port or _PORTS[parts.scheme], tls, user, password)


class SmtpChannel:
    """Sends an e-mail to fixed addresses, a burst as one."""

    most = 20

    def __init__(
        self,
        server: MailServer,
        *,
        sender: str,
        to: Sequence[str],
        clock: Clock,
        attachments: Attachments,
        words: Wording,
        interval: timedelta,
    ) -> None:
        self._server = server
        self._sender = sender
        self._to = list(to)
        self._clock = clock
        self._attachments = attachments
        self._words = words
        self.interval = interval

    async def send(self, notifications: Sequence[Notification]) -> None:
        """Deliver; returning means that the server has taken it for at least one address."""
        await self._post(await self._compose(notifications))

    async def send_digest(self, digest: Digest, *, key: str, public_url: str | None) -> None:
        """Deliver a digest, as `send` does; those of one name form a conversation."""
        rendered = digest_content.write(digest, self._words, public_url)
        message = self._headed(rendered.subject, key, thread=f"digest-{digest.name}-{digest.every}")
        self._fill(
            message, digest_plain.body_of(rendered), digest_html.render(rendered, self._words)
        )
        await self._post(message)

    async def _post(self, message: EmailMessage) -> None:
        server = self._server
        smtp = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            use_tls=server.tls == "at once",
            start_tls={"required": True, "if offered": None}.get(server.tls, False),
            username=server.user,
            password=server.password,
            timeout=None,  # the sender bounds the time as a whole
            tls_context=ssl.create_default_context(),
        )
        try:
            await smtp.connect()
            refused, _ = await smtp.send_message(message)
            await _farewell(smtp)
        except aiosmtplib.SMTPRecipientsRefused as error:
            raise _verdict([(one.code, one.message) for one in error.recipients]) from error
        except aiosmtplib.SMTPResponseException as error:
            raise _verdict([(error.code, error.message)]) from error
        except (aiosmtplib.SMTPException, OSError) as error:
            raise Unavailable(_told(str(error)) or type(error).__name__) from error
        finally:
            smtp.close()  # not by `async with`, which waits for an answer to QUIT, maybe for ever
        for address, (code, said) in refused.items():
            _log.error("recipient_refused", address=address, code=code, said=_told(said))

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
        """An empty message with its headers.

        Args:
            subject: one line.
            key: the same at every attempt, so that mail clients show what came twice once.
            thread: the same for all that belongs to one conversation; None for none.
        """
        domain = self._sender.rpartition("@")[2]
        message = EmailMessage(policy=SMTP_POLICY)
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
        message["Content-Language"] = self._words.language  # the parts' own headers are set by now


async def _farewell(smtp: aiosmtplib.SMTP) -> None:
    """QUIT; the message is taken whatever comes of it."""
    with suppress(aiosmtplib.SMTPException, OSError):
        await smtp.quit(timeout=_FAREWELL)


def _verdict(answers: Sequence[tuple[int, str]]) -> Unavailable | Rejected:
    """Whether another attempt may help, by the server's answers: 4yz says so, 5yz denies it."""
    code, said = min(answers)
    text = f"answered {code}: {_told(said)}"
    return Unavailable(text) if code < 500 else Rejected(text)


def _told(said: str) -> str:
    return " ".join(said.split())[:_TOLD]
