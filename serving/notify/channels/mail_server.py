"""A mail server, as the URL of an e-mail channel names it."""

from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from serving.addresses import is_loopback

_PORTS = {"smtp": 587, "smtps": 465}


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
    password: str | None = field(repr=False)


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
        raise ValueError("the URL ends after the port; addresses belong in 'from' and 'to'")
    if parts.scheme == "smtps":
        tls = "at once"
    else:
        tls = "if offered" if allow_plain or is_loopback(host) else "required"
    user = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if (user is None) != (password is None):
        raise ValueError("the URL must give both user and password, or neither")
    return MailServer(host, port or _PORTS[parts.scheme], tls, user, password)
