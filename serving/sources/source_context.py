"""What a source is handed to work with."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import httpx

from serving.clock import Clock
from serving.outgoing.address_rules import AddressRules
from serving.sources.kol_accounts import KolAccounts
from serving.sources.platform_client import ClockSkew, FaultReader, PlatformClient
from serving.sources.quota import Quota


class SecretKeeper(Protocol):
    """Keeps secrets that a platform gives out anew."""

    async def save(self, secrets: Mapping[str, str]) -> None:
        """Store new values of secrets under their names in the spec, encrypted, at once.

        The source goes on with the new values by itself; it is not built again.
        """
        ...


@dataclass(frozen=True, slots=True)
class SourceContext:
    """The parts of the service that a source may use.

    Attributes:
        source_id: the source's id.
        kol_id: whose comments it brings; None if its comments say it.
        http: a client that connects to allowed addresses only; use `client` instead.
        rules: which addresses may be connected to, for what is no HTTP:
            `serving.outgoing.resolution.connect(host, port, rules)` gives a checked socket.
        clock: for times.
        quota: to be spent before each request; `client` does so.
        accounts: the KOLs, for comments of several.
        secrets: takes new tokens.
        skew: how far the platform's clock is ahead.
        folders: in which it may read files.
        webhook_url: the public address of the source's webhook; None if the service has no
            public URL, or while a source is tried before it is added.
    """

    source_id: str
    kol_id: str | None
    http: httpx.AsyncClient
    rules: AddressRules
    clock: Clock
    quota: Quota
    accounts: KolAccounts
    secrets: SecretKeeper
    skew: ClockSkew
    webhook_url: str | None = None
    folders: tuple[Path, ...] = ()

    def client(
        self,
        base_url: str,
        *,
        headers: Mapping[str, str] | None = None,
        read_fault: FaultReader | None = None,
    ) -> PlatformClient:
        """A client of the platform's HTTP API.

        Args:
            base_url: what paths are added to.
            headers: of every request, for example the token.
            read_fault: makes faults of refusals that only this platform's bodies explain.
        """
        return PlatformClient(
            self.http, base_url, self.clock, self.quota, self.skew, dict(headers or {}), read_fault
        )
