"""What Prometheus reads. docs/metrics.md lists every metric; a test holds the two together."""

from collections import Counter as Counts
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from model.batcher import BatchReport
from model.types import Prediction
from monitoring.engine import KolStatus
from serving.clock import ClockStatus
from serving.delivery_state import DeliveryState

OTHER = "_other"
_LATENCIES = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
_CONFIDENCES = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1)
POSTPONED = "postponed"
_OUTCOMES = (
    DeliveryState.DELIVERED,
    POSTPONED,
    DeliveryState.DEAD,
    DeliveryState.SKIPPED,
)


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
        self._scored = Counter(
            "groundswell_comments_scored",
            "Comments scored, by the likeliest sentiment.",
            ["kol", "sentiment"],
            registry=registry,
        )
        self._confidence = Histogram(
            "groundswell_prediction_confidence",
            "Probability of the likeliest sentiment, over the comments scored.",
            buckets=_CONFIDENCES,
            registry=registry,
        )
        self._out_of_scope = Counter(
            "groundswell_comments_out_of_scope",
            "Comments scored that are unlike all that the model was measured on.",
            registry=registry,
        )
        self.late = Counter(
            "groundswell_comments_late",
            "Comments that came after their minute had closed: their KOL is judged again.",
            ["kol"],
            registry=registry,
        )
        self._negative_share = self._kol_gauge(
            "groundswell_negative_share", "Recent share of negative comments."
        )
        self._negative_share_expected = self._kol_gauge(
            "groundswell_negative_share_expected", "Normal share of negative comments, 0 to 1."
        )
        self._mood = self._kol_gauge(
            "groundswell_mood", "Recent mean of P(positive) - P(negative)."
        )
        self._backlash_score = self._kol_gauge(
            "groundswell_backlash_score",
            "The strongest detector's score over its threshold; 1 raises an alert.",
        )
        self._comments_per_hour = self._kol_gauge(
            "groundswell_comments_per_hour", "Recent comments an hour."
        )
        self._comments_per_hour_expected = self._kol_gauge(
            "groundswell_comments_per_hour_expected",
            "Normal number of comments per hour at this hour of the week.",
        )
        self._alerts_active = Gauge(
            "groundswell_alerts_active",
            "Alerts that are open.",
            ["kol", "severity"],
            registry=registry,
        )
        self._alerts_muted = Gauge(
            "groundswell_alerts_muted",
            "Open alerts that are silenced, snoozed or closed, so nobody is notified.",
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
            "Committed comments that are not processed yet.",
            registry=registry,
        )
        self.reruns = Gauge(
            "groundswell_reruns_pending",
            "KOLs that are to be judged again because comments came late.",
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
            "Time of a step of the pipeline: read, score, monitor, commit, rerun. Ingest: log.",
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
        self.connections_closed = Counter(
            "groundswell_connections_closed",
            "Connections that the service has ended because they were slow, large or too many.",
            ["reason"],
            registry=registry,
        )
        self.refused_requests = Counter(
            "groundswell_refused_requests",
            "Requests without a valid key (unauthenticated) or without the scope (forbidden).",
            ["reason"],
            registry=registry,
        )
        for reason in ("unauthenticated", "forbidden"):
            self.refused_requests.labels(reason)
        self.event_time_lag = Gauge(
            "groundswell_event_time_lag_seconds",
            "Age of the newest comment of the last step when it was processed.",
            registry=registry,
        )
        self.worker_errors = Counter(
            "groundswell_worker_errors",
            "Unexpected exceptions in a worker, which went on after them.",
            ["worker"],
            registry=registry,
        )
        self.expired = Counter(
            "groundswell_expired",
            "Rows that were older than they are to be kept; of comments the text and author.",
            ["table"],
            registry=registry,
        )
        self.set_aside = Counter(
            "groundswell_comments_set_aside",
            "Comments, and changes of comments, that could not be scored or stored.",
            registry=registry,
        )
        self.now_set_aside = Gauge(
            "groundswell_set_aside",
            "Comments and changes that are passed over until a rebuild.",
            registry=registry,
        )
        self._held_kols = Gauge(
            "groundswell_held_kols",
            "KOLs that are not judged because of an unexpected error.",
            ["kol"],
            registry=registry,
        )
        self._worker_up = Gauge(
            "groundswell_worker_up",
            "1 while a worker runs, 0 once it has stopped.",
            ["worker"],
            registry=registry,
        )
        self._clock_jump = Gauge(
            "groundswell_clock_jump_seconds",
            "How far the host's clock is ahead of the time that the service keeps; 0 if it agrees.",
            registry=registry,
        )
        self._clock_jumps = Counter(
            "groundswell_clock_jumps",
            "Jumps of the host's clock, by a minute or more, that the service did not follow.",
            registry=registry,
        )
        self._counted_jumps = 0
        self._fast_clock = Gauge(
            "groundswell_sender_clock_ahead_seconds",
            "Greatest lead of a comment over its receipt in the last hour, where 30 s or more.",
            ["platform"],
            registry=registry,
        )
        self._source_delay = Gauge(
            "groundswell_source_delay_seconds",
            "How late the comments of a platform arrive: one in ten sooner, one in ten later.",
            ["platform", "quantile"],
            registry=registry,
        )
        self._build = Gauge(
            "groundswell_build_info",
            "Always 1; its labels say what runs.",
            ["version", "model"],
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

    def show_scored(self, kol_id: str, prediction: Prediction) -> None:
        """Count one comment that was scored, and what the model thinks of it."""
        self._scored.labels(self.kol(kol_id), prediction.label.value).inc()
        self._confidence.observe(max(prediction.negative, prediction.neutral, prediction.positive))
        if not prediction.in_scope:
            self._out_of_scope.inc()

    def show_service(self, version: str, model_id: str, workers: Mapping[str, bool]) -> None:
        """Set what runs: the version, the model, and every worker by name."""
        self._build.labels(version, model_id).set(1)
        for worker, alive in workers.items():
            self._worker_up.labels(worker).set(alive)

    def show_held(self, kol_ids: Iterable[str]) -> None:
        """Set the KOLs that are not judged; others have no value."""
        self._held_kols.clear()
        for label, count in Counts(map(self.kol, kol_ids)).items():
            self._held_kols.labels(label).set(count)

    def show_clock(self, clock: ClockStatus) -> None:
        """Set how far the host's clock is off, and count its jumps."""
        self._clock_jump.set(0 if clock.jump is None else clock.jump.by.total_seconds())
        self._clock_jumps.inc(clock.jumps - self._counted_jumps)
        self._counted_jumps = clock.jumps

    def show_fast_clocks(self, leads: Mapping[str, float]) -> None:
        """Set how far senders' clocks are ahead, in seconds, by platform; others have none."""
        self._fast_clock.clear()
        for platform, seconds in leads.items():
            self._fast_clock.labels(platform).set(seconds)

    def show_delays(self, quantiles: Mapping[tuple[str, str], float]) -> None:
        """Set the normal delays in seconds, by platform and quantile; other platforms have none."""
        self._source_delay.clear()
        for labels, seconds in quantiles.items():
            self._source_delay.labels(*labels).set(seconds)

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

    @property
    def named_kols(self) -> Collection[str] | None:
        """The KOLs that have labels, if no other can get one any more; else None."""
        return self._kols if len(self._kols) >= self._max_kols else None

    def show(self, status: KolStatus) -> None:
        """Set a KOL's gauges from its status."""
        label = self.kol(status.kol_id)
        if label == OTHER:
            return
        values = (
            status.negative_share,
            status.expected_negative_share,
            status.mood,
            status.score,
            status.comments_per_hour,
            status.expected_comments_per_hour,
        )
        for gauge, value in zip(self._of_kols, values, strict=True):
            gauge.labels(label).set(value)

    @property
    def _of_kols(self) -> tuple[Gauge, ...]:
        return (
            self._negative_share,
            self._negative_share_expected,
            self._mood,
            self._backlash_score,
            self._comments_per_hour,
            self._comments_per_hour_expected,
        )

    def drop(self, kol_id: str) -> None:
        """Take a KOL's gauges away, because it has another id now or no stream of its own."""
        if kol_id in self._kols:
            for gauge in self._of_kols:
                gauge.remove(kol_id)

    def show_waiting(self, ages: Mapping[str, float]) -> None:
        """Set the age in seconds of every channel's oldest waiting notification.

        Every outcome of these channels is counted from 0, for Prometheus sees no increase in a
        counter that begins at 1.
        """
        self._oldest_delivery.clear()
        for channel, seconds in ages.items():
            self._oldest_delivery.labels(channel).set(seconds)
            for outcome in _OUTCOMES:
                self.deliveries.labels(channel, outcome)

    def show_open_alerts(
        self, counts: Mapping[tuple[str, str], int], muted: Mapping[tuple[str, str], int]
    ) -> None:
        """Set the active alerts by KOL and severity, and the muted of them; others have none."""
        active, silent = Counts[tuple[str, str]](), Counts[tuple[str, str]]()
        for (kol_id, severity), count in counts.items():
            active[self.kol(kol_id), severity] += count
        for (kol_id, severity), count in muted.items():
            silent[self.kol(kol_id), severity] += count
        self._alerts_active.clear()
        self._alerts_muted.clear()
        for labels, count in active.items():
            self._alerts_active.labels(*labels).set(count)
            self._alerts_muted.labels(*labels).set(silent[labels])
