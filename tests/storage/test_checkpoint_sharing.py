"""Listings whose checkpoints share what they hold: the same states, made and written once."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Command, interrupt
from tests.storage.test_checkpoints import LONG, State, graph, next_run, said, speak, started, where
from tests.storage.test_messages import MAKERS

from artel.storage.checkpoints import RunSaver, reader
from artel.storage.encoding import dumps, dumps_states
from artel.storage.postgres import Database
from artel.storage.runs import Run


async def conversed(db: Database, turns: int = 3) -> Run:
    run = await started(db)
    for turn in range(turns):
        if turn:
            run = await next_run(db, run)
        saver = RunSaver(db, run.run_id, 1)
        await graph(saver, a=speak).ainvoke({"messages": said(40, turn * 40)}, where(run))
    return run


async def listed(db: Database, run: Run, *, shares: bool) -> list[dict[str, Any]]:
    chat = graph(reader(db, shares=shares), a=speak)
    return [state._asdict() async for state in chat.aget_state_history(where(run))]


async def test_states_that_share_are_the_states_that_do_not(db: Database) -> None:
    run = await conversed(db)
    alone, together = [await listed(db, run, shares=shares) for shares in (False, True)]
    assert len(alone) == 9
    assert dumps(together) == dumps(alone) == dumps_states(together) == dumps_states(alone)
    newest, older = (state["values"]["messages"] for state in together[:2])
    assert newest[0] is older[0]
    assert newest is not older


async def test_states_share_nothing_unless_asked_to(db: Database) -> None:
    newest, older, *_ = await listed(db, await conversed(db), shares=False)
    assert newest["values"]["messages"][0] == older["values"]["messages"][0]
    assert newest["values"]["messages"][0] is not older["values"]["messages"][0]


async def test_a_state_that_reducers_still_go_over_shares_nothing(db: Database) -> None:
    async def ask(state: State) -> dict[str, Any]:
        return {"answer": interrupt("well?")}

    run = await started(db)
    saver = RunSaver(db, run.run_id, 1)
    chat = graph(saver, a=speak, b=ask)
    await chat.ainvoke({"messages": said(40)}, where(run))
    given: Any = Command(resume="so", update={"messages": [HumanMessage("changed", id="3")]})
    await chat.ainvoke(given, where(run))

    past = graph(reader(db, shares=True), a=speak, b=ask)
    states = [state.values.get("messages") async for state in past.aget_state_history(where(run))]
    newest, asking, spoken = states[
        :3
    ]  # answered; asking, which the answer changes; when it was about to speak
    assert [newest[3].content, asking[3].content] == ["changed"] * 2
    assert newest[0] is spoken[0]
    assert asking[0] is not newest[0]


def test_states_are_written_as_if_each_were_written_alone() -> None:
    shared: list[Any] = [AIMessage(f"{n} {LONG}", id=str(n)) for n in range(5)]
    shared += [make() for make in MAKERS[:12]]
    shared += [
        1,
        2.5,
        None,
        True,
        "é\u2028",
        {"b": {3: datetime(2026, 1, 1, tzinfo=UTC)}},
        {1},
        Decimal(2),
        b"x",
    ]
    states: list[dict[str, Any]] = [
        {"values": {"messages": shared, "n": 1, "empty": []}, "next": []},
        {"values": {"messages": [*shared, shared[0]], "deep": {"er": shared}}, "next": ["a"]},
        {"values": shared},
        {"next": []},
    ]
    assert dumps_states(states) == dumps(states)


@pytest.mark.parametrize("odd", ["\ud800", 2**70, {"a": ["\udfff"]}, {(1, 2): 3}])
def test_what_json_has_no_form_for_is_shown_in_a_list_of_states_too(odd: object) -> None:
    states: list[dict[str, Any]] = [{"values": {"messages": ["a", odd]}}, {"values": {"messages": ["a"]}}]
    assert dumps_states(states) == dumps(states)


def test_a_list_that_holds_itself_ends() -> None:
    held: list[Any] = []
    held.append(held)
    assert dumps_states([{"values": {"a": held}}]) == dumps([{"values": {"a": held}}])
