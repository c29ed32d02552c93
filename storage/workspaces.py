"""Workspaces: folders and repositories that people have registered, and what each thread got of one."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias
from uuid import UUID

from psycopg.errors import UniqueViolation

from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection

Kind: TypeAlias = Literal["folder", "git"]
Mode: TypeAlias = Literal["shared", "copy", "worktree"]
State: TypeAlias = Literal["preparing", "ready", "failed", "gone"]


class UnknownWorkspace(NotFound):
    """This user has registered no such workspace."""

    code = "unknown_workspace"


class NameTaken(Conflict):
    """This user has a workspace of that name already."""

    code = "name_taken"


class WorkspaceInUse(Conflict):
    """Threads work in it."""

    code = "workspace_in_use"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose workspaces: those of one user of an owner."""

    owner: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder or a repository that was registered."""

    workspace_id: UUID
    owner: str
    user_id: str
    name: str
    kind: Kind
    source: str
    ref: str
    mode: Mode
    uncommitted: bool
    max_mb: int | None
    created_at: datetime
    threads: int = 0
    "How many work in it."


@dataclass(frozen=True, slots=True)
class Folder:
    """What a thread got of a workspace."""

    thread_id: UUID
    workspace_id: UUID
    path: str
    own: bool
    "Whether we made it for the thread."
    state: State
    problem: str | None
    base_tree: str | None
    base_commit: str | None
    kept_tree: str | None
    formerly: list[str]
    bytes: int | None
    created_at: datetime
    last_used_at: datetime


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

OF_THREAD = "select * from thread_workspaces where thread_id = %(thread_id)s"

OF_OWNERS_THREAD = """
select f.* from thread_workspaces f join threads t using (thread_id)
 where f.thread_id = %(thread_id)s and t.owner = %(owner)s
"""

FOLDERS = """
select * from thread_workspaces where workspace_id = %(workspace_id)s
 order by last_used_at desc, thread_id limit %(limit)s offset %(offset)s
"""

OF_FOLDER = "select * from workspaces where workspace_id = %(workspace_id)s"

TREES = """
select before as tree from snapshots where thread_id = %(thread_id)s and before is not null
 union
select after from snapshots where thread_id = %(thread_id)s and after is not null
"""

CHOOSE = """
insert into thread_workspaces (thread_id, workspace_id, path, own, state)
select %(thread_id)s, %(workspace_id)s, %(path)s, %(own)s, %(state)s
 where exists (select from threads where thread_id = %(thread_id)s)
on conflict (thread_id) do nothing
"""

NOTE = """
update thread_workspaces
   set state = %(state)s, problem = %(problem)s, base_tree = coalesce(base_tree, %(base_tree)s),
       base_commit = coalesce(base_commit, %(base_commit)s), bytes = coalesce(%(bytes)s, bytes),
       last_used_at = clock_timestamp()
 where thread_id = %(thread_id)s
"""

USED = "update thread_workspaces set last_used_at = clock_timestamp() where thread_id = %(thread_id)s"

GONE = """
update thread_workspaces set state = 'gone', kept_tree = %(kept_tree)s where thread_id = %(thread_id)s
"""

COPY = """
insert into thread_workspaces (thread_id, workspace_id, path, own, state, problem, base_tree, base_commit,
                               kept_tree, formerly, bytes)
select %(target)s, workspace_id, %(path)s, own, state, problem, base_tree, base_commit, kept_tree,
       case when path = %(path)s then formerly else formerly || path end, bytes
  from thread_workspaces where thread_id = %(source)s
"""

# Nothing runs there, and nothing did for long; the lock keeps a run from beginning meanwhile.
UNUSED = """
select f.* from thread_workspaces f join threads t using (thread_id)
 where f.own and f.state = 'ready' and f.path = any(%(paths)s)
   and f.last_used_at < clock_timestamp() - make_interval(secs => %(seconds)s::float8)
   and not exists (select from runs r where r.thread_id = f.thread_id and r.status in ('pending', 'running'))
 limit 1 for no key update of t skip locked
"""

TAKEN = "select from thread_workspaces where path = %(path)s"

FREE = """
select f.path from thread_workspaces f join threads t using (thread_id)
 where f.path = %(path)s and f.own and f.state = 'gone'
   and not exists (select from runs r where r.thread_id = f.thread_id and r.status in ('pending', 'running'))
   for no key update of t skip locked
"""

WANTED = """
select path from thread_workspaces where path = any(%(paths)s) and own and state <> 'gone'
"""


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


async def of_thread(conn: Connection, thread_id: UUID, *, owner: str) -> Folder | None:
    """Return what a thread got; None when it chose no registered workspace."""
    return await _folder(conn, OF_OWNERS_THREAD, {"thread_id": thread_id, "owner": owner})


async def folders(conn: Connection, workspace_id: UUID, *, limit: int, offset: int = 0) -> list[Folder]:
    """Return what threads got of a workspace, last used first; the caller has found that workspace."""
    values = {"workspace_id": workspace_id, "limit": limit, "offset": offset}
    return [Folder(**row) for row in await (await conn.execute(FOLDERS, values)).fetchall()]


async def choose(
    conn: Connection, thread_id: UUID, workspace_id: UUID, path: str, *, own: bool
) -> Folder | None:
    """Give a thread a folder, unless it has one, and return what it has; None: the thread went away."""
    state: State = "preparing" if own else "ready"
    values = {
        "thread_id": thread_id,
        "workspace_id": workspace_id,
        "path": path,
        "own": own,
        "state": state,
    }
    await conn.execute(CHOOSE, values)
    return await _folder(conn, OF_THREAD, values)


async def note(
    conn: Connection,
    thread_id: UUID,
    state: State,
    *,
    problem: str | None = None,
    base_tree: str | None = None,
    base_commit: str | None = None,
    size: int | None = None,
) -> None:
    """Write how far a folder is; what the thread began from is written once."""
    values = {
        "thread_id": thread_id,
        "state": state,
        "problem": problem,
        "base_tree": base_tree,
        "base_commit": base_commit,
        "bytes": size,
    }
    await conn.execute(NOTE, values)


async def used(conn: Connection, thread_id: UUID) -> None:
    """Note that a thread uses its folder now."""
    await conn.execute(USED, {"thread_id": thread_id})


async def gone(conn: Connection, thread_id: UUID, kept_tree: str | None) -> None:
    """Note that the folder of a thread is removed, and where its files are kept."""
    await conn.execute(GONE, {"thread_id": thread_id, "kept_tree": kept_tree})


async def of_folder(conn: Connection, folder: Folder) -> Workspace:
    """Return the workspace that a folder is of."""
    return (await _rows(conn, OF_FOLDER, {"workspace_id": folder.workspace_id}))[0]


async def trees(conn: Connection, thread_id: UUID) -> list[str]:
    """Return the snapshots before and after each change on a thread."""
    rows = await (await conn.execute(TREES, {"thread_id": thread_id})).fetchall()
    return [row["tree"] for row in rows]


async def copy(conn: Connection, source: UUID, target: UUID, path: str) -> None:
    """Give the copy of a thread the same workspace, at `path`."""
    await conn.execute(COPY, {"source": source, "target": target, "path": path})


async def unused(conn: Connection, paths: Collection[str], seconds: float) -> Folder | None:
    """Return one of these folders that nobody has used for so long; its thread is locked meanwhile."""
    return await _folder(conn, UNUSED, {"paths": list(paths), "seconds": seconds})


async def wanted(conn: Connection, paths: Sequence[str]) -> set[str]:
    """Return which of these folders belong to threads that are there."""
    rows = await (await conn.execute(WANTED, {"paths": list(paths)})).fetchall()
    return {row["path"] for row in rows}


async def is_free(conn: Connection, path: str) -> bool:
    """Say whether a folder is no thread's, or its thread gave it up; that one begins no run meanwhile."""
    if await (await conn.execute(TAKEN, {"path": path})).fetchone() is None:
        return True
    return await (await conn.execute(FREE, {"path": path})).fetchone() is not None


def _of(whose: Whose) -> dict[str, Any]:
    return {"owner": whose.owner, "user_id": whose.user_id}


async def _rows(conn: Connection, query: str, values: Mapping[str, Any], name: str = "") -> list[Workspace]:
    try:
        rows = await (await conn.execute(query, dict(values))).fetchall()
    except UniqueViolation:
        raise NameTaken(f"there is a workspace {name!r} already: choose another name") from None
    return [Workspace(**row) for row in rows]


async def _folder(conn: Connection, query: str, values: Mapping[str, Any]) -> Folder | None:
    row = await (await conn.execute(query, dict(values))).fetchone()
    return Folder(**row) if row else None
