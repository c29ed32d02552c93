"""Savers: what a graph puts down is there, whole, fenced, and in few round trips."""

import asyncio
import operator
from typing import Annotated, Any
from uuid import UUID

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage
from langgraph.channels.delta import DeltaChannel
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import Command, Send, interrupt
from tests.fakes.begun import begin, end, take_over
from typing_extensions import TypedDict

from artel.storage import checkpoints
from artel.storage.checkpoints import RunSaver, Saver, writing
from artel.storage.errors import StaleAttempt
from artel.storage.ids import new_id
from artel.storage.postgres import Database, open_database
from artel.storage.runs import Run

LONG = "a text long enough to be worth an own row in the database, as messages are " * 2
TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes", "checkpoint_items")


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    trail: Annotated[list[str], operator.add]
    answer: Any


async def speak(state: State) -> dict[str, Any]:
    return {"messages": [AIMessage(f"{len(state['messages'])} {LONG}")], "trail": ["speak"]}


def graph(saver: Any, **nodes: Any) -> Any:
    built = StateGraph(State)
    names = list(nodes)
    for name in names:
        built.add_node(name, nodes[name])
    for here, there in zip([START, *names], [*names, END], strict=True):
        built.add_edge(here, there)
    return built.compile(checkpointer=saver)


def said(count: int, first: int = 0) -> list[Any]:
    return [HumanMessage(f"{n} {LONG}", id=str(n)) for n in range(first, first + count)]


def where(run: Run) -> Any:
    """The thread. Without the run: LangGraph takes a second input on the same `run_id` for a resumption."""
    return {"configurable": {"thread_id": str(run.thread_id)}}


def named(run: Run) -> Any:
    return {"configurable": {"thread_id": str(run.thread_id), "run_id": str(run.run_id)}}


async def started(db: Database, thread_id: UUID | None = None) -> Run:
    async with db.connection() as conn:
        return await begin(conn, thread_id)


async def next_run(db: Database, run: Run) -> Run:
    async with db.connection() as conn:
        await end(conn, run)
        return await begin(conn, run.thread_id)


async def count(db: Database, table: str) -> int:
    async with db.connection() as conn:
        row = await (await conn.execute(f"select count(*)::int as n from {table}")).fetchone()
    assert row
    return int(row["n"])


async def counts(db: Database) -> list[int]:
    return [await count(db, table) for table in TABLES]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_a_conversation_over_many_runs_is_kept_whole(db: Database, durability: Any) -> None:
    run = await started(db)
    expected = 0
    for turn in range(12):
        saver = RunSaver(db, run.run_id, 1)
        result = await graph(saver, speak=speak).ainvoke(
            {"messages": said(20, turn * 20)}, where(run), durability=durability
        )
        expected += 21
        assert len(result["messages"]) == expected
        run = await next_run(db, run)
    state = await graph(Saver(db), speak=speak).aget_state(where(run))
    assert state.values == result
    assert [m.id for m in state.values["messages"][:20]] == [str(n) for n in range(20)]
    assert state.next == ()


async def test_history_holds_each_version_as_it_was(db: Database) -> None:
    run = await started(db)
    chat = graph(RunSaver(db, run.run_id, 1), speak=speak)
    for turn in range(5):
        await chat.ainvoke({"messages": said(20, turn * 20)}, where(run))
    lengths = [
        len(state.values.get("messages", []))
        async for state in graph(Saver(db), speak=speak).aget_state_history(where(run))
    ]
    assert lengths == [105, 104, 84, 84, 83, 63, 63, 62, 42, 42, 41, 21, 21, 20, 0]


async def test_messages_are_removed_replaced_and_added_as_ever(db: Database) -> None:
    run = await started(db)
    chat = graph(RunSaver(db, run.run_id, 1), speak=speak)
    await chat.ainvoke({"messages": said(60)}, where(run))
    await chat.aupdate_state(where(run), {"messages": [RemoveMessage("3"), HumanMessage("new", id="7")]})
    state = await graph(Saver(db), speak=speak).aget_state(where(run))
    ids = [m.id for m in state.values["messages"]]
    assert ids[:10] == ["0", "1", "2", "4", "5", "6", "7", "8", "9", "10"]
    assert state.values["messages"][6].content == "new"


async def test_a_message_changed_in_place_is_stored_as_it_is_now(db: Database) -> None:
    async def scribble(state: State) -> dict[str, Any]:
        state["messages"][5].content = "changed"
        state["messages"][6].additional_kwargs["deep"] = [1]
        return {"messages": [AIMessage("done")]}

    run = await started(db)
    await graph(RunSaver(db, run.run_id, 1), speak=speak).ainvoke({"messages": said(50)}, where(run))
    run = await next_run(db, run)
    await graph(RunSaver(db, run.run_id, 1), scribble=scribble).ainvoke({"messages": said(1, 50)}, where(run))
    found = (await graph(Saver(db), speak=speak).aget_state(where(run))).values["messages"]
    assert (found[5].content, found[6].additional_kwargs) == ("changed", {"deep": [1]})
    assert found[4].content.startswith("4 ")


@pytest.mark.parametrize(
    "value",
    [
        "a NUL \0 inside", "line\nbreak", "x" * 1000, "", 2**70, -(2**70), 2**63, -1, 0.1, 1e22, 3.0, -0.0,
        float("inf"), True, {"a": {1, 2}}, [0.5], b"\0\xff", {"k": "v\0"}, ["short"] * 3, new_id(),
    ],
)  # fmt: skip
async def test_any_value_comes_back_as_itself(db: Database, value: Any) -> None:
    async def answer(_: State) -> dict[str, Any]:
        return {"answer": value}

    run = await started(db)
    chat = graph(RunSaver(db, run.run_id, 1), answer=answer, speak=speak)
    await chat.ainvoke({"messages": said(1)}, where(run))
    found = (await graph(Saver(db), answer=answer, speak=speak).aget_state(where(run))).values["answer"]
    assert (found, type(found)) == (value, type(value))


async def test_what_the_stock_saver_wrote_is_read_and_continued(db: Database) -> None:
    async def answer(_: State) -> dict[str, Any]:
        return {"answer": "x" * 500}

    run = await started(db)
    theirs = graph(AsyncPostgresSaver(db.pool), answer=answer, speak=speak)
    await theirs.ainvoke({"messages": said(40)}, where(run))
    ours = graph(RunSaver(db, run.run_id, 1), speak=speak)
    result = await ours.ainvoke({"messages": said(1, 40)}, where(run))
    assert (len(result["messages"]), result["answer"]) == (43, "x" * 500)
    assert (await graph(Saver(db), speak=speak).aget_state(where(run))).values == result


async def test_a_step_is_one_commit(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "LINGER_S", 1.0)
    run = await started(db)
    chat = graph(RunSaver(db, run.run_id, 1), a=speak, b=speak, c=speak)
    async with db.connection() as conn:
        at = "select pg_current_xact_id()::text::bigint as n"
        before = await (await conn.execute(at)).fetchone()
        await chat.ainvoke({"messages": said(1)}, where(run), durability="sync")
        after = await (await conn.execute(at)).fetchone()
    assert before
    assert after
    assert after["n"] - before["n"] == 6  # the input, the start, three steps, and the look itself


async def test_a_worker_that_lost_its_run_writes_nothing(db: Database) -> None:
    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    chat = graph(saver, speak=speak)
    await chat.ainvoke({"messages": said(30)}, where(run))
    before = await counts(db)
    async with db.connection() as conn:
        await take_over(conn, run)
    with pytest.raises(StaleAttempt):
        await chat.ainvoke({"messages": said(30, 30)}, where(run))
    assert await counts(db) == before
    head: Any = {"configurable": {"thread_id": str(run.thread_id), "checkpoint_ns": "", "checkpoint_id": "1"}}
    for stale in (RunSaver(db, run.run_id, 1), RunSaver(db, new_id(), 1)):
        with pytest.raises(StaleAttempt):
            await stale.aput_writes(head, [("answer", 1)], "task")
        with pytest.raises(StaleAttempt):
            await stale.aput(head, empty_checkpoint(), {"source": "loop", "step": 1}, {})
    assert await counts(db) == before
    again = await graph(RunSaver(db, run.run_id, 2), speak=speak).ainvoke(
        {"messages": said(1, 99)}, where(run)
    )
    assert len(again["messages"]) == 33


async def test_an_ended_run_writes_nothing(db: Database) -> None:
    run = await started(db)
    async with db.connection() as conn:
        await end(conn, run)
    with pytest.raises(StaleAttempt):
        await graph(RunSaver(db, run.run_id, 1), speak=speak).ainvoke({"messages": said(1)}, where(run))
    assert await counts(db) == [0, 0, 0, 0]


async def test_after_a_failed_write_nothing_more_is_written_or_read(db: Database) -> None:
    run = await started(db)

    async def ask(_: State) -> dict[str, Any]:
        async with db.connection() as conn:
            await take_over(conn, run)
        return {"answer": interrupt("why?")}

    saver = RunSaver(db, run.run_id, 1)
    with pytest.raises(StaleAttempt):
        await graph(saver, ask=ask).ainvoke({"messages": said(1)}, where(run), durability="sync")
    with pytest.raises(StaleAttempt):
        await saver.aget_tuple(where(run))
    async with db.connection() as conn:
        await conn.execute("update runs set attempt = 1")
    with pytest.raises(StaleAttempt):
        await saver.aput_writes(
            {"configurable": {"thread_id": "t", "checkpoint_ns": "", "checkpoint_id": "1"}}, [("a", 1)], "t"
        )


async def test_a_write_whose_connection_died_is_written_all_the_same(db: Database) -> None:
    run = await started(db)
    waiting = "select pid from pg_stat_activity where wait_event_type = 'Lock' and query like '%artel_fence%'"
    async with db.connection() as conn, asyncio.timeout(20):
        async with db.transaction() as other:
            await other.execute("select 1 from runs for update")
            chat = graph(RunSaver(db, run.run_id, 1), speak=speak)
            task = asyncio.create_task(chat.ainvoke({"messages": said(40)}, where(run), durability="sync"))
            while not (found := await (await conn.execute(waiting)).fetchone()):
                await conn.execute("select pg_sleep(0.01)")
            await conn.execute("select pg_terminate_backend(%s)", (found["pid"],))
        result = await task
    assert (await graph(Saver(db), speak=speak).aget_state(where(run))).values == result


async def test_a_closed_saver_lets_the_graph_end_and_keeps_nothing(db: Database) -> None:
    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    saver.close()
    await graph(saver, speak=speak).ainvoke({"messages": said(1)}, where(run))
    assert await counts(db) == [0, 0, 0, 0]


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_questions_and_answers_are_kept(db: Database, durability: Any) -> None:
    async def ask(state: State) -> dict[str, Any]:
        return {"trail": [f"{interrupt('first?')} {interrupt('second?')}"]}

    run = await started(db)
    given: Any
    for given in ({"messages": said(40)}, Command(resume="one"), Command(resume="two")):
        await graph(RunSaver(db, run.run_id, 1), ask=ask).ainvoke(given, where(run), durability=durability)
        run = await next_run(db, run)
        state = await graph(Saver(db), ask=ask).aget_state(where(run))
    assert (state.values["trail"], state.next, state.interrupts) == (["one two"], (), ())


async def test_errors_of_a_node_are_kept(db: Database) -> None:
    async def fail(_: State) -> dict[str, Any]:
        raise ValueError("no luck")

    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    with pytest.raises(ValueError, match="no luck"):
        await graph(saver, fail=fail).ainvoke({"messages": said(1)}, where(run), durability="sync")
    state = await graph(Saver(db), fail=fail).aget_state(where(run))
    assert "no luck" in str(state.tasks[0].error)


async def test_parallel_branches_with_graphs_inside_are_kept(db: Database) -> None:
    inner = StateGraph(State)
    inner.add_node("speak", speak)
    inner.add_edge(START, "speak")
    inner.add_edge("speak", END)
    outer = StateGraph(State)
    outer.add_node("inner", inner.compile(checkpointer=True))
    outer.add_node("branch", speak)
    outer.add_conditional_edges(
        START, lambda s: ["inner", *[Send("branch", s) for _ in range(5)]], ["inner", "branch"]
    )
    run = await started(db)
    chat = outer.compile(checkpointer=RunSaver(db, run.run_id, 1))
    result = await chat.ainvoke({"messages": said(40)}, where(run))
    state = await outer.compile(checkpointer=Saver(db)).aget_state(where(run), subgraphs=True)
    assert state.values == result
    assert len(result["messages"]) == 46


async def test_a_crash_between_two_steps_loses_only_the_step_in_flight(db: Database) -> None:
    did: list[str] = []
    begun = asyncio.Event()

    async def first(_: State) -> dict[str, Any]:
        did.append("first")
        return {"trail": ["first"], "messages": said(40)}

    async def second(_: State) -> dict[str, Any]:
        did.append("second")
        if did.count("second") == 1:
            begun.set()
            await asyncio.sleep(60)
        return {"trail": ["second"]}

    run = await started(db)
    chat = graph(RunSaver(db, run.run_id, 1), first=first, second=second)
    task = asyncio.create_task(chat.ainvoke({"trail": ["in"]}, where(run), durability="sync"))
    await asyncio.wait_for(begun.wait(), 10)
    async with db.connection() as conn:
        await take_over(conn, run)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    chat = graph(RunSaver(db, run.run_id, 2), first=first, second=second)
    result = await chat.ainvoke(None, where(run), durability="sync")
    assert (result["trail"], did) == (["in", "first", "second"], ["first", "second", "second"])
    assert len(result["messages"]) == 40


async def test_an_undone_run_leaves_the_thread_as_it_was(db: Database) -> None:
    run = await started(db)
    await graph(RunSaver(db, run.run_id, 1), speak=speak).ainvoke({"messages": said(60)}, named(run))
    before = await counts(db)
    undone = await next_run(db, run)
    chat = graph(RunSaver(db, undone.run_id, 1), speak=speak)
    await chat.ainvoke({"messages": said(60, 60)}, named(undone))
    async with db.transaction() as conn:
        await end(conn, undone)
        await checkpoints.delete_run(conn, undone.thread_id, undone.run_id)
    assert await counts(db) == before
    state = await graph(Saver(db), speak=speak).aget_state(where(run))
    assert len(state.values["messages"]) == 61


async def test_an_undone_answer_leaves_the_question_open(db: Database) -> None:
    async def ask(_: State) -> dict[str, Any]:
        return {"answer": interrupt("why?")}

    async def wait(_: State) -> dict[str, Any]:
        raise ValueError("not yet")

    run = await started(db)
    await graph(RunSaver(db, run.run_id, 1), ask=ask, wait=wait).ainvoke({"messages": said(1)}, where(run))
    answering = await next_run(db, run)
    chat = graph(RunSaver(db, answering.run_id, 1), ask=ask, wait=wait)
    with pytest.raises(ValueError, match="not yet"):
        await chat.ainvoke(Command(resume="because"), named(answering))
    async with db.transaction() as conn:
        await end(conn, answering)
        await checkpoints.delete_run(conn, answering.thread_id, answering.run_id)
    state = await graph(Saver(db), ask=ask, wait=wait).aget_state(where(run))
    assert (state.next, [asked.value for asked in state.interrupts]) == (("ask",), ["why?"])
    assert state.values.get("answer") is None


async def test_pruned_threads_keep_their_newest_state_and_nothing_else(db: Database) -> None:
    run = await started(db)
    chat = graph(RunSaver(db, run.run_id, 1), speak=speak)
    for turn in range(4):
        result = await chat.ainvoke({"messages": said(40, turn * 40)}, where(run))
    await chat.aupdate_state(
        where(run), {"messages": [RemoveMessage(str(n)) for n in range(100)]}, as_node="speak"
    )
    async with db.connection() as conn:
        await end(conn, run)
    saver = Saver(db)
    await saver.aprune([str(run.thread_id)])
    state = await graph(saver, speak=speak).aget_state(where(run))
    assert len(state.values["messages"]) == len(result["messages"]) - 100
    items = [len(state.values["messages"])]
    async with db.connection() as conn:
        rows = await conn.execute(
            "select count(*)::int as n from checkpoint_items where type <> 'artel.chunk'"
        )
        assert [row["n"] for row in await rows.fetchall()] == items
    run = await started(db, run.thread_id)
    again = await graph(RunSaver(db, run.run_id, 1), speak=speak).ainvoke({"messages": said(100)}, where(run))
    assert len(again["messages"]) == items[0] + 101


async def test_nothing_is_swept_from_under_a_running_run(db: Database) -> None:
    run = await started(db)
    chat = graph(RunSaver(db, run.run_id, 1), speak=speak)
    await chat.ainvoke({"messages": said(40)}, where(run))
    first = (await chat.aget_state(where(run))).values["messages"]
    await chat.aupdate_state(where(run), {"messages": [RemoveMessage(str(n)) for n in range(40)]})
    await Saver(db).aprune([str(run.thread_id)])
    await chat.aupdate_state(where(run), {"messages": first[:40]})
    found = (await graph(Saver(db), speak=speak).aget_state(where(run))).values["messages"]
    assert sorted(m.id for m in found)[:3] == sorted(m.id for m in first)[:3]


async def test_a_deleted_thread_leaves_nothing(db: Database) -> None:
    run, other = await started(db), await started(db)
    for one in (run, other):
        await graph(RunSaver(db, one.run_id, 1), speak=speak).ainvoke({"messages": said(60)}, where(one))
    async with db.transaction(batch=True) as conn:
        await checkpoints.delete_thread(conn, run.thread_id)
    await Saver(db).adelete_thread(str(other.thread_id))
    assert await counts(db) == [0, 0, 0, 0]


async def test_a_copied_thread_lives_on_by_itself(db: Database) -> None:
    run, target = await started(db), await started(db)
    await graph(RunSaver(db, run.run_id, 1), speak=speak).ainvoke({"messages": said(60)}, where(run))
    async with db.transaction() as conn:
        await checkpoints.copy_thread(conn, run.thread_id, target.thread_id)
        await checkpoints.delete_thread(conn, run.thread_id)
    result = await graph(RunSaver(db, target.run_id, 1), speak=speak).ainvoke(
        {"messages": said(1, 60)}, where(target)
    )
    assert len(result["messages"]) == 63


async def test_a_channel_of_deltas_is_rebuilt_also_from_a_list_stored_by_items(db: Database) -> None:
    def add(left: list[Any], writes: list[list[Any]]) -> list[Any]:
        return [*left, *(item for write in writes for item in write)]

    class Plain(TypedDict):
        log: Annotated[list[str], operator.add]

    class Delta(TypedDict):
        log: Annotated[list[str], DeltaChannel(add, snapshot_frequency=1000)]

    def compiled(schema: Any, saver: Any) -> Any:
        built: Any = StateGraph(schema)
        built.add_node("more", lambda state: {"log": [f"{len(state['log'])} {LONG}" for _ in range(30)]})
        built.add_edge(START, "more")
        built.add_edge("more", END)
        return built.compile(checkpointer=saver)

    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    await compiled(Plain, saver).ainvoke({"log": [LONG] * 40}, where(run))
    for turn in range(3):
        result = await compiled(Delta, saver).ainvoke({"log": [f"{turn} {LONG}"] * 30}, where(run))
    assert len(result["log"]) == 70 + 3 * 60
    assert (await compiled(Delta, Saver(db)).aget_state(where(run))).values == result


async def test_behind_a_pooler_without_pipelines_all_works_the_same(fresh_dsn: str) -> None:
    async with open_database(fresh_dsn, pipeline=False, pool_size=2) as db:
        run = await started(db)
        result = await graph(RunSaver(db, run.run_id, 1), speak=speak).ainvoke(
            {"messages": said(60)}, where(run)
        )
        await Saver(db).acopy_thread(str(run.thread_id), "copy")
        copied: Any = {"configurable": {"thread_id": "copy"}}
        assert (await graph(Saver(db), speak=speak).aget_state(copied)).values == result


async def test_synchronous_graphs_in_threads_are_served(db: Database) -> None:
    run = await started(db)
    built = StateGraph(State)
    built.add_node("speak", lambda state: {"messages": [AIMessage(LONG)]})
    built.add_edge(START, "speak")
    built.add_edge("speak", END)
    chat: Any = built.compile(checkpointer=RunSaver(db, run.run_id, 1))
    result = await asyncio.to_thread(chat.invoke, {"messages": said(40)}, where(run))
    assert (await graph(Saver(db), speak=speak).aget_state(where(run))).values == result
