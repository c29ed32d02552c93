"""What one more turn costs on a thread that holds many messages: our saver beside LangGraph's own.

    python evals/bench/turns.py [postgresql://…]

An ordinary `add_messages` graph of one node, run in process; each turn is a run of its own with a saver of
its own, as in the server. WAL is counted from a Postgres checkpoint on and so has the first image of each
page in it. Without a DSN it runs on an embedded Postgres in a temporary folder. Compare figures of one run
only.
"""

import asyncio
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph, add_messages
from typing_extensions import TypedDict

from artel.storage import embedded, runs, threads
from artel.storage.checkpoints import RunSaver
from artel.storage.ids import new_id
from artel.storage.migrations import migrate
from artel.storage.postgres import Database, open_database
from artel.storage.runs import Order

SIZES = (10, 100, 1000)
TURNS = 30
WARM = 5
RANDOM = random.Random(7)  # the same words in every run
WORDS = ["".join(RANDOM.choice("etaoinshrdlu") for _ in range(RANDOM.randint(2, 8))) for _ in range(800)]
WAL = "select pg_current_wal_insert_lsn() - '0/0'::pg_lsn as bytes"

OpenSaver: TypeAlias = Callable[[Database, UUID, UUID], Any]


class State(TypedDict, total=False):
    """A chat."""

    messages: Annotated[list[AnyMessage], add_messages]


def chat() -> Any:
    """Compile a graph that answers."""

    async def answer(state: State) -> State:
        return {"messages": [AIMessage(words())]}

    graph = StateGraph(State)
    graph.add_node("answer", answer)
    graph.add_edge(START, "answer")
    graph.add_edge("answer", END)
    return graph.compile()


def words() -> str:
    """Return 250 B that compress like prose, about to a half."""
    return " ".join(RANDOM.choice(WORDS) for _ in range(42))


def said(count: int) -> Sequence[BaseMessage]:
    """Return a dialogue of that many messages."""
    return [(AIMessage if n % 2 else HumanMessage)(words(), id=str(new_id())) for n in range(count)]


async def wal(db: Database) -> int:
    """Return how much was ever logged."""
    async with db.connection() as conn:
        row = await (await conn.execute(WAL)).fetchone()
    assert row
    return int(row["bytes"])


async def measure(db: Database, saver: OpenSaver, size: int, durability: Any) -> tuple[float, float, float]:
    """Return the ms (median), the WAL KB and the CPU ms of this process that a turn costs."""
    thread_id, graph = new_id(), chat()
    async with db.connection() as conn:
        await threads.create(conn, thread_id, owner="local")
    config: Any = {"configurable": {"thread_id": str(thread_id)}}
    first = graph.copy(update={"checkpointer": saver(db, thread_id, await begun(db, thread_id))})
    await first.aupdate_state(config, {"messages": said(size)})
    times, cpus, logged = list[float](), list[float](), list[int]()
    for turn in range(WARM + TURNS):
        run_id = await begun(db, thread_id)
        if turn == WARM:
            async with db.connection() as conn:
                await conn.execute("checkpoint")
        start, cpu, began = await wal(db), time.process_time(), time.perf_counter()
        one = graph.copy(update={"checkpointer": saver(db, thread_id, run_id)})
        await one.ainvoke({"messages": [HumanMessage(words())]}, config, durability=durability)
        times.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
        logged.append(await wal(db) - start)
    ms, cpu_ms = statistics.median(times[WARM:]) * 1000, statistics.median(cpus[WARM:]) * 1000
    return ms, statistics.mean(logged[WARM:]) / 1000, cpu_ms


async def begun(db: Database, thread_id: UUID) -> UUID:
    """Have a run running on the thread, and the one before ended; costs both savers the same."""
    worker = new_id()
    async with db.connection() as conn:
        await conn.execute("update runs set status = 'success' where thread_id = %s", (thread_id,))
        await conn.execute("update threads set status = 'idle' where thread_id = %s", (thread_id,))
        run = await runs.start_on_free_thread(conn, Order(thread_id, new_id(), "chat"), worker)
    assert run
    return run.run_id


def stock(db: Database, thread_id: UUID, run_id: UUID) -> Any:
    """Open LangGraph's saver."""
    return AsyncPostgresSaver(db.pool)


def ours(db: Database, thread_id: UUID, run_id: UUID) -> Any:
    """Open our saver."""
    return RunSaver(db, run_id, 1)


async def bench(dsn: str) -> None:
    """Print the table."""
    await migrate(dsn)
    print("| messages | durability | stock: ms, WAL KB, CPU ms | ours: ms, WAL KB, CPU ms | ms | WAL |")
    print("|---|---|---|---|---|---|")
    async with open_database(dsn) as db:
        for durability in ("sync", "async", "exit"):
            for size in SIZES:
                a, b = [await measure(db, saver, size, durability) for saver in (stock, ours)]
                figures = " | ".join(f"{ms:.1f}, {kb:.1f}, {cpu:.1f}" for ms, kb, cpu in (a, b))
                print(f"| {size} | {durability} | {figures} | {b[0] / a[0]:.2f} | {b[1] / a[1]:.3f} |")


def main() -> None:
    """Measure on the database that was named, or on a fresh one."""
    folder = tempfile.TemporaryDirectory(prefix="artel-bench-", dir="/tmp")
    Path(folder.name).chmod(0o755)
    named = nullcontext(sys.argv[1]) if len(sys.argv) > 1 else embedded.start(Path(folder.name) / "data")
    with folder, named as dsn:
        asyncio.run(bench(dsn))


if __name__ == "__main__":
    main()
