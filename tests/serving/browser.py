"""Controls Chromium over its debugging protocol, to see pages as readers do, at any width."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image
from websockets.sync.client import ClientConnection, connect

CHROMIUM = shutil.which("chromium")
_QUIET = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--remote-debugging-port=0",
)  # fmt: skip

# Faults of a page: wider than the screen, missing images, and visible text that is cut off, tiny,
# or has too little contrast with its background (WCAG 1.4.3).
_FAULTS = """(() => {
  const found = [], width = document.documentElement.clientWidth;
  const beyond = document.documentElement.scrollWidth - width;
  if (beyond > 0) found.push(`wider than the screen by ${beyond}`);
  for (const image of document.images)
    if (!image.complete || image.naturalWidth === 0) found.push(`no picture: ${image.alt}`);
  const rgba = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const [red, green, blue, alpha = 1] = rgba(getComputedStyle(at).backgroundColor);
      if (alpha === 1) return [red, green, blue];
    }
    return [255, 255, 255];
  };
  const light = (colour) => {
    const [red, green, blue] = colour.slice(0, 3).map((part) => part / 255)
      .map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4);
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode, element = text.parentElement, said = text.data.trim();
    const range = document.createRange();
    range.selectNodeContents(text);
    const boxes = [...range.getClientRects()];
    if (!said || boxes.length === 0) continue;
    const style = getComputedStyle(element);
    if (boxes.some((box) => box.left < 0 || box.right > width)) found.push(`cut off: ${said}`);
    if (parseFloat(style.fontSize) < 12) found.push(`tiny: ${said}`);
    const [dark, bright] = [light(rgba(style.color)), light(ground(element))].sort((a, b) => a - b);
    if ((bright + 0.05) / (dark + 0.05) < 4.5) found.push(`faint: ${said}`);
  }
  return found;
})()"""
_DRAWN = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"


class Tab:
    """One browser tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._sent = 0
        for domain in ("Page", "Runtime"):
            self._call(f"{domain}.enable")

    def screen(self, width: int, height: int = 800, *, dark: bool = False) -> None:
        """Set the size of the screen in CSS pixels, and the colour scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._call("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, url: str) -> None:
        """Open a page and wait until it and its images are loaded."""
        self._call("Page.navigate", url=url)
        self.loaded()

    def loaded(self) -> None:
        """Wait until the page that is loading is loaded."""
        while self._next().get("method") != "Page.loadEventFired":
            pass
        # The browser finishes layout and focus with its next frame.
        self._call("Runtime.evaluate", expression=_DRAWN, awaitPromise=True)

    def run(self, script: str) -> Any:
        """Run a script and return its value."""
        answer = self._call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def text(self) -> str:
        """The visible text."""
        return str(self.run("document.body.innerText"))

    def faults(self) -> list[str]:
        """The page's faults, empty if it is readable."""
        return list(self.run(_FAULTS))

    def shot(self) -> Image.Image:
        """A screenshot of the whole page."""
        answer = self._call("Page.captureScreenshot", captureBeyondViewport=True)
        return Image.open(BytesIO(base64.b64decode(answer["data"]))).convert("RGB")

    def _call(self, method: str, **params: Any) -> dict[str, Any]:
        self._sent += 1
        self._socket.send(json.dumps({"id": self._sent, "method": method, "params": params}))
        while (answer := self._next()).get("id") != self._sent:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self._socket.recv(timeout=60))
        return message


@contextmanager
def tab(profile: Path) -> Iterator[Tab]:
    """Start a browser with one tab; closed at the end.

    Args:
        profile: an empty folder for the browser's profile.
    """
    assert CHROMIUM is not None
    process = subprocess.Popen(
        [CHROMIUM, *_QUIET, f"--user-data-dir={profile}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        port_file, deadline = profile / "DevToolsActivePort", time.monotonic() + 60
        while not (port_file.exists() and port_file.read_text().count("\n") == 1):
            assert process.poll() is None, "the browser exited"
            assert time.monotonic() < deadline
            time.sleep(0.05)
        made = httpx.put(
            f"http://127.0.0.1:{port_file.read_text().split()[0]}/json/new", timeout=60
        )
        with connect(made.json()["webSocketDebuggerUrl"], max_size=None, proxy=None) as socket:
            yield Tab(socket)
    finally:
        process.kill()
        process.wait()
