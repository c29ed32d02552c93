"""A database that was in use before anything was known gets the new tables and keeps what it had."""

import asyncio

import psycopg
from alembic import command
from sqlalchemy import create_engine
from sqlalchemy.pool import NullPool
from tests.fakes.written import draft, put

from artel.storage.knowledge import collections
from artel.storage.migrations import HEAD, migrate, upgrade
from artel.storage.postgres import connect

FILL = """
insert into assistants (assistant_id, graph_id, name)
values ('6d5f7f0e-0000-4000-8000-000000000001', 'chat', 'mine');
insert into threads (thread_id, owner) values ('6d5f7f0e-0000-4000-8000-000000000002', 'ada');
insert into training_consents (owner, user_id) values ('ada', 'ada');
"""


async def test_a_filled_database_of_revision_10_comes_up_with_all_it_had(empty_dsn: str) -> None:
    await asyncio.to_thread(upgrade_to, empty_dsn, "0010")
    with psycopg.connect(empty_dsn) as conn:
        for statement in FILL.strip().split(";\n"):
            conn.execute(statement.encode())
    await migrate(empty_dsn)
    async with await connect(empty_dsn) as there:
        for table in ("assistants", "threads", "training_consents"):
            row = await (await there.execute(f"select * from {table}".encode())).fetchone()
            assert row, table
        row = await (await there.execute("select version_num from alembic_version")).fetchone()
        assert row == {"version_num": HEAD}
        shelf = await collections.make(there, "shelf", owner="ada")
        assert await put(there, shelf, draft("a", "one")) == ["added"]


def upgrade_to(dsn: str, revision: str) -> None:
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(dsn), poolclass=NullPool)
    with engine.connect() as connection:
        config = upgrade.script()
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
