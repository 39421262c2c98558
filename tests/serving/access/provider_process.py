"""A service at which people sign in with a password or at a real OpenID provider."""

import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.serving.access.browsing import PASSWORD
from tests.serving.processes import free_port, service


@dataclass
class SignInWorld:
    """The service and the provider, each in a process of its own.

    Attributes:
        url: of the service.
        issuer: of the provider.
        admin: headers of an admin's key.
        client: of the service, without a key.
    """

    url: str
    issuer: str
    admin: dict[str, str]
    client: httpx.Client

    def add(self, name: str, role: str = "responder", **more: Any) -> dict[str, Any]:
        """Add a person; with a password of their own, unless they have none."""
        email = f"{name.split()[0].lower()}@pr.example"
        body = {"email": email, "name": name, "role": role} | more
        answer = self.client.post("/v1/people", json=body, headers=self.admin)
        assert answer.status_code == 201, answer.text
        person: dict[str, Any] = answer.json()
        if person["password"] is not None:
            fields = {"email": email, "password": person["password"]}
            fields |= {"new_password": PASSWORD, "again": PASSWORD}
            headers = {"Origin": self.url}
            done = httpx.post(f"{self.url}/sign-in/password", data=fields, headers=headers)
            assert done.status_code == 303, done.text
            self.client.post(f"/v1/people/{email}/sign-out", headers=self.admin)
        return person

    def know(self, subject: str, **claims: object) -> None:
        """Have the provider know somebody."""
        answer = httpx.put(f"{self.issuer}/users/{subject}", json=claims)
        assert answer.status_code == 204, answer.text


@contextmanager
def sign_in_world(folder: Path) -> Iterator[SignInWorld]:
    """Run both; killed at the end.

    Args:
        folder: an empty folder for the database, the key and the secret.
    """
    secret, ports = folder / "secret", (free_port(), free_port())
    secret.write_text("s3cret")
    issuer, url = f"http://localhost:{ports[0]}", f"http://127.0.0.1:{ports[1]}"
    command = [sys.executable, "-m", "oidc_provider_mock", "--host", "localhost"]
    provider = subprocess.Popen(
        [*command, "--port", str(ports[0]), "--require-nonce", "true"], stderr=subprocess.DEVNULL
    )
    env = {
        "GROUNDSWELL_ACCESS": "keys",
        "GROUNDSWELL_PUBLIC_URL": url,
        "GROUNDSWELL_OIDC_ISSUER": issuer,
        "GROUNDSWELL_OIDC_CLIENT_ID": "groundswell",
        "GROUNDSWELL_OIDC_CLIENT_SECRET_FILE": str(secret),
        "GROUNDSWELL_OIDC_NAME": "Acme",
    }
    try:
        with service(folder / "people.db", env=env, port=ports[1]) as (_, client):
            deadline = time.monotonic() + 60
            while True:
                try:
                    httpx.get(issuer)
                    break
                except httpx.TransportError:
                    assert provider.poll() is None, "the provider exited"
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            key = (folder / "groundswell-admin.key").read_text().strip()
            yield SignInWorld(url, issuer, {"Authorization": f"Bearer {key}"}, client)
    finally:
        provider.kill()
        provider.wait()


def provider_form(world: SignInWorld, browser: httpx.Client, back: str = "") -> str:
    """Go to the provider; returns the address of its form."""
    query = {"next": back} if back else {}
    sent = browser.get(f"{world.url}/sign-in/provider", params=query)
    assert sent.status_code == 303, sent.text
    address: str = sent.headers["location"]
    assert address.startswith(f"{world.issuer}/oauth2/authorize?")
    return address


def authorize(address: str, **fields: str) -> str:
    """Send the provider's form; returns where it sends the browser."""
    answer = httpx.post(address, data=fields)
    assert answer.status_code == 302, answer.text
    back: str = answer.headers["location"]
    return back


def faults_of(page: httpx.Response) -> list[str]:
    return re.findall(r'role="alert"[^>]*>([^<]*)<', page.text)
