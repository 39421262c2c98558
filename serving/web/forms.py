"""Reads forms: of bounded size, and only from our own pages."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from serving.errors import InvalidRequest

_LONGEST = 64 * 1024  # bytes; a remark of 2000 characters, percent-encoded, is at most 24 KB
_MOST_FIELDS = 20


def is_own(headers: Mapping[str, str], public_url: str | None) -> bool:
    """Whether a form was sent from one of our pages, and not from another site.

    There is no login yet. Only headers that browsers set and pages cannot forge show who sent a
    form: `Sec-Fetch-Site`, or `Origin` if that is missing (plain http to another machine).

    Args:
        headers: headers of the request, names in lower case.
        public_url: public address of the service; None if not set.
    """
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = urlsplit(headers.get("origin", ""))
    if not origin.netloc:
        return False
    if public_url is not None:
        own = urlsplit(public_url)
        if (origin.scheme, origin.netloc) == (own.scheme, own.netloc):
            return True
    return origin.netloc == headers.get("host")


async def read_form(request: Request) -> dict[str, str]:
    """The non-empty fields of a form, stripped; the last value of a name counts.

    Browsers send line ends as CR LF; here they become LF.

    Raises:
        InvalidRequest: it is too large, has too many fields, or is not UTF-8.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise InvalidRequest("body_too_large", f"a form has at most {_LONGEST} bytes")
    try:
        fields = parse_qsl(
            body.decode("ascii"), errors="strict", max_num_fields=_MOST_FIELDS
        )  # leaves out empty fields
    except ValueError as error:
        raise InvalidRequest("invalid_utf8", f"the form cannot be read: {error}") from None
    stripped = ((name, value.replace("\r\n", "\n").strip()) for name, value in fields)
    return {name: value for name, value in stripped if value}
