"""Alembic's entry: run the versions against the URL that `Database.upgrade` hands over."""

from alembic import context
from sqlalchemy import create_engine

from serving.storage.tables import metadata

engine = create_engine(context.config.attributes["url"])
try:
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
        with context.begin_transaction():
            context.run_migrations()
finally:
    engine.dispose()
