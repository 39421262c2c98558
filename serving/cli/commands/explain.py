"""groundswell explain: why an alert was raised, in figures that can be recomputed."""

import asyncio
from typing import TYPE_CHECKING

from serving.cli.options import DEFAULT_URL, AlertId, AsJson, Url

if TYPE_CHECKING:
    from groundswell_client.models.alerts import AlertDetailInfo

_POINTS = 5000  # an incident of three days by the minute


def explain(
    alert_id: AlertId,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Explain why an alert was raised: observed and normal figures, and what each detector found.

    Bars show each detector over time. Where a bar reaches the upper row, the detector was above
    its threshold.
    """
    from serving.cli import terminal
    from serving.cli.connection import connect
    from serving.cli.output.explanation import explanation

    async def fetch() -> "AlertDetailInfo":
        async with connect(url) as client:
            return await client.alerts.get(alert_id, points=_POINTS)

    alert = asyncio.run(fetch())
    if as_json:
        terminal.print_json(alert.raw)
    else:
        terminal.out.print(explanation(alert))
