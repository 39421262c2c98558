"""What people see of alerts, KOLs and predictions in a terminal."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from rich import box
from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from monitoring.kinds import AlertKind
from serving.cli.files.replayer import Tally

_COLOURS = {"info": "cyan", "warning": "yellow", "critical": "bold red"}
_LABELS = {"negative": "red", "neutral": "white", "positive": "green"}
_SAMPLES, _TERMS, _LONGEST = 3, 8, 160
_LONGEST_KOL = 14  # characters of a KOL's id that a table keeps on one line


def instant(value: str | None, form: str = "%d %b %H:%M") -> str:
    """An ISO 8601 time in UTC, short; a dash for None."""
    return "-" if value is None else datetime.fromisoformat(value).astimezone(UTC).strftime(form)


def severity(name: str) -> Text:
    """A severity in its colour."""
    return Text(name, style=_COLOURS.get(name, ""))


def tally_json(tally: Tally) -> dict[str, object]:
    """A tally for programs."""
    return {
        "accepted": tally.accepted,
        "duplicates": tally.duplicates,
        "rejected": tally.rejected,
        "unreadable": tally.unreadable,
        "faults": tally.faults,
    }


def tally_text(tally: Tally, name: str) -> Text:
    """What became of a file, and the first of its bad rows."""
    parts = [f"{tally.accepted:,} accepted", f"{tally.duplicates:,} duplicates"]
    bad = tally.rejected + tally.unreadable
    if tally.rejected:
        parts.append(f"{tally.rejected:,} rejected")
    if tally.unreadable:
        parts.append(f"{tally.unreadable:,} unreadable")
    text = Text(f"{name}: {', '.join(parts)}")
    for fault in tally.faults:
        text.append(f"\n  {fault}", style="yellow")
    if bad > len(tally.faults):
        text.append(f"\n  and {bad - len(tally.faults):,} more", style="yellow")
    return text


def alert_table(alerts: Sequence[Mapping[str, Any]]) -> Table | Text:
    """Alerts, one a row; times are UTC event time."""
    if not alerts:
        return Text("no alerts")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 0, 0, 1), collapse_padding=True)
    table.add_column("opened (UTC)", no_wrap=True)
    widest = max(len(alert["kol_id"]) for alert in alerts)
    table.add_column("KOL", min_width=min(widest, _LONGEST_KOL))
    table.add_column("severity", no_wrap=True)
    table.add_column("kind", width=9)
    table.add_column("ended", width=7)
    table.add_column("id", no_wrap=True, min_width=16)  # to be copied: whole, on one line
    for alert in alerts:
        resolved = alert["resolved_at"] if alert["state"] == "resolved" else None
        touched = people(alert)
        table.add_row(
            instant(alert["opened_at"], "%Y-%m-%d %H:%M"),
            Text.assemble(alert["kol_id"], (f"\n{touched}" if touched else "", "dim")),
            severity(alert["severity"]),
            alert["kind"].replace("_", " "),
            instant(resolved) if resolved else Text("still open", style="red"),
            Text(alert["alert_id"]),
        )
    return table


def people(alert: Mapping[str, Any]) -> str:
    """Where people stand with an alert, in a few words; empty where nobody has touched it."""
    work = alert["triage"]
    parts = []
    if work["acknowledged_by"]:
        parts.append(f"acknowledged by {work['acknowledged_by']}")
    if work["assignee"]:
        parts.append(f"assigned to {work['assignee']}")
    if work["false_alarm_by"] and not work["closed_by"]:
        parts.append(f"a false alarm, said {work['false_alarm_by']}")
    if alert["muted"]:
        parts.append(alert["muted"])
    return "; ".join(parts)


def alert_panel(event: Mapping[str, Any], *, name: str | None = None) -> Panel:
    """An alert, or a step in its life, with why.

    Args:
        event: an alert or an alert event of the API.
        name: the KOL's, if it is known.
    """
    evidence = event["evidence"]
    reason = event.get("reason") or event["state"]
    at = event.get("at") or event["updated_at"]
    colour = "green" if reason == "resolved" else _COLOURS.get(event["severity"], "white")
    title = f"{event['severity'].upper()} · {name or event['kol_id']} · {reason}"
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    ended = reason == "resolved"  # an end needs no reasons
    for label, value in [] if ended else _facts(event["kind"], evidence):
        grid.add_row(label, value)
    return Panel(
        Group(Text(evidence["summary"], style="bold"), *([] if ended else [grid])),
        title=Text(title),
        title_align="left",
        subtitle=Text(f"{event['alert_id']} · {instant(at, '%d %b %H:%M UTC')}"),
        subtitle_align="right",
        border_style=colour,
    )


def _facts(kind: str, evidence: Mapping[str, Any]) -> list[tuple[str, Text]]:
    usual = evidence["expected_negative_share"]
    facts = [
        ("kind", Text(kind.replace("_", " "))),
        ("since", Text(instant(evidence["incident_start"], "%d %b %H:%M UTC"))),
        (
            "volume",
            Text(
                f"{evidence['comments']:,} comments, usual {evidence['expected_comments']:,.0f}"
                f" (x {evidence['volume_ratio']:.1f})"
            ),
        ),
    ]
    if kind != AlertKind.DATA_GAP:
        facts.append(("negative", Text(f"{evidence['negative_share']:.0%}, usual {usual:.0%}")))
    if (top := _strongest(evidence["scores"])) is not None:
        ratio = top["value"] / top["threshold"] if top["threshold"] else 0.0
        facts.append(
            (
                "detector",
                Text(
                    f"{top['name']} over {span(top['scale_minutes'])}, {ratio:.1f} x its threshold"
                ),
            )
        )
    if evidence["drivers"] is not None:
        friendly = kind in (AlertKind.PRAISE_SURGE, AlertKind.COMMENT_FLOOD)
        facts += _crowd(evidence["drivers"]) if friendly else _why(evidence["drivers"])
    return facts


def _crowd(drivers: Mapping[str, Any]) -> list[tuple[str, Text]]:
    """Of praise or a flood: where and who; terms and samples are those of negative comments."""
    audience = drivers["audience"] | {"turned_share": None}
    busiest = max(drivers["posts"], key=lambda post: int(post["comments"]), default=None)
    where = []
    if busiest is not None:
        name = busiest["post_id"] or "not known"
        where.append(("top post", Text(f"{name}: {busiest['comments']:,} comments")))
    return [*where, ("audience", _audience(audience))]


def _why(drivers: Mapping[str, Any]) -> list[tuple[str, Text]]:
    facts = []
    if drivers["posts"]:
        post = drivers["posts"][0]
        facts.append(
            (
                "top post",
                Text(
                    f"{post['post_id'] or 'not known'}: {post['comments']:,} comments, "
                    f"{post['excess']:.0f} more negative than usual"
                ),
            )
        )
    if drivers["terms"]:
        words = (term["text"] for term in drivers["terms"][:_TERMS])
        facts.append(("terms", Text(" · ".join(words))))
    for index, sample in enumerate(drivers["representative"][:_SAMPLES]):
        line = Text(f"“{shorten(sample['text'])}”")
        known = [f"@{sample['author_id']}"] if sample["author_id"] else []
        known += [f"♥ {sample['likes']:,}"] if sample["likes"] else []
        if known:
            line.append(f"  {', '.join(known)}", style="dim")
        facts.append(("comments" if index == 0 else "", line))
    facts.append(("audience", _audience(drivers["audience"])))
    facts += _told_besides(drivers)
    if len(drivers["languages"]) > 1:
        spoken = ", ".join(f"{language} {count:,}" for language, count in drivers["languages"])
        facts.append(("languages", Text(spoken)))
    return facts


def _told_besides(drivers: Mapping[str, Any]) -> list[tuple[str, Text]]:
    """What the loyal do, and how rough the tone is; nothing where it is not known."""
    facts = []
    audience = drivers["audience"]
    if audience.get("loyal"):
        fans = (
            f"{audience['loyal_turned']:,} of {audience['loyal']:,} loyal ones turned negative, "
            f"{audience['loyal_defending']:,} stay positive"
        )
        facts.append(("fans", Text(fans)))
    share, usual = drivers.get("offensive_share"), drivers.get("offensive_usual")
    if share is not None:
        before = "" if usual is None else f", usual {usual:.0%}"
        facts.append(("offensive", Text(f"{share:.0%}{before}")))
    return facts


def _audience(audience: Mapping[str, Any]) -> Text:
    text = Text(audience["verdict"], style="bold")
    if audience["authors"] is not None:
        text.append(f", {audience['authors']:,} authors", style="not bold")
    if audience["turned_share"] is not None:
        turned = f"{audience['turned_share']:.0%} of the negative from authors who were not before"
        text.append(f", {turned}", style="not bold")
    if audience["reasons"]:
        text.append(f"; {'; '.join(audience['reasons'])}", style="not bold")
    return text


def _strongest(scores: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    return max(scores, key=lambda s: s["value"] / (s["threshold"] or 1.0), default=None)


def span(minutes: float) -> str:
    """A length of time in words."""
    return f"{minutes:.0f} minutes" if minutes < 120 else f"{minutes / 60:.0f} hours"


def shorten(text: str, longest: int = _LONGEST) -> str:
    """Text on one line, cut at `longest` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= longest else f"{flat[: longest - 1]}…"


def kol_table(kols: Sequence[Mapping[str, Any]]) -> Table | Text:
    """KOLs and how their streams stand."""
    if not kols:
        return Text("no KOLs yet; they register themselves with their first comment")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("KOL")
    for heading in ("comments/h", "usual", "negative", "usual", "mood", "score"):
        table.add_column(heading, justify="right")
    table.add_column("alert")
    for kol in kols:
        who = Text(kol["kol_id"])
        status = kol["status"]
        if status is None:
            table.add_row(who, *["-"] * 6, "")
            continue
        learning = status["learning"]
        table.add_row(
            who,
            f"{status['comments_per_hour']:,.0f}",
            f"{status['expected_comments_per_hour']:,.0f}",
            f"{status['negative_share']:.0%}",
            f"{status['expected_negative_share']:.0%}",
            f"{status['mood']:+.2f}",
            f"{status['score']:.2f}",
            severity(status["severity"]) if status["severity"] else "learning" if learning else "",
        )
    return table


def prediction_table(texts: Sequence[str], predictions: Sequence[Mapping[str, Any]]) -> Table:
    """Texts and what the model says of them."""
    offensive = any(prediction["offensive"] is not None for prediction in predictions)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("text", overflow="fold")
    table.add_column("label")
    for heading in ("negative", "neutral", "positive", *(["offensive"] if offensive else [])):
        table.add_column(heading, justify="right")
    for text, prediction in zip(texts, predictions, strict=True):
        label = prediction["label"]
        shares = [f"{prediction[name]:.2f}" for name in ("negative", "neutral", "positive")]
        if offensive:
            value = prediction["offensive"]
            shares.append("-" if value is None else f"{value:.2f}")
        table.add_row(
            Text(shorten(text)),
            Text("nothing to read" if prediction["empty"] else label, style=_LABELS[label]),
            *shares,
        )
    return table
