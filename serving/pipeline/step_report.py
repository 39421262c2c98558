"""Says in metrics and in the log what a step came to, once it is committed."""

import structlog

from serving.metrics import Metrics
from serving.storage.pipeline_step import PipelineStep

_log = structlog.get_logger(__name__)


def report(step: PipelineStep, metrics: Metrics) -> None:
    """Show the KOLs that a step touched, and its alert events."""
    for state in step.states:
        metrics.show(state.status)
    revised = () if step.rerun is None else step.rerun.alerts
    for event in (*step.events, *(event for alert in revised for event in alert.news)):
        metrics.alert_events.labels(event.kind, event.severity, event.reason).inc()
        _log.info(
            "alert_" + event.reason,
            kol=event.kol_id,
            alert=event.alert_id,
            severity=event.severity,
            at=event.at.isoformat(),
            summary=event.evidence.summary,
        )
