"""The panels that all dashboards share: one style, one data source, one text for no data."""

from collections.abc import Sequence
from typing import TypeVar

from grafana_foundation_sdk.builders import common as common_builder
from grafana_foundation_sdk.builders import dashboard as builder
from grafana_foundation_sdk.builders import prometheus, stat, table, text, timeseries
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import dashboard as dashboard_models
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    FieldTextAlignment,
    GraphDrawStyle,
    GraphThresholdsStyleMode,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    StackingMode,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableHide,
    VariableOption,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

WIDTH = 24  # columns of the grid
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
GREEN, YELLOW, RED = "green", "#EAB839", "red"
Steps = Sequence[tuple[float | None, str]]
SHARES: Steps = ((None, GREEN), (0.3, YELLOW), (0.5, RED))  # of negative comments
MOODS: Steps = ((None, RED), (-0.2, YELLOW), (0, GREEN))
SCORES: Steps = ((None, GREEN), (0.7, YELLOW), (1, RED))  # at 1 there is an alert
_OK: Steps = ((None, GREEN),)
_SENTIMENTS = {"negative": RED, "neutral": "#8E8E8E", "positive": GREEN}

Panel = TypeVar("Panel", timeseries.Panel, stat.Panel, table.Panel)


def query(expr: str, legend: str = "", *, ref: str = "A") -> prometheus.Dataquery:
    """A query over the dashboard's time range."""
    return prometheus.Dataquery().expr(expr).legend_format(legend).range().ref_id(ref)


def now(expr: str, *, ref: str = "A") -> prometheus.Dataquery:
    """An instant query, one row per series."""
    return prometheus.Dataquery().expr(expr).format(PromQueryFormat.TABLE).instant().ref_id(ref)


def thresholds(steps: Steps) -> builder.ThresholdsConfig:
    """A colour from each value upwards; the first has no value."""
    return (
        builder.ThresholdsConfig()
        .mode(ThresholdsMode.ABSOLUTE)
        .steps([Threshold(value=value, color=color) for value, color in steps])
    )


def _common(panel: Panel, title: str, meaning: str, unit: str, empty: str) -> Panel:
    return panel.title(title).description(meaning).datasource(SOURCE).unit(unit).no_value(empty)


def graph(
    title: str,
    meaning: str,
    *queries: tuple[str, str],
    unit: str = "short",
    empty: str = "No data in this period",
    width: int = 12,
    bounds: tuple[float | None, float | None] = (None, None),
    steps: Steps = _OK,
    stacked: bool = False,
) -> timeseries.Panel:
    """Lines over time, or stacked bars.

    Args:
        title: of the panel.
        meaning: the panel's description, shown behind its (i).
        queries: pairs of (PromQL, legend).
        unit: Grafana's name of the unit.
        empty: the text for no data.
        width: in columns.
        bounds: lowest and highest value of the axis.
        steps: thresholds; more than one is drawn as lines.
        stacked: draw stacked bars instead of lines.
    """
    panel = _common(timeseries.Panel(), title, meaning, unit, empty).span(width).height(8)
    for index, (expr, legend) in enumerate(queries):
        panel.with_target(query(expr, legend, ref=chr(ord("A") + index)))
    low, high = bounds
    if low is not None:
        panel.min(low)
    if high is not None:
        panel.max(high)
    panel.thresholds(thresholds(steps))
    if len(steps) > 1:
        panel.thresholds_style(
            common_builder.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        )
    if stacked:
        panel.draw_style(GraphDrawStyle.BARS).fill_opacity(70).line_width(0)
        panel.stacking(common_builder.StackingConfig().mode(StackingMode.NORMAL).group("A"))
    else:
        panel.fill_opacity(8).line_width(2)
    panel.legend(
        common_builder.VizLegendOptions()
        .display_mode(LegendDisplayMode.TABLE)
        .placement(LegendPlacement.BOTTOM)
        .show_legend(True)
        .calcs(["lastNotNull", "max"])
    )
    return panel.tooltip(
        common_builder.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    )


def sentiments(panel: timeseries.Panel) -> timeseries.Panel:
    """Give the three sentiments their fixed colours."""
    for name, color in _SENTIMENTS.items():
        fixed = {"mode": "fixed", "fixedColor": color}
        panel.override_by_name(name, [DynamicConfigValue(id_val="color", value=fixed)])
    return panel


def figure(
    title: str,
    meaning: str,
    expr: str,
    *,
    unit: str = "short",
    empty: str = "No data",
    width: int = 4,
    steps: Steps = _OK,
    decimals: int | None = None,
) -> stat.Panel:
    """One number and its graph; for the arguments see :func:`graph`."""
    panel = _common(stat.Panel(), title, meaning, unit, empty).span(width).height(4)
    panel.with_target(query(expr)).thresholds(thresholds(steps))
    if decimals is not None:
        panel.decimals(decimals)
    panel.reduce_options(common_builder.ReduceDataOptions().calcs(["lastNotNull"]))
    return panel.graph_mode(BigValueGraphMode.AREA).color_mode(BigValueColorMode.VALUE)


def rows(
    title: str,
    meaning: str,
    columns: Sequence[tuple[str, str, str]],
    *,
    labels: Sequence[str],
    empty: str,
    steps: dict[str, Steps] | None = None,
    links: dict[str, str] | None = None,
    height: int = 9,
    width: int = WIDTH,
) -> table.Panel:
    """Current values as a table, one row per series.

    Args:
        title: of the panel.
        meaning: the panel's description, shown behind its (i).
        columns: triples of (heading, PromQL, unit).
        labels: the labels that make a row, in order; they are the first columns.
        empty: the text for no rows.
        steps: thresholds by heading.
        links: label → URL that its cells link to.
        height: in rows of the grid.
        width: in columns.
    """
    panel = _common(table.Panel(), title, meaning, "short", empty).span(width).height(height)
    panel.align(FieldTextAlignment.AUTO)
    names = {}
    for index, (heading, expr, unit) in enumerate(columns):
        ref = chr(ord("A") + index)
        panel.with_target(now(expr, ref=ref))
        names["Value" if len(columns) == 1 else f"Value #{ref}"] = heading
        properties = [DynamicConfigValue(id_val="unit", value=unit)]
        if steps and heading in steps:
            colours = thresholds(steps[heading]).build()
            properties += [
                DynamicConfigValue(id_val="thresholds", value=colours),
                DynamicConfigValue(id_val="custom.cellOptions", value={"type": "color-text"}),
            ]
        panel.override_by_name(heading, properties)
    for label, url in (links or {}).items():
        link = [{"title": "Open", "url": url}]
        panel.override_by_name(label, [DynamicConfigValue(id_val="links", value=link)])
    order = {name: place for place, name in enumerate([*labels, *names])}
    if len(columns) > 1:
        panel.with_transformation(DataTransformerConfig(id_val="merge", options={}))
    return panel.with_transformation(
        DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": {"Time": True, "__name__": True},
                "indexByName": order,
                "renameByName": names,
            },
        )
    )


def words(title: str, markdown: str, *, width: int = WIDTH, height: int = 5) -> text.Panel:
    """A Markdown panel."""
    return text.Panel().title(title).content(markdown).span(width).height(height)


def kol_variable(*, several: bool) -> builder.QueryVariable:
    """A variable to choose one KOL, or several."""
    variable = (
        builder.QueryVariable("kol")
        .label("KOL")
        .datasource(SOURCE)
        .query("label_values(groundswell_mood, kol)")
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_CASE_INSENSITIVE_ASC)
        .multi(several)
        .include_all(several)
    )
    if several:
        variable.current(VariableOption(text="All", value="$__all")).all_value(".*")
    return variable


def dashboard(title: str, uid: str, about: str, *, span: str) -> builder.Dashboard:
    """An empty dashboard with the data source variable and links to the other dashboards.

    Args:
        title: shown to people.
        uid: used in links.
        about: its description.
        span: default time range, such as "24h".
    """
    return (
        builder.Dashboard(title)
        .uid(uid)
        .description(about)
        .tags(["groundswell"])
        .time(f"now-{span}", "now")
        .timezone("browser")
        .refresh("30s")
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(
            builder.DatasourceVariable("datasource")
            .label("Prometheus")
            .type("prometheus")
            .hide(VariableHide.DONT_HIDE)
        )
        .link(
            builder.DashboardLink("Groundswell")
            .type(DashboardLinkType.DASHBOARDS)
            .tags(["groundswell"])
            .as_dropdown(False)
            .keep_time(True)
            .include_vars(False)
        )
    )


def add(board: builder.Dashboard, row: str | None, *shown: Builder[dashboard_models.Panel]) -> None:
    """Add panels to a dashboard, under the heading `row` if given."""
    if row is not None:
        board.with_row(builder.Row(row))
    for panel in shown:
        board.with_panel(panel)


def alert_marks(expr: str) -> builder.AnnotationQuery:
    """Annotations on all graphs while `expr` returns a series."""
    return (
        builder.AnnotationQuery()
        .name("Alerts")
        .datasource(SOURCE)
        .enable(True)
        .icon_color(RED)
        .expr(expr)
    )
