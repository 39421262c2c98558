"""The running parts, as `serving/app.py` put them together; routes are handed this."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from model.batcher import Batcher
from monitoring.policy import Policy
from serving.access.access_control import AccessControl
from serving.charts.chart_service import ChartService
from serving.clock import Clock
from serving.ingest.group_commit import GroupCommit
from serving.ingest.import_worker import ImportWorker
from serving.metrics import Metrics
from serving.notify.config.notification_config import NotificationConfig
from serving.notify.dispatcher import Dispatcher
from serving.notify.lark_callback import LarkCallbacks
from serving.notify.workers.escalator import Escalator
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.eraser import Eraser
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.stream_feed import StreamFeed
from serving.reports.digest_builder import DigestBuilder
from serving.reports.digest_scheduler import DigestScheduler
from serving.settings import Settings
from serving.sources.source_service import SourceService
from serving.storage.action_store import ActionStore
from serving.storage.alert_store import AlertStore
from serving.storage.author_store import AuthorStore
from serving.storage.comment_log import CommentLog
from serving.storage.delay_store import DelayStore
from serving.storage.delivery_store import DeliveryStore
from serving.storage.erasure_store import ErasureStore
from serving.storage.fault_store import FaultStore
from serving.storage.follower_store import FollowerStore
from serving.storage.import_store import ImportStore
from serving.storage.kol_mover import KolMover
from serving.storage.kol_store import KolStore
from serving.storage.mood_store import MoodStore
from serving.storage.policy_store import PolicyStore
from serving.storage.post_names import PostNameStore
from serving.storage.post_store import PostStore
from serving.storage.rerun_store import RerunStore
from serving.storage.silence_store import SilenceStore
from serving.storage.step_store import StepStore


@dataclass(frozen=True, slots=True)
class Service:
    """Everything a request may need."""

    settings: Settings
    clock: Clock
    metrics: Metrics
    access: AccessControl
    log: CommentLog
    kols: KolStore
    kol_mover: KolMover
    followers: FollowerStore
    posts: PostStore
    post_names: PostNameStore
    policies: PolicyStore
    policy: Policy
    moods: MoodStore
    alerts: AlertStore
    steps: StepStore
    reruns: RerunStore
    fault_store: FaultStore
    deliveries: DeliveryStore
    delays: DelayStore
    charts: ChartService
    actions: ActionStore
    silences: SilenceStore
    group_commit: GroupCommit
    imports: ImportStore
    import_worker: ImportWorker
    erasures: ErasureStore
    eraser: Eraser
    authors: AuthorStore
    model_id: str
    batcher: Batcher
    pipeline: Pipeline
    written: Broadcast
    stream_feed: StreamFeed
    notification_config: NotificationConfig
    lark_callbacks: LarkCallbacks
    dispatcher: Dispatcher
    unmute_notifier: UnmuteNotifier
    escalator: Escalator
    digests: DigestBuilder
    digest_scheduler: DigestScheduler
    sources: SourceService

    @property
    def ready(self) -> bool:
        """Whether comments can be taken and judged; trouble with messages does not count."""
        return self.group_commit.alive and self.batcher.alive and self.pipeline.alive

    @property
    def workers(self) -> dict[str, bool]:
        """The workers, and whether each runs."""
        workers = {
            "group_commit": self.group_commit.alive,
            "model": self.batcher.alive,
            "pipeline": self.pipeline.alive,
            "sources": self.sources.supervisor.alive,
        }
        if self.dispatcher.channels:
            workers |= {
                "dispatcher": self.dispatcher.alive,
                "unmute_notifier": self.unmute_notifier.alive,
                "escalator": self.escalator.alive,
                "digest_scheduler": self.digest_scheduler.alive,
            }
        return workers


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


Running = Annotated[Service, Depends(_service)]
