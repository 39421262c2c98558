"""A browser without a window: keeps cookies, says where a form comes from, follows nothing."""

import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

import httpx
from fastapi.testclient import TestClient

ORIGIN = "http://testserver"
PASSWORD = "con mèo ăn cá 27"


@dataclass
class BrowserClient:
    """Sends requests as a browser does.

    Attributes:
        client: of the service.
        cookies: by name.
    """

    client: TestClient
    cookies: dict[str, str]
    origin: str = ORIGIN

    def get(self, path: str, **headers: str) -> httpx.Response:
        return self._send("GET", path, headers=headers)

    def post(self, path: str, origin: str | None = None, **fields: str) -> httpx.Response:
        headers = {"Origin": self.origin if origin is None else origin}
        return self._send("POST", path, headers=headers, data=fields)

    def send(self, method: str, path: str, **more: Any) -> httpx.Response:
        """As a page's script would."""
        headers = {"Origin": self.origin, "Accept": "application/json"}
        return self._send(method, path, headers=headers, **more)

    def sign_in(self, email: str, password: str = PASSWORD, **fields: str) -> httpx.Response:
        return self.post("/sign-in", email=email, password=password, **fields)

    def _send(self, method: str, path: str, headers: dict[str, str], **more: Any) -> httpx.Response:
        given = {"Accept": "text/html,*/*;q=0.8"} | headers
        if self.cookies and "cookie" not in given:
            given["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        self.client.cookies.clear()
        answer = self.client.request(method, path, headers=given, follow_redirects=False, **more)
        for header in answer.headers.get_list("set-cookie"):
            name, value = header.split(";")[0].split("=", 1)
            if "Max-Age=0" in header:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value
        return answer


def led_to(answer: httpx.Response) -> str:
    """The address to which an answer leads."""
    assert answer.status_code == 303, answer.text
    return urljoin(str(answer.request.url), answer.headers["location"])


def faults(answer: httpx.Response) -> list[str]:
    """What a page says is wrong."""
    return re.findall(r'role="alert"[^>]*>([^<]*)<', answer.text)
