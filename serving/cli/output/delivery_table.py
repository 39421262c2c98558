"""Deliveries as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from groundswell_client.models.deliveries import DeliveryInfo
from serving.cli.output.formatting import TO_THE_MINUTE, instant, plain_table, spaced


def delivery_table(deliveries: Sequence[DeliveryInfo]) -> Table | Text:
    """Deliveries, one a row."""
    if not deliveries:
        return Text("no deliveries")
    table = plain_table(
        "id", "recorded (UTC)", "channel", "KOL", "what", "state", "attempts", "error"
    )
    for delivery in deliveries:
        cells = [
            str(delivery.delivery_id),
            instant(delivery.recorded_at, TO_THE_MINUTE),
            delivery.channel,
            delivery.kol_id or "",
            _what(delivery),
            _state(delivery),
            str(delivery.attempts),
            delivery.error or "",
        ]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _what(delivery: DeliveryInfo) -> str:
    if delivery.digest is not None:
        return f"digest {delivery.digest} of the {delivery.every}"
    if delivery.kind is None:
        return "not readable by this version"
    return f"{spaced(delivery.kind)} {delivery.reason}, {delivery.severity}"


def _state(delivery: DeliveryInfo) -> str:
    if delivery.state != "waiting" or delivery.not_before is None:
        return delivery.state
    return f"waiting, not before {instant(delivery.not_before, TO_THE_MINUTE)}"
