"""What the commands share: the two consoles, exit codes, and how errors are printed."""

import json
import re
import sys
from collections.abc import Iterator
from enum import IntEnum

from pydantic import ValidationError
from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from groundswell_client.errors import (
    ConnectionLost,
    InvalidAddress,
    ServiceRefused,
    ServiceUnreachable,
)
from serving.errors import InputError
from serving.logs import configure_logging
from serving.settings import Settings

# Control characters, which a terminal would obey, and those that turn the direction of writing.
_UNPRINTABLE = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


class SafeConsole(Console):
    """A console that prints what others wrote without what a terminal would obey."""

    def render(
        self, renderable: RenderableType, options: ConsoleOptions | None = None
    ) -> Iterator[Segment]:
        """The segments of a renderable; only rich's own may control the terminal."""
        for segment in super().render(renderable, options):
            if segment.control:
                yield segment
            else:
                yield Segment(_UNPRINTABLE.sub("", segment.text), segment.style)


out = SafeConsole()
err = SafeConsole(stderr=True)

# Packages that only the `train` extra brings.
_TRAIN_ONLY = {
    "onnx", "onnxscript", "pandas", "pandera", "safetensors", "torch", "training", "transformers",
}  # fmt: skip


class ExitCode(IntEnum):
    """The exit codes of `groundswell`; docs/cli.md explains each."""

    OK = 0
    FAILED = 1
    USAGE = 2
    UNREACHABLE = 3
    PARTLY_READ = 4
    NOTHING_READ = 5
    INTERRUPTED = 130


def is_attended() -> bool:
    """Whether a person is there to read the output and to press keys."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def say(message: str) -> None:
    """A line for the person at the terminal, on standard error."""
    err.print(message, markup=False, highlight=False, soft_wrap=True)


def usage_message(message: str) -> str:
    """A complaint of the argument parser in plain words, for example `'--limit': must be …`."""
    message = message.removeprefix("Invalid value: ").replace("Invalid value for ", "")
    message = message.replace("Value error, ", "").replace("Input should be", "must be")
    return message.partition(", unable to parse")[0].rstrip(".")


def complain(error: Exception | str) -> None:
    """An error: one line on standard error."""
    notes = [*getattr(error, "__notes__", ()), *_advice(error)]
    one_line = " ".join("; ".join([str(error), *notes]).split())
    err.print("[bold red]error:[/]", end=" ")
    err.print(one_line, markup=False, highlight=False, soft_wrap=True)


def _advice(error: Exception | str) -> list[str]:
    """What to do about an error that the client knows no way out of."""
    if isinstance(error, InvalidAddress):
        return ["set it with --url or GROUNDSWELL_URL"]
    if isinstance(error, ServiceUnreachable) and not isinstance(error, ConnectionLost):
        return ["start one with 'groundswell serve', or give its address with --url"]
    if isinstance(error, ServiceRefused) and error.status == 401:
        return ["give the file of a key with --api-key-file or GROUNDSWELL_API_KEY_FILE"]
    return []


def exit_code(error: Exception) -> ExitCode:
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
        return (
            f"this command needs {package}, which is not installed: "
            'pip install "groundswell[train]"'
        )
    return None


def print_json(value: object) -> None:
    """JSON on standard output, indented, any script as it is."""
    sys.stdout.write(printable(json.dumps(value, ensure_ascii=False, indent=2, default=str)) + "\n")


def print_csv(text: str) -> None:
    """A part of a CSV file on standard output, without what a terminal would obey."""
    sys.stdout.write(_UNPRINTABLE.sub("", text))


def json_line(body: bytes) -> str:
    """JSON on one line, any script as it is."""
    return printable(json.dumps(json.loads(body), ensure_ascii=False))


def printable(text: str) -> str:
    """JSON that says the same, with what a terminal would obey as escapes."""
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def log_errors_only(settings: Settings) -> None:
    """Keep a service that runs inside a command from writing into the command's output."""
    configure_logging(settings.model_copy(update={"log_level": "error"}))


def settings(**given: object) -> Settings:
    """The settings of the environment, replaced by those that the command line gives.

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
