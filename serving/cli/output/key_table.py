"""API keys as a table."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from groundswell_client.models.access import KeyInfo
from serving.cli.output.formatting import TO_THE_MINUTE, instant, plain_table


def key_table(keys: Sequence[KeyInfo]) -> Table | Text:
    """Keys, one a row."""
    if not keys:
        return Text("no keys")
    table = plain_table("id", "name", "scopes", "sees", "expires (UTC)", "last used (UTC)", "state")
    table.columns[0].no_wrap = True  # it is what other commands are given
    for key in keys:
        cells = [
            key.key_id,
            key.name,
            ", ".join(key.scopes),
            _sees(key),
            instant(key.expires_at, TO_THE_MINUTE) if key.expires_at else "never",
            instant(key.last_used_at, TO_THE_MINUTE) if key.last_used_at else "never",
            "usable" if key.usable else "revoked" if key.revoked_at else "expired",
        ]
        table.add_row(*(Text(cell) for cell in cells))
    return table


def _sees(key: KeyInfo) -> str:
    if key.kols is None and key.brands is None:
        return "every KOL"
    parts = [*(key.kols or ()), *(f"brand {brand}" for brand in key.brands or ())]
    return ", ".join(parts) or "no KOL"
