"""Keeps one alert that fails every time from stopping what is written about the others."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError

_logger = structlog.get_logger(__name__)
_TRIES = 10


class AlertFaults:
    """Counts unexpected exceptions by alert; after some an alert is given up until a restart.

    Attributes:
        failures: how many there were.
        given_up: ids of the alerts that are not tried again.
    """

    def __init__(self) -> None:
        self.failures = 0
        self.given_up: set[str] = set()
        self._of: Counter[str] = Counter()

    @contextmanager
    def isolated(self, alert_id: str) -> Iterator[None]:
        """Have unexpected exceptions of the block be failures of one alert; they end the block.

        Raises:
            OperationalError: the database fails; the same for the next one.
            InterfaceError: the same.
        """
        try:
            yield
        except (OperationalError, InterfaceError):
            raise
        except Exception:
            _logger.exception("alert_failed", alert=alert_id)
            self.failures += 1
            self._of[alert_id] += 1
            if self._of[alert_id] >= _TRIES:
                _logger.exception("alert_given_up", alert=alert_id)
                self.given_up.add(alert_id)
                del self._of[alert_id]
