"""People who look at the alerts, acknowledge them, write a note and resolve them."""

import asyncio
from collections import Counter
from typing import Any

import httpx

_EVERY = 2.0  # seconds between two looks at the list
_STEPS = (
    {"action": "acknowledge", "text": "looking at it"},
    {"action": "note", "text": "the agency is informed"},
    {"action": "resolve", "text": "answered under the post"},
)


class Responders:
    """Do one action at each look, on an alert that needs one: three after each of its changes.

    Attributes:
        done: number of actions on each alert.

    Args:
        http: a client of the service.
    """

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http
        self._changes: dict[str, set[str]] = {}
        self.done = Counter[str]()

    async def run(self) -> None:
        """Look and respond until cancelled."""
        while True:
            listed = await self._http.get("/v1/alerts", params={"limit": 100})
            for alert in listed.raise_for_status().json()["items"]:
                alert_id = alert["alert_id"]
                changes = self._changes.setdefault(alert_id, set())
                changes.add(alert["updated_at"])
                if self.done[alert_id] < len(_STEPS) * len(changes):
                    await self._respond(alert_id, _STEPS[self.done[alert_id] % len(_STEPS)])
                    break
            await asyncio.sleep(_EVERY)

    async def _respond(self, alert_id: str, body: dict[str, Any]) -> None:
        path = f"/v1/alerts/{alert_id}/actions"
        answer = await self._http.post(path, json=body | {"actor": "on call"})
        answer.raise_for_status()
        self.done[alert_id] += 1
