"""Run a service with the fake model: python -m tests.serving.server_on_fake PORT DATABASE_URL."""

import sys

import uvicorn

from model.classifier import SentimentClassifier
from model.fake_backend import FakeBackend
from serving.app import create_app
from serving.logs import configure_logging
from serving.settings import Settings

if __name__ == "__main__":
    port, database_url = sys.argv[1:]
    settings = Settings(database_url=database_url, batch_size=32, _env_file=None)
    configure_logging(settings)
    classifier = SentimentClassifier.from_backend(FakeBackend())
    uvicorn.run(create_app(settings, classifier=classifier), port=int(port), log_config=None)
