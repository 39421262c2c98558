"""Mood overview: every KOL at once, the worst first."""

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
        "Mood, volume, negative share and open alerts of every KOL.",
        span="24h",
    )
    board.with_variable(panels.kol_variable(several=True))
    board.annotation(
        panels.alert_marks('ALERTS{alertname="GroundswellBacklash", alertstate="firing"}')
    )
    panels.add(
        board,
        None,
        figure("KOLs", "KOLs that are watched.", 'count(groundswell_mood{kol=~"$kol"})'),
        figure(
            "Open alerts",
            "Alerts of severity warning or critical.",
            f"sum({_PAGING % 'warning|critical'}) or vector(0)",
            steps=_NONE_OPEN,
        ),
        figure(
            "Critical",
            "Alerts of severity critical.",
            f"sum({_PAGING % 'critical'}) or vector(0)",
            steps=_NONE_OPEN,
        ),
        figure(
            "Comments a minute",
            "Comments accepted.",
            f"60 * sum(rate({_ACCEPTED}[$__rate_interval]))",
            decimals=1,
        ),
        figure(
            "Negative, last hour",
            "Share of the comments of the last hour that are negative.",
            f"sum(increase({_NEGATIVE}[1h])) / sum(increase({_SCORED}[1h]))",
            unit="percentunit",
            empty="No comment in an hour",
            steps=SHARES,
        ),
        figure(
            "Mood",
            "Mean mood of the KOLs, -1 to 1.",
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
            "How each KOL stands; a click on the name opens it.",
            [
                (heading, f'max by (kol) ({metric}{{kol=~"$kol"}})', unit)
                for heading, metric, unit in (
                    ("Backlash score", "groundswell_backlash_score", "short"),
                    ("Mood", "groundswell_mood", "short"),
                    ("Negative", "groundswell_negative_share", "percentunit"),
                    ("Usually negative", "groundswell_negative_share_usual", "percentunit"),
                    ("Comments an hour", "groundswell_comments_per_hour", "short"),
                    ("Usual an hour", "groundswell_comments_per_hour_usual", "short"),
                )
            ],
            labels=["kol"],
            empty="No KOL has had a comment yet",
            steps={"Backlash score": SCORES, "Mood": MOODS, "Negative": SHARES},
            links={"kol": _TO_KOL},
        ),
    )
    panels.add(
        board,
        "Over time",
        graph(
            "Mood",
            "Recent mean of P(positive) - P(negative), -1 to 1.",
            ('max by (kol) (groundswell_mood{kol=~"$kol"})', "{{kol}}"),
            bounds=(-1, 1),
            empty="No KOL has had a comment yet",
        ),
        graph(
            "Negative share",
            "Recent share of negative comments.",
            ('max by (kol) (groundswell_negative_share{kol=~"$kol"})', "{{kol}}"),
            unit="percentunit",
            bounds=(0, 1),
            empty="No KOL has had a comment yet",
        ),
        graph(
            "Volume",
            "Comments accepted a minute.",
            (f"60 * sum by (kol) (rate({_ACCEPTED}[$__rate_interval]))", "{{kol}}"),
            empty="No comment in this time",
            bounds=(0, None),
        ),
        graph(
            "Backlash score",
            "The strongest detector's score over its threshold; 1 raises an alert.",
            ('max by (kol) (groundswell_backlash_score{kol=~"$kol"})', "{{kol}}"),
            bounds=(0, None),
            steps=SCORES,
        ),
        graph(
            "Open alerts",
            "Alerts by KOL and severity; those of severity info do not page.",
            (
                'sum by (kol, severity) (groundswell_alerts_active{kol=~"$kol"})',
                "{{kol}}, {{severity}}",
            ),
            empty="No alert was open",
            width=panels.WIDTH,
            bounds=(0, None),
        ),
    )
    return board
