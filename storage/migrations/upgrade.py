"""Run Alembic over the SQL revisions; apart, because importing it takes half a second."""

from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from artel.storage.migrations.failed import MigrationFailed


def upgrade(dsn: str) -> None:
    """Bring our own tables at `dsn` to the newest revision, in one transaction a revision.

    Raises:
        MigrationFailed: Postgres refused a statement.
    """
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    with engine.connect() as connection:
        config = script()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        except (psycopg.Error, DBAPIError) as refused:
            raise MigrationFailed.by(getattr(refused, "orig", None) or refused) from refused


def script() -> Config:
    """Return Alembic's configuration: no file, the folder of this package."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
