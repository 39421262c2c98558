"""The settings of a type of source: declared once, so that command line, API and pages can ask."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

_ADVANCED = {"advanced": True}


def _trimmed(value: object) -> object:
    return value.strip() if isinstance(value, str) else value


# A secret as a person enters it. It is kept encrypted, and shown in no answer, log or export.
Secret = Annotated[SecretStr, BeforeValidator(_trimmed), Field(min_length=1, max_length=16_384)]


class SourceSpec(BaseModel):
    """The settings of a source. A type adds its own, each with `title` and `description`.

    Fields of the type `Secret` are secrets. `json_schema_extra=ADVANCED` marks what hardly anybody
    changes, such as the address of the platform. Checks are pydantic's validators; their messages
    name the fix.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


ADVANCED: dict[str, Any] = _ADVANCED


class FieldKind(StrEnum):
    """How a setting is asked for."""

    TEXT = "text"
    SECRET = "secret"  # noqa: S105 - the name of a kind
    NUMBER = "number"
    YES_NO = "yes_no"
    CHOICE = "choice"
    LIST = "list"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class SettingField:
    """One setting of a type of source.

    Attributes:
        name: its key.
        title: what a form calls it.
        help: what it is and where to find it.
        kind: how it is asked for.
        required: whether a source needs it.
        default: what holds without it; None for a secret, and where there is none.
        choices: of a choice.
        advanced: whether hardly anybody changes it.
    """

    name: str
    title: str
    help: str
    kind: FieldKind
    required: bool
    default: Any
    choices: tuple[str, ...]
    advanced: bool


def fields_of(spec: type[SourceSpec]) -> tuple[SettingField, ...]:
    """The settings of a type, in the order in which they are asked for."""
    return tuple(_field(name, info) for name, info in spec.model_fields.items())


def secret_names(spec: type[SourceSpec]) -> frozenset[str]:
    """The settings of a type that are secrets."""
    return frozenset(one.name for one in fields_of(spec) if one.kind is FieldKind.SECRET)


def _field(name: str, info: FieldInfo) -> SettingField:
    kind, choices = _kind(info.annotation)
    default = None
    if kind is not FieldKind.SECRET and not info.is_required():
        found = info.get_default(call_default_factory=True)
        default = None if found is PydanticUndefined else found
    extra = info.json_schema_extra
    return SettingField(
        name=name,
        title=info.title or name.replace("_", " "),
        help=info.description or "",
        kind=kind,
        required=info.is_required(),
        default=default,
        choices=choices,
        advanced=isinstance(extra, dict) and bool(extra.get("advanced")),
    )


def _kind(annotation: Any) -> tuple[FieldKind, tuple[str, ...]]:
    """How a type of value is asked for, and what can be chosen."""
    origin = getattr(annotation, "__origin__", None)
    arguments = getattr(annotation, "__args__", ())
    if origin is Annotated or hasattr(annotation, "__metadata__"):
        return _kind(origin)
    if origin is Literal:
        return FieldKind.CHOICE, tuple(str(one) for one in arguments)
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return FieldKind.CHOICE, tuple(annotation)
    if annotation is SecretStr:
        return FieldKind.SECRET, ()
    if annotation is bool:
        return FieldKind.YES_NO, ()
    if annotation in {int, float}:
        return FieldKind.NUMBER, ()
    if (origin or annotation) in {list, tuple, set, frozenset}:
        return FieldKind.LIST, ()
    if (origin or annotation) is dict or _is_model(annotation):
        return FieldKind.TABLE, ()
    wanted = [one for one in arguments if one is not type(None)]
    return _kind(wanted[0]) if origin is not None or len(wanted) == 1 else (FieldKind.TEXT, ())


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
