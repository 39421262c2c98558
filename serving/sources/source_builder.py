"""Makes a source that can ask its platform from what is stored of it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from pydantic import ValidationError

from serving.clock import Clock
from serving.errors import InvalidRequest
from serving.outgoing.address_rules import AddressRules
from serving.outgoing.transport import outgoing_client
from serving.sources.faults import Misconfigured
from serving.sources.platform_client import ClockSkew
from serving.sources.quota import MemoryQuotaStore, Quota, QuotaStore
from serving.sources.registry import SourceType, source_types
from serving.sources.secret_box import SecretBox, check_reference, is_reference, resolved
from serving.sources.source import Source
from serving.sources.source_context import SourceContext
from serving.sources.spec import SourceSpec, secret_names
from serving.sources.stored_accounts import StoredAccounts
from serving.storage.kol_store import KolStore
from serving.storage.source_record import SourceRecord
from serving.storage.source_store import SourceStore

_SECONDS = 30.0  # that one request of a source may take
_MOST_BYTES = 16_000_000
_SHORTEST_HIDDEN = 4  # characters; shorter ones are in every text
WEBHOOKS = "/v1/webhooks"


@dataclass(slots=True)
class BuiltSource:
    """A source with what it holds.

    Attributes:
        source: asks the platform.
        quota: what it may spend.
        skew: of the platform's clock.
        http: to be closed.
        hide: takes its secrets out of a text.
    """

    source: Source
    quota: Quota
    skew: ClockSkew
    http: httpx.AsyncClient
    hide: Callable[[str], str]

    async def close(self) -> None:
        """Close its connections."""
        try:
            await self.source.close()
        finally:
            await self.http.aclose()


class SourceBuilder:
    """Builds sources."""

    def __init__(
        self,
        *,
        store: SourceStore,
        kols: KolStore,
        box: SecretBox,
        clock: Clock,
        rules: AddressRules,
        proxy: str | None,
        public_url: str | None,
        variables: Mapping[str, str],
        secrets_folder: Path | None,
        folders: tuple[Path, ...] = (),
    ) -> None:
        """Prepare.

        Args:
            store: keeps secrets that platforms give out, and what was spent.
            kols: the KOLs.
            box: encrypts secrets.
            clock: for times.
            rules: which addresses sources may connect to.
            proxy: through which they connect to public ones; None for none.
            public_url: at which platforms reach the service; None if they cannot.
            variables: the environment, for secrets that are named.
            secrets_folder: the files that secrets may name; None for none.
            folders: in which sources may read files.
        """
        self.box = box
        self._store = store
        self._kols = kols
        self._clock = clock
        self._rules = rules
        self._proxy = proxy
        self._public_url = public_url
        self._variables = variables
        self._secrets_folder = secrets_folder
        self._folders = folders

    def webhook_url(self, token: str) -> str | None:
        """The public address of a webhook; None if the service has no public URL."""
        if self._public_url is None:
            return None
        return f"{self._public_url.rstrip('/')}{WEBHOOKS}/{token}"

    async def seal(self, secrets: Mapping[str, str]) -> bytes | None:
        """Secrets, encrypted; None if there are none.

        Raises:
            StoreError: the key cannot be read or made.
        """
        return await asyncio.to_thread(self.box.seal, secrets)

    async def secrets_of(self, record: SourceRecord) -> dict[str, str]:
        """The secrets of a source as they were entered.

        Raises:
            Misconfigured: they cannot be decrypted.
        """
        return await asyncio.to_thread(self.box.open, record.sealed)

    async def build(self, record: SourceRecord) -> BuiltSource:
        """A source from what is stored.

        Raises:
            Misconfigured: its settings cannot work.
        """
        source_type = source_types().get(record.type)
        if source_type is None:
            raise Misconfigured(
                f"this version has no sources of the type {record.type!r}",
                remedy="upgrade the service, or remove the source",
            )
        secrets = await self.secrets_of(record)
        try:
            spec = await self.spec_of(source_type, record.settings, secrets)
        except InvalidRequest as error:
            raise Misconfigured(str(error)) from None
        return await self.connect(source_type, spec, record, secrets=secrets, quotas=self._store)

    async def spec_of(
        self,
        source_type: SourceType[Any],
        settings: Mapping[str, Any],
        secrets: Mapping[str, str],
    ) -> SourceSpec:
        """The checked settings of a source.

        Raises:
            InvalidRequest: a setting is not right; names it.
            Misconfigured: a secret that names a variable or a file is not there.
        """
        for name, value in secrets.items():
            if is_reference(value) and (wrong := check_reference(value)) is not None:
                raise InvalidRequest(
                    "invalid_parameter", f"settings.{name} {wrong}", field=f"settings.{name}"
                )
        found = await asyncio.to_thread(resolved, secrets, self._variables, self._secrets_folder)
        try:
            spec: SourceSpec = source_type.spec.model_validate({**settings, **found})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            field = ".".join(("settings", *(str(part) for part in first["loc"])))
            said = first["msg"].removeprefix("Value error, ")
            raise InvalidRequest("invalid_parameter", f"{field}: {said}", field=field) from None
        return spec

    async def connect(
        self,
        source_type: SourceType[Any],
        spec: SourceSpec,
        record: SourceRecord,
        *,
        secrets: Mapping[str, str],
        quotas: QuotaStore | None = None,
    ) -> BuiltSource:
        """A source that can ask its platform; to be closed.

        Args:
            source_type: of the source.
            spec: its settings.
            record: what else is known of it.
            secrets: as they were entered.
            quotas: keeps what it spends; None for a source that is only tried.

        Raises:
            Misconfigured: the source says so.
        """
        # Reading the certificates of the machine takes a while.
        http = await asyncio.to_thread(
            outgoing_client,
            self._rules,
            seconds=_SECONDS,
            most_bytes=_MOST_BYTES,
            proxy=self._proxy,
        )
        quota = Quota(
            record.source_id,
            source_type.budget(spec),
            quotas or MemoryQuotaStore(),
            self._clock,
        )
        skew = ClockSkew()
        keeper = StoredSecrets(self._store, self.box, record.source_id, dict(secrets))
        context = SourceContext(
            source_id=record.source_id,
            kol_id=record.kol_id,
            http=http,
            rules=self._rules,
            clock=self._clock,
            quota=quota,
            accounts=StoredAccounts(self._kols, record.kol_id),
            secrets=keeper if quotas is not None else DroppedSecrets(),
            skew=skew,
            webhook_url=self.webhook_url(record.webhook_token) if quotas is not None else None,
            folders=self._folders,
        )
        try:
            source = source_type.build(spec, context)
        except BaseException:
            await http.aclose()
            raise
        values = [getattr(spec, name) for name in secret_names(source_type.spec)]
        plain = [one.get_secret_value() for one in values if one is not None]
        return BuiltSource(
            source, quota, skew, http, _hider(lambda: [*plain, *keeper.secrets.values()])
        )


@dataclass(slots=True)
class StoredSecrets:
    """Takes secrets that a platform gives out.

    Attributes:
        store: of the sources.
        box: encrypts them.
        source_id: whose they are.
        secrets: all of the source, as they were entered or given out.
    """

    store: SourceStore
    box: SecretBox
    source_id: str
    secrets: dict[str, str]

    async def save(self, secrets: Mapping[str, str]) -> None:
        """Store new values, encrypted."""
        self.secrets |= secrets
        sealed = await asyncio.to_thread(self.box.seal, self.secrets)
        if sealed is not None:
            await self.store.seal(self.source_id, sealed)


class DroppedSecrets:
    """Takes the secrets of a source that is only tried."""

    async def save(self, secrets: Mapping[str, str]) -> None:
        """Drop them."""


def _hider(secrets: Callable[[], list[str]]) -> Callable[[str], str]:
    """Takes secrets out of texts that a platform may have repeated them in."""

    def hide(said: str) -> str:
        for secret in secrets():
            if len(secret) >= _SHORTEST_HIDDEN:
                said = said.replace(secret, "…")
        return said

    return hide
