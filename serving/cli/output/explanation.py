"""An alert explained on one page: the figures, the questions, how they moved, how it ended."""

import math
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from serving.cli.output.render import instant, severity, span
from serving.cli.output.sparkline import two_rows

ASKS = {
    "share_shift": "Since some minute, is the share of negative comments above the usual, by more "
    "than chance and by more than posts differ anyway?",
    "hour_scan": "Over the last 2, 4, 8, 16 or 24 full hours, were comments more often negative "
    "than usual, and the negative ones more in number?",
    "praise_shift": "Since some minute, is the share of praise above the usual, and the volume "
    "with it?",
    "copies_shift": "Since some minute, do more of the comments than usual nearly repeat another, "
    "while the negative ones are no more than usual?",
    "silence": "How many comments were to be counted on while none came, and is that twice as many "
    "as any silence of late missed?",
}
_COLUMNS = 56
_NATS = (
    "A value is evidence in nats: at 7, what was seen is e^7 = 1,097 times likelier if the crowd "
    "has turned than if all is as usual."
)
_BARS = "Lower row: up to the threshold or the usual. Upper row: what lies beyond."
_SOURCES = (
    "docs/detection.md has the formulas, GET /v1/alerts/{}?points=5000 (or --json) every minute."
)
_SHIFT = (
    ("n", "n", "comments in the {span} to {end}"),
    ("k", "k", "sum of P({mood}) over them"),
    ("x", "x", "part of n beyond the usual volume"),
    ("p", "p", "usual share"),
    ("p₁", "p1", "raised share"),
    ("φ", "phi", "n and k are divided by it"),
    ("κ", "kappa", "concentration, less as x grows"),
    ("Λ", "", "log BB(k | n, p₁, κ) - log BB(k | n, p, κ), in nats"),
)
_COPIES = (
    _SHIFT[0],
    ("k", "k", "of which nearly repeat another"),
    ("p", "p", "usual share"),
    ("p₁", "p1", "raised share"),
    ("κ", "kappa", "concentration"),
    _SHIFT[-1],
)
_SCAN = (
    ("n", "n", "comments in the {span} to {end}"),
    ("k", "k", "sum of P(negative) over them"),
    ("x", "x", "part of n beyond the usual volume"),
    ("p", "p", "usual share of k"),
    ("φ", "phi", "n and k are divided by it"),
    ("κ", "kappa", "concentration, less as x grows and as hours stray"),
    ("share", "share_nats", "log BB(k | n, k/n, κ) - log BB(k | n, p, κ)"),
    ("m", "positive", "sum of P(positive) over them"),
    ("b", "b", "usual share of m in n - k"),
    ("φ", "phi_b", "m and n - k are divided by it"),
    ("silence", "silence_nats", "as share, of m in n - k against b, if lower; at most 3"),
    ("E", "expected", "comments usual in these hours"),
    ("s²", "s2", "variance of log(k / pE) in quiet times, with chance"),
    ("count", "count_nats", "log((k + 1) / (pE + 1))² / 2s², at most 4"),
    ("Λ", "", "share + silence + count, in nats"),
)
RECIPES = {
    "share_shift": _SHIFT,
    "praise_shift": _SHIFT,
    "copies_shift": _COPIES,
    "hour_scan": _SCAN,
}
_FORM = "%d %b %H:%M"
_MANY = "+"  # marks a column in which more than one thing happened

Row = Mapping[str, Any]


def explanation(alert: Row) -> Group:
    """One alert of the API, with its transitions and its trace, for a reader who doubts it."""
    events, trace = alert["events"], alert["trace"]
    opened = events[0]
    title = Text(f"{alert['kind'].replace('_', ' ')} on @{alert['kol_id']} · ", style="bold")
    title.append_text(severity(alert["severity"]))
    title.append(f" · {alert['state']} · {alert['alert_id']}", style="not bold")
    return Group(
        title,
        _indented(Text(opened["evidence"]["summary"])),
        _heading("What happened", f"UTC, {instant(opened['at'], '%Y')}"),
        _indented(_steps(events)),
        _heading("Observed and usual", f"as it opened; {_window(opened['evidence'])}"),
        _indented(_figures(opened["evidence"])),
        _heading("What the detectors said", "as it opened"),
        _indented(Text(_NATS, style="dim")),
        *(_indented(_said(score)) for score in opened["evidence"]["scores"]),
        *_people(opened["evidence"]),
        *_course(trace, events),
        _heading("How it ended"),
        _indented(Text(_end(alert))),
        *_recipe(alert),
    )


def _heading(text: str, more: str = "") -> Text:
    heading = Text(f"\n{text}", style="bold")
    return heading.append(f"  ({more})", style="not bold dim") if more else heading


def _indented(what: Text | Table) -> Padding:
    return Padding(what, (0, 0, 0, 2))


def _columns(*justify: str) -> Table:
    table = Table.grid(padding=(0, 2))
    for side in justify:
        table.add_column(justify="right" if side == "right" else "left", no_wrap=True)
    return table


def _window(evidence: Row) -> str:
    start, end = (instant(evidence[name], _FORM) for name in ("window_start", "window_end"))
    return f"{start} to {end}"


def _steps(events: Sequence[Row]) -> Table:
    table = _columns("right", "left", "left", "left", "left")
    begun = events[0]["evidence"]["incident_start"]
    table.add_row("", instant(begun, _FORM), "began", "", "estimated, looking back")
    for number, event in enumerate(events, 1):
        top = max(event["evidence"]["scores"], key=_ratio)
        why = "" if event["reason"] == "resolved" else f"{top['name']} at {_times(_ratio(top))}"
        at = instant(event["at"], _FORM)
        table.add_row(str(number), at, event["reason"], severity(event["severity"]), why)
    return table


def _figures(evidence: Row) -> Table:
    n, usual = evidence["comments"], evidence["expected_comments"]
    share = evidence["expected_negative_share"]
    table = _columns("left", "right", "right")
    table.add_row("", "observed", "usual")
    table.add_row("comments", f"{n:,}", f"{usual:,.1f}")
    table.add_row("negative ones", f"{evidence['negative']:,.1f}", f"{usual * share:,.1f}")
    table.add_row("negative share", f"{evidence['negative_share']:.1%}", f"{share:.1%}")
    table.add_row("volume", f"{evidence['volume_ratio']:.2f} x", "1 x")
    return table


def _said(score: Row) -> Text:
    crossed = "crossed" if _ratio(score) >= 1 else "not crossed"
    text = Text(score["name"], style="bold")
    text.append(f"  {score['value']:.2f} nats of {score['threshold']:.2f}: ", style="not bold")
    text.append(crossed)
    if score["value"] > 0:
        text.append(f", judging the last {span(score['scale_minutes'])}", style="not bold")
    return text.append(f"\n{ASKS.get(score['name'], '')}", style="not bold")


def _people(evidence: Row) -> Iterator[Text | Padding]:
    """What those do who were there before, against what they did then; nothing where not known."""
    drivers: Row = evidence.get("drivers") or {}
    audience: Row = drivers.get("audience") or {}
    table = _columns("left", "right", "right", "left")
    table.add_row("", "now", "before", "")
    regulars, loyal = audience.get("regulars"), audience.get("loyal")
    if regulars:
        table.add_row(
            "regulars, negative", *_pair(audience, "regular_negative"), f"{regulars:,} of them"
        )
        table.add_row("regulars, positive", *_pair(audience, "regular_positive"), "")
    if audience.get("newcomer_negative") is not None:
        table.add_row("newcomers, negative", f"{audience['newcomer_negative']:.0%}", "", "")
    if drivers.get("offensive_share") is not None:
        now, usual = drivers["offensive_share"], drivers.get("offensive_usual")
        before = "" if usual is None else f"{usual:.0%}"
        table.add_row("offensive, of all", f"{now:.0%}", before, "")
    if table.row_count > 1:
        yield _heading("Who writes", "up to the opening")
        yield _indented(table)
    if loyal:
        turned, stay = audience["loyal_turned"], audience["loyal_defending"]
        yield _indented(
            Text(
                f"Of {loyal:,} loyal fans who write (mostly positive before), {turned:,} turned "
                f"negative and {stay:,} stay positive."
            )
        )


def _pair(audience: Row, name: str) -> tuple[str, str]:
    return f"{audience[name]:.0%}", f"{audience[name + '_usual']:.0%}"


def _course(trace: Row, events: Sequence[Row]) -> Iterator[Text]:
    """The bars; nothing but a remark where no readings were kept."""
    if not trace["points"]:
        yield _heading("How it went")
        yield Text(
            "  No readings are stored for these minutes: an earlier version worked them off.\n"
            "  'groundswell db rebuild' derives them from the log."
        )
        return
    since, until = (datetime.fromisoformat(trace[name]) for name in ("since", "until"))
    step = timedelta(seconds=trace["step"])
    width = step * math.ceil((until - since) / step / _COLUMNS)
    columns: list[list[Row]] = [[] for _ in range(math.ceil((until - since) / width))]
    for point in trace["points"]:
        columns[(datetime.fromisoformat(point["start"]) - since) // width].append(point)
    ends = f"{instant(trace['since'], _FORM)} to {instant(trace['until'], _FORM)}"
    minutes = width.total_seconds() / 60
    yield _heading("How it went", f"{ends}; a column is {span(minutes)}")
    yield Text(f"  {_BARS}", style="dim")
    for score in events[0]["evidence"]["scores"]:
        name = score["name"]
        ratios = [_strongest(points, name) for points in columns]
        yield from _bars(name, f"threshold {score['threshold']:.1f}", ratios, 1.0, _times)
    shares = [_share(points) for points in columns]
    usual = events[0]["evidence"]["expected_negative_share"]
    yield from _bars("negative share", f"usual {usual:.0%}", shares, usual, "{:.0%}".format)
    volumes = [_volume(points, width / step) for points in columns]
    yield from _bars("comments", "usual", volumes, 1.0, _times)
    yield _marks(events, since, width, len(columns))


def _strongest(points: Sequence[Row], name: str) -> float | None:
    scores = (score for point in points for score in point["scores"] if score["name"] == name)
    return max(map(_ratio, scores), default=None)


def _share(points: Sequence[Row]) -> float | None:
    n = sum(point["comments"] for point in points)
    return float(sum(point["negative"] for point in points) / n) if n else None


def _volume(points: Sequence[Row], steps: float) -> float | None:
    """Comments over the usual; a point stands for its step, and silent steps have none."""
    if not points:
        return None
    usual = sum(point["expected_comments"] for point in points) / len(points) * steps
    return float(sum(point["comments"] for point in points) / usual)


def _bars(
    name: str, bound_name: str, values: Sequence[float | None], bound: float, told: Any
) -> Iterator[Text]:
    upper, lower = two_rows(values, bound)
    top = max((value for value in values if value is not None), default=0.0)
    reached = f" {told(top)}" if top >= bound else ""
    yield Text(f"{name:>15} ").append(upper, style="red").append(reached)
    yield Text(f"{bound_name:>15} {lower}", style="dim")


def _marks(events: Sequence[Row], since: datetime, width: timedelta, length: int) -> Text:
    row = [" "] * length
    for number, event in enumerate(events, 1):
        place = min((datetime.fromisoformat(event["at"]) - since) // width, length - 1)
        row[place] = str(number) if row[place] == " " and number < 10 else _MANY
    return Text(f"{'what happened':>15} {''.join(row)}")


def _end(alert: Row) -> str:
    if alert["state"] == "resolved":
        return str(alert["events"][-1]["evidence"]["summary"])
    if not alert["trace"]["points"]:
        return "It is still open."
    last = alert["trace"]["points"][-1]
    return (
        f"It is still open. Last read at {instant(last['start'], _FORM)} UTC: "
        f"{last['negative'] / last['comments']:.0%} of {last['comments']:,} negative, "
        f"{last['expected_negative_share']:.0%} is usual."
    )


def _recipe(alert: Row) -> Iterator[Text | Padding]:
    """Of what crossed its threshold, all that its value was computed from."""
    opened = alert["events"][0]
    for score in opened["evidence"]["scores"]:
        if _ratio(score) >= 1 and score.get("inputs") and score["name"] in RECIPES:
            yield _heading("Recompute it", f"{score['name']}, as it opened")
            yield _indented(_inputs(score, opened["at"]))
    yield _heading("Sources")
    yield _indented(Text(_SOURCES.format(alert["alert_id"])))


def _inputs(score: Row, at: str) -> Table:
    inputs = score["inputs"] | {"": score["value"]}
    end = datetime.fromisoformat(at)
    if score["name"] == "hour_scan":  # it judges full hours
        end = end.replace(minute=0)
    words = {
        "span": span(score["scale_minutes"]),
        "end": instant(end.isoformat(), _FORM),
        "mood": "positive" if score["name"] == "praise_shift" else "negative",
    }
    table = _columns("left", "right", "left")
    for symbol, name, meaning in RECIPES[score["name"]]:
        table.add_row(symbol, _figure(inputs[name]), meaning.format(**words))
    return table


def _figure(value: float) -> str:
    """Five significant digits at least; counts whole."""
    if float(value).is_integer() and value >= 1:
        return f"{value:,.0f}"
    return f"{value:,.{max(2, 4 - math.floor(math.log10(value)))}f}" if value > 0 else "0"


def _ratio(score: Row) -> float:
    return float(score["value"] / score["threshold"])


def _times(ratio: float) -> str:
    return f"{ratio:.1f} x"
