"""Where a value is in a JSON answer: JMESPath expressions, checked when they are entered."""

from typing import Annotated, Any

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import AfterValidator, Field


def check_path(path: str) -> str:
    """The path itself, if it is one.

    Raises:
        ValueError: what is wrong with it.
    """
    try:
        jmespath.compile(path)
    except JMESPathError as error:
        said = str(error).splitlines()[0]
        raise ValueError(
            f"{path!r} is no field path ({said}); write it like data.items or user.id"
        ) from None
    return path


FieldPath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(check_path)]


def value_at(path: str | None, document: Any) -> Any:
    """The value at a path; None where there is none."""
    if path is None:
        return None
    try:
        return jmespath.compile(path).search(document)
    except JMESPathError:  # a function on a value of another type
        return None


def text_at(path: str | None, document: Any) -> str | None:
    """The value at a path as text; None where there is no text or number."""
    found = value_at(path, document)
    if isinstance(found, bool) or not isinstance(found, str | int | float):
        return None
    return str(found)
