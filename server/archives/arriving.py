"""An archive as a new thread of whoever brings it: the same state, and nothing that could still be answered.

What it brings is as trustworthy as who made it, so it gets no power: rows that rules and bills go by
(approvals, grants, audit, usage) are none of its thread's; they are kept as history to read.
"""

from asyncio import to_thread
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any
from uuid import UUID

from langgraph.checkpoint.base import CheckpointTuple
from langgraph.errors import EmptyInputError, InvalidUpdateError

from artel.server.auth.caller import Caller
from artel.server.catalog import Catalog, UnknownGraph
from artel.server.engine import Engine
from artel.server.protocol import snapshots
from artel.storage import checkpoints, imports, threads
from artel.storage.archives import Archive, ArchiveWrong, opened
from artel.storage.archives.checkpoints import read, write
from artel.storage.archives.opening import CHECKPOINTS
from artel.storage.archives.values import moment, restored
from artel.storage.encoding import dumps, loads
from artel.storage.ids import new_id
from artel.storage.threads import Thread

AT_ONCE = 16  # checkpoints that are decoded in one go
MAX_HISTORY = 8 * 1024 * 1024  # bytes of each file that is kept to be read
HISTORY = {
    "thread.json": "thread",
    "approvals.json": "approvals",
    "runs.json": "runs",
    "changes.json": "changes",
    "usage.json": "usage",
    "audit.json": "audit",
    "earlier.json": "earlier",
}
_ODD = (
    InvalidUpdateError,
    EmptyInputError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
)


async def take_in(engine: Engine, catalog: Catalog, file: Path, *, caller: Caller) -> Thread:
    """Make a thread of the archive in a file, all or nothing.

    Raises:
        ArchiveWrong: it is none, or its graph cannot read the state.
        UnknownGraph: the graph of the thread is not served here.
        UnknownThread: the configuration's `auth` would not let the caller see what they made.
    """
    archive = await to_thread(opened, file)
    try:
        return await _made(engine, catalog, archive, caller)
    finally:
        archive.close()


async def _made(engine: Engine, catalog: Catalog, archive: Archive, caller: Caller) -> Thread:
    told = archive.manifest
    if told.missing:
        raise ArchiveWrong(f"its state could not be written when it was made: {told.missing}")
    if told.graph_id is not None and told.graph_id not in catalog.names():
        raise UnknownGraph(f"it is a thread of the graph {told.graph_id!r}, which is not served here")
    history = await to_thread(_history, archive)
    metadata: dict[str, Any] = {"imported_from": _plain(told.thread_id), "imported_at": moment()}
    if told.graph_id is not None:
        metadata["graph_id"] = told.graph_id
    thread_id = new_id()
    asked: dict[str, Any] = {"thread_id": thread_id, "metadata": metadata}
    await caller.may("threads", "create", asked)
    seen = await caller.may("threads", "read", {"thread_id": thread_id})
    try:
        await _save(engine, thread_id, archive)
        status, _ = await _standing(engine, catalog, thread_id, told.graph_id)
        async with engine.db.transaction() as conn:
            await threads.create(
                conn,
                thread_id,
                owner=caller.owner,
                metadata=asked["metadata"],
                life=engine.retention.life,
                status=status,
            )
            made = await threads.get(conn, thread_id, owner=caller.owner, allowed=seen)
            await imports.add(
                conn, thread_id, source=_plain(told.thread_id), imported_by=caller.name, history=history
            )
    except BaseException:
        async with engine.db.transaction() as undoing:
            await checkpoints.delete_thread(undoing, thread_id)
        raise
    return made


async def _save(engine: Engine, thread_id: UUID, archive: Archive) -> None:
    saver, found = checkpoints.reader(engine.db), read(archive.lines(CHECKPOINTS))
    while some := await to_thread(_some, found):
        try:
            await write(saver, thread_id, some)
        except (ValueError, TypeError, OverflowError) as odd:
            raise ArchiveWrong(f"checkpoints.jsonl holds what no state can: {str(odd)[:200]}") from odd


def _some(found: Iterator[CheckpointTuple]) -> list[CheckpointTuple]:
    return list(islice(found, AT_ONCE))


async def _standing(
    engine: Engine, catalog: Catalog, thread_id: UUID, graph_id: str | None
) -> tuple[threads.Status, Mapping[str, Any]]:
    """Look at every state through the graph, as clients will: one it cannot read is refused now."""
    if graph_id is None:
        return "idle", {}
    head: Any = {"configurable": {"thread_id": str(thread_id), "checkpoint_ns": ""}}
    async with snapshots.opened(engine, catalog, graph_id, "threads.read", looks=True) as graph:
        try:
            state = await graph.aget_state(head, subgraphs=True)
            dumps(snapshots.state_record(state))
            async for one in graph.aget_state_history(head):
                dumps(snapshots.state_record(one))
        except _ODD as odd:
            raise ArchiveWrong(
                f"the graph {graph_id} cannot read its states: {' '.join(str(odd).split())[:200]}"
            ) from odd
    return snapshots.standing(state)


def _history(archive: Archive) -> dict[str, Any]:
    """Return what is kept to be read; texts that no database takes lose the odd characters."""
    found: dict[str, Any] = {}
    for name, key in HISTORY.items():
        member = archive.manifest.members.get(name)
        if member is None:
            continue
        if member.bytes > MAX_HISTORY:
            found[key] = {"left_out": f"{name} has {member.bytes} bytes, at most {MAX_HISTORY} are kept"}
        else:
            found[key] = loads(dumps(restored(archive.json(name))))
    return found


def _plain(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\0", "")
