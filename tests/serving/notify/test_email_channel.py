"""E-mails to a real mail server on loopback: through our own channel and through apprise."""

import asyncio
import email
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, Envelope, LoginPassword

from serving.locales.wording import Wording, wording
from serving.notify.channels.apprise import AppriseSpec
from serving.notify.channels.base import Rejected, Unavailable
from serving.notify.channels.email import EmailChannel
from serving.notify.channels.mail_server import MailServer, server_of
from serving.notify.notification import Notification
from serving.notify.render import plain
from tests.serving.notify.conftest import WORDS, build_channel, notification

PNG = b"\x89PNG\r\n\x1a\n" + bytes(200)
VIETNAMESE = wording("vi", "Asia/Ho_Chi_Minh")


class Desk:
    """Keeps what arrives; answers messages and addresses as it was set to."""

    def __init__(self, answer: str = "250 taken", refused: dict[str, str] | None = None) -> None:
        self.answer = answer
        self.refused = refused or {}
        self.received: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []

    async def handle_RCPT(  # noqa: N802 - aiosmtpd names it
        self, _server: Any, _session: Any, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 ok"

    async def handle_DATA(  # noqa: N802
        self, _server: Any, _session: Any, envelope: Envelope
    ) -> str:
        assert isinstance(envelope.content, bytes)
        message = email.message_from_bytes(envelope.content, policy=default)
        assert isinstance(message, EmailMessage)
        self.received.append(message)
        self.envelopes.append(envelope)
        return self.answer


class StaticAttachments:
    async def of(self, notification: Notification, words: Wording) -> bytes:
        return PNG


@contextmanager
def desk(
    answer: str = "250 taken", *, login: bool = False, **more: Any
) -> Iterator[tuple[Desk, str]]:
    """A mail server and its URL."""
    handler = Desk(answer, **more)

    def authenticate(_s: Any, _session: Any, _e: Any, _mechanism: str, given: Any) -> AuthResult:
        assert isinstance(given, LoginPassword)
        return AuthResult(success=given.password == b"p@ss", handled=False)

    controller = Controller(
        handler, hostname="127.0.0.1", port=0, auth_required=login, auth_require_tls=False,
        authenticator=authenticate if login else None,
    )  # fmt: skip
    # The port is the system's choice, and known once it listens: start() asks the wrong one.
    controller.loop.set_exception_handler(lambda _loop, _context: None)
    thread = threading.Thread(target=controller.loop.run_forever, daemon=True)
    thread.start()

    async def listen() -> asyncio.Server:
        return await asyncio.get_running_loop().create_server(controller.factory, "127.0.0.1", 0)

    server = asyncio.run_coroutine_threadsafe(listen(), controller.loop).result(10)
    try:
        yield handler, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:

        async def close() -> None:
            server.close()
            tasks = asyncio.all_tasks() - {asyncio.current_task()}
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

        asyncio.run_coroutine_threadsafe(close(), controller.loop).result(10)
        controller.loop.call_soon_threadsafe(controller.loop.stop)
        thread.join(10)
        controller.loop.close()


def channel(
    address: str,
    *,
    language: str = "en",
    timezone: str = "UTC",
    to: Sequence[str] = ("pr@example.com",),
    user: str = "",
) -> EmailChannel:
    built = build_channel(
        "email", f"smtp://{user}{address}", attachments=StaticAttachments(), language=language,
        timezone=timezone, to=list(to), **{"from": "alerts@pr.example.com"},
    )  # fmt: skip
    assert isinstance(built, EmailChannel)
    return built


async def test_an_email_holds_text_and_html_with_the_chart_in_it() -> None:
    with desk() as (mail, address):
        await channel(address, language="vi", timezone="Asia/Ho_Chi_Minh").send([notification()])
    (received,) = mail.received
    assert received["subject"].startswith("NGHIÊM TRỌNG · Lena Vane · ")
    assert str(received["from"]) == "Groundswell <alerts@pr.example.com>"
    assert received["to"] == "pr@example.com"
    assert received["content-language"] == "vi"
    assert received["auto-submitted"] == "auto-generated"
    assert received.get_content_type() == "multipart/alternative"
    text, related = received.iter_parts()
    assert isinstance(text, EmailMessage)
    assert isinstance(related, EmailMessage)
    wanted = plain.render([notification()], VIETNAMESE).body
    assert text.get_content().replace("\r\n", "\n").strip() == wanted
    page, picture = related.iter_parts()
    assert isinstance(page, EmailMessage)
    assert isinstance(picture, EmailMessage)
    html = page.get_content()
    assert f"cid:{picture['content-id'].strip('<>')}" in html
    assert "đợt" not in html
    assert "Tiếp nhận xử lý" in html
    assert picture.get_content() == PNG
    assert picture.get_content_disposition() == "inline"


async def test_an_attempt_repeats_its_id_and_an_alert_is_one_conversation() -> None:
    with desk() as (mail, address):
        mails = channel(address)
        await mails.send([notification()])
        await mails.send([notification()])
        await mails.send([notification(key="a1-resolved-2-desk", reason="resolved")])
        await mails.send([notification(), notification(alert_id="a2", key="other")])
    first, again, over, burst = mail.received
    assert first["message-id"] == again["message-id"] != over["message-id"]
    assert first["message-id"].endswith("@pr.example.com>")
    assert first["references"] == over["references"] == "<alert-a1@pr.example.com>"
    assert burst["references"] is None
    assert [part.get_content_type() for part in burst.walk()] == [
        "multipart/alternative", "text/plain", "text/html",
    ]  # fmt: skip


async def test_what_others_wrote_cannot_add_headers() -> None:
    with desk() as (mail, address):
        await channel(address).send([notification(kol_name="L\r\nBcc: all@example.com\r\n\r\nx")])
    assert mail.received[0]["bcc"] is None
    assert mail.envelopes[0].rcpt_tos == ["pr@example.com"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [("451 later", Unavailable), ("552 too large", Rejected), ("421 closing", Unavailable)],
)
async def test_the_code_of_a_server_decides_the_error(answer: str, error: type[Exception]) -> None:
    with desk(answer) as (_, address), pytest.raises(error, match=answer[:3]):
        await channel(address).send([notification()])


async def test_a_refused_address_does_not_stop_the_others() -> None:
    both = ("gone@example.com", "pr@example.com")
    with desk(refused={"gone@example.com": "550 no such person"}) as (mail, address):
        await channel(address, to=both).send([notification()])
        assert mail.envelopes[0].rcpt_tos == ["pr@example.com"]
        with pytest.raises(Rejected, match="550: no such person"):
            await channel(address, to=both[:1]).send([notification()])
    full = desk(refused={"gone@example.com": "450 full"})
    with full as (_, address), pytest.raises(Unavailable, match="450: full"):
        await channel(address, to=both[:1]).send([notification()])


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_it_logs_in_and_shows_no_password() -> None:
    with desk(login=True) as (mail, address):
        await channel(address, user="alerts:p%40ss@").send([notification()])
        assert len(mail.received) == 1
        with pytest.raises(Rejected, match="535") as raised:
            await channel(address, user="alerts:secret7@").send([notification()])
        assert "secret7" not in str(raised.value)


async def test_a_message_is_delivered_whatever_the_answer_to_quit_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def lingering(*_: Any) -> str:
        await asyncio.sleep(30)
        return "221 bye"

    monkeypatch.setattr(Desk, "handle_QUIT", lingering, raising=False)
    with desk() as (mail, address):
        async with asyncio.timeout(10):
            await channel(address).send([notification()])
        assert len(mail.received) == 1


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    with desk() as (_, address):
        pass
    with pytest.raises(Unavailable):
        await channel(address).send([notification()])


@pytest.mark.parametrize(
    "greeting",
    [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\xff\x00" * 50_000, b"220-more\r\n" * 50_000],
    ids=["nothing", "another protocol", "an endless line", "endless lines"],
)
async def test_a_server_that_answers_nonsense_fails_the_attempt(greeting: bytes) -> None:
    async def talk(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            writer.write(greeting)
            await writer.drain()
        writer.close()

    async with await asyncio.start_server(talk, "127.0.0.1", 0) as server, asyncio.timeout(10):
        address = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises((Unavailable, Rejected)) as raised:
            await channel(address).send([notification()])
    assert len(str(raised.value)) < 300


async def test_nothing_is_sent_without_encryption_where_it_is_required() -> None:
    with desk() as (mail, address):
        host, _, port = address.partition(":")
        demanding = channel(address)
        demanding._server = MailServer(host, int(port), "required", None, None)
        with pytest.raises(Unavailable, match="STARTTLS"):
            await demanding.send([notification()])
    assert mail.received == []


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtps://mail.example.com", MailServer("mail.example.com", 465, "at once", None, None)),
        ("smtp://u%40x:p%3A%2F@mail.example.com:25",
         MailServer("mail.example.com", 25, "required", "u@x", "p:/")),
        ("smtp://localhost:1025", MailServer("localhost", 1025, "if offered", None, None)),
    ],
)  # fmt: skip
def test_a_url_names_a_server(url: str, server: MailServer) -> None:
    assert server_of(url, allow_plain=False) == server


@pytest.mark.parametrize(
    "url",
    ["http://mail", "smtp://", "smtp://u@mail", "smtp://mail:x", "smtp://mail:99999",
     "smtps://mail/to@example.com", "smtp://[::1"],
)  # fmt: skip
def test_a_wrong_url_is_reported(url: str) -> None:
    with pytest.raises(ValueError, match="the URL"):
        server_of(url, allow_plain=False)


async def test_apprise_mails_the_text_and_the_chart() -> None:
    with desk() as (mail, address):
        url = f"mailto://{address}?from=alerts@example.com&to=pr@example.com"
        AppriseSpec(type="apprise", url=url).check_url(url)
        await build_channel("apprise", url, attachments=StaticAttachments()).send([notification()])
        await build_channel("apprise", url).send([notification()])
    received, bare = mail.received
    message = plain.render([notification()], WORDS)
    assert received["subject"] == message.subject
    body = received.get_body(("plain", "html"))
    assert body is not None
    assert "my face burns, you LIAR" in body.get_content()
    (attached,) = received.iter_attachments()
    assert attached.get_content() == PNG
    assert list(bare.iter_attachments()) == []


@pytest.mark.parametrize(
    "words",
    [
        "Làn sóng phản ứng tiêu cực trên trang của nghệ sĩ Nguyễn Thị Ánh Tuyết: 67% (6 of 9) · ",
        "Критическая волна отрицательных комментариев: 67% (6 of 9) · последние восемь минут, ",
        "Ángel ☂️ 👩‍👩‍👧‍👦 Đặng, mixed with plain English words (6 of 9) and more of it; ",
        "Безпробеловоеслово",
    ],
)
async def test_a_subject_of_200_characters_arrives_as_it_was_written(words: str) -> None:
    subjects = [(words[start:] + words * 12)[:200].strip() for start in range(0, len(words), 5)]
    with desk() as (mail, address):
        mails = channel(address)
        for subject in subjects:
            message = mails._headed(subject, "key", thread=None)
            mails._fill(message, "text", "<p>text</p>")
            await mails._post(message)
    assert [received["subject"] for received in mail.received] == subjects
    for envelope in mail.envelopes:
        assert isinstance(envelope.content, bytes)
        head = envelope.content.partition(b"\r\n\r\n")[0]
        assert max(map(len, head.split(b"\r\n"))) <= 78
