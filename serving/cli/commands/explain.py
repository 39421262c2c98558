"""groundswell explain: why an alert was raised, in figures that can be recomputed."""

import asyncio

from serving.cli.options import DEFAULT_URL, AlertId, AsJson, Url


def explain(
    alert_id: AlertId,
    url: Url = DEFAULT_URL,
    as_json: AsJson = False,
) -> None:
    """Explain an alert of a running service: observed and usual, what each detector said, when.

    The bars show every detector over time; where they reach the upper row it was over its
    threshold.
    """
    from serving.cli import terminal
    from serving.cli.output import explanation
    from serving.client.client import connect

    async def fetch() -> dict[str, object]:
        async with connect(url) as client:
            # So many that an incident of three days still comes by the minute.
            return await client.get(f"/alerts/{alert_id}", points=5000)

    alert = asyncio.run(fetch())
    if as_json:
        terminal.print_json(alert)
    else:
        terminal.out.print(explanation.explanation(alert))
