"""An answer of the service: the record, and the JSON that it was read from."""

import json
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from groundswell_client.errors import UnexpectedAnswer

T = TypeVar("T")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Answer(Generic[T]):
    """What the service answered.

    Attributes:
        value: as a record, or a list of records.
        body: the JSON as it was received; of a list, that of its items.
    """

    value: T
    body: bytes

    @property
    def json(self) -> Any:
        """The body as plain dicts and lists, with every field that the service sent."""
        return json.loads(self.body)


def read(body: bytes, kind: type[T]) -> Answer[T]:
    """An answer from its body.

    Raises:
        UnexpectedAnswer: the body is not JSON, or a field is missing or of another type.
    """
    return Answer(decode(body, kind), body)


def read_list(items: list[bytes], kind: type[_V]) -> Answer[list[_V]]:
    """One answer from the bodies of its items.

    Raises:
        UnexpectedAnswer: as `read`.
    """
    return Answer([decode(item, kind) for item in items], b"[" + b",".join(items) + b"]")


def decode(body: bytes, kind: type[T]) -> T:
    """The record in a body.

    Raises:
        UnexpectedAnswer: as `read`.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise UnexpectedAnswer(
            f"the service's answer cannot be read ({error}); the versions of client and service "
            "may differ"
        ) from None
