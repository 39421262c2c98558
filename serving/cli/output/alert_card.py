"""An alert, or one of its events, as a card: what happened, and why."""

from collections.abc import Iterator, Mapping

from rich.console import Group
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from groundswell_client.models.alerts import AlertEventInfo, AlertInfo
from groundswell_client.models.evidence import (
    AudienceInfo,
    DriversInfo,
    EvidenceInfo,
    PostDriverInfo,
    SampleInfo,
)
from groundswell_client.models.posts import PostNameInfo
from monitoring.kinds import BY_VOLUME, AlertKind
from serving.cli.output.formatting import (
    COLOURS,
    WITHDRAWN,
    found_late,
    instant,
    length,
    shorten,
    spaced,
)

_SAMPLES, _TERMS = 3, 8
_POST_TEXT = 60  # characters
_Fact = tuple[str, Text]


def alert_card(alert: AlertInfo | AlertEventInfo, *, name: str | None = None) -> Panel:
    """A card of an alert as it is, or of one event.

    Args:
        alert: either.
        name: the KOL's, if it is known.
    """
    if isinstance(alert, AlertEventInfo):
        reason, at = alert.reason, alert.at
    else:
        reason, at = alert.state, alert.updated_at
    ended = reason in ("resolved", "revised")  # an end needs no reasons
    if reason == "revised":
        reason = "revised" if isinstance(alert, AlertEventInfo) else WITHDRAWN
    title = f"{alert.severity.upper()} · {name or alert.kol_id} · {reason}"
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for label, value in [] if ended else _facts(alert.kind, alert.evidence, alert.posts):
        grid.add_row(label, value)
    found = [] if alert.found_at is None else [Text(found_late(alert.found_at))]
    return Panel(
        Group(*found, Text(alert.evidence.summary, style="bold"), *([] if ended else [grid])),
        title=Text(title),
        title_align="left",
        subtitle=Text(f"{alert.alert_id} · {instant(at, '%d %b %H:%M UTC')}"),
        subtitle_align="right",
        border_style="green" if ended else COLOURS.get(alert.severity, "white"),
    )


def _facts(kind: str, evidence: EvidenceInfo, names: Mapping[str, PostNameInfo]) -> list[_Fact]:
    facts = [
        ("kind", Text(spaced(kind))),
        ("since", Text(instant(evidence.incident_start, "%d %b %H:%M UTC"))),
        (
            "volume",
            Text(
                f"{evidence.comments:,} comments; normal: {evidence.expected_comments:,.0f}"
                f" ({evidence.volume_ratio:.1f} x)"
            ),
        ),
    ]
    if kind != AlertKind.DATA_GAP:
        normal = evidence.expected_negative_share
        facts.append(("negative", Text(f"{evidence.negative_share:.0%}; normal: {normal:.0%}")))
    if (top := max(evidence.scores, key=lambda score: score.ratio, default=None)) is not None:
        judged = f"{top.name} over {length(top.scale_minutes)}, {top.ratio:.1f} x its threshold"
        facts.append(("detector", Text(judged)))
    if evidence.drivers is not None:
        explain = _crowd if kind in BY_VOLUME else _anger
        facts += explain(evidence.drivers, names)
    return facts


def _crowd(drivers: DriversInfo, names: Mapping[str, PostNameInfo]) -> list[_Fact]:
    """What is about volume: where and who. Terms and samples are those of negative comments."""
    where = list[_Fact]()
    busiest = max(drivers.posts, key=lambda post: post.comments, default=None)
    if busiest is not None:
        where += _post(busiest, f"{busiest.comments:,} comments", names)
    return [*where, ("audience", _audience(drivers.audience, turned=None))]


def _post(post: PostDriverInfo, figures: str, names: Mapping[str, PostNameInfo]) -> Iterator[_Fact]:
    """A post by its text or else its id, its figures, and its address where it is known."""
    name = names.get(post.post_id or "")
    shown = post.post_id or "not known"
    if name is not None and name.text:
        shown = f"“{shorten(name.text, _POST_TEXT)}”"
    yield "top post", Text(f"{shown}: {figures}")
    if name is not None and name.url:
        yield "", Text(name.url)


def _anger(drivers: DriversInfo, names: Mapping[str, PostNameInfo]) -> list[_Fact]:
    facts = list[_Fact]()
    if drivers.posts:
        top = drivers.posts[0]
        figures = f"{top.comments:,} comments, {top.excess:.0f} more negative than normal"
        facts += _post(top, figures, names)
    if drivers.terms:
        facts.append(("terms", Text(" · ".join(term.text for term in drivers.terms[:_TERMS]))))
    for index, sample in enumerate(drivers.representative[:_SAMPLES]):
        facts.append(("comments" if index == 0 else "", _sample(sample)))
    audience = drivers.audience
    facts.append(("audience", _audience(audience, turned=audience.turned_share)))
    if audience.loyal:
        fans = (
            f"{audience.loyal_turned:,} of {audience.loyal:,} loyal fans turned negative, "
            f"{audience.loyal_defending:,} stayed positive"
        )
        facts.append(("fans", Text(fans)))
    if drivers.offensive_share is not None:
        normal = drivers.offensive_usual
        before = "" if normal is None else f"; normal: {normal:.0%}"
        facts.append(("offensive", Text(f"{drivers.offensive_share:.0%}{before}")))
    if len(drivers.languages) > 1:
        spoken = ", ".join(f"{language} {count:,}" for language, count in drivers.languages)
        facts.append(("languages", Text(spoken)))
    return facts


def _sample(sample: SampleInfo) -> Text:
    line = Text(f"“{shorten(sample.text)}”")
    known = [f"@{sample.author_id}"] if sample.author_id else []
    known += [f"♥ {sample.likes:,}"] if sample.likes else []
    return line.append(f"  {', '.join(known)}", style="dim") if known else line


def _audience(audience: AudienceInfo, *, turned: float | None) -> Text:
    text = Text(audience.verdict, style="bold")
    if audience.authors is not None:
        text.append(f", {audience.authors:,} authors", style="not bold")
    if turned is not None:
        share = f"{turned:.0%} of the negative comments by authors who were not negative before"
        text.append(f", {share}", style="not bold")
    if audience.reasons:
        text.append(f"; {'; '.join(audience.reasons)}", style="not bold")
    return text
