"""groundswell brands and the export of groundswell audit, against a service that needs keys."""

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from serving.cli import main as cli
from serving.cli import terminal
from tests.serving.processes import service


@pytest.fixture
def url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with service(tmp_path / "brands.db", env={"GROUNDSWELL_ACCESS": "keys"}) as (_, client):
        key = (tmp_path / "groundswell-admin.key").read_text().strip()
        monkeypatch.setenv("GROUNDSWELL_API_KEY", key)
        monkeypatch.setenv("GROUNDSWELL_URL", str(client.base_url))
        monkeypatch.setattr(terminal.out, "width", 200)
        yield str(client.base_url)


def run(capfd: pytest.CaptureFixture[str], line: str, *, code: int = 0) -> str:
    capfd.readouterr()
    assert cli.run(line.split()) == code
    return capfd.readouterr().out


@pytest.mark.usefixtures("url")
def test_from_a_brand_to_its_end_and_what_the_audit_log_says(
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert "no brands" in run(capfd, "brands list")
    assert "lena, mina" in run(capfd, "brands create acme --kol-id mina --kol-id lena")
    assert cli.run(["brands", "create", "acme"]) == 2
    assert "there is a brand 'acme' already" in " ".join(capfd.readouterr().err.split())
    assert "lena, mina" in run(capfd, "brands list")
    run(capfd, "brands set zenith --kol-id lena", code=1)
    assert "lena" in run(capfd, "brands set acme --kol-id lena")
    found = json.loads(run(capfd, "brands list --json"))
    assert [(one["brand"], one["kols"]) for one in found] == [("acme", ["lena"])]
    run(capfd, "brands delete acme")
    run(capfd, "brands delete acme", code=1)
    rows = list(csv.DictReader(io.StringIO(run(capfd, "audit --csv"))))
    assert [row["action"] for row in rows[:4]] == [
        "export_audit_log",
        "delete_brand",
        "delete_brand",
        "put_brand",
    ]
    assert rows[2]["target"] == "DELETE /v1/brands/acme"
    run(capfd, "audit --csv --json", code=2)
