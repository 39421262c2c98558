"""An alert explained on one page: figures, detectors, how they moved, how it ended."""

from collections.abc import Iterator, Sequence

from rich.console import Group
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from groundswell_client.models.alerts import AlertDetailInfo, AlertEventInfo
from groundswell_client.models.evidence import AudienceInfo, EvidenceInfo
from serving.cli.output.formatting import WITHDRAWN, instant, length, severity, spaced
from serving.cli.output.recipe import answer, inputs
from serving.cli.output.trace_chart import TraceChart, times

_NATS = (
    "A value measures evidence in nats. At 7, the comments are e^7 = 1,097 times likelier if the "
    "crowd has turned than if all is normal."
)
_BARS = "Lower row: up to the threshold, or to normal. Upper row: what is above it."
_SOURCES = (
    "docs/detection.md has the formulas. GET /v1/alerts/{}?points=5000 (or --json) has every "
    "minute."
)
_FORM = "%d %b %H:%M"


def explanation(alert: AlertDetailInfo) -> Group:
    """One alert with its events and its trace, for a reader who doubts it."""
    opened = alert.events[0]
    title = Text(f"{spaced(alert.kind)} on @{alert.kol_id} · ", style="bold")
    title.append_text(severity(alert.severity))
    state = WITHDRAWN if alert.state == "revised" else alert.state
    title.append(f" · {state} · {alert.alert_id}", style="not bold")
    return Group(
        title,
        _indented(Text(opened.evidence.summary)),
        _heading("What happened", f"UTC, {instant(opened.at, '%Y')}"),
        _indented(_steps(alert.events)),
        _heading("Observed and normal", f"when it opened; {_window(opened.evidence)}"),
        _indented(_figures(opened.evidence)),
        _heading("What the detectors found", "when it opened"),
        _indented(Text(_NATS, style="dim")),
        *(_indented(answer(score)) for score in opened.evidence.scores),
        *_people(opened.evidence),
        *_course(alert),
        _heading("How it ended"),
        _indented(Text(_end(alert))),
        *_recipe(opened),
        _heading("Sources"),
        _indented(Text(_SOURCES.format(alert.alert_id))),
    )


def _heading(text: str, more: str = "") -> Text:
    heading = Text(f"\n{text}", style="bold")
    return heading.append(f"  ({more})", style="not bold dim") if more else heading


def _indented(what: Text | Table) -> Padding:
    return Padding(what, (0, 0, 0, 2))


def _columns(*sides: str) -> Table:
    table = Table.grid(padding=(0, 2))
    for side in sides:
        table.add_column(justify="right" if side == "right" else "left", no_wrap=True)
    return table


def _window(evidence: EvidenceInfo) -> str:
    return f"{instant(evidence.window_start, _FORM)} to {instant(evidence.window_end, _FORM)}"


def _steps(events: Sequence[AlertEventInfo]) -> Table:
    table = _columns("right", "left", "left", "left", "left")
    begun = events[0].evidence.incident_start
    table.add_row("", instant(begun, _FORM), "began", "", "estimated afterwards")
    for number, event in enumerate(events, 1):
        top = max(event.evidence.scores, key=lambda score: score.ratio, default=None)
        over = event.reason in ("resolved", "revised")
        why = [] if over or top is None else [f"{top.name} at {times(top.ratio)}"]
        why += [] if event.found_at is None else [f"found {instant(event.found_at, _FORM)}"]
        at = instant(event.at, _FORM)
        table.add_row(str(number), at, event.reason, severity(event.severity), ", ".join(why))
    return table


def _figures(evidence: EvidenceInfo) -> Table:
    normal, share = evidence.expected_comments, evidence.expected_negative_share
    table = _columns("left", "right", "right")
    table.add_row("", "observed", "normal")
    table.add_row("comments", f"{evidence.comments:,}", f"{normal:,.1f}")
    table.add_row("negative", f"{evidence.negative:,.1f}", f"{normal * share:,.1f}")
    table.add_row("negative share", f"{evidence.negative_share:.1%}", f"{share:.1%}")
    table.add_row("volume", f"{evidence.volume_ratio:.2f} x", "1 x")
    return table


def _people(evidence: EvidenceInfo) -> Iterator[Text | Padding]:
    """Those who wrote before, now against then; nothing where it is not known."""
    drivers = evidence.drivers
    if drivers is None:
        return
    audience = drivers.audience
    table = _columns("left", "right", "right", "left")
    table.add_row("", "now", "before", "")
    if audience.regulars:
        now = audience.regular_negative, audience.regular_negative_usual
        table.add_row("regulars, negative", *map(_percent, now), f"{audience.regulars:,} people")
        now = audience.regular_positive, audience.regular_positive_usual
        table.add_row("regulars, positive", *map(_percent, now), "")
    if audience.newcomer_negative is not None:
        table.add_row("newcomers, negative", _percent(audience.newcomer_negative), "", "")
    if drivers.offensive_share is not None:
        shares = drivers.offensive_share, drivers.offensive_usual
        table.add_row("all, offensive", *map(_percent, shares), "")
    if table.row_count > 1:
        yield _heading("Who writes", "up to the opening")
        yield _indented(table)
    if audience.loyal:
        yield _indented(Text(_fans(audience)))


def _fans(audience: AudienceInfo) -> str:
    return (
        f"Of {audience.loyal:,} loyal fans who write (mostly positive before), "
        f"{audience.loyal_turned:,} turned negative and {audience.loyal_defending:,} stayed "
        "positive."
    )


def _percent(share: float | None) -> str:
    return "" if share is None else f"{share:.0%}"


def _course(alert: AlertDetailInfo) -> Iterator[Text]:
    """The bars; a remark where the minutes were not stored."""
    trace = alert.trace
    if not trace.points:
        yield _heading("How it went")
        yield Text(
            "  These minutes were processed by a version that did not store them.\n"
            "  'groundswell db rebuild' computes them from the comments."
        )
        return
    chart = TraceChart(trace)
    ends = f"{instant(trace.since, _FORM)} to {instant(trace.until, _FORM)}"
    yield _heading("How it went", f"{ends}; one column is {length(chart.minutes)}")
    yield Text(f"  {_BARS}", style="dim")
    yield from chart.rows(alert.events)


def _end(alert: AlertDetailInfo) -> str:
    if alert.state == "revised":
        return "It was withdrawn: with the comments that came late, there was no incident."
    if alert.state == "resolved":
        return alert.events[-1].evidence.summary
    if not alert.trace.points:
        return "It is still open."
    last = alert.trace.points[-1]
    return (
        f"It is still open. At {instant(last.start, _FORM)} UTC {last.negative / last.comments:.0%}"
        f" of {last.comments:,} comments were negative; normal: {last.expected_negative_share:.0%}."
    )


def _recipe(opened: AlertEventInfo) -> Iterator[Text | Padding]:
    """The numbers behind each value that reached its threshold."""
    for score in opened.evidence.scores:
        table = inputs(score, opened.at)
        if table is not None:
            yield _heading("Recompute it", f"{score.name}, when it opened")
            yield _indented(table)
