"""Run the service as `groundswell serve` does, with the fake model and the watchdog:

python -m tests.serving.attacks.attacked_service DATABASE_URL REPORT
"""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from model.backend import Pieces
from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.cli import hosting
from serving.logs import configure_logging
from serving.settings import Settings
from tests.serving.attacks import loop_watchdog

SLOW = "slowly"


class SlowBackend(FakeBackend):
    """Takes two seconds for texts that hold the word `SLOW`."""

    def encode(self, texts: Sequence[str]) -> list[Pieces]:
        if any(SLOW in text for text in texts):
            time.sleep(2)
        return super().encode(texts)


async def main(database_url: str) -> None:
    settings = Settings(database_url=database_url, port=0, _env_file=None)
    configure_logging(settings)
    listener = hosting.listen(settings.host, settings.port)
    app = create_app(settings, classifier=SentimentClassifier.from_backend(SlowBackend()))
    async with app.router.lifespan_context(app):
        gc.collect()
        gc.freeze()  # as the command does
        sys.stdout.write(f"{listener.getsockname()[1]}\n")
        sys.stdout.flush()
        await hosting.server(app).serve(sockets=[listener])


if __name__ == "__main__":
    hosting._GRACE = 0.5  # type: ignore[assignment]
    loop_watchdog.watch(Path(sys.argv[2]))
    asyncio.run(main(sys.argv[1]))
