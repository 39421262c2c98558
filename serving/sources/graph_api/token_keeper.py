"""The tokens of a source: which there are, how long they live, and their renewal."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from serving.sources.faults import PlatformBusy, PlatformUnavailable, QuotaSpent, SourceFault
from serving.sources.graph_api.graph_records import GraphApi
from serving.sources.source_context import SourceContext

_logger = structlog.get_logger(__name__)
_LIFE = timedelta(days=60)
_RENEWED = timedelta(days=7)
_WARNED = timedelta(days=10)
_TRIED = timedelta(hours=25)  # a token that is younger than a day cannot be renewed


@dataclass(slots=True)
class TokenLife:
    """What is known of a token.

    Attributes:
        ends_at: when it expires; None for never or if nobody knows.
        next_at: when it is renewed or asked about next; None for now.
    """

    ends_at: datetime | None = None
    next_at: datetime | None = None


class TokenKeeper:
    """Renews tokens in time, and warns if one ends that cannot be renewed.

    Attributes:
        tokens: those that hold now, in the order of the settings.
    """

    def __init__(
        self, api: GraphApi, context: SourceContext, name: str, tokens: str, platform: str
    ) -> None:
        """Prepare.

        Args:
            api: of the platform.
            context: of the source.
            name: of the setting that holds the tokens.
            tokens: its value: one or more, separated by spaces, commas or lines.
            platform: for the log.
        """
        self.tokens = split_secrets(tokens)
        self._api = api
        self._context = context
        self._name = name
        self._platform = platform
        self._lives: dict[str, TokenLife] = {one: TokenLife() for one in self.tokens}

    def ends_at(self, token: str) -> datetime | None:
        """When a token expires, as far as is known."""
        return self._lives[token].ends_at if token in self._lives else None

    async def look(self, token: str, now: datetime) -> str:
        """Renew a token, or ask how long it lives, if it is time to.

        Returns:
            The token that holds now.

        Raises:
            SourceFault: the platform cannot be asked now.
        """
        life = self._lives.setdefault(token, TokenLife())
        if life.next_at is not None and now < life.next_at:
            return token
        try:
            found = await self._api.renew(token)
            if found is None:
                life.ends_at = await self._api.ends_at(token)
            else:
                life.ends_at = now + timedelta(seconds=found.expires_in)
        except (PlatformBusy, PlatformUnavailable, QuotaSpent):
            raise
        except SourceFault as fault:  # too young to be renewed; or refused, which a read will say
            life.next_at = now + _TRIED
            _logger.info("source_token_not_renewed", platform=self._platform, error=str(fault))
            self._warn(life, now)
            return token
        life.next_at = now + (_TRIED if found is None else _RENEWED)
        self._warn(life, now)
        if found is None or found.token == token:
            return token
        self.tokens = tuple(found.token if one == token else one for one in self.tokens)
        self._lives[found.token] = self._lives.pop(token)
        await self._context.secrets.save({self._name: "\n".join(self.tokens)})
        return found.token

    def _warn(self, life: TokenLife, now: datetime) -> None:
        if life.ends_at is not None and life.ends_at - now < _WARNED:
            _logger.warning(
                "source_token_ends",
                source_id=self._context.source_id,
                platform=self._platform,
                ends_at=life.ends_at.isoformat(),
            )


def split_secrets(written: str) -> tuple[str, ...]:
    """The secrets of a setting that may hold several, each once."""
    return tuple(dict.fromkeys(one for one in re.split(r"[\s,;]+", written) if one))
