"""Turns of which the end is known, for tests of what is counted and learned of them."""

from typing import Any
from uuid import UUID

from artel.storage import approvals, audit, feedback, runs, threads
from artel.storage.chains import canonical
from artel.storage.feedback import Score
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Order, Run


async def ran(
    conn: Connection,
    status: str = "success",
    *,
    thread_id: UUID | None = None,
    calls: tuple[str, ...] = (),
    thumbs: tuple[Score, ...] = (),
    graph: str = "coder",
    **order: Any,
) -> Run:
    """Have a run that ended, with calls of these outcomes, and these thumbs of as many users."""
    if thread_id is None:
        thread_id = (await threads.create(conn, new_id(), owner="local")).thread_id
    run = await runs.add(conn, Order(thread_id, new_id(), graph, **order))
    end = "update runs set status = %s, ended_at = clock_timestamp() where run_id = %s"
    await conn.execute(end, (status, run.run_id))
    for outcome in calls:
        entry = {"id": str(new_id()), "kind": "result", "owner": "local", "status": outcome}
        entry |= {"thread_id": str(thread_id), "run_id": str(run.run_id)}
        await audit.add_sealed(conn, [("local", canonical(entry))])
    for place, score in enumerate(thumbs):
        await feedback.put(
            conn,
            owner="local",
            user_id=f"user{place}",
            thread_id=thread_id,
            run_id=run.run_id,
            message_id=None,
            score=score,
        )
    return run


async def asked(
    conn: Connection, run: Run, decision: Any, answer: Run | None = None, *, by: str = "ada", **call: Any
) -> None:
    """Have a run that asked about a call, and the answer that another one carries; None: it is open."""
    told = {"tool_call_id": "call_0", "name": "write_file", "args": {"path": "x"}} | call
    value = {
        "type": "tool_approval",
        **told,
        "artel": {"kind": "tool_call", "agent": "coder", "rule": "write"},
    }
    (row,) = await approvals.ask(
        conn,
        thread_id=run.thread_id,
        run_id=run.run_id,
        interrupt_id=str(new_id()),
        value=value,
        owner="local",
    )
    if decision is not None:
        await approvals.decide(conn, row.approval_id, decision, by=by, owner="local")
    if answer is not None:
        await approvals.answered_by(conn, row.approval_id, answer.run_id)
