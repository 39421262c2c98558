"""What could not be judged is named to those who may see the KOL, and to nobody else."""

from contextlib import closing
from pathlib import Path
from sqlite3 import connect

import pytest
from fastapi.testclient import TestClient

from serving.service import Service
from tests.serving.access.conftest import MakeKey

SINCE = 1_773_133_200_000_000  # 2026-03-10T09:00:00Z


@pytest.fixture
def faults(anybody: TestClient, admin: dict[str, str], tmp_path: Path) -> None:
    for kol_id in ("lena", "zoe"):
        anybody.put(f"/v1/kols/{kol_id}", json={}, headers=admin)
    with closing(connect(tmp_path / "test.db")) as database, database:
        for kol_id in ("lena", "zoe"):
            held = "INSERT INTO held_kols VALUES (?, ?, 'RuntimeError')"
            database.execute(held, (kol_id, SINCE))
        for place in range(1, 8):
            aside = "INSERT INTO set_aside VALUES ('comment', ?, 'zoe', ?, 'MemoryError')"
            database.execute(aside, (place, SINCE))


def notices(client: TestClient, headers: dict[str, str]) -> list[str]:
    found: list[str] = client.get("/v1/status", headers=headers).json()["notices"]
    return found


@pytest.mark.usefixtures("faults")
def test_the_status_names_what_is_not_judged(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    held, other, *aside = notices(anybody, admin)
    assert held.startswith("the KOL 'lena' has not been judged since 2026-03-10T09:00:00Z")
    assert "RuntimeError" in held
    assert "'zoe'" in other
    assert len(aside) == 6
    assert aside[0].startswith("the comment 7 of the KOL 'zoe' was set aside")
    assert aside[-1] == "2 more comments or changes were set aside before"
    assert notices(anybody, make_key("read", kols=["lena"])) == [held]
    assert len(notices(anybody, make_key("read", kols=["zoe"]))) == 7


@pytest.mark.usefixtures("faults")
def test_metrics_name_the_kols_that_are_held(anybody: TestClient, admin: dict[str, str]) -> None:
    lines = anybody.get("/metrics", headers=admin).text.splitlines()
    assert 'groundswell_held_kols{kol="lena"} 1.0' in lines
    assert 'groundswell_held_kols{kol="zoe"} 1.0' in lines
    assert "groundswell_set_aside 7.0" in lines


def test_the_status_says_that_an_alert_was_given_up(
    anybody: TestClient, admin: dict[str, str], make_key: MakeKey
) -> None:
    service: Service = anybody.app.state.service  # type: ignore[attr-defined]
    service.escalator._outbox.faults.given_up.add("a1")
    (notice,) = notices(anybody, admin)
    assert "1 alert(s), such as a1, cannot be escalated" in notice
    assert notices(anybody, make_key("read", kols=["lena"])) == []
