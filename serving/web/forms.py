"""What people send from a page: read in bounds, and only from our own pages."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import Request

from serving.errors import InvalidRequest

_LONGEST = 64 * 1024  # bytes; a remark of 2000 characters, percent-encoded, is at most 24 KB
_MOST_FIELDS = 20


def is_own(headers: Mapping[str, str], public_url: str | None) -> bool:
    """Whether a form was sent from one of our pages, and not from a stranger's.

    There is nobody to log in yet, so nothing in a request tells a person's wish from that of a
    page which he happens to look at, but what browsers say and pages cannot forge:
    `Sec-Fetch-Site`, and where that is missing (plain http past this machine) `Origin`.

    Args:
        headers: of the request, names in lower case.
        public_url: under which people reach the service; None where it is not set.
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
    """The fields of a form that are filled in, without space round them; the last of a name counts.

    Browsers end lines with CR LF, whatever was typed; here they end with LF.

    Raises:
        InvalidRequest: too large, too many fields, or not UTF-8.
    """
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST:
            raise InvalidRequest("body_too_large", f"a form has at most {_LONGEST} bytes")
    try:
        fields = parse_qsl(
            body.decode("ascii"), errors="strict", max_num_fields=_MOST_FIELDS
        )  # which leaves out what is empty
    except ValueError as error:
        raise InvalidRequest("invalid_utf8", f"the form cannot be read: {error}") from None
    stripped = ((name, value.replace("\r\n", "\n").strip()) for name, value in fields)
    return {name: value for name, value in stripped if value}
