"""Reads forms. Their size was checked before, and that they come from our own pages."""

from urllib.parse import parse_qsl

from starlette.requests import Request

from serving.errors import InvalidRequest

_MOST_FIELDS = 20


async def read_form(request: Request) -> dict[str, str]:
    """The non-empty fields of a form, stripped; the last value of a name counts.

    Browsers send line ends as CR LF; here they become LF.

    Raises:
        InvalidRequest: it is too large, has too many fields, or is not UTF-8.
    """
    body = await request.body()
    try:
        fields = parse_qsl(
            body.decode("ascii"), errors="strict", max_num_fields=_MOST_FIELDS
        )  # leaves out empty fields
    except ValueError as error:
        raise InvalidRequest("invalid_utf8", f"the form cannot be read: {error}") from None
    stripped = ((name, value.replace("\r\n", "\n").strip()) for name, value in fields)
    return {name: value for name, value in stripped if value}
