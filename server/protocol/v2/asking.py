"""Commands that ask: which graphs run, what the state is, which checkpoints there are."""

from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from artel.server.engine import following
from artel.server.protocol import snapshots
from artel.server.protocol.bodies import Body, Text
from artel.server.protocol.v2.desk import Desk, Refused, Result, checked
from artel.server.protocol.v2.project import RunView
from artel.server.protocol.v2.short import Short
from artel.storage import runs
from artel.storage.encoding import dumps
from artel.storage.runs import numbering
from artel.storage.threads import UnknownThread

MOST_CHECKPOINTS = 1000


class TreeOf(Body):
    """Which run."""

    run_id: str | None = None


class StateOf(Body):
    """Which graph's state, and what of it."""

    namespace: list[Text] = Field(default_factory=list)
    keys: list[str] | None = None


class CheckpointsOf(Body):
    """Which graph's checkpoints."""

    namespace: list[Text] = Field(default_factory=list)
    limit: Annotated[int, Field(ge=1, le=MOST_CHECKPOINTS)] = 10
    before: Text | None = None


async def tree(desk: Desk, params: dict[str, Any]) -> Result:
    """Return the graphs of a run, by default the newest, as they lie in each other."""
    given = checked(TreeOf, params)
    async with desk.engine.db.connection() as conn:
        try:
            await desk.thread(conn)
        except UnknownThread as unknown:
            raise Refused("no_such_run", str(unknown)) from unknown
        if given.run_id is None:
            run = await numbering.last_begun(conn, desk.thread_id)
        else:
            run = await runs.find(conn, _uuid(given.run_id))
    if run is None or run.thread_id != desk.thread_id:
        raise Refused("no_such_run", f"no run {given.run_id or ''} has begun on this thread")
    view = RunView(run, ())
    for _ in view.feed(await following.so_far(desk.engine, run)):
        pass
    return Result({"tree": view.lifecycle.tree()})


async def state(desk: Desk, params: dict[str, Any]) -> Result:
    """Return the newest state of a graph of the thread."""
    given = checked(StateOf, params)
    async with desk.engine.db.connection() as conn:
        thread = await desk.thread(conn)
    place = {"checkpoint_ns": "|".join(given.namespace)}
    found = await snapshots.read(desk.engine, desk.catalog, thread, place, subgraphs=False)
    here = found["checkpoint"]
    if here is None:
        if given.namespace:
            raise Refused("no_such_namespace", f"no graph has a state at {given.namespace}")
        return Result({"values": {}})
    values = Short().values(dumps(found["values"]))
    if given.keys is not None:
        values = {name: values[name] for name in given.keys if name in values}
    return Result({"values": values, "checkpoint": _reference(here)})


async def checkpoints(desk: Desk, params: dict[str, Any]) -> Result:
    """Return the checkpoints of a graph of the thread, newest first."""
    given = checked(CheckpointsOf, params)
    async with desk.engine.db.connection() as conn:
        thread = await desk.thread(conn)
    states = await snapshots.history(
        desk.engine,
        desk.catalog,
        thread,
        limit=given.limit,
        before=given.before,
        metadata={},
        checkpoint={"checkpoint_ns": "|".join(given.namespace)},
    )
    return Result({"checkpoints": [_summary(one) for one in states]})


def _reference(checkpoint: dict[str, Any]) -> dict[str, Any]:
    return {"id": checkpoint["checkpoint_id"], "ns": checkpoint.get("checkpoint_ns", "")}


def _summary(found: dict[str, Any]) -> dict[str, Any]:
    metadata = found["metadata"] or {}
    return {
        "id": found["checkpoint_id"],
        "timestamp": found["created_at"],
        "step": metadata.get("step"),
        "metadata": metadata,
    }


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused("no_such_run", f"no run {text!r}") from None
