"""What threads got of workspaces: the folder itself, or one of their own."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any
from uuid import UUID

from artel.storage.postgres import Connection
from artel.storage.workspaces.record import Folder, State

OF_THREAD = "select * from thread_workspaces where thread_id = %(thread_id)s"

OF_OWNERS_THREAD = """
select f.* from thread_workspaces f join threads t using (thread_id)
 where f.thread_id = %(thread_id)s and t.owner = %(owner)s
"""

FOLDERS = """
select * from thread_workspaces where workspace_id = %(workspace_id)s
 order by last_used_at desc, thread_id limit %(limit)s offset %(offset)s
"""

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


async def _folder(conn: Connection, query: str, values: Mapping[str, Any]) -> Folder | None:
    row = await (await conn.execute(query, dict(values))).fetchone()
    return Folder(**row) if row else None
