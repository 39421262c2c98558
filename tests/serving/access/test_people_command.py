"""groundswell people, against a service that needs keys."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from serving.cli import main as cli
from serving.cli import terminal
from tests.serving.processes import service


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    path = tmp_path_factory.mktemp("people") / "people.db"
    with service(path, env={"GROUNDSWELL_ACCESS": "keys"}) as (_, client):
        key = (path.parent / "groundswell-admin.key").read_text().strip()
        put = client.put("/v1/brands/acme", json={"kols": []}, headers=bearer(key))
        assert put.status_code == 200
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("GROUNDSWELL_API_KEY", key)
            patch.setenv("GROUNDSWELL_URL", str(client.base_url))
            patch.setattr(terminal.out, "width", 200)
            yield str(client.base_url).rstrip("/")


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def run(capfd: pytest.CaptureFixture[str], line: str, *, code: int = 0) -> str:
    capfd.readouterr()
    assert cli.run(["people", *line.split()]) == code
    return capfd.readouterr().out


def listed(capfd: pytest.CaptureFixture[str]) -> dict[str, Any]:
    return {one["email"]: one for one in json.loads(run(capfd, "list --json"))}


def form(url: str, path: str, **fields: str) -> httpx.Response:
    return httpx.post(f"{url}{path}", data=fields, headers={"Origin": url})


def test_from_adding_a_person_to_signing_them_out(
    url: str, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    added = "add mai@pr.example --name Mai --role responder --brand acme"
    password = run(capfd, added).strip()
    assert len(password) == 24
    refused = form(url, "/sign-in", email="mai@pr.example", password="wrong")
    assert refused.status_code == 401
    new = "con mèo ăn cá 27"
    signed_in = form(
        url,
        "/sign-in/password",
        email="mai@pr.example",
        password=password,
        new_password=new,
        again=new,
    )
    assert signed_in.status_code == 303
    mai = listed(capfd)["mai@pr.example"]
    assert (mai["role"], mai["brands"], mai["sessions"]) == ("responder", ["acme"], 1)
    assert "brand acme" in run(capfd, "list")
    assert "manager" in run(capfd, "set-role mai@pr.example manager")
    assert "every KOL" in run(capfd, "set-brands mai@pr.example --every-kol")
    run(capfd, "set-brands mai@pr.example", code=2)
    assert json.loads(run(capfd, "sign-out mai@pr.example --json")) == {"sessions": 1}
    cookies = {"Cookie": signed_in.headers["set-cookie"].split(";")[0]}
    assert httpx.get(f"{url}/v1/alerts", headers=cookies).status_code == 401
    assert len(run(capfd, "reset-password mai@pr.example").strip()) == 24
    assert form(url, "/sign-in", email="mai@pr.example", password=new).status_code == 401
    assert "disabled" in run(capfd, "disable mai@pr.example")
    assert "password to replace" in run(capfd, "enable mai@pr.example")


def test_a_person_without_a_password(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(capfd, "add linh@pr.example --name Linh --role viewer --no-password") == ""
    assert not listed(capfd)["linh@pr.example"]["has_password"]
    assert "Linh" in run(capfd, "set-subject linh@pr.example --unlink")
    for options in ("", " --unlink --oidc-subject s-1"):
        run(capfd, f"set-subject linh@pr.example{options}", code=2)
    run(capfd, "set-subject linh@pr.example --oidc-subject s-1", code=1)  # there is no provider


def test_what_is_wrong_is_said(url: str, capfd: pytest.CaptureFixture[str]) -> None:
    run(capfd, "disable nobody@pr.example", code=1)
    run(capfd, "add x --name X --role viewer", code=1)
    run(capfd, "add x@pr.example --name X --role owner", code=2)
