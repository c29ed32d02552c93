"""Policies of one's own: versions that are only added to; the newest holds."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from psycopg.types.json import Jsonb

from artel.storage.errors import Conflict
from artel.storage.postgres import Connection


class NotThatVersion(Conflict):
    """The policy is another version than the one that was to be replaced."""

    code = "not_that_version"


@dataclass(frozen=True, slots=True)
class Version:
    """A version of somebody's policy."""

    owner: str
    user_id: str
    version: int
    document: Any  # None: from here on the server's own policy holds
    author: str
    created_at: datetime


# A document that the reader knows is not sent again.
NEWEST = """
select version, document is not null as own,
       case when version is distinct from %(known)s then document end as document
  from policies where owner = %(owner)s and user_id = %(user_id)s
 order by version desc limit 1
"""

VERSIONS = """
select * from policies where owner = %(owner)s and user_id = %(user_id)s
 order by version desc limit %(limit)s offset %(offset)s
"""

ADD = """
insert into policies (owner, user_id, version, document, author)
select %(owner)s, %(user_id)s, newest.version + 1, %(document)s, %(author)s
  from (select coalesce(max(version), 0) as version from policies
         where owner = %(owner)s and user_id = %(user_id)s) newest
 where %(if_version)s::int is null or newest.version = %(if_version)s
on conflict do nothing
returning *
"""


async def newest(
    conn: Connection, *, owner: str, user_id: str, known: int | None = None
) -> tuple[int, bool, Any]:
    """Return the number of the version that holds, whether it has a document, and that.

    Without one: 0. The document is left out when its version is `known`.
    """
    values = {"owner": owner, "user_id": user_id, "known": known}
    row = await (await conn.execute(NEWEST, values)).fetchone()
    if row is None:
        return 0, False, None
    document = await conn.sealer.open(row["document"]) if conn.sealer else row["document"]
    return row["version"], row["own"], document


async def versions(
    conn: Connection, *, owner: str, user_id: str, limit: int = 100, offset: int = 0
) -> list[Version]:
    """Return the versions of somebody's policy, newest first."""
    return await _all(conn, VERSIONS, {"owner": owner, "user_id": user_id, "limit": limit, "offset": offset})


async def add(
    conn: Connection,
    document: dict[str, Any] | None,
    *,
    owner: str,
    user_id: str,
    author: str,
    if_version: int | None = None,
) -> Version:
    """Add a version, which holds from the commit on; None goes back to the server's own policy.

    Raises:
        NotThatVersion: the newest is not `if_version`, 0 for none, or somebody else adds one right now.
    """
    if document is not None and conn.sealer:
        document = await conn.sealer.seal("policy", "document", document)
    values = {
        "owner": owner,
        "user_id": user_id,
        "document": None if document is None else Jsonb(document),
        "author": author,
        "if_version": if_version,
    }
    if made := await _all(conn, ADD, values):
        return made[0]
    number, _, _ = await newest(conn, owner=owner, user_id=user_id)
    wanted = "was added to at this moment" if if_version is None else f"is not version {if_version}"
    raise NotThatVersion(f"the policy {wanted}: version {number} holds; read that, then change it")


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[Version]:
    found = [Version(**row) for row in await (await conn.execute(query, values)).fetchall()]
    if not conn.sealer:
        return found
    return [replace(one, document=await conn.sealer.open(one.document)) for one in found]
