"""Registering, finding, changing and forgetting workspaces: each user has their own."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from psycopg.errors import UniqueViolation

from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.workspaces.record import (
    Folder,
    Kind,
    Mode,
    NameTaken,
    UnknownWorkspace,
    Whose,
    Workspace,
    WorkspaceInUse,
)

ADD = """
insert into workspaces (workspace_id, owner, user_id, name, kind, source, ref, mode, uncommitted, max_mb)
values (%(workspace_id)s, %(owner)s, %(user_id)s, %(name)s, %(kind)s, %(source)s, %(ref)s, %(mode)s,
        %(uncommitted)s, %(max_mb)s)
returning *
"""

SEARCH = """
select w.*, (select count(*) from thread_workspaces t
              where t.workspace_id = w.workspace_id and t.state <> 'gone') as threads
  from workspaces w
 where w.owner = %(owner)s and w.user_id = %(user_id)s
   and (%(named)s::text is null or w.name = %(named)s or w.workspace_id::text = %(named)s)
 order by w.name limit %(limit)s offset %(offset)s
"""

OF_REMOTES = "select * from workspaces where kind = 'git'"

CHANGE = """
update workspaces set name = coalesce(%(name)s, name), mode = coalesce(%(mode)s, mode),
                      ref = coalesce(%(ref)s, ref), uncommitted = coalesce(%(uncommitted)s, uncommitted),
                      max_mb = coalesce(%(max_mb)s, max_mb)
 where workspace_id = %(workspace_id)s and owner = %(owner)s and user_id = %(user_id)s
returning *
"""

DELETE = """
delete from workspaces w
 where w.workspace_id = %(workspace_id)s and w.owner = %(owner)s and w.user_id = %(user_id)s
   and (%(force)s or not exists (select from thread_workspaces t
                                  where t.workspace_id = w.workspace_id and t.state <> 'gone'))
"""

OF_FOLDER = "select * from workspaces where workspace_id = %(workspace_id)s"


async def register(
    conn: Connection,
    whose: Whose,
    *,
    name: str,
    kind: Kind,
    source: str,
    mode: Mode,
    ref: str = "",
    uncommitted: bool = False,
    max_mb: int | None = None,
) -> Workspace:
    """Register a workspace; the caller has checked the source.

    Raises:
        NameTaken: this user has one of that name.
    """
    values = {
        **_of(whose),
        "workspace_id": new_id(),
        "name": name,
        "kind": kind,
        "source": source,
        "ref": ref,
        "mode": mode,
        "uncommitted": uncommitted,
        "max_mb": max_mb,
    }
    return (await _rows(conn, ADD, values, name))[0]


async def get(conn: Connection, whose: Whose, named: str | UUID) -> Workspace:
    """Return the workspace of that name or id.

    Raises:
        UnknownWorkspace: this user has none.
    """
    values = {**_of(whose), "named": str(named), "limit": 1, "offset": 0}
    found = await _rows(conn, SEARCH, values)
    if not found:
        raise UnknownWorkspace(
            f"no workspace {str(named)[:80]!r} is registered: POST /api/v1/workspaces does it"
        )
    return found[0]


async def search(conn: Connection, whose: Whose, *, limit: int, offset: int = 0) -> list[Workspace]:
    """Return the workspaces of a user, by name."""
    return await _rows(conn, SEARCH, {**_of(whose), "named": None, "limit": limit, "offset": offset})


async def of_remotes(conn: Connection) -> list[Workspace]:
    """Return all workspaces of repositories elsewhere, of everybody."""
    return await _rows(conn, OF_REMOTES, {})


async def change(
    conn: Connection,
    whose: Whose,
    workspace_id: UUID,
    *,
    name: str | None = None,
    mode: Mode | None = None,
    ref: str | None = None,
    uncommitted: bool | None = None,
    max_mb: int | None = None,
) -> Workspace:
    """Change what is given; threads that have their folder keep it as it is.

    Raises:
        UnknownWorkspace: this user has none with that id.
        NameTaken: another one has that name.
    """
    values = {
        **_of(whose),
        "workspace_id": workspace_id,
        "name": name,
        "mode": mode,
        "ref": ref,
        "uncommitted": uncommitted,
        "max_mb": max_mb,
    }
    found = await _rows(conn, CHANGE, values, name or "")
    if not found:
        raise UnknownWorkspace(f"no workspace {workspace_id} is registered")
    return await get(conn, whose, workspace_id)


async def delete(conn: Connection, whose: Whose, workspace_id: UUID, *, force: bool) -> None:
    """Forget a workspace; with `force` threads lose the folders that they have of it.

    Raises:
        UnknownWorkspace: this user has none with that id.
        WorkspaceInUse: threads work in it, and there is no `force`.
    """
    found = await get(conn, whose, workspace_id)
    done = await conn.execute(DELETE, {**_of(whose), "workspace_id": workspace_id, "force": force})
    if not done.rowcount:
        raise WorkspaceInUse(
            f"{found.threads} thread(s) work in {found.name}: delete them first, or give force=true, "
            "which removes the folders that were made for them"
        )


async def of_folder(conn: Connection, folder: Folder) -> Workspace:
    """Return the workspace that a folder is of."""
    return (await _rows(conn, OF_FOLDER, {"workspace_id": folder.workspace_id}))[0]


def _of(whose: Whose) -> dict[str, Any]:
    return {"owner": whose.owner, "user_id": whose.user_id}


async def _rows(conn: Connection, query: str, values: Mapping[str, Any], name: str = "") -> list[Workspace]:
    try:
        rows = await (await conn.execute(query, dict(values))).fetchall()
    except UniqueViolation:
        raise NameTaken(f"there is a workspace {name!r} already: choose another name") from None
    return [Workspace(**row) for row in rows]
