"""Builds every part of the service once and starts the workers; nothing exists at import."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import timedelta

from model.batcher import Batcher
from model.classifier import SentimentClassifier
from monitoring.policy import Policy
from serving.access.access_control import start_access
from serving.charts.chart_service import ChartService
from serving.clock import Clock
from serving.collector import Collector
from serving.ingest.group_commit import GroupCommit
from serving.ingest.import_folder import folder_beside, import_folder
from serving.ingest.import_worker import ImportWorker
from serving.ingest.intake import Intake
from serving.metrics import Metrics
from serving.notify.attachments import Attachments
from serving.notify.channels.base import Channel
from serving.notify.channels.registry import ChannelContext
from serving.notify.config import notification_config
from serving.notify.dispatcher import Dispatcher
from serving.notify.lark_callback import LarkCallbacks
from serving.notify.outbox import NotificationOutbox
from serving.notify.stored_attachments import StoredAttachments
from serving.notify.workers.escalator import Escalator
from serving.notify.workers.unmute_notifier import UnmuteNotifier
from serving.outgoing.transport import outgoing_client
from serving.pipeline.broadcast import Broadcast
from serving.pipeline.eraser import Eraser
from serving.pipeline.pipeline import Pipeline
from serving.pipeline.retention import RetentionPeriods, RetentionWorker
from serving.pipeline.scoring import PriorityScorer
from serving.pipeline.snapshots import SnapshotLimits
from serving.pipeline.stream_feed import StreamFeed
from serving.reports.digest_builder import DigestBuilder
from serving.reports.digest_scheduler import DigestScheduler
from serving.service import Service
from serving.settings import Settings, environment
from serving.sources.source_service import start_sources
from serving.storage.action_store import ActionStore
from serving.storage.alert_store import AlertStore
from serving.storage.author_hasher import AuthorHasher, open_author_ids
from serving.storage.author_store import AuthorStore
from serving.storage.comment_log import CommentLog
from serving.storage.database import Database
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
from serving.storage.replay_store import ReplayStore
from serving.storage.rerun_store import RerunStore
from serving.storage.retention_store import RetentionStore
from serving.storage.silence_store import SilenceStore
from serving.storage.step_store import StepStore


async def start(
    settings: Settings,
    classifier: SentimentClassifier | None,
    clock: Clock,
    metrics: Metrics,
    stack: AsyncExitStack,
) -> Service:
    """Build the parts and start the workers.

    Args:
        settings: how the service is to run.
        classifier: the model; loaded as `settings.model` says if None.
        clock: where time comes from.
        metrics: where the parts count.
        stack: gets what is to be stopped and closed, in order.
    """
    database = Database(settings.database_url, settings.database_password_file)
    await asyncio.to_thread(database.upgrade)
    stack.push_async_callback(database.close)
    await database.claim()
    access = await start_access(settings, database, clock, metrics, stack)
    if classifier is None:
        classifier = await asyncio.to_thread(
            SentimentClassifier.load, settings.model, threads=settings.model_threads
        )
    batcher = Batcher(
        classifier, max_waiting_texts=settings.score_queue, observer=metrics.show_batch
    )
    chart_service = ChartService(AlertStore(database), MoodStore(database), KolStore(database))
    stack.callback(chart_service.close)
    found = notification_config.EMPTY
    if settings.channels is not None:
        found = await asyncio.to_thread(notification_config.load, settings.channels, environment())
    dispatcher, outbox = await _delivery(
        found,
        settings,
        DeliveryStore(database),
        clock,
        metrics,
        StoredAttachments(chart_service, metrics, seconds=settings.notify_timeout / 2),
        stack,
    )
    log, steps, written = (
        CommentLog(database),
        StepStore(database, outbox, horizon=settings.horizon),
        Broadcast(),
    )
    policies, policy = PolicyStore(database), policy_of(settings)
    pipeline = Pipeline(
        log=log,
        steps=steps,
        reruns=RerunStore(database),
        replays=ReplayStore(database),
        policies=policies,
        fault_store=FaultStore(database),
        scorer=PriorityScorer(batcher),
        model_id=classifier.model_id,
        policy=policy,
        clock=clock,
        metrics=metrics,
        written=written,
        batch_size=min(settings.batch_size, settings.score_queue),
        idle_after=settings.idle,
        snapshots=SnapshotLimits(settings.snapshot_comments, settings.snapshots_within),
    )
    key_file = settings.author_key_file if settings.author_ids == "hashed" else None
    author_ids = await open_author_ids(database, key_file, clock.now())
    group_commit = GroupCommit(
        log,
        clock,
        capacity=settings.log_queue,
        on_commit=pipeline.wake,
        metrics=metrics,
        author_ids=author_ids,
    )
    group_commit.deleted_kols = await KolStore(database).deleted()
    unmute_notifier, escalator = (
        UnmuteNotifier(database, outbox, metrics),
        Escalator(database, outbox, metrics, clock),
    )
    digest_scheduler = DigestScheduler(database, outbox, metrics, clock, found.digests)
    people = (
        (dispatcher, unmute_notifier, escalator, digest_scheduler)
        if dispatcher.channels
        else (dispatcher,)
    )
    if dispatcher.channels:
        chart_service.warm_up()
    for worker in (batcher, *people, pipeline, group_commit):
        await worker.start()
        stack.push_async_callback(worker.stop)
    collector = Collector(lambda: len(pipeline.live.engine.kols()))
    collector.start()
    stack.callback(collector.stop)
    import_worker = await _imports(
        database, settings, clock, metrics, group_commit, pipeline, stack
    )
    sources = await start_sources(settings, database, clock, metrics, group_commit, stack)
    erasures = ErasureStore(database)
    eraser = Eraser(erasures, pipeline, clock)
    retention = RetentionWorker(
        periods=_periods(settings),
        store=RetentionStore(database),
        erasures=erasures,
        eraser=eraser,
        hasher=AuthorHasher(database, author_ids),
        pipeline=pipeline,
        clock=clock,
        metrics=metrics,
    )
    await retention.start()
    stack.push_async_callback(retention.stop)
    metrics.watch(
        "groundswell_log_queue_comments",
        "Comments that wait for commit.",
        lambda: group_commit.waiting,
    )
    metrics.watch(
        "groundswell_score_queue_texts", "Texts that wait for the model.", lambda: batcher.waiting
    )
    return Service(
        settings=settings,
        clock=clock,
        metrics=metrics,
        access=access,
        log=log,
        kols=KolStore(database),
        kol_mover=KolMover(database, outbox),
        followers=FollowerStore(database),
        posts=PostStore(database),
        post_names=PostNameStore(database),
        policies=policies,
        policy=policy,
        moods=MoodStore(database),
        alerts=AlertStore(database),
        steps=steps,
        reruns=RerunStore(database),
        fault_store=FaultStore(database),
        deliveries=DeliveryStore(database),
        delays=DelayStore(database),
        charts=chart_service,
        actions=ActionStore(database),
        silences=SilenceStore(database),
        group_commit=group_commit,
        imports=ImportStore(database),
        import_worker=import_worker,
        erasures=erasures,
        eraser=eraser,
        authors=AuthorStore(database),
        model_id=classifier.model_id,
        batcher=batcher,
        pipeline=pipeline,
        written=written,
        stream_feed=StreamFeed(
            AlertStore(database),
            steps,
            written,
            last_step=lambda: pipeline.progress.step,
            mood_interval=settings.mood_interval,
        ),
        notification_config=found,
        lark_callbacks=LarkCallbacks(found.channels),
        dispatcher=dispatcher,
        unmute_notifier=unmute_notifier,
        escalator=escalator,
        digests=DigestBuilder(database),
        digest_scheduler=digest_scheduler,
        sources=sources,
    )


async def _imports(
    database: Database,
    settings: Settings,
    clock: Clock,
    metrics: Metrics,
    group_commit: GroupCommit,
    pipeline: Pipeline,
    stack: AsyncExitStack,
) -> ImportWorker:
    """What reads the files that are sent; it stops before what it writes to."""
    parent = settings.import_folder or folder_beside(settings.database_url)
    folder = stack.enter_context(import_folder(parent))
    log, kols = CommentLog(database), KolStore(database)
    worker = ImportWorker(
        ImportStore(database),
        kols,
        clock,
        metrics,
        new_intake=lambda allowed: Intake(group_commit, kols, clock, metrics, allowed),
        backlog=lambda: log.count_after(pipeline.progress.seq),
        last_seq=log.last_seq,
        folder=folder,
    )
    await worker.start()
    stack.push_async_callback(worker.stop)
    return worker


async def _delivery(
    found: notification_config.NotificationConfig,
    settings: Settings,
    store: DeliveryStore,
    clock: Clock,
    metrics: Metrics,
    attachments: Attachments,
    stack: AsyncExitStack,
) -> tuple[Dispatcher, NotificationOutbox]:
    """What tells people: the outbox that the pipeline writes, the sender that empties it."""
    channels = dict[str, Channel]()
    for name, channel in found.channels.items():
        http = await stack.enter_async_context(
            outgoing_client(
                channel.rules, seconds=settings.notify_timeout, proxy=settings.outgoing_proxy
            )
        )
        context = ChannelContext(http, channel.rules, clock, attachments)
        channels[name] = channel.build(context)
    stateful_receivers = {name for name, channel in found.channels.items() if channel.type.stateful}
    dispatcher = Dispatcher(
        store=store,
        channels=channels,
        clock=clock,
        metrics=metrics,
        attempts=settings.notify_attempts,
        timeout=settings.notify_timeout,
        public_url=settings.public_url,
        stateful_receivers=stateful_receivers,
    )
    outbox = NotificationOutbox(
        found.routes,
        clock,
        max_age=settings.notified_age,
        late_page_within=settings.late_pages,
        on_commit=dispatcher.committed,
        stateful_receivers=stateful_receivers,
    )
    return dispatcher, outbox


def _periods(settings: Settings) -> RetentionPeriods:
    """How long what is kept."""

    def period(days: int | None) -> timedelta | None:
        return None if days is None else timedelta(days=days)

    return RetentionPeriods(
        comments=period(settings.retain_comments_days),
        alerts=period(settings.retain_alerts_days),
        deliveries=period(settings.retain_deliveries_days),
        imports=period(settings.retain_imports_days),
        audit_log=period(settings.retain_audit_days),
        keyed_requests=settings.recognised_repeats,
    )


def policy_of(settings: Settings) -> Policy:
    """The detector's policy, with what the settings change of it."""
    standard = Policy()
    if settings.sensitivity is None:
        return standard
    return replace(standard, sensitivity=settings.sensitivity)
