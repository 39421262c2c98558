"""What Prometheus reads of sources. docs/metrics.md lists every metric."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge

from serving.sources.faults import FaultKind
from serving.sources.source_status import SourceState, SourceStatus


class SourceMetrics:
    """The metrics of all sources; each is labelled with the name that people gave it."""

    def __init__(self, registry: CollectorRegistry) -> None:
        labels = ["source", "platform"]

        def gauge(name: str, text: str) -> Gauge:
            return Gauge(name, text, labels, registry=registry)

        self._success_age = gauge(
            "groundswell_source_last_success_age_seconds",
            "Time since the platform last answered well or called.",
        )
        self._blind = gauge(
            "groundswell_source_blind", "1 while a source sees nothing and that is reported."
        )
        self._paused = gauge("groundswell_source_paused", "1 while somebody paused a source.")
        self._backlog = gauge(
            "groundswell_source_backlog_comments",
            "Comments that are known to wait on the platform.",
        )
        self._arrival = gauge(
            "groundswell_source_arrival_seconds",
            "Time from the writing of a comment to its commit: median of the last batch with any.",
        )
        self._quota_left = gauge(
            "groundswell_source_quota_left", "Units that are left of the budget of this period."
        )
        self._skew = gauge(
            "groundswell_source_clock_skew_seconds", "How far the platform's clock is ahead."
        )
        self.errors = Counter(
            "groundswell_source_errors",
            "Failed attempts of sources, by what was wrong.",
            ["source", "platform", "kind"],
            registry=registry,
        )

    def count_from_zero(self, name: str, platform: str) -> None:
        """Count every kind of error of a source from 0, for Prometheus sees increases only."""
        for kind in FaultKind:
            self.errors.labels(name, platform, kind.value)

    def show(self, statuses: Iterable[SourceStatus]) -> None:
        """Set the gauges; sources that are not there any more have none."""
        gauges = (
            self._success_age,
            self._blind,
            self._paused,
            self._backlog,
            self._arrival,
            self._quota_left,
            self._skew,
        )
        for gauge in gauges:
            gauge.clear()
        for status in statuses:
            values = (
                status.success_age,
                float(status.state is SourceState.BLIND),
                float(status.state is SourceState.PAUSED),
                status.backlog,
                status.arrival,
                status.quota_left,
                status.skew,
            )
            for gauge, value in zip(gauges, values, strict=True):
                if value is not None:
                    gauge.labels(status.name, status.platform).set(value)
