"""What every answer of the service becomes: a frozen record that remembers its JSON."""

import json
from typing import Any, TypeVar

import msgspec

from groundswell_client.errors import UnexpectedAnswer

T = TypeVar("T")


class Record(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """A frozen record of the API.

    Fields that a record does not know are ignored, so that an older client reads a newer service;
    `raw` has them.
    """

    @property
    def body(self) -> bytes:
        """The JSON that the record was read from; of a record that is inside another or was made by
        hand, that of its fields.
        """
        body: bytes | None = self.__dict__.get("_body")
        return msgspec.json.encode(self) if body is None else body

    @property
    def raw(self) -> Any:
        """`body` as dicts and lists."""
        return json.loads(self.body)

    @property
    def etag(self) -> str | None:
        """The version of the record, for `if_match` of a later change; None where it has none."""
        etag: str | None = self.__dict__.get("_etag")
        return etag


def decode(body: bytes, kind: type[T], etag: str | None = None) -> T:
    """The record, or another type, in a body.

    Raises:
        UnexpectedAnswer: the body is not JSON, or a field is missing or of another type.
    """
    try:
        value = msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise UnexpectedAnswer(
            f"the service's answer cannot be read ({error}); the versions of client and service "
            "may differ"
        ) from None
    if isinstance(value, Record):
        value.__dict__["_body"] = body
        value.__dict__["_etag"] = etag
    return value
