"""groundswell keys, against a service that needs keys, and in the database of one that stopped."""

import json
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.cli import main as cli
from serving.cli import terminal
from tests.serving.processes import service


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, empty: Path) -> Iterator[str]:
    """A service whose only key was made in its database, as for an admin key that was lost."""
    path = shutil.copy(empty, tmp_path_factory.mktemp("keys") / "keys.db")
    file = Path(path).parent / "admin-2.key"
    made = ["keys", "create", "--name", "admin-2", "--scope", "admin", "--out", str(file)]
    assert cli.run([*made, "--database-url", f"sqlite:///{path}"]) == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    with (
        service(Path(path), env={"GROUNDSWELL_ACCESS": "keys"}) as (_, client),
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("GROUNDSWELL_API_KEY", file.read_text().strip())
        patch.setenv("GROUNDSWELL_URL", str(client.base_url))
        patch.setattr(terminal.out, "width", 80)
        yield str(client.base_url).rstrip("/")


def run(capfd: pytest.CaptureFixture[str], *words: str, code: int = 0) -> str:
    capfd.readouterr()
    assert cli.run(["keys", *words]) == code
    return capfd.readouterr().out


def status_of(url: str, key: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.get(f"{url}/v1/kols", headers=headers).status_code


def listed(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return {one["key_id"]: one for one in json.loads(run(capfd, "list", "--json"))}


def test_from_making_a_key_to_revoking_it(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    key = run(capfd, "create", "--name", "crm", "--scope", "read", "--expires", "90d").strip()
    assert status_of(url, key) == 200
    key_id = key.split("_")[1]
    found = listed(capfd)[key_id]
    assert (found["name"], found["scopes"], found["created_by"]) == ("crm", ["read"], "admin-2")
    assert found["expires_at"] is not None
    # What the next command is given can be copied from a narrow terminal.
    assert key_id in run(capfd, "list")
    rotated = run(capfd, "rotate", key_id, "--grace", "30m").strip()
    assert (status_of(url, rotated), status_of(url, key)) == (200, 200)
    run(capfd, "revoke", rotated.split("_")[1])
    assert status_of(url, rotated) == 401


def test_a_key_is_limited_to_kols(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    limit = ("--kol-id", "lena", "--kol-id", "mina")
    key = run(capfd, "create", "--name", "two", "--scope", "read", *limit).strip()
    assert listed(capfd)[key.split("_")[1]]["kols"] == ["lena", "mina"]


def test_a_key_is_not_written_over_a_file(
    url: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("mine")
    made = ("create", "--name", "other", "--scope", "read", "--out", str(tmp_path / "there"))
    run(capfd, *made, code=2)
    assert (tmp_path / "there").read_text() == "mine"
    assert "other" not in {one["name"] for one in listed(capfd).values()}


def test_no_database_is_made_for_a_key(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever mistypes the name would get a key that no service takes."""
    path = tmp_path / "typo.db"
    made = ("create", "--name", "admin-2", "--scope", "admin")
    assert run(capfd, *made, "--database-url", f"sqlite:///{path}", code=1) == ""
    assert list(tmp_path.iterdir()) == []
