"""What an import has shown, for people and for programs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.text import Text

from serving.cli.files.import_result import ImportResult, KolFindings
from serving.storage.import_record import FileCount

_ADJUSTMENTS = {
    "likes_read": "likes written as text were read",
    "likes_unknown": "likes that are no number became empty",
    "mojibake_repaired": "texts that were decoded wrongly were repaired",
    "rich_text_joined": "texts in pieces were joined",
    "cells_joined": "texts with delimiters that were not quoted were joined",
    "optional_dropped": "optional values that cannot be read became empty",
}


def result_json(result: ImportResult, written: Mapping[int, Path]) -> dict[str, Any]:
    """For programs."""
    count = result.count
    return {
        "accepted": count.accepted,
        "updated": count.updated,
        "duplicates": count.duplicates,
        "rejected": count.rejected,
        "used": count.used,
        "adjustments": dict(sorted(count.adjustments.items())),
        "faults": count.faults,
        "files": [
            {
                "name": file.name,
                "format": file.format,
                "preset": file.preset,
                "notes": file.notes,
                "rows": file.rows,
                "rejected": file.rejected,
                "left_out": file.left_out,
                "replies_left_out": file.replies_left_out,
                "failure": file.failure,
                "rejected_file": str(written[place]) if place in written else None,
            }
            for place, file in enumerate(count.files)
        ],
        "kols": [
            {
                "kol_id": kol.kol_id,
                "comments": kol.comments,
                "first": kol.first,
                "last": kol.last,
                "alerts": [
                    {
                        "alert_id": alert.alert_id,
                        "kind": alert.kind,
                        "severity": alert.severity,
                        "state": alert.state,
                        "opened_at": alert.opened_at,
                    }
                    for alert in kol.alerts
                ],
                "missing": kol.missing,
            }
            for kol in result.kols
        ],
    }


def result_text(result: ImportResult, written: Mapping[int, Path]) -> Text:
    """For people."""
    count, text = result.count, Text()
    for place, file in enumerate(count.files):
        text.append(_file_line(file))
        if place in written:
            text.append(f"  rejected rows: {written[place]}\n", style="yellow")
    for fault in count.faults:
        text.append(f"  {fault}\n", style="yellow")
    if (more := count.rejected - len(count.faults)) > 0:
        text.append(f"  and {more:,} more\n", style="yellow")
    for kind, number in sorted(count.adjustments.items()):
        text.append(f"{number:,} {_ADJUSTMENTS.get(kind, kind)}\n")
    text.append(
        f"{count.accepted:,} accepted, {count.updated:,} updated, {count.duplicates:,} duplicates, "
        f"{count.rejected:,} rejected; {count.used:,} used",
        style="bold",
    )
    for kol in result.kols:
        text.append(f"\n{_kol_line(kol)}")
        for alert in kol.alerts:
            text.append(
                f"\n  {alert.severity} {alert.kind}, opened {alert.opened_at:%Y-%m-%d %H:%M} UTC, "
                f"{alert.state}: {alert.alert_id}"
            )
        if kol.missing is not None:
            text.append(f"\n  cannot be judged yet: needs {kol.missing}", style="yellow")
    return text


def _file_line(file: FileCount) -> str:
    if file.failure is not None:
        return f"{file.name}: not read: {file.failure}\n"
    form = f"preset {file.preset}" if file.preset is not None else file.format
    parts = [f"{file.rows:,} rows", form, *file.notes]
    if file.left_out:
        parts.append(f"{file.left_out:,} rows left out, they are no comments")
    if file.replies_left_out:
        parts.append(f"{file.replies_left_out:,} replies left out, they have no time")
    return f"{file.name}: {'; '.join(parts)}\n"


def _kol_line(kol: KolFindings) -> str:
    alerts = f"{len(kol.alerts)} alert" + ("s" if len(kol.alerts) != 1 else "")
    return (
        f"{kol.kol_id}: {kol.comments:,} comments from {kol.first:%Y-%m-%d %H:%M} to "
        f"{kol.last:%Y-%m-%d %H:%M} UTC, {alerts}"
    )
