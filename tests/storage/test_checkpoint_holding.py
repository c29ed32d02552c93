"""Values by reference: what an event showed is found again byte for byte, or stored with the event."""

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command, interrupt
from tests.storage.test_checkpoints import LONG, State, graph, next_run, said, speak, started, where

from artel.storage import checkpoints
from artel.storage.checkpoints import RunSaver
from artel.storage.encoding import dumps
from artel.storage.postgres import Database
from artel.storage.runs import Run

Shown = tuple[Mapping[str, Any], bytes, Any]  # values, as they were shown, and where they are held


async def shown(saver: RunSaver, chat: Any, given: Any, run: Run, **options: Any) -> list[Shown]:
    """Run a graph as the worker does: each state is encoded when it comes."""
    found = []
    async for values in chat.astream(given, where(run), stream_mode="values", **options):
        data = dumps(values)
        found.append((values, data, saver.reference(values, data)))
    return found


@pytest.mark.parametrize("durability", ["sync", "async", "exit"])
async def test_a_state_of_a_finished_step_is_found_as_it_was_shown(db: Database, durability: Any) -> None:
    resolve = checkpoints.resolver(db)
    run = await started(db)
    for turn in range(3):
        saver = RunSaver(db, run.run_id, 1)
        states = await shown(saver, graph(saver, a=speak, b=speak), {"messages": said(40, turn * 40)}, run,
                             durability=durability)  # fmt: skip
        refs = [held() for _, _, held in states]
        assert [ref is not None for ref in refs] == [durability != "exit"] * 2 + [True]
        for (_, data, _), ref in zip(states, refs, strict=True):
            assert ref is None or await resolve(ref) == data
        assert saver.holding(states[-1][0]) == refs[-1].checkpoint_id
        run = await next_run(db, run)


async def test_a_state_not_yet_committed_is_not_referred_to(db: Database) -> None:
    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    held = []
    async for values in graph(saver, a=speak).astream(
        {"messages": said(40)}, where(run), stream_mode="values"
    ):
        held.append(saver.reference(values, dumps(values))())  # type: ignore[misc]
        await asyncio.sleep(0.05)
    assert held[0] is None


async def test_a_state_changed_in_place_after_it_was_stored_is_not_referred_to(db: Database) -> None:
    async def scribble(state: State) -> dict[str, Any]:
        state["messages"][3].content = "changed"
        return {"trail": ["a"]}

    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    chat = graph(saver, scribble=scribble, again=scribble)
    states = await shown(saver, chat, {"messages": said(40)}, run, durability="sync")
    assert [b"changed" in data for _, data, _ in states] == [False, True, True]
    assert [held() is not None for _, _, held in states] == [True, False, False]


async def test_what_json_shows_otherwise_after_loading_is_not_referred_to(db: Database) -> None:
    class Odd:
        def __init__(self) -> None:
            self.text = LONG

        def __repr__(self) -> str:
            return f"Odd {LONG}"

    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)

    async def answer(_: State) -> dict[str, Any]:
        return {
            "answer": {"tags": {f"{n}" for n in range(50)}, "text": LONG},
            "messages": [AIMessage("x", id="x")],
        }

    states = await shown(saver, graph(saver, answer=answer), {"messages": said(40)}, run, durability="sync")
    resolve = checkpoints.resolver(db)
    for _, data, held in states:
        ref = held()
        assert ref is None or await resolve(ref) == data


async def test_the_state_a_run_begins_with_is_found_in_the_checkpoint_it_loaded(db: Database) -> None:
    async def ask(_: State) -> dict[str, Any]:
        return {"answer": interrupt("why?")}

    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    await shown(saver, graph(saver, ask=ask), {"messages": said(40)}, run)
    run = await next_run(db, run)
    saver = RunSaver(db, run.run_id, 1)
    states = await shown(saver, graph(saver, ask=ask), Command(resume="because"), run, durability="sync")
    resolve = checkpoints.resolver(db)
    refs = [held() for _, _, held in states]
    assert None not in refs
    assert [await resolve(ref) for ref in refs] == [data for _, data, _ in states]


async def test_a_small_state_or_one_that_is_no_mapping_is_never_referred_to(db: Database) -> None:
    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    assert saver.reference({"messages": []}, b'{"messages":[]}') is None
    assert saver.reference([HumanMessage(LONG)] * 40, b"[]" * 4000) is None
    assert saver.holding({"messages": []}) is None


async def test_a_reference_to_a_pruned_checkpoint_leads_nowhere(db: Database) -> None:
    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    states = await shown(saver, graph(saver, a=speak), {"messages": said(40)}, run, durability="sync")
    async with db.transaction() as conn:
        await checkpoints.delete_thread(conn, run.thread_id)
    assert await checkpoints.resolver(db)(states[0][2]()) is None
