"""Grants: what somebody has allowed from now on. They hold for runs in the name of who gave them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.errors import NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection

Scope = Literal["thread", "project", "always"]

MOST = 1_000  # grants of somebody that are looked at: the newest


class UnknownGrant(NotFound):
    """Nobody of that name has given a grant with that id."""


@dataclass(frozen=True, slots=True)
class Granted:
    """A grant, and what became of it."""

    grant_id: UUID
    owner: str
    user_id: str
    scope: Scope
    thread_id: UUID | None
    workspace: str | None
    agent: str  # empty: any
    tool: str
    covers: Any  # {"calls": [...]}
    approval_id: UUID | None  # with whose answer it was given
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    used: int
    last_used_at: datetime | None


ADD = """
insert into grants (grant_id, owner, user_id, scope, thread_id, workspace, agent, tool, covers, approval_id,
                    expires_at)
values (%(grant_id)s, %(owner)s, %(user_id)s, %(scope)s, %(thread_id)s, %(workspace)s, %(agent)s, %(tool)s,
        %(covers)s, %(approval_id)s, clock_timestamp() + make_interval(secs => %(expires_in_s)s::float8))
returning *
"""

STANDING = """
select * from grants
 where owner = %(owner)s and user_id = %(user_id)s and revoked_at is null
   and (expires_at is null or expires_at > clock_timestamp())
   and tool = any(%(tools)s)
   and (scope = 'always' or thread_id = %(thread_id)s or workspace = %(workspace)s)
 order by grant_id desc limit %(limit)s
"""

USED = """
update grants set used = used + 1, last_used_at = clock_timestamp()
 where owner = %(owner)s and user_id = %(user_id)s and grant_id = any(%(grant_ids)s)
"""

SEARCH = """
select * from grants
 where owner = %(owner)s and user_id = %(user_id)s
   and (%(all)s or (revoked_at is null and (expires_at is null or expires_at > clock_timestamp())))
   and (%(thread_id)s::uuid is null or thread_id = %(thread_id)s)
 order by grant_id desc limit %(limit)s offset %(offset)s
"""

REVOKE = """
update grants set revoked_at = coalesce(revoked_at, clock_timestamp())
 where owner = %(owner)s and user_id = %(user_id)s and grant_id = %(grant_id)s
returning *
"""


async def add(
    conn: Connection,
    *,
    owner: str,
    user_id: str,
    scope: Scope,
    tool: str,
    covers: Sequence[dict[str, Any]],
    agent: str = "",
    thread_id: UUID | None = None,
    workspace: str | None = None,
    approval_id: UUID | None = None,
    expires_in_s: float | None = None,
) -> Granted:
    """Write a grant; what its scope does not ask for, thread or workspace, is left out."""
    calls: dict[str, Any] = {"calls": list(covers)}
    if conn.sealer:
        calls = await conn.sealer.seal("grant", "covers", calls)
    values = {
        "grant_id": new_id(),
        "owner": owner,
        "user_id": user_id,
        "scope": scope,
        "thread_id": thread_id if scope == "thread" else None,
        "workspace": workspace if scope == "project" else None,
        "agent": agent,
        "tool": tool,
        "covers": Jsonb(calls),
        "approval_id": approval_id,
        "expires_in_s": expires_in_s,
    }
    (made,) = await _all(conn, ADD, values)
    return made


async def standing(
    conn: Connection, *, owner: str, user_id: str, thread_id: UUID, workspace: str, tools: Collection[str]
) -> list[Granted]:
    """Return what somebody has granted calls of `tools` in this place, and neither ended nor revoked."""
    values = {
        "owner": owner,
        "user_id": user_id,
        "thread_id": thread_id,
        "workspace": workspace,
        "tools": list(tools),
        "limit": MOST,
    }
    return await _all(conn, STANDING, values)


async def used(conn: Connection, grant_ids: Collection[UUID], *, owner: str, user_id: str) -> None:
    """Note that grants have let a call through."""
    await conn.execute(USED, {"grant_ids": list(grant_ids), "owner": owner, "user_id": user_id})


async def search(
    conn: Connection,
    *,
    owner: str,
    user_id: str,
    thread_id: UUID | None = None,
    ended: bool = False,
    limit: int = 100,
    offset: int = 0,
) -> list[Granted]:
    """Return somebody's grants, newest first; with `ended` also expired and revoked ones."""
    values = {
        "owner": owner,
        "user_id": user_id,
        "thread_id": thread_id,
        "all": ended,
        "limit": limit,
        "offset": offset,
    }
    return await _all(conn, SEARCH, values)


async def revoke(conn: Connection, grant_id: UUID, *, owner: str, user_id: str) -> Granted:
    """End a grant; one that has ended stays as it is.

    Raises:
        UnknownGrant: this person has given no such grant.
    """
    values = {"grant_id": grant_id, "owner": owner, "user_id": user_id}
    found = await _all(conn, REVOKE, values)
    if not found:
        raise UnknownGrant(f"no grant {grant_id}")
    return found[0]


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[Granted]:
    found = [Granted(**row) for row in await (await conn.execute(query, values)).fetchall()]
    if not conn.sealer:
        return found
    return [replace(one, covers=await conn.sealer.open(one.covers)) for one in found]
