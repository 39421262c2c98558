"""The errors of monitoring.

MonitoringError
├── HistoryError: what is stored of alerts is not what was derived before
├── OutOfOrderError: a window older than the ones already seen
├── PolicyError: a policy that contradicts itself
└── SnapshotError: bytes that are not a snapshot of this KOL
"""


class MonitoringError(Exception):
    """An error with a message a person can act on.

    Attributes:
        code: stable, snake_case; the same in HTTP answers, logs and documents.
    """

    code = "monitoring"


class HistoryError(MonitoringError):
    """An alert continues whose beginning is not stored."""

    code = "history"


class OutOfOrderError(MonitoringError):
    """A window arrived that does not start after the last one of its KOL."""

    code = "window_out_of_order"


class PolicyError(MonitoringError):
    """A policy value is outside its range."""

    code = "policy"


class SnapshotError(MonitoringError):
    """A snapshot is foreign, damaged, of another version or of another KOL."""

    code = "snapshot"
