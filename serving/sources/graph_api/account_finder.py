"""Which accounts the tokens of a source may read, and whose they are."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from serving.sources.faults import FaultKind, Misconfigured, SourceFault
from serving.sources.graph_api.account_state import AccountState
from serving.sources.graph_api.graph_records import GraphAccount, GraphApi
from serving.sources.graph_api.token_keeper import TokenKeeper
from serving.sources.kol_accounts import KolAccount
from serving.sources.source_context import SourceContext
from serving.storage.kol_handle_rows import handle_key

# What is wrong with one account or token, while others may be read.
OF_ONE_ACCOUNT = frozenset(
    {FaultKind.TOKEN_EXPIRED, FaultKind.PERMISSION_LOST, FaultKind.ACCOUNT_GONE}
)
_FOUND_AGAIN = timedelta(hours=1)


class AccountFinder:
    """Finds the accounts, and looks again each hour.

    Attributes:
        accounts: that have a KOL, by id.
        kols: whose they are, by id; also of accounts whose token does not work any more.
        handles: the ids by the key of the name; of former names too.
        faults: of tokens that do not work and accounts that no KOL has.
        found_at: when they were found; None before the first time.
    """

    def __init__(
        self, api: GraphApi, tokens: TokenKeeper, context: SourceContext, platform: str, title: str
    ) -> None:
        self.accounts: dict[str, GraphAccount] = {}
        self.kols: dict[str, str] = {}
        self.handles: dict[str, str] = {}
        self.faults: list[SourceFault] = []
        self.found_at: datetime | None = None
        self._api = api
        self._tokens = tokens
        self._context = context
        self._platform = platform
        self._title = title

    def is_due(self, now: datetime) -> bool:
        """Whether it is time to look; at once for a token or account that had a fault."""
        every = timedelta(minutes=1) if self.faults else _FOUND_AGAIN
        return self.found_at is None or now - self.found_at >= every

    async def find(
        self, states: Mapping[str, AccountState], now: datetime, *, renew: bool = True
    ) -> None:
        """Ask with each token.

        Args:
            states: of accounts that were read before.
            now: the present instant.
            renew: whether tokens may be renewed.

        Raises:
            SourceFault: no account can be read, or the platform cannot be asked now.
        """
        kols = await self._context.accounts.on(self._platform)
        accounts: dict[str, GraphAccount] = {}
        faults: list[SourceFault] = []
        for number, token in enumerate(self._tokens.tokens, 1):
            try:
                found = await self._accounts_of(token, now, renew=renew)
            except SourceFault as fault:
                if fault.kind not in OF_ONE_ACCOUNT:
                    raise
                faults.append(named_fault(fault, self._name_of(token, number)))
                continue
            for account in found:
                account_id = account.account_id
                kol_id = self._kol_of(account, kols, states.get(account_id))
                if kol_id is None:
                    faults.append(self._ownerless(account))
                elif account_id not in accounts:
                    accounts[account_id], self.kols[account_id] = account, kol_id
                    self.handles[handle_key(account.handle)] = account_id
        if not accounts:
            raise (
                faults[0]
                if faults
                else Misconfigured(
                    f"the token may read no {self._title} account",
                    remedy="give it access to the KOL's account, as"
                    f" docs/sources/{self._platform}.md says",
                )
            )
        self.accounts, self.faults, self.found_at = accounts, faults, now

    async def _accounts_of(
        self, token: str, now: datetime, *, renew: bool
    ) -> Iterable[GraphAccount]:
        found = await self._api.accounts_of(token)
        # After an answer, so that what is wrong with a token is said by what needs it.
        held = await self._tokens.look(token, now) if renew else token
        return [
            replace(one, token=held if one.token == token else one.token, root=held)
            for one in found
        ]

    def _kol_of(
        self, account: GraphAccount, kols: Iterable[KolAccount], state: AccountState | None
    ) -> str | None:
        """Whose an account is: by its name, by its id, or as it was before it was renamed."""
        if self._context.kol_id is not None:
            return self._context.kol_id
        names = {handle_key(account.handle), account.account_id}
        for kol in kols:
            if kol.handle is not None and handle_key(kol.handle) in names:
                return kol.kol_id
        return None if state is None else state.kol_id

    def _ownerless(self, account: GraphAccount) -> Misconfigured:
        return Misconfigured(
            f"no KOL has the {self._title} account @{account.handle}",
            remedy=f"enter {account.handle} as the {self._platform} handle of its KOL (or the id"
            f" {account.account_id}, which stays when the account is renamed), or take its token"
            " out of the source's settings",
        )

    def _name_of(self, token: str, number: int) -> str:
        """What people know a token by."""
        handles = [f"@{one.handle}" for one in self.accounts.values() if one.root == token]
        return ", ".join(handles) or f"token {number}"


def named_fault(fault: SourceFault, name: str) -> SourceFault:
    """A fault that says whose account it is about."""
    return type(fault)(
        f"{name}: {fault}",
        remedy=fault.remedy,
        retry_after=fault.retry_after,
        until=fault.until,
    )
