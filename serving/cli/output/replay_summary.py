"""What became of a replayed file."""

from rich.text import Text

from serving.cli.files.replay_count import ReplayCount


def summary_json(count: ReplayCount) -> dict[str, object]:
    """For programs."""
    return {
        "accepted": count.accepted,
        "updated": count.updated,
        "duplicates": count.duplicates,
        "rejected": count.rejected,
        "unreadable": count.unreadable,
        "faults": count.faults,
    }


def summary_text(count: ReplayCount, name: str) -> Text:
    """For people, with the first of the bad rows.

    Args:
        count: of the file.
        name: of the file.
    """
    parts = [f"{count.accepted:,} accepted"]
    if count.updated:
        parts.append(f"{count.updated:,} updated")
    parts.append(f"{count.duplicates:,} duplicates")
    if count.rejected:
        parts.append(f"{count.rejected:,} rejected")
    if count.unreadable:
        parts.append(f"{count.unreadable:,} unreadable")
    text = Text(f"{name}: {', '.join(parts)}")
    for fault in count.faults:
        text.append(f"\n  {fault}", style="yellow")
    more = count.rejected + count.unreadable - len(count.faults)
    return text.append(f"\n  and {more:,} more", style="yellow") if more > 0 else text
