"""States of threads: read and changed through their graphs, and written as the wire has them."""

import asyncio
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

from langchain_core.runnables import RunnableConfig
from langgraph.channels.base import BaseChannel
from langgraph.errors import EmptyChannelError, InvalidUpdateError
from langgraph.pregel import Pregel
from langgraph.runtime import Runtime
from langgraph.types import Interrupt, PregelTask, StateSnapshot, StateUpdate

from artel.server.catalog import Catalog
from artel.server.engine import Engine
from artel.server.engine.audience import CHANGED
from artel.server.engine.dispatch import ThreadBusy
from artel.storage import approvals, audit, checkpoints, runs, threads
from artel.storage.broker import notify
from artel.storage.errors import BadRequest, NotFound
from artel.storage.threads import Thread, UnknownThread

Json = dict[str, Any]
Graph = Pregel[Any, Any, Any, Any]

AT_ONCE = 8  # threads whose values are read at the same time
_CHANNELS = "langgraph.channels."  # a class of somebody's own may do anything with what was stored
_RUNTIME = "__pregel_runtime"  # where get_store() looks; LangGraph fills it in for runs, not for updates
_WRONG_VALUES = (InvalidUpdateError, ValueError, TypeError, LookupError, AttributeError, NotImplementedError)
changing = asyncio.Semaphore(1)  # a change keeps one connection while it needs another of the same pool


class NoGraph(BadRequest):
    """Nothing ever ran on the thread, and its metadata names no graph."""

    code = "no_graph"


class UnknownCheckpoint(NotFound):
    """The thread's history has no such checkpoint."""


@asynccontextmanager
async def opened(
    engine: Engine, catalog: Catalog, graph_id: str, access: Any, *, looks: bool = False
) -> AsyncIterator[Graph]:
    """Open a graph over the stored checkpoints; one that only `looks` at a listing of them, if it can."""
    async with catalog.graph(graph_id, {}, access=access) as graph:
        saver = checkpoints.reader(engine.db, shares=looks and _leaves_alone(graph))
        yield graph.copy(update={"checkpointer": saver})


def _leaves_alone(graph: Graph) -> bool:
    """Whether no code of somebody's own comes near the stored values while a graph's past is read."""
    channels = all(type(channel).__module__.startswith(_CHANNELS) for channel in graph.channels.values())
    return channels and all(node.mapper is None for node in graph.nodes.values())


def graph_of(thread: Thread) -> str | None:
    """Return the name of the graph that ran on a thread, as its metadata has it."""
    name = thread.metadata.get("graph_id")
    return name if isinstance(name, str) and name else None


async def read(
    engine: Engine, catalog: Catalog, thread: Thread, checkpoint: Mapping[str, Any], *, subgraphs: bool
) -> Json:
    """Return the state of a thread at a checkpoint, or its newest.

    Raises:
        UnknownCheckpoint: there is none such.
    """
    graph_id = graph_of(thread)
    snapshot = None
    if graph_id:
        async with opened(engine, catalog, graph_id, "threads.read") as graph:
            snapshot = await graph.aget_state(_config(thread, checkpoint), subgraphs=subgraphs)
    if snapshot is not None and snapshot.metadata is not None:
        return state_record(snapshot)
    if wanted := checkpoint.get("checkpoint_id") or checkpoint.get("checkpoint_ns"):
        raise UnknownCheckpoint(f"thread {thread.thread_id} has no checkpoint {wanted}")
    return state_record(None)


async def history(
    engine: Engine,
    catalog: Catalog,
    thread: Thread,
    *,
    limit: int,
    before: str | None,
    metadata: Json,
    checkpoint: Mapping[str, Any],
) -> list[Json]:
    """Return the states of a thread, newest first; none of a graph inside that it does not have."""
    graph_id = graph_of(thread)
    if not graph_id:
        return []
    earlier = _config(thread, {**checkpoint, "checkpoint_id": before}) if before else None
    async with opened(engine, catalog, graph_id, "threads.read", looks=True) as graph:
        found = graph.aget_state_history(
            _config(thread, checkpoint), filter=metadata or None, before=earlier, limit=limit
        )
        return [state_record(snapshot) async for snapshot in found]


async def update(
    engine: Engine,
    catalog: Catalog,
    thread_id: UUID,
    values: Any,
    *,
    as_node: str | None,
    checkpoint: Mapping[str, Any],
    owner: str,
    allowed: str | None = None,
    audited: Sequence[Mapping[str, Any]] = (),
) -> Json:
    """Change a thread's state as if a node had written `values`; return where it is now.

    No run can begin in the meantime. What the thread asked before, and does not ask any more, is set aside.
    The audit log is told by the entries `audited`.

    Raises:
        UnknownThread: this owner has no such thread.
        ThreadBusy: a run is pending or running there.
        UnknownCheckpoint: the one to change is not in its history.
        NoGraph: nobody knows by which graph to read `values`.
        BadRequest: the graph cannot take them.
    """
    async with changing, engine.db.transaction() as conn:
        thread = await threads.lock(conn, thread_id, owner=owner, allowed=allowed)
        if thread is None:
            raise UnknownThread(f"no thread {thread_id}")
        if there := await runs.active(conn, thread_id):
            raise ThreadBusy(f"thread {thread_id} is busy with run {there[0].run_id}")
        graph_id = graph_of(thread)
        if not graph_id:
            raise NoGraph(
                f"thread {thread_id} has no graph: run one on it first, or set graph_id in its metadata"
            )
        async with opened(engine, catalog, graph_id, "threads.update") as graph:
            config = _config(thread, checkpoint)
            wanted = checkpoint.get("checkpoint_id")
            if wanted and (await graph.aget_state(config)).metadata is None:
                raise UnknownCheckpoint(f"thread {thread_id} has no checkpoint {wanted}")
            config["metadata"] = {"graph_id": graph_id}
            try:
                new = await graph.aupdate_state(_with_store(graph, config), values, as_node)
            except _WRONG_VALUES as wrong:
                raise BadRequest(f"the graph cannot take these values: {wrong}") from wrong
            state = await graph.aget_state(_config(thread, {}))
        status, asked = standing(state)
        if not asked:
            await approvals.supersede(conn, thread_id)
        await threads.settle(conn, thread_id, status, asked)
        await audit.add(conn, audited)
        await notify(conn, CHANGED, str(thread_id))
    where = _place(new)
    assert where is not None
    return {"checkpoint": where, "configurable": where, "checkpoint_id": where["checkpoint_id"]}


async def applied(
    graph: Graph, thread_id: UUID, graph_id: str, supersteps: Sequence[Sequence[StateUpdate]]
) -> StateSnapshot:
    """Give a new thread a past, superstep by superstep; return where it stands.

    Raises:
        BadRequest: the graph cannot take them.
    """
    head: RunnableConfig = {"configurable": {"thread_id": str(thread_id), "checkpoint_ns": ""}}
    config: RunnableConfig = {**head, "metadata": {"graph_id": graph_id}}
    try:
        await graph.abulk_update_state(_with_store(graph, config), supersteps)
    except _WRONG_VALUES as wrong:
        raise BadRequest(f"the graph cannot take these supersteps: {wrong}") from wrong
    return await graph.aget_state(head)


def standing(state: StateSnapshot) -> tuple[threads.Status, Json]:
    """Return the status of a thread with this state, and what it asks: `{task_id: [{id, value}]}`."""
    asked = {task.id: [_question(one) for one in task.interrupts] for task in state.tasks if task.interrupts}
    return "interrupted" if state.next else "idle", asked


async def values_of(engine: Engine, catalog: Catalog, found: Sequence[Thread]) -> dict[UUID, Json | None]:
    """Return the newest values of threads; None for one on which nothing ever ran."""
    if not any(map(graph_of, found)):
        return dict.fromkeys(thread.thread_id for thread in found)
    saver = checkpoints.reader(engine.db)
    room = asyncio.Semaphore(AT_ONCE)

    async def values(thread: Thread) -> Json | None:
        graph_id = graph_of(thread)
        if not graph_id:
            return None
        async with room:
            saved = await saver.aget_tuple(_config(thread, {}))
        if saved is None:
            return None
        stored = saved.checkpoint["channel_values"]
        if graph_id not in graphs:
            return {name: stored[name] for name in stored if not name.startswith(("__", "branch:", "join:"))}
        return channel_values(graphs[graph_id], stored)

    wanted = {graph_of(thread) or "" for thread in found}
    graphs: dict[str, Graph] = {}
    for graph_id in wanted.intersection(catalog.names()):
        async with catalog.graph(graph_id, {}, access="threads.read") as graph:
            graphs[graph_id] = graph
    read_ = await asyncio.gather(*(values(thread) for thread in found))
    return {thread.thread_id: one for thread, one in zip(found, read_, strict=True)}


def channel_values(graph: Graph, stored: Mapping[str, Any]) -> Json:
    """Return what a graph shows of the stored values of its channels."""
    shown: Json = {}
    for name in graph.stream_channels_list:
        channel = graph.channels[name]
        if not isinstance(channel, BaseChannel):  # a managed value: it has none
            continue
        try:
            shown[name] = (channel.from_checkpoint(stored[name]) if name in stored else channel).get()
        except EmptyChannelError:
            continue
    return shown


def state_record(snapshot: StateSnapshot | None) -> Json:
    """Return a state as clients know it; the empty one for None."""
    if snapshot is None or snapshot.metadata is None:
        return {
            "values": {},
            "next": [],
            "tasks": [],
            "metadata": None,
            "created_at": None,
            "checkpoint": None,
            "parent_checkpoint": None,
            "interrupts": [],
            "checkpoint_id": None,
            "parent_checkpoint_id": None,
        }
    here, parent = _place(snapshot.config), _place(snapshot.parent_config)
    return {
        "values": snapshot.values,
        "next": list(snapshot.next),
        "tasks": [_task(task) for task in snapshot.tasks],
        "metadata": {**snapshot.metadata, "thread_id": (here or {}).get("thread_id")},
        "created_at": snapshot.created_at,
        "checkpoint": here,
        "parent_checkpoint": parent,
        "interrupts": [_question(asked) for asked in snapshot.interrupts],
        "checkpoint_id": here["checkpoint_id"] if here else None,
        "parent_checkpoint_id": parent["checkpoint_id"] if parent else None,
    }


def _task(task: PregelTask) -> Json:
    inner = task.state
    return {
        "id": task.id,
        "name": task.name,
        "path": list(task.path),
        "error": task.error if task.error is None or isinstance(task.error, str) else repr(task.error),
        "interrupts": [_question(asked) for asked in task.interrupts],
        "checkpoint": inner.get("configurable") if isinstance(inner, dict) else None,
        "state": state_record(inner) if isinstance(inner, StateSnapshot) else None,
        "result": task.result,
    }


def _question(asked: Interrupt) -> Json:
    schema = asked.response_schema
    return {"id": asked.id, "value": asked.value, **({"response_schema": schema} if schema else {})}


def _place(config: RunnableConfig | None) -> Json | None:
    """Return the part of a config that says where a checkpoint is."""
    if not config or "configurable" not in config:
        return None
    named: Collection[str] = ("thread_id", "checkpoint_ns", "checkpoint_id", "checkpoint_map")
    known = config["configurable"]
    return {name: known[name] for name in named if known.get(name) is not None}


def _with_store(graph: Graph, config: RunnableConfig) -> RunnableConfig:
    """Let what chooses the way after an update ask the long-term store, as it may in a run."""
    runtime = {_RUNTIME: Runtime(store=graph.store)}
    return {**config, "configurable": {**config["configurable"], **runtime}}


def _config(thread: Thread, checkpoint: Mapping[str, Any]) -> RunnableConfig:
    named = ("checkpoint_id", "checkpoint_map")
    return {
        "configurable": {
            "thread_id": str(thread.thread_id),
            "checkpoint_ns": checkpoint.get("checkpoint_ns") or "",
            **{name: checkpoint[name] for name in named if checkpoint.get(name)},
        }
    }
