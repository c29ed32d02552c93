"""The past of a thread is forgotten; what it stands on stays."""

from typing import Annotated, Any

import pytest
from langgraph.channels.delta import DeltaChannel
from langgraph.graph import END, START, StateGraph
from langgraph.types import Command, Send, interrupt
from tests.fakes.begun import begin, end
from typing_extensions import TypedDict

from artel.storage import checkpoints
from artel.storage.checkpoints import RunSaver, Saver
from artel.storage.postgres import Database
from artel.storage.runs import Run

TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_items")


class State(TypedDict, total=False):
    said: list[str]
    answer: Any
    n: int


def ask(state: State) -> State:
    return {"answer": interrupt("why?")}


def note(state: State) -> State:
    return {"n": state.get("n", 0) + 1, "said": ["long " * 100] * 20}


def line(*, checkpointer: Any = None, **nodes: Any) -> Any:
    built = StateGraph(State)
    names = list(nodes)
    for name, node in nodes.items():
        built.add_node(name, node)
    for here, there in zip([START, *names], [*names, END], strict=True):
        built.add_edge(here, there)
    return built.compile(checkpointer=checkpointer)


async def started(db: Database) -> tuple[Run, Any]:
    async with db.connection() as conn:
        run = await begin(conn)
    return run, {"configurable": {"thread_id": str(run.thread_id)}}


async def prune(db: Database, run: Run) -> bool:
    async with db.transaction() as conn:
        await end(conn, run)
        return await checkpoints.keep_latest(conn, run.thread_id)


async def counts(db: Database) -> dict[str, int]:
    found = {}
    async with db.connection() as conn:
        for table in TABLES:
            row = await (await conn.execute(f"select count(*)::int as n from {table}")).fetchone()
            assert row
            found[table] = int(row["n"])
    return found


async def test_calls_of_graphs_inside_that_are_over_go_and_the_one_that_waits_stays(db: Database) -> None:
    run, where = await started(db)
    inner = line(note=note, ask=ask)
    outer = line(checkpointer=RunSaver(db, run.run_id, 1), before=note, sub=inner)
    await outer.ainvoke({"n": 0}, where)
    await outer.ainvoke(Command(resume="one"), where)
    await outer.ainvoke({"n": 10}, where)
    before = await outer.aget_state(where, subgraphs=True)

    assert await prune(db, run)
    assert (await counts(db))["checkpoints"] == 2  # of the outer graph, and of the one call that waits
    graph = outer.copy(update={"checkpointer": Saver(db)})
    after = await graph.aget_state(where, subgraphs=True)
    assert (after.values, after.next, after.interrupts) == (before.values, before.next, before.interrupts)
    assert after.tasks[0].state.values == before.tasks[0].state.values
    assert after.parent_config is None
    done = await graph.ainvoke(Command(resume="two"), where)
    assert (done["answer"], done["n"]) == ("two", 12)


async def test_answers_given_so_far_stay_when_others_are_still_open(db: Database) -> None:
    run, where = await started(db)

    class Many(TypedDict, total=False):
        answers: dict[str, str]

    asked: list[str] = []

    def about(state: Any) -> Any:
        answer = interrupt(state["about"])
        asked.append(f"{state['about']}={answer}")
        return {}

    built = StateGraph(Many)
    built.add_node("ask", about)
    both: Any = [Send("ask", {"about": "x"}), Send("ask", {"about": "y"})]
    built.add_conditional_edges(START, lambda _: both, ["ask"])
    graph = built.compile(checkpointer=RunSaver(db, run.run_id, 1))
    await graph.ainvoke({"answers": {}}, where)
    one, two = (await graph.aget_state(where)).interrupts
    await graph.ainvoke(Command(resume={one.id: "first"}), where)

    assert await prune(db, run)
    after = built.compile(checkpointer=Saver(db))
    assert [q.id for q in (await after.aget_state(where)).interrupts if q.id == two.id] == [two.id]
    await after.ainvoke(Command(resume={two.id: "second"}), where)
    assert asked == ["x=first", "y=second"]


async def test_a_graph_inside_with_a_memory_of_its_own_keeps_it(db: Database) -> None:
    run, where = await started(db)
    outer = line(checkpointer=RunSaver(db, run.run_id, 1), sub=line(checkpointer=True, note=note))
    for _ in range(3):
        await outer.ainvoke({}, where)

    assert await prune(db, run)
    assert (await counts(db))["checkpoints"] == 2
    graph = outer.copy(update={"checkpointer": Saver(db)})
    assert (await graph.ainvoke({}, where))["n"] == 4


async def test_a_thread_without_checkpoints_has_no_past_and_no_weight(db: Database) -> None:
    run, _ = await started(db)
    assert await prune(db, run)
    async with db.connection() as conn:
        weight = await checkpoints.usage(conn, run.thread_id)
    assert (weight.bytes, weight.checkpoints.count, dict(weight.channels)) == (0, 0, {})


@pytest.mark.parametrize("snapshots", [1, 1000])
async def test_a_thread_of_deltas_is_left_alone(db: Database, snapshots: int) -> None:
    def added(state: list[Any], writes: list[list[Any]]) -> list[Any]:
        return [*state, *(one for write in writes for one in write)]

    class Deltas(TypedDict):
        said: Annotated[list[str], DeltaChannel(added, snapshot_frequency=snapshots)]

    run, where = await started(db)
    built: Any = StateGraph(Deltas)
    built.add_node("note", lambda state: {"said": ["more"]})
    built.add_edge(START, "note")
    graph = built.compile(checkpointer=RunSaver(db, run.run_id, 1))
    for _ in range(2):
        await graph.ainvoke({"said": ["long " * 100]}, where)
    before = await counts(db)

    assert not await prune(db, run)
    assert await counts(db) == before


async def test_what_only_forgotten_checkpoints_used_goes_too(db: Database) -> None:
    run, where = await started(db)
    graph = line(checkpointer=RunSaver(db, run.run_id, 1), note=note, ask=ask)
    for n in range(4):
        await graph.ainvoke({"n": n}, where)
        await graph.ainvoke(Command(resume=n), where)
    async with db.connection() as conn:
        before = await checkpoints.usage(conn, run.thread_id)

    assert await prune(db, run)
    async with db.connection() as conn:
        after = await checkpoints.usage(conn, run.thread_id)
    assert after.checkpoints.count == 1
    assert after.channels["said"].count == 1 < before.channels["said"].count
    assert after.writes.count == 0 < before.writes.count
    assert after.bytes == after.checkpoints.bytes + after.values.bytes + after.writes.bytes < before.bytes
