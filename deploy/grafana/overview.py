"""The mood overview: all KOLs at once, the worst first."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana import panels
from deploy.grafana.panels import GREEN, MOODS, RED, SCORES, SHARES, figure, graph, rows

_ACCEPTED = 'groundswell_comments_received_total{outcome="accepted", kol=~"$kol"}'
_SCORED = 'groundswell_comments_scored_total{kol=~"$kol"}'
_NEGATIVE = 'groundswell_comments_scored_total{kol=~"$kol", sentiment="negative"}'
_PAGING = 'groundswell_alerts_active{kol=~"$kol", severity=~"%s"}'
_NONE_OPEN = ((None, GREEN), (1, RED))
_TO_KOL = "/d/groundswell-kol/kol?var-kol=${__value.raw:percentencode}&${__url_time_range}"


def build() -> Dashboard:
    """The dashboard."""
    board = panels.dashboard(
        "Groundswell: mood overview",
        "groundswell-overview",
        "Mood, volume, negative share and open alerts of all KOLs.",
        span="24h",
    )
    board.with_variable(panels.kol_variable(several=True))
    board.annotation(
        panels.alert_marks('ALERTS{alertname="GroundswellBacklash", alertstate="firing"}')
    )
    panels.add(
        board,
        None,
        figure("KOLs", "Number of monitored KOLs.", 'count(groundswell_mood{kol=~"$kol"})'),
        figure(
            "Open alerts",
            "Open alerts of severity warning or critical.",
            f"sum({_PAGING % 'warning|critical'}) or vector(0)",
            steps=_NONE_OPEN,
        ),
        figure(
            "Critical",
            "Open alerts of severity critical.",
            f"sum({_PAGING % 'critical'}) or vector(0)",
            steps=_NONE_OPEN,
        ),
        figure(
            "Comments a minute",
            "Comments accepted per minute.",
            f"60 * sum(rate({_ACCEPTED}[$__rate_interval]))",
            decimals=1,
        ),
        figure(
            "Negative, last hour",
            "Share of the last hour's comments that are negative.",
            f"sum(increase({_NEGATIVE}[1h])) / sum(increase({_SCORED}[1h]))",
            unit="percentunit",
            empty="No comments in the last hour",
            steps=SHARES,
        ),
        figure(
            "Mood",
            "Mean mood of all KOLs, from -1 to 1.",
            'avg(groundswell_mood{kol=~"$kol"})',
            decimals=2,
            steps=MOODS,
        ),
    )
    panels.add(
        board,
        "KOLs now",
        rows(
            "KOLs now",
            "The current state of each KOL. Click a name to open its dashboard.",
            [
                (heading, f'max by (kol) ({metric}{{kol=~"$kol"}})', unit)
                for heading, metric, unit in (
                    ("Backlash score", "groundswell_backlash_score", "short"),
                    ("Mood", "groundswell_mood", "short"),
                    ("Negative", "groundswell_negative_share", "percentunit"),
                    ("Negative, normal", "groundswell_negative_share_expected", "percentunit"),
                    ("Comments an hour", "groundswell_comments_per_hour", "short"),
                    ("Normal an hour", "groundswell_comments_per_hour_expected", "short"),
                )
            ],
            labels=["kol"],
            empty="No comments yet",
            steps={"Backlash score": SCORES, "Mood": MOODS, "Negative": SHARES},
            links={"kol": _TO_KOL},
        ),
    )
    panels.add(
        board,
        "Over time",
        graph(
            "Mood",
            "Recent mean of P(positive) - P(negative), from -1 to 1.",
            ('max by (kol) (groundswell_mood{kol=~"$kol"})', "{{kol}}"),
            bounds=(-1, 1),
            empty="No comments yet",
        ),
        graph(
            "Negative share",
            "Share of recent comments that are negative.",
            ('max by (kol) (groundswell_negative_share{kol=~"$kol"})', "{{kol}}"),
            unit="percentunit",
            bounds=(0, 1),
            empty="No comments yet",
        ),
        graph(
            "Volume",
            "Comments accepted per minute.",
            (f"60 * sum by (kol) (rate({_ACCEPTED}[$__rate_interval]))", "{{kol}}"),
            empty="No comments in this period",
            bounds=(0, None),
        ),
        graph(
            "Backlash score",
            "The highest detector score divided by its threshold; at 1 an alert opens.",
            ('max by (kol) (groundswell_backlash_score{kol=~"$kol"})', "{{kol}}"),
            bounds=(0, None),
            steps=SCORES,
        ),
        graph(
            "Open alerts",
            "Open alerts by KOL and severity. Severity info does not page.",
            (
                'sum by (kol, severity) (groundswell_alerts_active{kol=~"$kol"})',
                "{{kol}}, {{severity}}",
            ),
            empty="No open alerts in this period",
            width=panels.WIDTH,
            bounds=(0, None),
        ),
    )
    return board
