"""Commands that start runs: on new input, with answers, from an earlier checkpoint."""

from dataclasses import replace
from typing import Any, Literal

from pydantic import Field

from artel.server.engine import dispatch
from artel.server.protocol import orders, snapshots
from artel.server.protocol.bodies import Body, RunBody, Text
from artel.server.protocol.v2.desk import Desk, Refused, Result, checked
from artel.server.protocol.v2.project import PARTS
from artel.storage import approvals, runs, threads
from artel.storage.errors import Conflict
from artel.storage.runs import Run, numbering
from artel.storage.threads import Thread, UnknownThread

WATCHED = {
    "stream_mode": ["values", "updates", "messages", "custom"],
    "stream_subgraphs": True,
    "stream_resumable": True,
    "if_not_exists": "create",
}
PLACE = ("checkpoint_ns", "checkpoint_map")
OF_THREAD = frozenset({"thread_id", "checkpoint_id", *PLACE})  # in `configurable`: where, not how
AGAIN = frozenset({"config", "interrupt_before", "interrupt_after", "durability", "webhook"})


class Message(Body):
    """Something said into a thread."""

    role: Literal["user", "system"] = "user"
    content: str
    name: str | None = None


class Injection(Body):
    """Where something is said."""

    namespace: list[str] = Field(default_factory=list)
    message: Message


class Entry(Body):
    """One answer."""

    interrupt_id: str
    namespace: list[str] = Field(default_factory=list)
    response: Any = None


class Response(Body):
    """Answers, and what else the graph is told with them."""

    responses: list[Entry] = Field(min_length=1)
    update: dict[str, Any] | None = None
    goto: Any = None
    config: dict[str, Any] = Field(default_factory=dict)
    metadata: dict[str, Any] = Field(default_factory=dict)


class Fork(Body):
    """From where a thread goes on anew."""

    checkpoint_id: Text
    input: Any = None
    config: dict[str, Any] = Field(default_factory=dict)


async def start(desk: Desk, params: dict[str, Any]) -> Result:
    """Start a run; a thread that does not exist is made."""
    run = await _started(desk, params)
    return await _result(desk, run, {"run_id": run.run_id})


async def respond(desk: Desk, params: dict[str, Any]) -> Result:
    """Answer one or several of the questions that the thread asks; a run goes on with the answers."""
    if "responses" not in params:
        params = {**params, "responses": [params]}
    given = checked(Response, params)
    answers = {entry.interrupt_id: entry.response for entry in given.responses}
    thread, asked = await _asked(desk, list(answers))
    again = {name: asked.kwargs[name] for name in AGAIN if asked and asked.kwargs.get(name) is not None}
    config = again.pop("config", {})
    configurable = {**(config.get("configurable") or {}), **(given.config.get("configurable") or {})}
    command = {"resume": answers, "update": given.update, "goto": given.goto}
    body = {
        **again,
        "assistant_id": str(asked.assistant_id) if asked else thread.metadata.get("assistant_id"),
        "command": {name: value for name, value in command.items() if value is not None or name == "resume"},
        "config": {**config, **given.config, "configurable": configurable},
        "metadata": {**(asked.metadata if asked else {}), **given.metadata},
    }
    try:
        run = await _started(desk, body)
    except Conflict as late:
        raise Refused("no_such_interrupt", str(late)) from late
    return await _result(desk, run, {"run_id": run.run_id})


async def inject(desk: Desk, params: dict[str, Any]) -> Result:
    """Say something into the thread: it is heard when what runs there has ended, or at once."""
    given = checked(Injection, params)
    if given.namespace:
        raise Refused("not_supported", "messages can be injected into the root graph only")
    async with desk.engine.db.connection() as conn:
        thread = await desk.thread(conn)
    async with desk.catalog.graph(_graph(thread), {}, access="threads.read") as graph:
        if "messages" not in graph.channels:
            raise Refused("not_supported", f'the graph "{_graph(thread)}" takes no messages')
    said = given.message.model_dump(exclude_none=True)
    run = await _started(desk, {"assistant_id": _assistant(thread), "input": {"messages": [said]}})
    return await _result(desk, run, {})


async def fork(desk: Desk, params: dict[str, Any]) -> Result:
    """Go on anew from an earlier checkpoint of the thread."""
    given = checked(Fork, params)
    async with desk.engine.db.connection() as conn:
        thread = await desk.thread(conn)
    place = {"checkpoint_id": given.checkpoint_id}
    await snapshots.read(desk.engine, desk.catalog, thread, place, subgraphs=False)
    body = {"assistant_id": _assistant(thread), "input": given.input, "config": given.config, **place}
    run = await _started(desk, body)
    return await _result(desk, run, {"run_id": run.run_id, "thread_id": run.thread_id})


async def _started(desk: Desk, params: dict[str, Any]) -> Run:
    body = checked(RunBody, {**_translated(params), **WATCHED})
    order = await orders.make(desk.engine.db, desk.catalog, body, thread_id=desk.thread_id, call=desk.call)
    order = replace(order, kwargs={**order.kwargs, "closely": True})
    return await dispatch.start(desk.engine, order, fast=True)


def _translated(params: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a run's body: those that protocol v2 says elsewhere are put into their place."""
    body = dict(params)
    strategy = body.pop("multitaskStrategy", None)
    if strategy is not None:
        body.setdefault("multitask_strategy", strategy)
    config = body.get("config")
    configurable = config.get("configurable") if isinstance(config, dict) else None
    if not isinstance(config, dict) or not isinstance(configurable, dict):
        return body
    kept = {name: value for name, value in configurable.items() if name not in OF_THREAD}
    body["config"] = {**config, "configurable": kept}
    if (checkpoint_id := configurable.get("checkpoint_id")) is not None:
        place = {name: configurable[name] for name in PLACE if configurable.get(name) is not None}
        body["checkpoint"] = {"checkpoint_id": checkpoint_id, **place}
    return body


async def _asked(desk: Desk, interrupt_ids: list[str]) -> tuple[Thread, Run | None]:
    """Return the thread, and the run that asked.

    Raises:
        Refused: one of these is no open question of the thread.
    """
    async with desk.engine.db.connection() as conn:
        try:
            thread = await desk.thread(conn)
        except UnknownThread as unknown:
            raise Refused("no_such_interrupt", str(unknown)) from unknown
        rows = {row.interrupt_id: row for row in await approvals.open_of_thread(conn, desk.thread_id)}
        known = rows.keys() | {asked["id"] for told in thread.interrupts.values() for asked in told}
        for interrupt_id in interrupt_ids:
            if interrupt_id not in known:
                raise Refused("no_such_interrupt", f"{interrupt_id} is no open question of this thread")
        row = rows.get(interrupt_ids[0])
        run = await runs.find(conn, row.run_id) if row else None
        return thread, run or await numbering.last_begun(conn, desk.thread_id)


async def _result(desk: Desk, run: Run, value: dict[str, Any]) -> Result:
    """Return the result of a command that started a run: all of its events come after `through`."""
    base = run.event_base
    if base is None:  # it waits for its turn; so does what is before it
        async with desk.engine.db.connection() as conn:
            thread = await threads.get(conn, run.thread_id, owner=run.owner)
        base = thread.event_base
    return Result(value, through=base * PARTS)


def _assistant(thread: Thread) -> str:
    return str(thread.metadata.get("assistant_id") or _graph(thread))


def _graph(thread: Thread) -> str:
    """Return the graph that ran on a thread.

    Raises:
        Refused: none did.
    """
    name = snapshots.graph_of(thread)
    if name is None:
        raise Refused("no_such_run", "nothing ever ran on this thread")
    return name
