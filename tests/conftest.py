"""Fixtures for the tests of several rooms."""

import gc
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

# A job in the background ignores SIGINT, and so do its children: tests that press Ctrl-C would wait
# for ever. Programs that tests start get the default too.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Smoke:
    """The files and output of one run of the smoke recipe."""

    data: Path
    base: Path
    run: Path
    artifact: Path
    output: str


@pytest.fixture(scope="session", autouse=True)
def _open_access() -> Iterator[None]:
    """Services of tests need no key, also those in processes of their own.

    Tests of access say `access="keys"`.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GROUNDSWELL_ACCESS", "open")
        yield


@pytest.fixture(scope="session")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> Smoke:
    """Run the smoke recipe once, through the command line."""
    from typer.testing import CliRunner

    from tests.training import tiny
    from training.cli import app

    root = tmp_path_factory.mktemp("smoke")
    data, base = tiny.write_sets(root / "data"), tiny.write_base(root / "base")
    run, artifact = root / "run", root / "artifact"
    arguments = ["train", "smoke", "--data", data, "--base", base, "--run", run, "--out", artifact]
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    assert result.exit_code == 0, result.output + repr(result.exception)
    return Smoke(data, base, run, artifact, result.output)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Keep bytes out of the names of tests.

    Compressed bytes may hold the time, and then the workers of one run collect different tests.
    """
    return argname if isinstance(val, bytes) else None


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Collect what cancelled tests left suspended, before plugins import modules at the end.

    CPython 3.11 fails with a SystemError where a suspended greenlet is collected while a module
    is compiled.
    """
    gc.collect()
