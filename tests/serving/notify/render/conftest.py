"""Golden files, hostile words, and letters."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.drivers import PostDriver
from serving.locales.wording import Wording
from serving.notify.notification import Notification
from serving.notify.render.content import RenderedMessage, write
from serving.storage.source_delay import LateSource
from tests.serving.conftest import NOW
from tests.serving.notify.conftest import DRIVERS, EVIDENCE, WORDS, notification, sample

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = (
    '<script>alert(1)</script><img src=x onerror="alert(1)"> & "quotes" \'single\' '
    "*bold* _it_ ~no~ `code` [click](https://evil.example) **b** # h ||spoiler|| :skull: "
    "@everyone <!channel> <@U1> <at id=all></at> {name} %s \u202etxt.exe\u202c \x00\x1b[31m 😡 "
)


@pytest.fixture
def golden() -> Callable[[str, str], None]:
    """Compares with a file; a file that is missing is written, to be read and committed."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if not path.exists():
            path.write_text(text, encoding="utf-8")
            pytest.fail(f"{name} was written: read it, and run the test again")
        assert text == path.read_text(encoding="utf-8")

    return compare


def rendered(words: Wording = WORDS, **change: Any) -> RenderedMessage:
    return write([notification(**change)], words)


def hostile(**change: Any) -> Notification:
    """A notification in which everything that others wrote means harm, at 10,000 characters."""
    text = HOSTILE + "x" * 10_000
    drivers = replace(
        DRIVERS,
        representative=(sample(text, None),) * 8,
        posts=(PostDriver(text, 10, 5.0, 1.0, 4.0),),
    )
    evidence = replace(EVIDENCE, drivers=drivers, summary=text)
    late = (LateSource(text, timedelta(), timedelta(days=6), NOW - timedelta(days=6), NOW),) * 9
    values = {"kol_name": text, "kol_id": text, "evidence": evidence, "late_sources": late}
    return notification(**values | change)
