"""Times in requests: text with a time zone. pydantic would take a number for seconds since 1970."""

import re
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator
from pydantic_core import PydanticCustomError

_NUMBER = re.compile(r"\s*[+-]?[\d_.]+(e[+-]?\d+)?\s*", re.IGNORECASE)


def _written_out(value: object) -> object:
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise PydanticCustomError(
            "bad_time", "must be a date and time with a time zone, such as 2026-03-01T12:00:00Z"
        )
    return value


AwareTime = Annotated[AwareDatetime, BeforeValidator(_written_out)]
