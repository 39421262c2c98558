"""Sources, what they would bring, and their types, for a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from groundswell_client.models.sources import SourceInfo, SourcePreviewInfo, SourceTypeInfo
from serving.cli.output.formatting import instant, plain_table, shorten

_STATES = {"blind": "bold red", "failing": "yellow", "running": "green", "paused": "dim"}
_LONGEST = 100


def source_table(sources: Sequence[SourceInfo]) -> RenderableType:
    """Sources, one a row; below the table, what is wrong with each."""
    if not sources:
        return Text("no sources; 'groundswell sources types' lists what there is to add")
    table = plain_table(
        "source", "name", "type", "KOL", "state", "last answer", "comments", "quota left"
    )
    for one in sources:
        table.add_row(
            Text(one.source_id),
            Text(one.name),
            Text(one.type),
            Text(one.kol_id or "several"),
            Text(one.state, style=_STATES.get(one.state, "")),
            Text(instant(one.last_success_at)),
            Text(f"{one.accepted:,}"),
            Text("-" if one.quota_left is None else f"{one.quota_left:,}"),
        )
    return Group(table, *(line for one in sources for line in _troubles(one)))


def _troubles(source: SourceInfo) -> list[Text]:
    found = []
    if source.blind_since is not None:
        since = instant(source.blind_since)
        found.append(Text(f"{source.name} has seen nothing since {since} UTC: {source.error}"))
    elif source.error is not None:
        found.append(Text(f"{source.name}: {source.error}"))
    if source.error is not None and source.remedy is not None:
        found.append(Text(f"  what to do: {source.remedy}"))
    if source.rejected_why is not None:
        counted = f"{source.rejected:,} comments were refused" if source.rejected else "refused"
        found.append(Text(f"{source.name}: {counted}, the last one because: {source.rejected_why}"))
    return found


def source_preview(preview: SourcePreviewInfo) -> RenderableType:
    """What a source sees, cannot see and costs, and its newest comments."""
    lines = [Text(preview.account, style="bold")]
    for heading, sentences in (
        ("It will see", preview.sees),
        ("It cannot see", preview.cannot_see),
        ("It costs", preview.costs),
    ):
        lines.append(Text(f"\n{heading}:"))
        lines += [Text(f"  - {sentence}") for sentence in sentences]
    if not preview.comments:
        return Group(*lines, Text("\nNo comments yet."))
    table = plain_table("written", "author", "comment")
    for one in preview.comments:
        table.add_row(
            Text(shorten(one.created_at, 25)),
            Text(shorten(one.author_id or "-", 20)),
            Text(shorten(one.text, _LONGEST)),
        )
    return Group(*lines, Text("\nNewest comments:"), table)


def source_type_table(types: Sequence[SourceTypeInfo]) -> Table:
    """Types of source, one a row."""
    table = plain_table("type", "what it brings")
    for one in types:
        table.add_row(Text(one.type), Text(one.about))
    return table
