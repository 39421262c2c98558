"""KOLs and their policies as tables."""

from collections.abc import Sequence

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

from groundswell_client.models.kols import KolInfo, PolicyInfo
from serving.cli.output.formatting import TO_THE_MINUTE, instant, plain_table, severity


def kol_table(kols: Sequence[KolInfo]) -> Table | Text:
    """KOLs, each with its stream of the last half hour beside what is normal."""
    if not kols:
        return Text("no KOLs yet; a KOL is registered with its first comment")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("KOL")
    for heading in ("comments/h", "normal", "negative", "normal", "mood", "score"):
        table.add_column(heading, justify="right")
    table.add_column("alert")
    for kol in kols:
        name, status = Text(kol.kol_id), kol.status
        if status is None:
            table.add_row(name, *["-"] * 6, "")
            continue
        table.add_row(
            name,
            f"{status.comments_per_hour:,.0f}",
            f"{status.expected_comments_per_hour:,.0f}",
            f"{status.negative_share:.0%}",
            f"{status.expected_negative_share:.0%}",
            f"{status.mood:+.2f}",
            f"{status.score:.2f}",
            severity(status.severity) if status.severity else "learning" if status.learning else "",
        )
    return table


def policy_table(policy: PolicyInfo) -> Table:
    """The values of a policy, and who set them."""
    table = plain_table("setting", "value", "set by", "at (UTC)")
    for name, value in msgspec.structs.asdict(policy.effective).items():
        override = policy.overridden.get(name)
        table.add_row(
            name.replace("_", "-"),
            f"{value:g}",
            Text(override.actor if override else "-"),
            instant(override.at if override else None, TO_THE_MINUTE),
        )
    return table
