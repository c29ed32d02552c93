"""What people say to runs that are on: a step takes it; what none took begins the next run."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from artel.server.engine.answers import CARRIED_ON
from artel.server.engine.engine import Engine
from artel.storage import runs, sealing, steering, threads
from artel.storage.errors import Conflict, Forbidden
from artel.storage.postgres import Connection
from artel.storage.runs import Order, Run
from artel.storage.steering import Steering
from artel.storage.threads import UnknownThread

NEWEST = 100  # runs of a thread among which one of the same user is looked for


class NothingRuns(Conflict):
    """No run is under way that could be told anything."""

    code = "nothing_runs"


async def say(
    engine: Engine, thread_id: UUID, text: str, *, owner: str, user_id: str, allowed: str | None = None
) -> Steering:
    """Let a message wait for the next step of the run that is on.

    Raises:
        UnknownThread: this owner has no such thread.
        NothingRuns: no run is on, or it is being stopped.
        Forbidden: it goes in somebody else's name.
        TooManyWait: as `storage.steering.add` says.
    """
    async with engine.db.transaction() as conn:
        if await threads.lock(conn, thread_id, owner=owner, allowed=allowed) is None:
            raise UnknownThread(f"no thread {thread_id}")
        now = await _under_way(conn, thread_id)
        if now.user_id != user_id:
            raise Forbidden(f"run {now.run_id} goes in the name of {now.user_id}, who alone may steer it")
        with sealing.within(now.sealed_with):
            return await steering.add(conn, thread_id, text, owner=owner, user_id=user_id)


async def _under_way(conn: Connection, thread_id: UUID) -> Run:
    there = await runs.active(conn, thread_id) if await runs.in_the_way(conn, thread_id) else []
    if not there:
        raise NothingRuns(f"no run is on in thread {thread_id}: send it as a message, or with or_start")
    if there[0].cancel:
        raise NothingRuns(f"run {there[0].run_id} is being stopped: send it as a message")
    return there[0]


async def carry_on(engine: Engine, thread_id: UUID, *, owner: str) -> Run | None:
    """Begin a run with what was said to one that came to its end before; None if another run takes it.

    It is like the last run in the name of who said it.
    """
    async with engine.db.transaction(control=True) as conn:
        thread = await threads.lock(conn, thread_id, owner=owner)
        if thread is None or thread.status != "idle" or await runs.active(conn, thread_id):
            return None
        said = [one for one in await steering.of_thread(conn, thread_id, owner=owner) if not one.taken_at]
        before = await runs.of_thread(conn, thread_id, owner=owner, limit=NEWEST)
        last = next((run for run in before if said and run.user_id == said[0].user_id), None)
        if last is None:
            return None
        with sealing.within(last.sealed_with):
            order = _order(last)
            left = await steering.rest(conn, thread_id, user_id=last.user_id, run_id=order.run_id)
            given = {"messages": [_message(one) for one in left]}
            order = engine.bounded(replace(order, kwargs={**order.kwargs, "input": given}))
            return await runs.add(conn, order)


async def carry_on_all(engine: Engine) -> None:
    """Do so where whoever should have has died before."""
    async with engine.db.connection(control=True) as conn:
        found: Sequence[tuple[UUID, str]] = await steering.forgotten(conn)
    for thread_id, owner in found:
        await carry_on(engine, thread_id, owner=owner)


def _order(last: Run) -> Order:
    kwargs = {name: last.kwargs[name] for name in CARRIED_ON if name in last.kwargs}
    return Order(
        last.thread_id,
        last.assistant_id,
        last.graph_id,
        kwargs,
        metadata=last.metadata,
        owner=last.owner,
        priority=last.priority,
        user_id=last.user_id,
    )


def _message(one: Steering) -> dict[str, str]:
    return {"type": "human", "id": str(one.steering_id), "content": one.text}
