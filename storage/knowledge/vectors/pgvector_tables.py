"""The tables of vectors in Postgres, made when they are first needed.

No migration makes them: a Postgres without pgvector serves all that does not search here.
"""

from typing import Any

from psycopg import Error
from psycopg.errors import FeatureNotSupported, InsufficientPrivilege, UndefinedFile

from artel.storage.errors import Conflict
from artel.storage.postgres import Database

OLDEST = (0, 8)  # the first that goes on searching when a filter leaves too few
SETUP_LOCK = 0x76_65_63_73  # "vecs"

EXTENSION = "create extension if not exists vector"
# A row stays in one piece up to 4,000 dimensions, and is not packed: numbers of a vector do not shrink.
COLLECTIONS = """
create table if not exists knowledge_vector_collections (
    collection uuid primary key,
    dimension  int not null check (dimension > 0)
)
"""
VECTORS = """
create table if not exists knowledge_vectors (
    collection uuid not null,
    chunk_id   bigint not null,
    embedding  halfvec not null,
    primary key (collection, chunk_id)
) with (toast_tuple_target = 8160)
"""
IN_ONE_PIECE = "alter table knowledge_vectors alter embedding set storage external"
TURN = "select pg_advisory_xact_lock(%(key)s)"
MADE = "select to_regclass('knowledge_vectors') is not null as made"
HELD = """
select extversion as version, to_regtype('halfvec')::oid::bigint as oid
  from pg_extension where extname = 'vector'
"""


class PgvectorMissing(Conflict):
    """This database cannot keep vectors."""

    code = "pgvector_missing"


async def prepare(db: Database) -> int:
    """Make the tables unless they are there, and return the oid of the type `halfvec`.

    Raises:
        PgvectorMissing: the extension is missing, too old, or may not be made by our user.
        Unavailable: Postgres does not answer.
    """
    async with db.transaction() as conn:
        made = await (await conn.execute(MADE)).fetchone()
        if not (made and made["made"]):
            await conn.execute(TURN, {"key": SETUP_LOCK})
            try:
                async with conn.transaction():
                    await conn.execute(EXTENSION)
                    _new_enough(await (await conn.execute(HELD)).fetchone())
                    for statement in (COLLECTIONS, VECTORS, IN_ONE_PIECE):
                        await conn.execute(statement)
            except Error as refused:
                raise PgvectorMissing(_advice(refused)) from refused
        return _new_enough(await (await conn.execute(HELD)).fetchone())


def _new_enough(held: dict[str, Any] | None) -> int:
    version = held["version"] if held else "none"
    if held is None or tuple(int(part) for part in version.split(".")[:2]) < OLDEST:
        raise PgvectorMissing(
            f"vectors need pgvector 0.8 or newer, this database has {version}: update it there"
        )
    return int(held["oid"])


def _advice(refused: Error) -> str:
    match refused:
        case FeatureNotSupported() | UndefinedFile():
            return (
                "vectors of kind pgvector need the extension pgvector, which this PostgreSQL does not have: "
                "install it there (a package such as postgresql-17-pgvector), or choose another kind"
            )
        case InsufficientPrivilege():
            return (
                "vectors of kind pgvector need the extension pgvector and two tables, which our user may not "
                "make: let an administrator run `create extension vector` in this database and grant create "
                "on its schema"
            )
    return f"the tables of vectors cannot be made: {str(refused).strip().partition(chr(10))[0]}"
