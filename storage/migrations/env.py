"""What Alembic runs for every command: our connection, and no models, for revisions are plain SQL."""

from alembic import context

context.configure(connection=context.config.attributes["connection"], transaction_per_migration=True)
with context.begin_transaction():
    context.run_migrations()
