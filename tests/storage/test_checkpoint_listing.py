"""The light list of checkpoints: which follows which and what was said last, without a value."""

from langchain_core.messages import AIMessage, HumanMessage
from tests.storage.test_checkpoints import LONG, State, graph, named, next_run, said, speak, started, where
from tests.storage.test_sealing import handlers

from artel.storage.checkpoints import RunSaver, Saver, delete_thread, listing
from artel.storage.checkpoints.listing import MOST_BYTES, PREVIEW, Listed
from artel.storage.ids import new_id
from artel.storage.postgres import Database, open_database
from artel.storage.runs import Run
from artel.storage.sealing import agree


async def listed(db: Database, run: Run, limit: int = 100, before: str | None = None) -> list[Listed]:
    async with db.connection() as conn:
        return await listing.page(conn, run.thread_id, limit=limit, before=before)


async def conversed(db: Database, each: int = 40) -> Run:
    """Two turns; messages of `each` at a time, in chunks when there are many."""
    run = await started(db)
    await graph(RunSaver(db, run.run_id, 1), a=speak, b=speak).ainvoke({"messages": said(each)}, named(run))
    run = await next_run(db, run)
    await graph(RunSaver(db, run.run_id, 1), a=speak, b=speak).ainvoke(
        {"messages": said(each, each)}, where(run)
    )
    return run


async def test_the_list_is_the_history_without_its_values(db: Database) -> None:
    run = await conversed(db)
    states = [state async for state in graph(Saver(db), a=speak, b=speak).aget_state_history(where(run))]
    found = await listed(db, run)
    assert [one.checkpoint_id for one in found] == [s.config["configurable"]["checkpoint_id"] for s in states]
    assert [one.parent_checkpoint_id for one in found] == [
        s.parent_config["configurable"]["checkpoint_id"] if s.parent_config else None for s in states
    ]
    assert [(one.step, one.source) for one in found] == [
        (s.metadata["step"], s.metadata["source"]) for s in states
    ]
    assert [one.created_at.isoformat() for one in found if one.created_at] == [s.created_at for s in states]
    assert [tuple(one.next) for one in found if one.source == "loop"] == [
        s.next for s in states if s.metadata["source"] == "loop"
    ]
    last = [s.values["messages"][-1].id if s.values.get("messages") else None for s in states]
    assert [one.message.id if one.message else None for one in found] == last


async def test_it_tells_who_ran_and_what_was_said_last(db: Database) -> None:
    found = [one for one in await listed(db, await conversed(db, each=1)) if one.source != "input"]
    assert [one.nodes for one in found] == [["b"], ["a"], [], ["b"], ["a"], []]
    kinds = [one.message.type for one in found if one.message]
    assert kinds == ["ai", "ai", "human", "ai", "ai", "human"]
    message = found[0].message
    assert message
    assert message.preview == f"5 {LONG}"[: PREVIEW - 1] + "…"
    assert len({one.run_id for one in found}) == 2


async def test_pages_follow_each_other_without_a_gap(db: Database) -> None:
    run = await conversed(db)
    whole = await listed(db, run)
    first = await listed(db, run, limit=3)
    rest = await listed(db, run, before=first[-1].checkpoint_id)
    assert [*first, *rest] == whole
    assert await listed(db, run, before=whole[-1].checkpoint_id) == []


async def test_two_ways_from_one_checkpoint_have_one_parent(db: Database) -> None:
    run = await conversed(db, each=1)
    asked = (await listed(db, run))[2]
    run = await next_run(db, run)
    chat = graph(RunSaver(db, run.run_id, 1), a=speak, b=speak)
    old = {**where(run)["configurable"], "checkpoint_id": asked.checkpoint_id}
    await chat.ainvoke(None, {"configurable": old})
    found = await listed(db, run)
    ways = [one for one in found if one.parent_checkpoint_id == asked.checkpoint_id]
    assert sorted(one.source for one in ways) == ["fork", "loop"]


async def test_of_a_message_too_long_to_look_into_nothing_is_told(db: Database) -> None:
    async def shout(state: State) -> State:
        return {"messages": [AIMessage("x" * (MOST_BYTES + 1), id="loud")]}

    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    await graph(saver, a=shout).ainvoke({"messages": [HumanMessage("hi", id="h")]}, named(run))
    last, asked, _ = await listed(db, run)
    assert last.message is None
    assert asked.message
    assert asked.message.id == "h"


async def test_what_is_sealed_is_opened_first(fresh_dsn: str) -> None:
    made = handlers()
    async with open_database(fresh_dsn, sealer=await agree(fresh_dsn, made["encryption"])) as db:
        for each in (1, 40):
            newest = (await listed(db, await conversed(db, each)))[0]
            assert newest.message
            assert newest.message.preview.endswith("…")
            assert newest.nodes == ["b"]


async def test_an_unknown_thread_has_none(db: Database) -> None:
    run = await conversed(db, each=1)
    async with db.connection() as conn:
        assert await listing.page(conn, new_id(), limit=10) == []
        await delete_thread(conn, run.thread_id)
    assert await listed(db, run) == []
