"""An e-mail through apprise to a mail server on loopback."""

import asyncio
import email
from datetime import timedelta
from email.message import EmailMessage
from email.policy import default

from serving.delivery.apprise_channel import AppriseChannel, fault_of
from serving.delivery.message import render
from tests.serving.delivery.conftest import notification


class MailServer:
    """As much of SMTP as a client without login needs."""

    def __init__(self) -> None:
        self.received: list[EmailMessage] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"DATA":
                writer.write(b"354 go on\r\n")
                raw = await reader.readuntil(b"\r\n.\r\n")
                message = email.message_from_bytes(raw[:-3], policy=default)
                assert isinstance(message, EmailMessage)
                self.received.append(message)
            if verb == b"QUIT":
                writer.write(b"221 bye\r\n")
                break
            writer.write(b"250 ok\r\n")
        writer.close()


async def test_an_email_arrives_with_subject_and_text() -> None:
    mail = MailServer()
    server = await asyncio.start_server(mail.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    url = f"mailto://127.0.0.1:{port}?from=alerts@example.com&to=pr@example.com"
    assert fault_of(url) is None
    try:
        await AppriseChannel(url, timedelta()).send([notification()])
    finally:
        server.close()
    (received,) = mail.received
    message = render([notification()])
    assert received["subject"] == message.subject
    assert received["to"] == "pr@example.com"
    body = received.get_body(("plain", "html"))
    assert body is not None
    assert "my face burns, you LIAR" in body.get_content()
