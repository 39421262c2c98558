"""The airline stream of February 2015 in a running service: alerts against human labels.

    GROUNDSWELL_ACCESS=open groundswell serve &
    groundswell replay ../shared/streams/airline_feb2015.parquet --speed max --url http://127.0.0.1:8000
    python -m benchmarks.airlines --url http://127.0.0.1:8000

Lists all alerts with the human labels in their windows, and how well the service's scores agree
with the labels. The stream is not in the training data; the shipped sensitivity was chosen after
looking at it (README).
"""

import argparse
import json
import platform
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.metrics import accuracy_score, f1_score, recall_score

CLASSES = ["negative", "neutral", "positive"]
ZONE = "America/New_York"
_REASONS = 3
_TERMS = 6


def pages(client: httpx.Client, path: str) -> list[dict[str, Any]]:
    """All items of a list, page by page."""
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
        page = client.get(path, params=query).raise_for_status().json()
        items += page["items"]
        cursor = page["next_cursor"]
        if cursor is None:
            return items


def agreement(client: httpx.Client, labelled: pd.DataFrame) -> dict[str, float]:
    """Macro-F1, macro-recall and accuracy of the stored scores against the human labels."""
    kols = labelled["kol_id"].unique()
    comments = [c for kol in kols for c in pages(client, f"/v1/kols/{kol}/comments")]
    scores = pd.DataFrame(comments).set_index("comment_id")[CLASSES].astype(float)
    said = scores.idxmax(axis=1)
    truth = labelled.set_index("comment_id")["label"].reindex(said.index)
    return {
        "comments": len(said),
        "macro_f1": f1_score(truth, said, labels=CLASSES, average="macro"),
        "macro_recall": recall_score(truth, said, labels=CLASSES, average="macro"),
        "accuracy": accuracy_score(truth, said),
    }


def human_view(labelled: pd.DataFrame, alert: dict[str, Any]) -> dict[str, Any]:
    """The human labels between an alert's start and its end, and those of the days before."""
    mine = labelled[labelled["kol_id"] == alert["kol_id"]]
    start = pd.Timestamp(alert["evidence"]["incident_start"])
    end = pd.Timestamp(alert["resolved_at"] or mine["created_at"].max())
    inside = mine[(mine["created_at"] >= start) & (mine["created_at"] <= end)]
    before = mine[mine["created_at"] < start]
    part = inside["reason"].value_counts() / max(len(inside), 1)
    normal = before["reason"].value_counts().reindex(part.index, fill_value=0) / max(len(before), 1)
    risen = (part - normal).sort_values(ascending=False, kind="stable").index[:_REASONS]
    hours = max((end - start).total_seconds() / 3600, 1 / 60)
    days_before = max((start - mine["created_at"].min()).total_seconds() / 3600, 1 / 60)
    return {
        "comments": len(inside),
        "negative_share": (inside["label"] == "negative").mean(),
        "negatives_per_hour": (inside["label"] == "negative").sum() / hours,
        "before_negative_share": (before["label"] == "negative").mean(),
        "before_negatives_per_hour": (before["label"] == "negative").sum() / days_before,
        "reasons_risen": [
            {"reason": reason, "before": normal[reason], "share": part[reason]} for reason in risen
        ],
    }


def reasons_table(rows: list[dict[str, Any]]) -> Table:
    """The terms that each alert names, and the reasons that people gave more often during it."""
    table = Table("account", "opened (New York)", "terms the alert names", "people's reasons risen")
    for row in rows:
        table.add_row(
            row["kol_id"],
            f"{pd.Timestamp(row['opened_at']).tz_convert(ZONE):%a %d %b %H:%M}",
            ", ".join(row["terms"]),
            ", ".join(
                f"{risen['reason']} {risen['before']:.0%} → {risen['share']:.0%}"
                for risen in row["people"]["reasons_risen"]
            ),
        )
    return table


def main() -> None:
    """Print the tables, and write them as JSON if requested."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--stream", default="../shared/streams/airline_feb2015.parquet")
    parser.add_argument("--out", type=Path, help="write the results to this JSON file")
    arguments = parser.parse_args()
    labelled = pd.read_parquet(arguments.stream)
    labelled["comment_id"] = labelled["comment_id"].astype(str)
    with httpx.Client(base_url=arguments.url, timeout=60) as client:
        status = client.get("/v1/status").raise_for_status().json()
        scores = agreement(client, labelled)
        alerts = pages(client, "/v1/alerts")
    rows = [
        {key: alert[key] for key in ("kol_id", "kind", "severity", "opened_at", "resolved_at")}
        | {"summary": alert["evidence"]["summary"], "people": human_view(labelled, alert)}
        | {"terms": [term["text"] for term in alert["evidence"]["drivers"]["terms"][:_TERMS]]}
        for alert in sorted(alerts, key=lambda alert: (alert["kol_id"], alert["opened_at"]))
    ]
    table = Table("account", "kind", "opened (New York)", "resolved", "people: share", "per hour")
    for row in rows:
        people = row["people"]
        opened, resolved = (
            f"{pd.Timestamp(row[key]).tz_convert(ZONE):%a %d %b %H:%M}" if row[key] else "open"
            for key in ("opened_at", "resolved_at")
        )
        table.add_row(
            row["kol_id"],
            f"{row['kind']} ({row['severity']})",
            opened,
            resolved,
            f"{people['before_negative_share']:.2f} → {people['negative_share']:.2f}",
            f"{people['before_negatives_per_hour']:.1f} → {people['negatives_per_hour']:.1f}",
        )
    console = Console(width=120)
    console.print(table)
    console.print(reasons_table(rows))
    console.print({key: round(value, 4) for key, value in scores.items()})
    if arguments.out:
        result = {
            "model": status["model"],
            "version": status["version"],
            "machine": f"{platform.machine()} {platform.system()}",
            "python": platform.python_version(),
            "scores": scores,
            "alerts": rows,
        }
        arguments.out.write_text(json.dumps(result, indent=1, default=float) + "\n")


if __name__ == "__main__":
    main()
