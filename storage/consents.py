"""Who lets models learn of their conversations. Nobody does who has not said so."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from artel.storage.postgres import Connection

PAGE = 200  # threads looked for at a time

GIVE = """
insert into training_consents (owner, user_id) values (%(owner)s, %(user_id)s) on conflict do nothing
"""
WITHDRAW = "delete from training_consents where owner = %(owner)s and user_id = %(user_id)s"
GIVEN = "select given_at from training_consents where owner = %(owner)s and user_id = %(user_id)s"
GIVEN_BY_ALL = """
select user_id, given_at from training_consents
 where owner = %(owner)s and (%(user_id)s::text is null or user_id = %(user_id)s)
"""
EXCLUDE = """
insert into training_exclusions (thread_id, user_id) values (%(thread_id)s, %(user_id)s)
on conflict do nothing
"""
INCLUDE = "delete from training_exclusions where thread_id = %(thread_id)s"
EXCLUDED = "select thread_id from training_exclusions where thread_id = any(%(thread_ids)s)"

# Threads with runs of people who all consent: one who does not is heard in what the others say.
THREADS = """
select t.thread_id from threads t
 where t.owner = %(owner)s and (%(after)s::uuid is null or t.thread_id > %(after)s)
   and exists (select 1 from runs r join training_consents c on c.owner = r.owner and c.user_id = r.user_id
                where r.thread_id = t.thread_id and r.owner = t.owner
                  and (%(user_id)s::text is null or r.user_id = %(user_id)s))
   and not exists (select 1 from runs r
                    where r.thread_id = t.thread_id
                      and not exists (select 1 from training_consents c
                                       where c.owner = r.owner and c.user_id = r.user_id))
   and not exists (select 1 from training_exclusions e where e.thread_id = t.thread_id)
 order by t.thread_id limit %(limit)s
"""


@dataclass(frozen=True, slots=True)
class Consent:
    """Somebody's yes; of what they begin from then on may be learned."""

    user_id: str
    given_at: datetime


async def give(conn: Connection, *, owner: str, user_id: str) -> Consent:
    """Write somebody's yes; an earlier one stands."""
    values = {"owner": owner, "user_id": user_id}
    await conn.execute(GIVE, values)
    given = await of(conn, owner=owner, user_id=user_id)
    assert given is not None
    return given


async def withdraw(conn: Connection, *, owner: str, user_id: str) -> bool:
    """Take somebody's yes back; say whether there was one."""
    return (await conn.execute(WITHDRAW, {"owner": owner, "user_id": user_id})).rowcount > 0


async def of(conn: Connection, *, owner: str, user_id: str) -> Consent | None:
    """Return somebody's yes, or None."""
    row = await (await conn.execute(GIVEN, {"owner": owner, "user_id": user_id})).fetchone()
    return Consent(user_id, row["given_at"]) if row else None


async def of_all(conn: Connection, *, owner: str, user_id: str | None = None) -> dict[str, datetime]:
    """Return since when each user consents, or this one alone."""
    rows = await (await conn.execute(GIVEN_BY_ALL, {"owner": owner, "user_id": user_id})).fetchall()
    return {row["user_id"]: row["given_at"] for row in rows}


async def exclude(conn: Connection, thread_id: UUID, *, user_id: str) -> None:
    """Have nothing learned of a thread. The caller has made sure that the user may see it."""
    await conn.execute(EXCLUDE, {"thread_id": thread_id, "user_id": user_id})


async def include(conn: Connection, thread_id: UUID) -> None:
    """Take back that nothing is learned of a thread; whose it is must still have said yes."""
    await conn.execute(INCLUDE, {"thread_id": thread_id})


async def excluded(conn: Connection, thread_ids: list[UUID]) -> set[UUID]:
    """Return which of these threads are excluded."""
    rows = await (await conn.execute(EXCLUDED, {"thread_ids": thread_ids})).fetchall()
    return {row["thread_id"] for row in rows}


async def threads_of(
    conn: Connection, *, owner: str, user_id: str | None = None, after: UUID | None = None, limit: int = PAGE
) -> list[UUID]:
    """Return threads of which may be learned, above `after` in the order of their ids."""
    values = {"owner": owner, "user_id": user_id, "after": after, "limit": limit}
    return [row["thread_id"] for row in await (await conn.execute(THREADS, values)).fetchall()]
