"""What Prometheus reads. docs/metrics.md lists every metric; a test holds the two together."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from model.batcher import BatchReport

OTHER = "_other"
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)


class Metrics:
    """The service's metrics, in a registry of their own.

    The first `max_kols` KOLs get labels of their own; the counters of the rest share the label
    `_other`, and they have no gauges.
    """

    def __init__(self, registry: CollectorRegistry, *, max_kols: int) -> None:
        self.registry = registry
        self._max_kols = max_kols
        self._kols: set[str] = set()
        self.received = Counter(
            "groundswell_comments_received",
            "Comments sent to the service, by what became of them.",
            ["kol", "outcome"],
            registry=registry,
        )
        self.scored = Counter(
            "groundswell_comments_scored",
            "Comments scored, by the likeliest sentiment.",
            ["kol", "sentiment"],
            registry=registry,
        )
        self.late = Counter(
            "groundswell_comments_late",
            "Comments that came after their window had closed: kept, not used for detection.",
            ["kol"],
            registry=registry,
        )
        self._negative_share = self._kol_gauge(
            "groundswell_negative_share", "Recent share of negative comments."
        )
        self._mood = self._kol_gauge(
            "groundswell_mood", "Recent mean of P(positive) - P(negative)."
        )
        self._backlash_score = self._kol_gauge(
            "groundswell_backlash_score",
            "The strongest detector's score over its threshold; 1 raises an alert.",
        )
        self._alerts_active = Gauge(
            "groundswell_alerts_active",
            "Alerts that are open.",
            ["kol", "severity"],
            registry=registry,
        )
        self.alert_events = Counter(
            "groundswell_alert_events",
            "Transitions of alerts.",
            ["kind", "severity", "reason"],
            registry=registry,
        )
        self.deliveries = Counter(
            "groundswell_deliveries",
            "Notifications, by channel and what became of them.",
            ["channel", "outcome"],
            registry=registry,
        )
        self._oldest_delivery = Gauge(
            "groundswell_oldest_delivery_seconds",
            "Age of the oldest notification that waits; 0 where none does.",
            ["channel"],
            registry=registry,
        )
        self.backlog = Gauge(
            "groundswell_backlog_comments",
            "Committed comments that are not worked off yet.",
            registry=registry,
        )
        self._batch_texts = Histogram(
            "groundswell_model_batch_texts",
            "Texts in one run of the model.",
            buckets=_SIZES,
            registry=registry,
        )
        self._batch_seconds = Histogram(
            "groundswell_model_batch_seconds",
            "Time of one run of the model.",
            buckets=_LATENCIES,
            registry=registry,
        )
        self._stages = Histogram(
            "groundswell_stage_seconds",
            "Time of one step of the pipeline: read, score, monitor, commit; log is the ingest.",
            ["stage"],
            buckets=_LATENCIES,
            registry=registry,
        )
        self.requests = Histogram(
            "groundswell_http_request_seconds",
            "Time to the first byte of an answer.",
            ["method", "route", "status"],
            buckets=_LATENCIES,
            registry=registry,
        )
        self.event_time_lag = Gauge(
            "groundswell_event_time_lag_seconds",
            "Age of the newest comment of the last step when it had been worked off.",
            registry=registry,
        )

    def _kol_gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, ["kol"], registry=self.registry)

    def watch(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge that is read when Prometheus asks."""
        Gauge(name, text, registry=self.registry).set_function(read)

    def show_batch(self, report: BatchReport) -> None:
        """Count one run of the model."""
        self._batch_texts.observe(report.texts)
        self._batch_seconds.observe(report.seconds)

    def stage(self, name: str) -> AbstractContextManager[Any]:
        """Times a block as the stage `name`."""
        return self._stages.labels(name).time()

    def kol(self, kol_id: str) -> str:
        """The label of a KOL: its id, or `_other` past the bound."""
        if kol_id not in self._kols:
            if len(self._kols) >= self._max_kols:
                return OTHER
            self._kols.add(kol_id)
        return kol_id

    def show(self, status: Mapping[str, Any]) -> None:
        """Set a KOL's gauges from its status."""
        label = self.kol(status["kol_id"])
        if label == OTHER:
            return
        for gauge, key in (
            (self._negative_share, "negative_share"),
            (self._mood, "mood"),
            (self._backlash_score, "score"),
        ):
            if status[key] is not None:
                gauge.labels(label).set(status[key])

    def show_waiting(self, ages: Mapping[str, float]) -> None:
        """Set the age in seconds of every channel's oldest waiting notification."""
        self._oldest_delivery.clear()
        for channel, seconds in ages.items():
            self._oldest_delivery.labels(channel).set(seconds)

    def show_open_alerts(self, counts: Mapping[tuple[str, str], int]) -> None:
        """Set the active alerts of every KOL; those not named have none."""
        self._alerts_active.clear()
        for (kol_id, severity), count in counts.items():
            self._alerts_active.labels(self.kol(kol_id), severity).inc(count)
