"""Snapshots: which tree of files a step found, and which it left; the files lie in the data folder.

A change is written before it begins and again when it has ended. A repeat of the same call finds its own row,
with the tree that the first attempt found.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.effects import EffectKey
from artel.storage.errors import NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.threads import UnknownThread

MOST_PATHS = 500  # of one change that are listed in its row
UNDO = "undo"
RESTORE = "restore"
EDIT = "edit"  # by a person, on the page


class UnknownChange(NotFound):
    """No change with that id was made on the thread."""


@dataclass(frozen=True, slots=True)
class Change:
    """What one step, or an undo, did to the files."""

    change_id: UUID
    effect_key: bytes | None  # of the call; None: a person did it
    thread_id: UUID
    run_id: UUID | None
    checkpoint_id: str
    tool_call_id: str
    tool: str
    workspace: str
    before: str | None
    after: str | None
    paths: list[dict[str, str]]
    files: int
    undoes: list[UUID]
    problem: str | None
    begun_at: datetime
    done_at: datetime | None

    @property
    def is_ours(self) -> bool:
        """Whether a person did it through us: an undo, a restore, an edit."""
        return self.effect_key is None


BEGIN = """
insert into snapshots (change_id, effect_key, thread_id, run_id, checkpoint_id, tool_call_id, tool, workspace,
                       before, problem)
select %(change_id)s, %(key)s, %(thread_id)s, %(run_id)s, %(checkpoint_id)s, %(tool_call_id)s, %(tool)s,
       %(workspace)s, %(before)s, %(problem)s
 where exists (select from threads where thread_id = %(thread_id)s)
on conflict (effect_key) do update set before = coalesce(snapshots.before, excluded.before)
returning change_id, before
"""

FINISH = """
update snapshots set after = %(after)s, paths = %(paths)s, files = %(files)s, problem = %(problem)s,
                     done_at = clock_timestamp()
 where change_id = %(change_id)s
"""

FORGET = "delete from snapshots where change_id = %(change_id)s"

# Where an undo belongs: what the thread knows next begins from the checkpoint that is its newest now.
ADD = """
insert into snapshots (change_id, thread_id, checkpoint_id, tool, workspace, before, undoes)
select %(change_id)s, %(thread_id)s,
       coalesce((select max(checkpoint_id) from checkpoints where thread_id = %(thread_id)s::text), ''),
       %(tool)s, %(workspace)s, %(before)s, %(undoes)s
"""

OF_THREAD = """
select * from snapshots
 where thread_id = %(thread_id)s and (%(since)s::uuid is null or change_id >= %(since)s)
 order by change_id desc
"""

GET = "select * from snapshots where thread_id = %(thread_id)s and change_id = %(change_id)s"

AT = """
select * from snapshots
 where thread_id = %(thread_id)s and checkpoint_id >= %(checkpoint_id)s and before is not null
 order by checkpoint_id, change_id limit 1
"""

NEWEST = """
select * from snapshots where thread_id = %(thread_id)s and before is not null
 order by change_id desc limit 1
"""

SINCE = """
select s.* from snapshots s join threads t using (thread_id)
 where s.workspace = %(workspace)s and t.owner = %(owner)s and s.change_id >= %(since)s
   and s.before is not null and s.after is not null
 order by s.change_id
"""

NEWEST_CHECKPOINT = """
select max(checkpoint_id) as newest from checkpoints
 where thread_id = %(thread_id)s::text and checkpoint_ns = ''
"""

IDS = "select change_id from snapshots where thread_id = %(source)s order by change_id"

# Each as if it had been made on the copy: with an id and a key of its own, in the copy's folder.
COPY = """
with named as (select * from unnest(%(old)s::uuid[], %(new)s::uuid[]) as n (old, new))
insert into snapshots (change_id, effect_key, thread_id, run_id, checkpoint_id, tool_call_id, tool, workspace,
                       before, after, paths, files, undoes, problem, begun_at, done_at)
select n.new, sha256(s.effect_key || uuid_send(%(target)s)), %(target)s, s.run_id, s.checkpoint_id,
       s.tool_call_id, s.tool, case when s.workspace = %(from)s then %(to)s else s.workspace end,
       s.before, s.after, s.paths, s.files,
       array(select u.new from named u where u.old = any(s.undoes)), s.problem, s.begun_at, s.done_at
  from snapshots s join named n on n.old = s.change_id
"""

HAS_CHECKPOINT = """
select exists (select from checkpoints
                where thread_id = %(thread_id)s::text and checkpoint_id = %(checkpoint_id)s) as found
"""

PRUNE = """
delete from snapshots where begun_at < clock_timestamp() - make_interval(secs => %(seconds)s::float8)
"""


async def begin(
    conn: Connection,
    key: EffectKey,
    *,
    tool: str,
    workspace: str,
    run_id: UUID | None = None,
    before: str | None = None,
    problem: str | None = None,
) -> tuple[UUID, str | None]:
    """Write what a call finds before it runs; return its change, and the tree that its first attempt found.

    Raises:
        UnknownThread: the thread went away.
    """
    values = {
        "change_id": new_id(),
        "key": key.digest,
        "thread_id": key.thread_id,
        "run_id": run_id,
        "checkpoint_id": key.parent_checkpoint_id,
        "tool_call_id": key.tool_call_id,
        "tool": tool,
        "workspace": workspace,
        "before": before,
        "problem": problem,
    }
    row = await (await conn.execute(BEGIN, values)).fetchone()
    if row is None:
        raise UnknownThread(f"the thread {key.thread_id} went away")
    return row["change_id"], row["before"]


async def finish(
    conn: Connection,
    change_id: UUID,
    after: str | None,
    paths: Sequence[Mapping[str, str]],
    *,
    problem: str | None = None,
) -> None:
    """Write what a call left behind; a change that is not there any more is none."""
    listed: Any = [dict(path) for path in paths[:MOST_PATHS]]
    if conn.sealer:
        listed = await conn.sealer.seal("snapshot", "paths", listed)
    values = {
        "change_id": change_id,
        "after": after,
        "paths": Jsonb(listed),
        "files": len(paths),
        "problem": problem,
    }
    await conn.execute(FINISH, values)


async def forget(conn: Connection, change_id: UUID) -> None:
    """Remove a change that changed nothing."""
    await conn.execute(FORGET, {"change_id": change_id})


async def add(
    conn: Connection,
    thread_id: UUID,
    *,
    tool: str,
    workspace: str,
    before: str | None,
    undoes: Sequence[UUID] = (),
) -> UUID:
    """Write that files are about to be changed or put back by a person; return the change.

    `before` is None when the files as they are cannot be kept.
    """
    change_id = new_id()
    values = {
        "change_id": change_id,
        "thread_id": thread_id,
        "tool": tool,
        "workspace": workspace,
        "before": before,
        "undoes": list(undoes),
    }
    await conn.execute(ADD, values)
    return change_id


async def of_thread(conn: Connection, thread_id: UUID, *, since: UUID | None = None) -> list[Change]:
    """Return the changes on a thread, newest first; from `since` on, that one included."""
    return await _many(conn, OF_THREAD, {"thread_id": thread_id, "since": since})


async def get(conn: Connection, thread_id: UUID, change_id: UUID) -> Change:
    """Return a change.

    Raises:
        UnknownChange: there is none with that id on the thread.
    """
    found = await _many(conn, GET, {"thread_id": thread_id, "change_id": change_id})
    if not found:
        raise UnknownChange(f"no change {change_id} was made on thread {thread_id}")
    return found[0]


async def at(conn: Connection, thread_id: UUID, checkpoint_id: str) -> tuple[Change, str] | None:
    """Return the tree of files that belonged to a checkpoint, and the change that tells; None: unknown.

    It is what the first step from there on found; after the last step, what that left.
    """
    values = {"thread_id": thread_id, "checkpoint_id": checkpoint_id}
    if found := await _many(conn, AT, values):
        return found[0], str(found[0].before)
    newest = await _many(conn, NEWEST, values)
    return (newest[0], str(newest[0].after)) if newest and newest[0].after else None


async def copy(conn: Connection, source: UUID, target: UUID, moved: tuple[str, str] | None = None) -> None:
    """Give the copy of a thread the changes made on it; `moved` says whose folder became which."""
    was, now = moved or ("", "")
    rows = await (await conn.execute(IDS, {"source": source})).fetchall()
    old = [row["change_id"] for row in rows]
    values = {"old": old, "new": [new_id() for _ in old], "target": target, "from": was, "to": now}
    if old:
        await conn.execute(COPY, values)


async def newest_saved(conn: Connection, thread_id: UUID) -> str | None:
    """Return the tree of files that belonged to the newest checkpoint of a thread; None: unknown."""
    row = await (await conn.execute(NEWEST_CHECKPOINT, {"thread_id": thread_id})).fetchone()
    found = await at(conn, thread_id, row["newest"]) if row and row["newest"] else None
    return found[1] if found else None


async def has_checkpoint(conn: Connection, thread_id: UUID, checkpoint_id: str) -> bool:
    """Say whether a thread has a checkpoint."""
    values = {"thread_id": thread_id, "checkpoint_id": checkpoint_id}
    row = await (await conn.execute(HAS_CHECKPOINT, values)).fetchone()
    return bool(row and row["found"])


async def since(conn: Connection, workspace: str, change_id: UUID, *, owner: str) -> list[Change]:
    """Return the finished changes to a workspace from one on, over all threads of an owner, oldest first."""
    return await _many(conn, SINCE, {"workspace": workspace, "since": change_id, "owner": owner})


async def prune(conn: Connection, older_than_s: float) -> int:
    """Remove changes whose files are not kept any more; return how many."""
    return (await conn.execute(PRUNE, {"seconds": older_than_s})).rowcount


async def _many(conn: Connection, query: str, values: Mapping[str, Any]) -> list[Change]:
    rows = await (await conn.execute(query, dict(values))).fetchall()
    if conn.sealer:
        rows = [await conn.sealer.open(row) for row in rows]
    return [Change(**row) for row in rows]
