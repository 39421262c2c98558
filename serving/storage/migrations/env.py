"""Alembic's entry: run the versions on the engine that `Database.upgrade` hands over."""

from alembic import context

from serving.storage.tables import metadata

with context.config.attributes["engine"].connect() as connection:
    context.configure(connection=connection, target_metadata=metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()
