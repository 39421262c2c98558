"""Sources as people set them up: added, changed, tried, removed; and what runs them."""

import asyncio
import secrets
from collections.abc import Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import Any

from serving.clock import Clock
from serving.errors import InvalidRequest
from serving.ingest.group_commit import GroupCommit
from serving.ingest.intake import Intake
from serving.kol_limit import EVERY_KOL, KolLimit
from serving.metrics import Metrics
from serving.outgoing.address_rules import AddressRules
from serving.settings import Settings, environment
from serving.sources.committer import SourceCommitter
from serving.sources.faults import Misconfigured, SourceFault
from serving.sources.registry import SourceType, source_types
from serving.sources.secret_box import SecretBox, is_reference
from serving.sources.source import SourcePreview
from serving.sources.source_builder import BuiltSource, SourceBuilder
from serving.sources.spec import secret_names
from serving.sources.supervisor import SourceSupervisor
from serving.storage.database import Database
from serving.storage.kol_store import KolStore
from serving.storage.outage_store import OutageStore
from serving.storage.source_record import SourceRecord
from serving.storage.source_store import SourceStore

_ID_BYTES, _TOKEN_BYTES = 6, 32
_SHOWN = 10


@dataclass(frozen=True, slots=True)
class SourceDraft:
    """What a person enters for a source.

    Attributes:
        type: of the registry.
        name: what it is to be called.
        kol_id: whose comments it brings; None if its comments say it.
        settings: of its type, secrets too.
        limited: whether that person sees only some KOLs.
    """

    type: str
    name: str
    kol_id: str | None
    settings: Mapping[str, Any]
    limited: bool = False


class SourceService:
    """What routes use.

    Attributes:
        store: the sources.
        outages: when they saw nothing.
        supervisor: runs them.
        builder: makes them.
    """

    def __init__(
        self,
        store: SourceStore,
        outages: OutageStore,
        supervisor: SourceSupervisor,
        builder: SourceBuilder,
        clock: Clock,
    ) -> None:
        self.store = store
        self.outages = outages
        self.supervisor = supervisor
        self.builder = builder
        self._clock = clock

    async def add(self, draft: SourceDraft, actor: str) -> SourceRecord:
        """Add a source and start it.

        Raises:
            InvalidRequest: a setting is not right; names it.
            Misconfigured: a secret is not there.
            Conflict: another source has its name.
        """
        record, _, entered = await self._checked(draft, actor)
        await self._try_build(record, entered)
        record = replace(record, sealed=await self.builder.seal(entered))
        await self.store.add(record)
        await self.supervisor.look()
        return await self.store.get(record.source_id)

    async def change(
        self, source_id: str, changes: Mapping[str, Any], visible: KolLimit = EVERY_KOL
    ) -> SourceRecord:
        """Change the name, the KOL or some settings of a source; what is not named stays.

        Its cursor is kept unless it reads something else from now on: with another KOL, or with
        settings that are no secrets.

        Args:
            source_id: of the source.
            changes: `name`, `kol_id`, `settings`; a setting that is None is taken away.
            visible: of whoever asks.

        Raises:
            NotFound: there is no such source.
            InvalidRequest, Misconfigured, Conflict: as of `add`.
        """
        before = await self.store.get(source_id, visible)
        kept = await self._kept_secrets(before, changes.get("settings", {}))
        settings = {**before.settings, **kept, **changes.get("settings", {})}
        draft = SourceDraft(
            before.type,
            changes.get("name", before.name),
            changes.get("kol_id", before.kol_id),
            {name: value for name, value in settings.items() if value is not None},
            before.limited or not visible.is_everything,
        )
        after, _, entered = await self._checked(draft, before.created_by)
        await self._try_build(after, entered)
        await self.store.change(
            source_id,
            name=after.name,
            kol_id=after.kol_id,
            platform=after.platform,
            settings=after.settings,
            sealed=await self.builder.seal(entered),
            limited=after.limited,
            restart=(before.kol_id, before.settings) != (after.kol_id, after.settings),
        )
        await self.supervisor.look()
        return await self.store.get(source_id)

    async def _kept_secrets(
        self, before: SourceRecord, changed: Mapping[str, Any]
    ) -> dict[str, str]:
        """The secrets that stay. A secret is not sent to another address than it was entered for.

        Raises:
            InvalidRequest: the address changes, and a secret was not entered again.
        """
        try:
            known = await self.builder.secrets_of(before)
        except Misconfigured:  # the key is gone: those that are entered now are all there are
            known = {}
        moved = [
            name
            for name, value in changed.items()
            if name not in known and value != before.settings.get(name) and _is_address(name)
        ]
        left = [name for name in known if name not in changed]
        if moved and left:
            raise InvalidRequest(
                "invalid_parameter",
                f"settings.{left[0]}: enter it again, because {moved[0]} changes; it would be sent"
                " to another address than it was entered for",
                field=f"settings.{left[0]}",
            )
        return known

    async def pause(self, source_id: str, actor: str, visible: KolLimit) -> SourceRecord:
        """Stop a source until it is resumed.

        Raises:
            NotFound: there is no such source.
        """
        await self.store.get(source_id, visible)
        await self.store.pause(source_id, actor, self._clock.now())
        await self.supervisor.look()
        return await self.store.get(source_id)

    async def resume(self, source_id: str, visible: KolLimit) -> SourceRecord:
        """Start a source again, from where it was; one that waits asks at once.

        Raises:
            NotFound: there is no such source.
        """
        await self.store.get(source_id, visible)
        await self.store.resume(source_id)
        await self.supervisor.look()
        self.supervisor.wake(source_id)
        return await self.store.get(source_id)

    async def remove(self, source_id: str, visible: KolLimit) -> None:
        """Stop a source for good; what it brought stays.

        Raises:
            NotFound: there is no such source.
        """
        await self.store.get(source_id, visible)
        await self.store.delete(source_id)
        await self.supervisor.look()

    async def preview(self, draft: SourceDraft) -> SourcePreview:
        """What a source would bring; nothing is stored.

        Raises:
            InvalidRequest, Misconfigured: as of `add`.
            SourceFault: the platform does not let it; says what to do.
        """
        record, source_type, entered = await self._checked(draft, "")
        spec = await self.builder.spec_of(source_type, record.settings, entered)
        return await _previewed(
            await self.builder.connect(source_type, spec, record, secrets=entered)
        )

    async def test(self, source_id: str, visible: KolLimit) -> SourcePreview:
        """What a source brings now; one that waits after a failure asks at once if that works.

        Raises:
            NotFound: there is no such source.
            SourceFault: the platform does not let it; says what to do.
        """
        found = await _previewed(await self.builder.build(await self.store.get(source_id, visible)))
        self.supervisor.wake(source_id)
        return found

    async def _try_build(self, record: SourceRecord, entered: Mapping[str, str]) -> None:
        """Find settings that do not fit each other; nothing is asked."""
        source_type = type_named(record.type)
        spec = await self.builder.spec_of(source_type, record.settings, entered)
        built = await self.builder.connect(source_type, spec, record, secrets=entered)
        await built.close()

    async def _checked(
        self, draft: SourceDraft, actor: str
    ) -> tuple[SourceRecord, SourceType[Any], dict[str, str]]:
        """A draft as it is stored, without its secrets; its type; its secrets."""
        source_type = type_named(draft.type)
        if source_type.needs_kol and draft.kol_id is None:
            raise InvalidRequest(
                "invalid_parameter",
                f"kol_id: a source of the type {draft.type!r} brings the comments of one KOL; say"
                " whose",
                field="kol_id",
            )
        if draft.limited and not source_type.for_limited:
            raise InvalidRequest(
                "invalid_parameter",
                f"type: a source of the type {draft.type!r} may read what is of other KOLs; whoever"
                " is limited to some KOLs may not set it up",
                field="type",
            )
        hidden = secret_names(source_type.spec)
        entered: dict[str, str] = {}
        plain: dict[str, Any] = {}
        for name, value in draft.settings.items():
            if name not in hidden:
                plain[name] = value
            elif isinstance(value, str):
                entered[name] = value.strip()
                if draft.limited and is_reference(entered[name]):
                    raise InvalidRequest(
                        "invalid_parameter",
                        f"settings.{name}: whoever is limited to some KOLs may not name a secret of"
                        " the service; enter the secret itself",
                        field=f"settings.{name}",
                    )
            else:
                raise InvalidRequest(
                    "invalid_parameter",
                    f"settings.{name}: must be text",
                    field=f"settings.{name}",
                )
        spec = await self.builder.spec_of(source_type, plain, entered)
        record = SourceRecord(
            source_id=secrets.token_hex(_ID_BYTES),
            type=source_type.name,
            name=draft.name,
            kol_id=draft.kol_id,
            platform=source_type.platform_of(spec),
            settings=plain,
            sealed=None,
            webhook_token=secrets.token_urlsafe(_TOKEN_BYTES),
            generation=1,
            cursor=None,
            created_by=actor,
            created_at=self._clock.now(),
            limited=draft.limited,
        )
        return record, source_type, entered


def _is_address(name: str) -> bool:
    return name.endswith(("url", "hosts")) or name in {"server", "servers"}


def type_named(name: str) -> SourceType[Any]:
    """A type of source.

    Raises:
        InvalidRequest: there is none of that name; lists those there are.
    """
    found = source_types().get(name)
    if found is None:
        raise InvalidRequest(
            "invalid_parameter",
            f"type: there are no sources of the type {name!r}, only {', '.join(source_types())}",
            field="type",
        )
    return found


async def _previewed(built: BuiltSource) -> SourcePreview:
    try:
        found = await built.source.preview()
    except SourceFault as fault:
        fault.args = (built.hide(str(fault)),)
        raise
    finally:
        await built.close()
    return replace(found, comments=found.comments[:_SHOWN])


async def start_sources(
    settings: Settings,
    database: Database,
    clock: Clock,
    metrics: Metrics,
    group_commit: GroupCommit,
    stack: AsyncExitStack,
) -> SourceService:
    """Build what runs sources, and start those there are.

    Args:
        settings: of the service.
        database: holds the sources.
        clock: for times.
        metrics: where they count.
        group_commit: commits what they bring.
        stack: gets what is to be stopped.
    """
    await asyncio.to_thread(source_types)  # the first call imports every type
    store, outages, kols = SourceStore(database), OutageStore(database), KolStore(database)
    allowed = settings.source_private_addresses
    builder = SourceBuilder(
        store=store,
        kols=kols,
        box=SecretBox(settings.source_key_file),
        clock=clock,
        rules=AddressRules(loopback=allowed, private=allowed),
        proxy=settings.outgoing_proxy,
        public_url=settings.public_url,
        variables=environment(),
        secrets_folder=settings.source_secrets,
        folders=settings.watched_folders,
    )
    supervisor = SourceSupervisor(
        store=store,
        outages=outages,
        builder=builder,
        committer=SourceCommitter(
            lambda allowed: Intake(group_commit, kols, clock, metrics, allowed),
            kols,
            clock,
            lambda: group_commit.deleted_kols,
        ),
        clock=clock,
        metrics=metrics,
    )
    stack.push_async_callback(supervisor.stop)
    await supervisor.start()
    return SourceService(store, outages, supervisor, builder, clock)
