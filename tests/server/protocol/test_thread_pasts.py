"""Threads begin with a past, hand it on, lose it, and say how much it takes."""

import asyncio
from typing import Any

import pytest
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import BadRequestError, ConflictError, NotFoundError
from tests.fakes.served import HI

from .conftest import Wire

PAST: list[Any] = [
    {"updates": [{"values": HI, "as_node": "__input__"}]},
    {"updates": [{"values": HI, "as_node": "__start__"}]},
    {"updates": [{"values": {"log": ["told"]}, "as_node": "first"}]},
    {"updates": [{"values": None, "command": {"update": {"log": ["by command"]}}, "as_node": "child"}]},
]


@pytest.fixture
def client(wire: Wire) -> LangGraphClient:
    return LangGraphClient(wire.http)


async def ran(client: LangGraphClient, graph: str, given: Any, thread: str = "") -> str:
    """A thread on which a graph ran."""
    thread = thread or (await client.threads.create())["thread_id"]
    await client.runs.wait(thread, graph, input=given)
    return thread


async def copied_from(client: LangGraphClient, source: str) -> Any:
    """The copy of a thread: the client says it returns nothing, and returns it."""
    copy: Any = client.threads.copy
    return await copy(source)


async def test_a_thread_is_made_with_a_past_and_goes_on_from_there(client: LangGraphClient) -> None:
    made = await client.threads.create(graph_id="flow", supersteps=PAST, metadata={"k": "v"})
    thread = made["thread_id"]
    state: Any = await client.threads.get_state(thread)

    assert (made["status"], made["metadata"]) == ("interrupted", {"k": "v", "graph_id": "flow"})
    assert made["values"] == state["values"]
    assert state["values"]["log"] == ["told", "by command"]
    assert state["next"] == ["talk"]
    states: Any = await client.threads.get_history(thread)
    assert [one["metadata"]["source"] for one in states] == ["update"] * 3 + ["input"]
    done: Any = await client.runs.wait(thread, "flow")
    assert [one["content"] for one in done["messages"]] == ["hi", "one two three"]


async def test_a_past_that_no_graph_can_take_leaves_no_thread(client: LangGraphClient, nowhere: str) -> None:
    nonsense: list[Any] = [*PAST, {"updates": [{"values": {}, "as_node": "none"}]}]
    with pytest.raises(BadRequestError, match="none"):
        await client.threads.create(thread_id=nowhere, graph_id="flow", supersteps=nonsense)
    with pytest.raises(BadRequestError, match="graph_id"):
        await client.threads.create(thread_id=nowhere, supersteps=PAST)
    with pytest.raises(NotFoundError, match="gone"):
        await client.threads.create(thread_id=nowhere, graph_id="gone", supersteps=PAST)
    resume: list[Any] = [{"updates": [{"values": None, "command": {"resume": 1}, "as_node": "first"}]}]
    with pytest.raises(BadRequestError, match="resume"):
        await client.threads.create(thread_id=nowhere, graph_id="flow", supersteps=resume)
    with pytest.raises(NotFoundError):
        await client.threads.get(nowhere)
    await client.threads.create(thread_id=nowhere, graph_id="flow")
    assert await client.threads.get_history(nowhere) == []
    with pytest.raises(ConflictError):
        await client.threads.create(thread_id=nowhere, graph_id="flow", supersteps=PAST)
    kept = await client.threads.create(
        thread_id=nowhere, graph_id="flow", supersteps=PAST, if_exists="do_nothing"
    )
    assert (kept["thread_id"], kept["values"]) == (nowhere, None)


async def test_two_who_tell_the_same_thread_a_past_give_it_one(wire: Wire, nowhere: str) -> None:
    body = {"thread_id": nowhere, "metadata": {"graph_id": "flow"}, "supersteps": PAST}
    told = await asyncio.gather(
        *(wire("POST", "/threads", {**body, "if_exists": "do_nothing"}) for _ in range(4)),
        *(wire("POST", "/threads", body) for _ in range(4)),
    )

    assert {one.status_code for one in told[:4]} == {200}
    assert sorted({one.status_code for one in told[4:]} - {200}) == [409]
    assert len(await wire.ok("GET", f"/threads/{nowhere}/history?limit=100")) == len(PAST)


async def test_a_copy_has_state_and_history_and_goes_its_own_way(client: LangGraphClient) -> None:
    source = await ran(client, "flow", HI)
    await client.threads.update(source, metadata={"k": "v"}, ttl={"ttl": 60, "strategy": "keep_latest"})
    copied = await copied_from(client, source)
    copy = copied["thread_id"]
    before: Any = await client.threads.get_history(source)
    after: Any = await client.threads.get_history(copy)

    assert copied["metadata"] == (await client.threads.get(source))["metadata"]
    assert copied["values"] == before[0]["values"]
    assert [one["values"] for one in after] == [one["values"] for one in before]
    assert {one["checkpoint"]["thread_id"] for one in after} == {copy}
    assert await client.threads.get_history(copy, metadata={"thread_id": source}) == []
    told: Any = await client.threads.get(copy, include=["ttl"])
    assert told["ttl"]["strategy"] == "keep_latest"
    assert await client.runs.list(copy) == []
    await client.threads.delete(source)
    await ran(client, "flow", {"log": ["mine"]}, copy)
    now: Any = await client.threads.get_state(copy)
    assert len(now["values"]["log"]) > len(before[0]["values"]["log"])


@pytest.mark.parametrize("graph", ["asks", "gated", "nest"])
async def test_what_is_open_is_asked_on_the_copy_as_well_and_answered_there_alone(
    client: LangGraphClient, wire: Wire, graph: str
) -> None:
    source = await ran(client, graph, {"n": 1})
    copied = await copied_from(client, source)
    copy = copied["thread_id"]

    assert (copied["status"], copied["interrupts"]) == (
        "interrupted",
        (await client.threads.get(source))["interrupts"],
    )
    (asked,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={copy}")
    (there,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={source}")
    assert (asked["status"], asked["interrupt_id"]) == ("pending", there["interrupt_id"])
    answer: Any = {"type": "approve"} if graph == "gated" else "mine"
    done: Any = await client.runs.wait(copy, graph, command={"resume": answer})
    assert done["answer"] == answer
    assert (await client.threads.get(copy))["status"] == "idle"
    (there,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={source}")
    assert there["status"] == "pending"
    done = await client.runs.wait(source, graph, command={"resume": answer})
    assert done["answer"] == answer


async def test_copies_that_make_no_sense_are_refused(wire: Wire, nowhere: str) -> None:
    assert (await wire.refused("POST", f"/threads/{nowhere}/copy"))[0] == 404
    assert (await wire.refused("POST", "/threads/nope/copy"))[0] == 422
    empty = await wire.thread()
    copied = await wire.ok("POST", f"/threads/{empty}/copy")
    assert (copied["status"], copied["values"]) == ("idle", None)


async def test_a_busy_thread_is_copied_as_far_as_it_was_saved(client: LangGraphClient) -> None:
    thread = await ran(client, "slow", {"n": 0.01})
    await client.runs.create(thread, "slow", input={"n": 30})
    copied = await copied_from(client, thread)

    assert (copied["status"], copied["interrupts"]) == ("idle", {})
    assert copied["values"]["answer"] == "slept"


async def test_pruned_threads_are_gone(client: LangGraphClient, nowhere: str) -> None:
    one, two, busy = [(await client.threads.create())["thread_id"] for _ in range(3)]
    await client.runs.create(busy, "slow", input={"n": 30})

    assert await client.threads.prune([one, one, nowhere, busy]) == {"pruned_count": 1}
    with pytest.raises(NotFoundError):
        await client.threads.get(one)
    assert (await client.threads.get(two))["status"] == "idle"
    assert (await client.threads.get(busy))["status"] == "busy"
    assert await client.threads.prune([]) == {"pruned_count": 0}


async def test_a_thread_that_keeps_its_newest_state_only_goes_on_as_before(client: LangGraphClient) -> None:
    thread = await ran(client, "flow", HI)
    await ran(client, "flow", {"log": ["again"]}, thread)
    before: Any = await client.threads.get_state(thread)
    weight: Any = await client.http.get(f"/threads/{thread}/storage")

    assert await client.threads.prune([thread], strategy="keep_latest") == {"pruned_count": 1}
    (after,) = await client.threads.get_history(thread)
    assert after["parent_checkpoint"] is None
    assert after == {**before, "parent_checkpoint": None, "parent_checkpoint_id": None}
    lighter: Any = await client.http.get(f"/threads/{thread}/storage")
    assert lighter["checkpoints"]["count"] == 1 < weight["checkpoints"]["count"]
    assert lighter["total_bytes"] < weight["total_bytes"] / 2
    assert len(await client.runs.list(thread)) == 2
    await ran(client, "flow", {"log": ["more"]}, thread)
    state: Any = await client.threads.get_state(thread)
    assert state["values"]["log"][: len(before["values"]["log"]) + 1] == [*before["values"]["log"], "more"]
    assert await client.threads.prune([thread], strategy="keep_latest") == {"pruned_count": 1}


@pytest.mark.parametrize("graph", ["asks", "gated", "nest"])
async def test_a_question_outlives_the_pruning_of_its_past(client: LangGraphClient, graph: str) -> None:
    thread = await ran(client, "asks" if graph == "asks" else graph, {"n": 1})
    if graph == "nest":  # one call of the graph inside is over before
        await client.runs.wait(thread, graph, command={"resume": "first"})
        await client.runs.wait(thread, graph, input={"n": 2})
    asked = (await client.threads.get(thread))["interrupts"]
    state = await client.threads.get_state(thread, subgraphs=True)
    await client.threads.prune([thread], strategy="keep_latest")

    assert (await client.threads.get(thread))["interrupts"] == asked
    now = await client.threads.get_state(thread, subgraphs=True)
    assert (now["tasks"][0]["interrupts"], now["values"]) == (
        state["tasks"][0]["interrupts"],
        state["values"],
    )
    answer: Any = {"type": "approve"} if graph == "gated" else "mine"
    done: Any = await client.runs.wait(thread, graph, command={"resume": answer})
    assert done["answer"] == answer


async def test_two_prunings_and_a_run_at_once_do_no_harm(client: LangGraphClient) -> None:
    thread = await ran(client, "flow", HI)
    for turn in range(5):
        said: Any = {"role": "user", "content": "long " * 500, "id": f"turn {turn}"}
        await asyncio.gather(
            client.threads.prune([thread], strategy="keep_latest"),
            client.runs.wait(thread, "flow", input={"messages": [said]}),
            client.threads.prune([thread], strategy="keep_latest"),
        )
    state: Any = await client.threads.get_state(thread)
    turns = [one["id"] for one in state["values"]["messages"] if one["id"].startswith("turn")]
    assert turns == [f"turn {turn}" for turn in range(5)]


async def test_what_a_thread_takes_is_told_by_channel(client: LangGraphClient, wire: Wire) -> None:
    thread = await ran(client, "flow", {"messages": [{"role": "user", "content": "word " * 100}] * 50})
    told = await wire.ok("GET", f"/threads/{thread}/storage")
    empty = await wire.ok("GET", f"/threads/{await wire.thread()}/storage")

    assert told["thread_id"] == thread
    values = told["channel_values"]
    parts = (told["checkpoints"], values, told["pending_writes"])
    assert told["total_bytes"] == sum(part["bytes"] for part in parts)
    assert values["count"] == sum(share["versions"] for share in values["by_channel"].values())
    assert values["by_channel"]["messages"]["versions"] >= 2
    assert 50 * 500 < values["by_channel"]["messages"]["bytes"] <= values["bytes"] < 200 * 500
    assert told["checkpoints"]["count"] >= 5
    assert empty["total_bytes"] == 0
    assert empty["channel_values"] == {"count": 0, "bytes": 0, "by_channel": {}}


async def test_prunings_and_weights_that_make_no_sense_are_refused(wire: Wire, nowhere: str) -> None:
    for wrong, field in [
        ({}, "thread_ids"),
        ({"thread_ids": ["nope"]}, "thread_ids[0]"),
        ({"thread_ids": nowhere}, "thread_ids"),
        ({"thread_ids": [nowhere], "strategy": "x"}, "strategy"),
        ({"thread_ids": [nowhere] * 1001}, "thread_ids"),
    ]:
        status, detail = await wire.refused("POST", "/threads/prune", wrong)
        assert (status, field in detail) == (422, True)
    assert (await wire.refused("GET", f"/threads/{nowhere}/storage"))[0] == 404
    assert (await wire.refused("GET", "/threads/nope/storage"))[0] == 422
