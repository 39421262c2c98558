"""One KOL: mood with its alerts, volume by sentiment, what is usual."""

from grafana_foundation_sdk.builders.dashboard import Dashboard, TextBoxVariable

from deploy.grafana import panels
from deploy.grafana.panels import GREEN, MOODS, RED, SCORES, SHARES, figure, graph, words

_NONE = "No comment yet"
_BEYOND = """\
Posts, comments and the audience's make-up (loyal or new, real crowd or brigade) are not in
Prometheus: a series a post or an author would grow without bound. They are with the alerts:

* [every alert of $kol]($service/v1/alerts?kol_id=$kol)
* [mood by the minute]($service/v1/kols/$kol/mood)
* `groundswell alerts --kol-id $kol` on the command line
"""


def _of(metric: str) -> str:
    return f'max({metric}{{kol="$kol"}})'


def build() -> Dashboard:
    """The dashboard."""
    board = panels.dashboard(
        "Groundswell: KOL",
        "groundswell-kol",
        "One KOL: mood, volume by sentiment, and what is usual.",
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
            "Alerts of severity warning or critical.",
            f"sum({open_alerts}) or vector(0)",
            steps=((None, GREEN), (1, RED)),
        ),
        figure(
            "Backlash score",
            "The strongest detector's score over its threshold; 1 raises an alert.",
            _of("groundswell_backlash_score"),
            decimals=2,
            steps=SCORES,
            empty=_NONE,
        ),
        figure("Mood", "-1 to 1.", _of("groundswell_mood"), decimals=2, steps=MOODS, empty=_NONE),
        figure(
            "Negative",
            "Recent share of negative comments.",
            _of("groundswell_negative_share"),
            unit="percentunit",
            steps=SHARES,
            empty=_NONE,
        ),
        figure(
            "Usually negative",
            "Share of negative comments that is usual for this KOL.",
            _of("groundswell_negative_share_usual"),
            unit="percentunit",
            empty=_NONE,
        ),
        figure(
            "Comments an hour",
            "Recent comments, as an hourly pace.",
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
            "Recent mean of P(positive) - P(negative); red marks are alerts.",
            (_of("groundswell_mood"), "mood"),
            bounds=(-1, 1),
            steps=MOODS,
            empty=_NONE,
        ),
        graph(
            "Negative share",
            "Against what is usual for this KOL; red marks are alerts.",
            (_of("groundswell_negative_share"), "now"),
            (_of("groundswell_negative_share_usual"), "usual"),
            unit="percentunit",
            bounds=(0, 1),
            empty=_NONE,
        ),
        graph(
            "Backlash score",
            "The strongest detector's score over its threshold; 1 raises an alert.",
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
                "Comments scored, by the likeliest sentiment.",
                (
                    "sum by (sentiment) ("
                    'increase(groundswell_comments_scored_total{kol="$kol"}[$__rate_interval]))',
                    "{{sentiment}}",
                ),
                bounds=(0, None),
                stacked=True,
                empty="No comment in this time",
            )
        ),
        graph(
            "Comments an hour",
            "Against what is usual at this hour of the week.",
            (_of("groundswell_comments_per_hour"), "now"),
            (_of("groundswell_comments_per_hour_usual"), "usual"),
            bounds=(0, None),
            empty=_NONE,
        ),
        graph(
            "What became of comments",
            "Accepted, sent again, or too late for detection.",
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
            empty="No comment in this time",
        ),
    )
    return board.with_panel(words("Posts and audience", _BEYOND, width=12, height=8))
