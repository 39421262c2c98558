"""Runs a source against its fake without the service."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from serving.clock import Clock
from serving.outgoing.address_rules import AddressRules
from serving.outgoing.transport import outgoing_client
from serving.sources.kol_accounts import FixedAccounts, KolAccount
from serving.sources.platform_client import ClockSkew
from serving.sources.quota import MemoryQuotaStore, Quota, QuotaBudget
from serving.sources.registry import SourceType
from serving.sources.source import Poller, Source, StreamReader, WebhookReceiver
from serving.sources.source_batch import SourceBatch
from serving.sources.source_context import SourceContext
from tests.sources.fake_platform import FakePlatform

KOL = "lena-park"
WEBHOOK_URL = "https://groundswell.example.com/v1/webhooks/source-1-secret"
_RULES = AddressRules(loopback=True, private=True)


@dataclass(slots=True)
class SavedSecrets:
    """What a source stored of its secrets."""

    saved: dict[str, str] = field(default_factory=dict)

    async def save(self, secrets: Mapping[str, str]) -> None:
        self.saved |= secrets


@dataclass(slots=True)
class SourceHarness:
    """One source on its fake."""

    source_type: SourceType[Any]
    fake: FakePlatform
    source: Source
    context: SourceContext
    secrets: SavedSecrets
    cursor: Mapping[str, Any] | None = None
    batches: list[SourceBatch] = field(default_factory=list)

    async def drain(self, expected: int | None = None) -> list[SourceBatch]:
        """Take everything that there is, as the runner does.

        Args:
            expected: for a stream: comments and removals after which it is left.
        """
        found: list[SourceBatch] = []
        if isinstance(self.source, WebhookReceiver):
            found += [self.source.receive(one).batch for one in self.fake.deliveries()]
        if isinstance(self.source, Poller):
            found += await self._poll()
        elif isinstance(self.source, StreamReader):
            found += await self._read(expected)
        self.batches += found
        return found

    async def _poll(self) -> list[SourceBatch]:
        found: list[SourceBatch] = []
        assert isinstance(self.source, Poller)
        for _ in range(1000):
            batch = await self.source.poll(self.cursor)
            self._keep(batch)
            found.append(batch)
            if not batch.more:
                return found
        raise AssertionError("the source asks for more without end")

    async def _read(self, expected: int | None) -> list[SourceBatch]:
        assert isinstance(self.source, StreamReader)
        found: list[SourceBatch] = []
        seen = 0
        stream = self.source.read(self.cursor)
        async with aclosing(stream) as batches:
            while expected is None or seen < expected:
                batch = await anext(batches)
                self._keep(batch)
                found.append(batch)
                seen += len(batch.comments) + len(batch.removals)
                if expected is None:
                    break
        return found

    def _keep(self, batch: SourceBatch) -> None:
        if batch.cursor is not None:
            written = json.dumps(batch.cursor)
            assert len(written) < 1_000_000, "a cursor is written with every batch: keep it small"
            self.cursor = json.loads(written)


@asynccontextmanager
async def harness(
    source_type: SourceType[Any],
    fake: FakePlatform,
    clock: Clock,
    *,
    budget: QuotaBudget | None = None,
    cursor: Mapping[str, Any] | None = None,
    accounts: tuple[KolAccount, ...] = (KolAccount(KOL, "Lena Park", "lena-park"),),
    changes: Mapping[str, Any] | None = None,
    folders: tuple[Path, ...] = (Path("/"),),
) -> AsyncIterator[SourceHarness]:
    """A source that reads a fake that was started.

    Args:
        budget: instead of the one that the settings say.
        cursor: where it begins.
        accounts: the KOLs there are.
        changes: of the fake's settings.
        folders: in which it may read.
    """
    spec = source_type.spec.model_validate({**fake.settings(), **(changes or {})})
    secrets = SavedSecrets()
    async with outgoing_client(_RULES, seconds=5) as http:
        context = SourceContext(
            source_id="source-1",
            kol_id=KOL if fake.has_kol else None,
            http=http,
            rules=_RULES,
            clock=clock,
            quota=Quota("source-1", budget or source_type.budget(spec), MemoryQuotaStore(), clock),
            accounts=FixedAccounts(accounts),
            secrets=secrets,
            skew=ClockSkew(),
            webhook_url=WEBHOOK_URL,
            folders=folders,
        )
        source = source_type.build(spec, context)
        try:
            yield SourceHarness(source_type, fake, source, context, secrets, cursor)
        finally:
            await source.close()
