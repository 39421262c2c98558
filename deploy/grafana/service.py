"""The dashboard of the service itself."""

from grafana_foundation_sdk.builders.dashboard import Dashboard

from deploy.grafana import panels
from deploy.grafana.panels import GREEN, RED, YELLOW, figure, graph, rows

_MUST_RUN = ((None, RED), (1, GREEN))
_FEW_WAIT = ((None, GREEN), (1000, YELLOW), (10_000, RED))
_SOON = ((None, GREEN), (60, YELLOW), (300, RED))


def _quantiles(metric: str, by: str) -> list[tuple[str, str]]:
    """The median and the 95th percentile of a histogram by a label."""
    rates = f"sum by (le, {by}) (rate({metric}_bucket[$__rate_interval]))"
    return [
        (f"histogram_quantile({q}, {rates})", f"{{{{{by}}}}} p{int(q * 100)}") for q in (0.5, 0.95)
    ]


def _rate(metric: str, by: str) -> tuple[str, str]:
    return f"sum by ({by}) (rate({metric}[$__rate_interval]))", f"{{{{{by}}}}}"


def build() -> Dashboard:
    """The dashboard."""
    board = panels.dashboard(
        "Groundswell: service",
        "groundswell-service",
        "Throughput, latency, queues, delivery and the model.",
        span="6h",
    )
    board.annotation(
        panels.alert_marks('ALERTS{team="service", alertstate="firing", severity!="info"}')
    )
    panels.add(
        board,
        None,
        figure(
            "Up",
            "1 if Prometheus reaches the service.",
            'min(up{job="groundswell"})',
            steps=_MUST_RUN,
        ),
        figure(
            "Workers",
            "1 if all workers are running.",
            "min(groundswell_worker_up)",
            steps=_MUST_RUN,
        ),
        figure(
            "Backlog",
            "Committed comments that are not processed yet.",
            "sum(groundswell_backlog_comments)",
            steps=_FEW_WAIT,
        ),
        figure(
            "Event-time lag",
            "Age of the newest processed comment. High while old comments are replayed.",
            "max(groundswell_event_time_lag_seconds)",
            unit="s",
            empty="No comments yet",
            steps=_SOON,
        ),
        figure(
            "Oldest message",
            "Age of the oldest notification that is waiting for a channel.",
            "max(groundswell_oldest_delivery_seconds)",
            unit="s",
            empty="No channels configured",
            steps=_SOON,
        ),
        figure(
            "Confidence",
            "Mean probability of the most likely sentiment over the last day.",
            "job:groundswell_prediction_confidence:mean1d",
            unit="percentunit",
            empty="No comments in the last day",
        ),
    )
    board.with_panel(
        rows(
            "Versions",
            "Version of the service and id of its model.",
            [("Instances", "count by (version, model) (groundswell_build_info)", "short")],
            labels=["version", "model"],
            empty="The service is not reachable",
            height=4,
            width=12,
        )
    )
    board.with_panel(
        rows(
            "Firing alerts",
            "Alerts of the Prometheus rules that are firing now.",
            [
                (
                    "Alerts",
                    "count by (alertname, severity, team)"
                    ' (ALERTS{alertname=~"Groundswell.*", alertstate="firing"})',
                    "short",
                )
            ],
            labels=["alertname", "severity", "team"],
            empty="No alerts are firing",
            height=4,
            width=12,
        )
    )
    panels.add(
        board,
        "Throughput",
        graph(
            "Comments received",
            "Per second, by outcome.",
            _rate("groundswell_comments_received_total", "outcome"),
            unit="cps",
            bounds=(0, None),
        ),
        panels.sentiments(
            graph(
                "Comments scored",
                "Per second, by the most likely sentiment.",
                _rate("groundswell_comments_scored_total", "sentiment"),
                unit="cps",
                bounds=(0, None),
            )
        ),
        graph(
            "Requests",
            "Per second, by status code.",
            _rate("groundswell_http_request_seconds_count", "status"),
            unit="reqps",
            bounds=(0, None),
        ),
        graph(
            "Queues",
            "Comments waiting to be committed, to be scored, and to be processed.",
            ("sum(groundswell_log_queue_comments)", "commit"),
            ("sum(groundswell_score_queue_texts)", "model"),
            ("sum(groundswell_backlog_comments)", "backlog"),
            bounds=(0, None),
        ),
    )
    panels.add(
        board,
        "Latency",
        graph(
            "Requests",
            "Time to the first byte, by route.",
            *_quantiles("groundswell_http_request_seconds", "route"),
            unit="s",
            bounds=(0, None),
        ),
        graph(
            "Pipeline",
            "Duration of one step, by stage.",
            *_quantiles("groundswell_stage_seconds", "stage"),
            unit="s",
            bounds=(0, None),
        ),
    )
    panels.add(
        board,
        "Delivery",
        graph(
            "Messages",
            "Notifications in the last hour, by channel and outcome.",
            (
                "sum by (channel, outcome) (increase(groundswell_deliveries_total[1h]))",
                "{{channel}} {{outcome}}",
            ),
            empty="No channels configured",
            bounds=(0, None),
        ),
        graph(
            "Oldest message",
            "Age of the oldest notification that is waiting, by channel.",
            ("max by (channel) (groundswell_oldest_delivery_seconds)", "{{channel}}"),
            unit="s",
            empty="No channels configured",
            bounds=(0, None),
            steps=_SOON,
        ),
    )
    panels.add(
        board,
        "Model",
        graph(
            "Model latency",
            "Duration of one batch.",
            *(
                (
                    f"histogram_quantile({q}, sum by (le) ("
                    "rate(groundswell_model_batch_seconds_bucket[$__rate_interval])))",
                    f"p{int(q * 100)}",
                )
                for q in (0.5, 0.95)
            ),
            unit="s",
            bounds=(0, None),
        ),
        graph(
            "Texts per batch",
            "Mean number of texts in one batch. Larger batches are more efficient under load.",
            (
                "sum(rate(groundswell_model_batch_texts_sum[$__rate_interval]))"
                " / sum(rate(groundswell_model_batch_texts_count[$__rate_interval]))",
                "texts",
            ),
            bounds=(0, None),
        ),
        graph(
            "Confidence",
            "Mean probability of the most likely sentiment, now and over the last day.",
            (
                "sum(rate(groundswell_prediction_confidence_sum[$__rate_interval]))"
                " / sum(rate(groundswell_prediction_confidence_count[$__rate_interval]))",
                "now",
            ),
            ("job:groundswell_prediction_confidence:mean1d", "last day"),
            unit="percentunit",
            bounds=(0.3, 1),
        ),
        graph(
            "Out of scope",
            "Share of the last day's comments of a kind that the model was not measured on.",
            ("job:groundswell_comments_out_of_scope:ratio1d", "last day"),
            unit="percentunit",
            bounds=(0, 1),
        ),
    )
    return board
