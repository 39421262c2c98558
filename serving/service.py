"""The running parts, as `serving/app.py` put them together; routes are handed this."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from model.batcher import Batcher
from monitoring.policy import Policy
from serving.charts.studio import Studio
from serving.clock import Clock
from serving.delivery.directory import Directory
from serving.delivery.escalating import Escalating
from serving.delivery.sender import Sender
from serving.delivery.unmuting import Unmuting
from serving.digest.digesting import Digesting
from serving.digest.editor import Editor
from serving.log_writer import LogWriter
from serving.metrics import Metrics
from serving.pipeline import Pipeline
from serving.pulse import Pulse
from serving.settings import Settings
from serving.storage.act_store import ActStore
from serving.storage.alert_store import AlertStore
from serving.storage.comment_log import CommentLog
from serving.storage.delivery_store import DeliveryStore
from serving.storage.kol_store import KolStore
from serving.storage.mood_store import MoodStore
from serving.storage.policy_store import PolicyStore
from serving.storage.silence_store import SilenceStore
from serving.storage.step_store import StepStore


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a request may need."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    log: CommentLog
    kols: KolStore
    policies: PolicyStore
    policy: Policy
    moods: MoodStore
    alerts: AlertStore
    steps: StepStore
    deliveries: DeliveryStore
    charts: Studio
    acts: ActStore
    silences: SilenceStore
    writer: LogWriter
    model_id: str
    batcher: Batcher
    pipeline: Pipeline
    written: Pulse
    directory: Directory
    sender: Sender
    unmuting: Unmuting
    escalating: Escalating
    digests: Editor
    digesting: Digesting

    @property
    def workers(self) -> dict[str, bool]:
        """The workers without which the main job stands still, and whether each runs."""
        workers = {
            "log_writer": self.writer.alive,
            "model": self.batcher.alive,
            "pipeline": self.pipeline.alive,
        }
        if self.sender.channels:
            workers |= {
                "sender": self.sender.alive,
                "unmuting": self.unmuting.alive,
                "escalating": self.escalating.alive,
                "digesting": self.digesting.alive,
            }
        return workers


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Running = Annotated[Service, Depends(_service)]
