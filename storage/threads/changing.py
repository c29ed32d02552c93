"""Making, reading, changing and removing threads."""

from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.postgres import Connection
from artel.storage.threads.record import Allowed, Life, Status, Thread, ThreadExists, known, one
from artel.storage.threads.sealed import questions_of

CREATE = """
insert into threads (thread_id, metadata, config, owner, status, interrupts, ttl_minutes, ttl_strategy)
values (%(thread_id)s, %(metadata)s, %(config)s, %(owner)s, %(status)s, %(interrupts)s, %(ttl_minutes)s,
        %(ttl_strategy)s)
on conflict (thread_id) do nothing
returning *
"""

ONE = """
select * from threads
 where thread_id = %(thread_id)s and owner = %(owner)s
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
"""

LOCK = ONE + " for no key update"

IS_TAKEN = "select 1 from threads where thread_id = %(thread_id)s"

HOLD = "select from threads where thread_id = %(thread_id)s for no key update"

PATCH = """
update threads set metadata = metadata || %(metadata)s, updated_at = clock_timestamp(),
                   ttl_minutes = case when %(lives)s then %(ttl_minutes)s else ttl_minutes end,
                   ttl_strategy = case when %(lives)s then %(ttl_strategy)s else ttl_strategy end
 where thread_id = %(thread_id)s and owner = %(owner)s
   and (%(allowed)s::jsonpath is null or metadata @@ %(allowed)s::jsonpath)
returning *
"""

SETTLE = """
update threads set status = %(status)s, interrupts = %(interrupts)s, error = null,
                   updated_at = clock_timestamp(), state_updated_at = clock_timestamp()
 where thread_id = %(thread_id)s
   and not exists (select 1 from runs where runs.thread_id = threads.thread_id
                                        and runs.status in ('pending', 'running'))
"""

DELETE = "delete from threads where thread_id = %(thread_id)s"


async def create(
    conn: Connection,
    thread_id: UUID,
    *,
    owner: str,
    metadata: dict[str, Any] | None = None,
    config: dict[str, Any] | None = None,
    life: Life | None = None,
    status: Status = "idle",
    interrupts: dict[str, Any] | None = None,
    if_exists: Literal["raise", "do_nothing"] = "raise",
    allowed: Allowed = None,
) -> Thread:
    """Make a thread, or return the one that is there when `if_exists` says so.

    Raises:
        ThreadExists: there is one, and that is an error or it is somebody else's.
    """
    if conn.sealer:
        metadata = await conn.sealer.seal_keys("thread", "metadata", metadata or {})
        config = await conn.sealer.seal("thread", "config", config) if config else None
        interrupts = await questions_of(conn.sealer, interrupts)
    values = {
        "thread_id": thread_id,
        "owner": owner,
        "metadata": Jsonb(metadata or {}),
        "config": Jsonb(config or {}),
        "status": status,
        "interrupts": Jsonb(interrupts or {}),
        "allowed": allowed,
        **_lasting(life),
    }
    made = await one(conn, CREATE, values)
    if made is None and if_exists == "do_nothing":
        made = await one(conn, ONE, values)
    if made is None:
        raise ThreadExists(f"thread {thread_id} exists already")
    return made


async def get(conn: Connection, thread_id: UUID, *, owner: str, allowed: Allowed = None) -> Thread:
    """Return a thread.

    Raises:
        UnknownThread: this owner has none with that id, or `allowed` does not let them see it.
    """
    return known(
        await one(conn, ONE, {"thread_id": thread_id, "owner": owner, "allowed": allowed}), thread_id
    )


async def is_taken(conn: Connection, thread_id: UUID) -> bool:
    """Say whether anybody has a thread with that id."""
    return await (await conn.execute(IS_TAKEN, {"thread_id": thread_id})).fetchone() is not None


async def lock(conn: Connection, thread_id: UUID, *, owner: str, allowed: Allowed = None) -> Thread | None:
    """Return a thread, kept from changing until the transaction ends; None when there is none."""
    return await one(conn, LOCK, {"thread_id": thread_id, "owner": owner, "allowed": allowed})


async def hold(conn: Connection, thread_id: UUID) -> None:
    """Keep a thread from changing until the transaction ends; costs no round trip in a batch."""
    await conn.execute(HOLD, {"thread_id": thread_id})


async def patch(
    conn: Connection,
    thread_id: UUID,
    metadata: dict[str, Any],
    *,
    owner: str,
    life: Life | None = None,
    allowed: Allowed = None,
) -> Thread:
    """Merge `metadata` into what the thread has; `life`, if given, counts from now.

    Raises:
        UnknownThread: this owner has none with that id, or `allowed` does not let them see it.
    """
    if conn.sealer:
        metadata = await conn.sealer.seal_keys("thread", "metadata", metadata)
    values = {
        "thread_id": thread_id,
        "owner": owner,
        "metadata": Jsonb(metadata),
        "allowed": allowed,
        "lives": life is not None,
        **_lasting(life),
    }
    return known(await one(conn, PATCH, values), thread_id)


async def settle(conn: Connection, thread_id: UUID, status: Status, interrupts: dict[str, Any]) -> None:
    """Say how a thread stands now, unless a run on it is pending or running and will say so itself."""
    if conn.sealer:
        interrupts = await questions_of(conn.sealer, interrupts) or {}
    values = {"thread_id": thread_id, "status": status, "interrupts": Jsonb(interrupts)}
    await conn.execute(SETTLE, values)


async def delete(conn: Connection, thread_id: UUID) -> None:
    """Remove a thread with its runs, approvals, effects and schedules."""
    await conn.execute(DELETE, {"thread_id": thread_id})


def _lasting(life: Life | None) -> dict[str, Any]:
    life = life or Life()
    return {"ttl_minutes": life.minutes, "ttl_strategy": life.strategy}
