"""The settings of a source on the command line: given as NAME=VALUE, or asked for."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from groundswell_client.models.sources import SettingInfo


def given_settings(options: Sequence[str], fields: "Sequence[SettingInfo]") -> dict[str, object]:
    """The settings of `--set NAME=VALUE`.

    Raises:
        BadParameter: an option is not of that form, its name is not known, or its value cannot be
            read.
    """
    known = {field.name: field for field in fields}
    found: dict[str, object] = {}
    for option in options:
        name, equals, value = option.partition("=")
        name = name.strip()
        if not equals:
            raise typer.BadParameter(f"--set {option!r} is not NAME=VALUE")
        if name not in known:
            raise typer.BadParameter(
                f"--set {name}: there is no such setting; there are {', '.join(known)}"
            )
        try:
            found[name] = read_setting(value, known[name])
        except ValueError as error:
            raise typer.BadParameter(f"--set {name}: {error}") from None
    return found


def missing(fields: "Sequence[SettingInfo]", found: Mapping[str, object]) -> "list[SettingInfo]":
    """The required settings that were not given."""
    return [field for field in fields if field.required and field.name not in found]


def ask_for(fields: "Sequence[SettingInfo]", found: dict[str, object]) -> None:
    """Ask for the settings that were not given; hardly anybody changes the advanced ones."""
    from serving.cli import terminal

    for field in fields:
        if field.name in found or (field.advanced and not field.required):
            continue
        terminal.say(f"\n{field.title}: {field.help}")
        while True:
            value = typer.prompt(
                f"  {field.name}",
                default=_shown(field),
                show_default=field.default not in (None, "", [], {}),
                hide_input=field.kind == "secret",
                prompt_suffix=_choices(field),
            )
            try:
                if value != _shown(field) or field.required:
                    found[field.name] = read_setting(value, field)
            except ValueError as error:
                terminal.complain(str(error))
                continue
            break


def read_setting(value: str, field: "SettingInfo") -> object:
    """A value as the API takes it.

    Raises:
        ValueError: it is not of the setting's kind; says what would do.
    """
    text = value.strip()
    if field.required and not text:
        raise ValueError("must not be empty")
    if field.kind == "number":
        try:
            return int(text)
        except ValueError:
            pass
        try:
            return float(text)
        except ValueError:
            raise ValueError(f"{text!r} is no number") from None
    if field.kind == "yes_no":
        words = {"yes": True, "true": True, "y": True, "no": False, "false": False, "n": False}
        if text.lower() not in words:
            raise ValueError(f"{text!r} must be yes or no")
        return words[text.lower()]
    if field.kind == "choice" and text not in field.choices:
        raise ValueError(f"{text!r} must be one of {', '.join(field.choices)}")
    if field.kind == "list":
        return _json(text, list) if text.startswith("[") else _parts(text)
    if field.kind == "table":
        return _json(text, dict) if text.startswith("{") else _pairs(text)
    return text


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _pairs(text: str) -> dict[str, str]:
    found = {}
    for part in _parts(text):
        name, equals, value = part.partition("=")
        if not equals:
            raise ValueError(f"{part!r} is not NAME=VALUE; write several as a=b,c=d")
        found[name.strip()] = value.strip()
    return found


def _json(text: str, kind: type) -> Any:
    try:
        found = json.loads(text)
        if isinstance(found, kind):
            return found
    except ValueError:
        pass
    raise ValueError(f"{text!r} is not JSON of the right kind")


def _shown(field: "SettingInfo") -> str | None:
    """The default as it is entered; None where a value has to be."""
    if field.required:
        return None
    if field.default is None:
        return ""
    if isinstance(field.default, bool):
        return "yes" if field.default else "no"
    if isinstance(field.default, list):
        return ",".join(map(str, field.default))
    if isinstance(field.default, dict):
        return ",".join(f"{name}={value}" for name, value in field.default.items())
    return str(field.default)


def _choices(field: "SettingInfo") -> str:
    if field.kind == "choice":
        return f" ({', '.join(field.choices)}): "
    return " (yes or no): " if field.kind == "yes_no" else ": "
