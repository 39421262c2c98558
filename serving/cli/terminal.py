"""What the commands share: the two consoles, exit codes, and how an error is told."""

import json
import sys
from enum import IntEnum

from pydantic import ValidationError
from rich.console import Console

from model.errors import GroundswellError
from serving.cli.files.columns import InputError
from serving.client.client import ServiceUnreachable
from serving.logs import configure_logging
from serving.settings import Settings

out = Console()
err = Console(stderr=True)

# Packages that only the `train` extra brings.
_TRAIN_ONLY = {
    "onnx", "onnxscript", "pandas", "pandera", "safetensors", "torch", "training", "transformers",
}  # fmt: skip


class ExitCode(IntEnum):
    """What `groundswell` tells the shell; docs/cli.md explains each."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    INTERRUPTED = 130


def say(message: str) -> None:
    """A line for the person at the terminal, on standard error."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def complain(error: Exception | str) -> None:
    """An error: one line on standard error."""
    notes = getattr(error, "__notes__", ())
    one_line = " ".join("; ".join([str(error), *notes]).split())
    err.print("[bold red]error:[/]", end=" ")
    err.print(one_line, markup=False, highlight=False, soft_wrap=True)


def exit_code(error: GroundswellError) -> ExitCode:
    """The exit code for an error."""
    if isinstance(error, InputError):
        return ExitCode.USAGE
    if isinstance(error, ServiceUnreachable):
        return ExitCode.UNREACHABLE
    return ExitCode.FAILED


def missing_package(error: ModuleNotFoundError) -> str | None:
    """What to install, if an optional package is missing; None if ours is broken."""
    package = (error.name or "").partition(".")[0]
    if package in _TRAIN_ONLY:
        return f'this needs {package}, which is not installed: pip install "groundswell[train]"'
    return None


def print_json(value: object) -> None:
    """JSON on standard output, indented, any script as it is."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, default=str) + "\n")


def log_errors_only(settings: Settings) -> None:
    """Keep a service that runs inside a command from writing into the command's output."""
    configure_logging(settings.model_copy(update={"log_level": "error"}))


def settings(**given: object) -> Settings:
    """The settings of the environment with what the command line says put over them.

    Raises:
        InputError: a setting has a value it cannot have.
    """
    try:
        return Settings(**{key: value for key, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = str(first["loc"][0])
        raise InputError(
            f"{name} (GROUNDSWELL_{name.upper()}) cannot be {first['input']!r}: {first['msg']}"
        ) from None
