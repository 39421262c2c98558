"""Log lines: structlog through the standard library, for a person or for a program."""

import logging
import re
import sys

import structlog

from serving.settings import Settings

# These write the addresses they call, and channels' addresses are secrets.
_TELL_URLS = ("apprise", "httpcore", "httpx", "requests_oauthlib", "urllib3")


_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]"
)


def _without_control(
    _logger: object, _method: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Take out what a terminal would obey: values come from outside."""
    return {
        key: _CONTROL.sub("", value) if isinstance(value, str) else value
        for key, value in event.items()
    }


def configure_logging(settings: Settings) -> None:
    """Send every log line, ours and our libraries', to standard error in one form."""
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    as_json = settings.log_format == "json"
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    )
    if not as_json:
        shared.append(_without_control)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processor=renderer)
    )
    logging.basicConfig(handlers=[handler], level=settings.log_level.upper(), force=True)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    for name in _TELL_URLS:
        logging.getLogger(name).setLevel(logging.WARNING)
