"""The dashboard of one KOL: mood and alerts, volume by sentiment, baselines."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, TextBoxVariable

from deploy.grafana import panels
from deploy.grafana.panels import GREEN, MOODS, RED, SCORES, SHARES, figure, graph, words

_NONE = "No comments yet"
_BEYOND = """\
Prometheus does not hold posts, comments or the audience (loyal or new, real people or a brigade):
one series per post or author would grow without bound. Find them in the service:

* [all alerts of $kol]($service/v1/alerts?kol_id=$kol)
* [mood by the minute]($service/v1/kols/$kol/mood)
* on the command line, `groundswell alerts --kol-id $kol`
"""


def _of(metric: str) -> str:
    return f'max({metric}{{kol="$kol"}})'


def build() -> Dashboard:
    """The dashboard."""
    board = panels.dashboard(
        "Groundswell: KOL",
        "groundswell-kol",
        "One KOL: mood, volume by sentiment, and the normal level of each.",
        span="24h",
    )
    board.with_variable(panels.kol_variable(several=False))
    board.with_variable(
        TextBoxVariable("service").label("Service").default_value("http://localhost:8000")
    )
    board.annotation(
        panels.alert_marks('ALERTS{alertname=~"Groundswell.*", alertstate="firing", kol="$kol"}')
    )
    open_alerts = 'groundswell_alerts_active{kol="$kol", severity=~"warning|critical"}'
    panels.add(
        board,
        None,
        figure(
            "Open alerts",
            "Open alerts of severity warning or critical.",
            f"sum({open_alerts}) or vector(0)",
            steps=((None, GREEN), (1, RED)),
        ),
        figure(
            "Backlash score",
            "The highest detector score divided by its threshold; at 1 an alert opens.",
            _of("groundswell_backlash_score"),
            decimals=2,
            steps=SCORES,
            empty=_NONE,
        ),
        figure(
            "Mood",
            "Mean of P(positive) - P(negative), from -1 to 1.",
            _of("groundswell_mood"),
            decimals=2,
            steps=MOODS,
            empty=_NONE,
        ),
        figure(
            "Negative",
            "Share of recent comments that are negative.",
            _of("groundswell_negative_share"),
            unit="percentunit",
            steps=SHARES,
            empty=_NONE,
        ),
        figure(
            "Negative, normal",
            "This KOL's normal share of negative comments.",
            _of("groundswell_negative_share_expected"),
            unit="percentunit",
            empty=_NONE,
        ),
        figure(
            "Comments an hour",
            "Recent comments, as an hourly rate.",
            _of("groundswell_comments_per_hour"),
            decimals=0,
            empty=_NONE,
        ),
    )
    panels.add(
        board,
        "Mood",
        graph(
            "Mood",
            "Recent mean of P(positive) - P(negative). Red marks are alerts.",
            (_of("groundswell_mood"), "mood"),
            bounds=(-1, 1),
            steps=MOODS,
            empty=_NONE,
        ),
        graph(
            "Negative share",
            "Recent share of negative comments, and the normal share. Red marks are alerts.",
            (_of("groundswell_negative_share"), "now"),
            (_of("groundswell_negative_share_expected"), "normal"),
            unit="percentunit",
            bounds=(0, 1),
            empty=_NONE,
        ),
        graph(
            "Backlash score",
            "The highest detector score divided by its threshold; at 1 an alert opens.",
            (_of("groundswell_backlash_score"), "score"),
            bounds=(0, None),
            steps=SCORES,
            width=panels.WIDTH,
            empty=_NONE,
        ),
    )
    panels.add(
        board,
        "Volume",
        panels.sentiments(
            graph(
                "Volume by sentiment",
                "Scored comments, by their most likely sentiment.",
                (
                    "sum by (sentiment) ("
                    'increase(groundswell_comments_scored_total{kol="$kol"}[$__rate_interval]))',
                    "{{sentiment}}",
                ),
                bounds=(0, None),
                stacked=True,
                empty="No comments in this period",
            )
        ),
        graph(
            "Comments an hour",
            "Recent comments as an hourly rate, and the normal rate at this hour of the week.",
            (_of("groundswell_comments_per_hour"), "now"),
            (_of("groundswell_comments_per_hour_expected"), "normal"),
            bounds=(0, None),
            empty=_NONE,
        ),
        graph(
            "Comments by outcome",
            "Accepted, duplicates, and those that arrived too late for detection.",
            (
                "sum by (outcome) ("
                'increase(groundswell_comments_received_total{kol="$kol"}[$__rate_interval]))',
                "{{outcome}}",
            ),
            (
                'sum(increase(groundswell_comments_late_total{kol="$kol"}[$__rate_interval]))',
                "late",
            ),
            bounds=(0, None),
            empty="No comments in this period",
        ),
    )
    return board.with_panel(words("Posts and audience", _BEYOND, width=12, height=8))
