"""Threads that begin with a past: one that is told superstep by superstep, or that of another thread."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from langgraph.types import StateUpdate

from artel.server.catalog import Catalog
from artel.server.engine import Engine, workspaces
from artel.server.engine.pickup import command_of
from artel.server.protocol import snapshots
from artel.server.protocol.thread_bodies import Superstep, ThreadBody, Update
from artel.storage import checkpoints, deadlines, runs, threads
from artel.storage import snapshots as file_snapshots
from artel.storage.errors import BadRequest
from artel.storage.threads import Life, Thread, ThreadExists, UnknownThread


async def with_past(
    engine: Engine,
    catalog: Catalog,
    body: ThreadBody,
    thread_id: UUID,
    *,
    metadata: dict[str, Any],
    owner: str,
    allowed: str | None,
) -> Thread:
    """Make a thread and apply its supersteps, all or nothing; one that is there stays as it is.

    Raises:
        ThreadExists: there is one, and that is an error or it is somebody else's.
        NoGraph: nobody knows by which graph to read the updates.
        UnknownGraph: that graph is not served.
        BadRequest: the graph cannot take them.
    """
    graph_id = metadata.get("graph_id")
    if not isinstance(graph_id, str) or not graph_id:
        raise snapshots.NoGraph("supersteps are applied by a graph: set graph_id in the thread's metadata")
    async with (
        snapshots.opened(engine, catalog, graph_id, "threads.update") as graph,
        snapshots.changing,
        engine.db.transaction() as conn,
    ):
        life = body.life or engine.retention.life
        try:
            await threads.create(conn, thread_id, owner=owner, metadata=metadata, life=life)
        except ThreadExists:
            if body.if_exists == "raise":
                raise
            return await threads.create(
                conn, thread_id, owner=owner, if_exists=body.if_exists, allowed=allowed
            )
        try:
            state = await snapshots.applied(graph, thread_id, graph_id, _steps(body.supersteps))
        except BaseException:
            async with engine.db.transaction() as undoing:
                await checkpoints.delete_thread(undoing, thread_id)
            raise
        await threads.settle(conn, thread_id, *snapshots.standing(state))
        return await threads.get(conn, thread_id, owner=owner)


async def copy(
    engine: Engine, source_id: UUID, target_id: UUID, *, metadata: dict[str, Any], owner: str
) -> Thread:
    """Make a thread with the state, history and changes of another, and ask on it what is open on that one.

    One with a folder of its own gives the copy one, too, with the same files. Of a thread on which something
    runs the copy has what was saved so far.

    Raises:
        UnknownThread: this owner has no such thread.
        ToolFailed: its folder cannot be copied.
    """
    async with engine.db.transaction() as conn:
        source = await threads.lock(conn, source_id, owner=owner)
        if source is None:
            raise UnknownThread(f"no thread {source_id}")
        rests = not await runs.active(conn, source_id)
        waits = rests and bool(source.interrupts or source.status == "interrupted")
        made = await threads.create(
            conn,
            target_id,
            owner=owner,
            metadata=metadata,
            config=source.config,
            life=Life(source.ttl_minutes, source.ttl_strategy),
            status="interrupted" if waits else "idle",
            interrupts=source.interrupts if rests else {},
        )
        await checkpoints.copy_thread(conn, source_id, target_id)
        tree = None if rests else await file_snapshots.newest_saved(conn, source_id)
        moved = await workspaces.copy_folder(engine, conn, source_id, target_id, owner=owner, tree=tree)
        await file_snapshots.copy(conn, source_id, target_id, moved)
        if rests:
            await deadlines.ask_again(conn, source_id, target_id)
    engine.asked.set()
    return made


def _steps(supersteps: Sequence[Superstep]) -> list[list[StateUpdate]]:
    return [[_update(update) for update in step.updates] for step in supersteps]


def _update(update: Update) -> StateUpdate:
    if update.command is None:
        return StateUpdate(update.values, update.as_node)  # type: ignore[arg-type]
    command = update.command.model_dump(exclude_unset=True)
    if "resume" in command:
        raise BadRequest("command.resume answers a question of a run; a superstep has update and goto only")
    return StateUpdate(command_of(command), update.as_node)  # type: ignore[arg-type]
