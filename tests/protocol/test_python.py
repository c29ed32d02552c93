"""The official Python client: every call of it, over a real socket."""

import asyncio
from http.server import BaseHTTPRequestHandler, HTTPServer
from json import loads
from threading import Thread
from typing import Any, cast
from uuid import uuid4

import pytest
from langgraph_sdk import get_sync_client
from langgraph_sdk.client import LangGraphClient
from langgraph_sdk.errors import ConflictError, NotFoundError, UnprocessableEntityError
from langgraph_sdk.schema import StreamPart

pytestmark = [pytest.mark.journey, pytest.mark.xdist_group("protocol")]

HI: Any = {"messages": [{"role": "user", "content": "hi"}]}
SLOWLY: Any = {"messages": [{"role": "user", "content": f"slowly {'word ' * 40}"}]}
WITHIN_S = 15
EVERY_MODE: Any = ["values", "updates", "messages-tuple", "custom", "tasks", "checkpoints", "debug", "events"]


async def said(stream: Any) -> list[StreamPart]:
    """Return all parts of a stream."""
    return [part async for part in stream]


async def a_thread(client: LangGraphClient, **given: Any) -> str:
    """Make a thread."""
    return str((await client.threads.create(**given))["thread_id"])


async def counted(client: LangGraphClient, thread: str) -> Any:
    """Return what the graph of steps has counted on a thread."""
    state: Any = await client.threads.get_state(thread)
    return state["values"]["counted"]


async def test_every_graph_has_an_assistant_that_the_system_made(client: LangGraphClient) -> None:
    found = await client.assistants.search(limit=100, metadata={"created_by": "system"})
    assert {one["graph_id"] for one in found} == {"asks", "chat", "looker", "nests", "remembers", "steps"}


async def test_an_assistant_is_made_changed_found_counted_and_removed(client: LangGraphClient) -> None:
    tag = uuid4().hex
    made = await client.assistants.create("chat", name=f"mine {tag}", metadata={"tag": tag}, description="d")
    changed = await client.assistants.update(made["assistant_id"], name="ours", metadata={"more": 1})
    assert (changed["version"], changed["metadata"]) == (2, {"tag": tag, "more": 1})
    assert (await client.assistants.get(made["assistant_id"]))["name"] == "ours"
    assert await client.assistants.count(metadata={"tag": tag}) == 1
    paged = await client.assistants.search(metadata={"tag": tag}, response_format="object", limit=1)
    assert (len(paged["assistants"]), paged["next"]) == (1, None)
    await client.assistants.delete(made["assistant_id"])
    with pytest.raises(NotFoundError):
        await client.assistants.get(made["assistant_id"])


async def test_versions_of_an_assistant_are_kept_and_one_is_the_latest(client: LangGraphClient) -> None:
    made = await client.assistants.create("chat", name="one")
    await client.assistants.update(made["assistant_id"], name="two")
    versions = await client.assistants.get_versions(made["assistant_id"])
    assert [one["version"] for one in versions] == [2, 1]
    assert (await client.assistants.set_latest(made["assistant_id"], 1))["name"] == "one"
    assert (await client.assistants.update(made["assistant_id"], name="three"))["version"] == 3
    await client.assistants.delete(made["assistant_id"])


async def test_an_id_is_given_out_once(client: LangGraphClient) -> None:
    assistant = str(uuid4())
    await client.assistants.create("chat", assistant_id=assistant)
    with pytest.raises(ConflictError):
        await client.assistants.create("chat", assistant_id=assistant)
    same = await client.assistants.create("chat", assistant_id=assistant, if_exists="do_nothing")
    assert same["assistant_id"] == assistant
    await client.assistants.delete(assistant)


async def test_a_graph_is_drawn_and_described(client: LangGraphClient) -> None:
    (nests,) = await client.assistants.search(graph_id="nests", metadata={"created_by": "system"})
    drawn = await client.assistants.get_graph(nests["assistant_id"])
    assert {node["id"] for node in drawn["nodes"]} == {"__start__", "outer", "child", "__end__"}
    inside = await client.assistants.get_graph(nests["assistant_id"], xray=True)
    assert any("deep" in str(node["id"]) for node in inside["nodes"])
    schemas = await client.assistants.get_schemas(nests["assistant_id"])
    assert schemas["graph_id"] == "nests"
    assert schemas["input_schema"]
    assert list(await client.assistants.get_subgraphs(nests["assistant_id"])) == ["child"]


async def test_a_thread_is_made_changed_found_counted_and_removed(client: LangGraphClient) -> None:
    tag = uuid4().hex
    thread = await a_thread(client, metadata={"tag": tag})
    changed = await client.threads.update(thread, metadata={"more": 1})
    assert changed["metadata"] == {"tag": tag, "more": 1}
    assert [one["thread_id"] for one in await client.threads.search(metadata={"tag": tag})] == [thread]
    assert [one["thread_id"] for one in await client.threads.search(ids=[thread])] == [thread]
    assert await client.threads.count(metadata={"tag": tag}) == 1
    await client.threads.delete(thread)
    with pytest.raises(NotFoundError):
        await client.threads.get(thread)


async def test_threads_are_found_by_their_values_and_shown_in_part(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    await client.runs.wait(thread, "steps", input={"n": 1, "fail_at": (mark := uuid4().int % 10**9)})
    found = await client.threads.search(values={"fail_at": mark}, select=["thread_id", "values"])
    assert [(one["thread_id"], sorted(one)) for one in found] == [(thread, ["thread_id", "values"])]
    assert await client.threads.count(values={"fail_at": mark}) == 1


async def test_a_thread_with_a_ttl_says_when_it_goes(client: LangGraphClient) -> None:
    thread = await a_thread(client, ttl=60)
    told: Any = await client.threads.get(thread, include=["ttl"])
    assert told["ttl"]["ttl_minutes"] == 60


async def test_a_copy_has_a_state_of_its_own(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    await client.runs.wait(thread, "steps", input={"n": 2})
    copied = await cast("Any", client.threads.copy(thread))
    await client.runs.wait(copied["thread_id"], "steps", input={"n": 4})
    assert await counted(client, thread) == [0, 1]
    assert await counted(client, copied["thread_id"]) == [0, 1, 2, 3]


async def test_a_thread_is_made_with_steps_that_were_taken_elsewhere(client: LangGraphClient) -> None:
    steps: Any = [
        {"updates": [{"values": HI, "as_node": "__start__"}]},
        {"updates": [{"values": {"messages": [{"role": "ai", "content": "hello"}]}, "as_node": "say"}]},
    ]
    thread = await a_thread(client, graph_id="chat", supersteps=steps)
    state: Any = await client.threads.get_state(thread)
    assert [one["content"] for one in state["values"]["messages"]] == ["hi", "hello"]


async def test_pruning_keeps_the_newest_state(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    await client.runs.wait(thread, "steps", input={"n": 3})
    assert (await client.threads.prune([thread], strategy="keep_latest"))["pruned_count"] == 1
    assert len(await client.threads.get_history(thread)) == 1
    assert (await client.runs.wait(thread, "steps", input={"n": 4}))["counted"] == [0, 1, 2, 3]  # type: ignore[call-overload]


async def test_a_state_is_looked_back_at_and_forked(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    await client.runs.wait(thread, "steps", input={"n": 3})
    history: Any = await client.threads.get_history(thread, limit=100)
    assert len(history) == 5
    past = next(one for one in history if len(one["values"].get("counted", ())) == 1)
    at = await client.threads.get_state(thread, checkpoint_id=past["checkpoint"]["checkpoint_id"])
    assert at["values"]["counted"] == [0]  # type: ignore[call-overload]
    await client.threads.update_state(thread, {"n": 2}, as_node="count", checkpoint=past["checkpoint"])
    assert (await client.runs.wait(thread, "steps", input=None))["counted"] == [0, 1]  # type: ignore[call-overload]
    before: Any = await client.threads.get_history(thread, limit=1, before=history[0]["checkpoint"])
    assert before[0]["checkpoint"]["checkpoint_id"] == history[1]["checkpoint"]["checkpoint_id"]


async def test_a_background_run_is_listed_joined_and_removed(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    run = await client.runs.create(thread, "chat", input=HI, metadata={"a": 1})
    state: Any = await client.runs.join(thread, run["run_id"])
    assert state["messages"][-1]["content"] == "You said: hi"
    listed: Any = (await client.runs.list(thread))[0]
    assert (listed["run_id"], listed["status"], listed["metadata"]["a"]) == (run["run_id"], "success", 1)
    await client.runs.delete(thread, run["run_id"])
    with pytest.raises(NotFoundError):
        await client.runs.get(thread, run["run_id"])


async def test_a_batch_makes_as_many_runs(client: LangGraphClient) -> None:
    orders: Any = [{"assistant_id": "steps", "input": {"n": n}} for n in (1, 2, 3)]
    assert len({run["run_id"] for run in await client.runs.create_batch(orders)}) == 3


async def test_a_stateless_run_is_waited_for(client: LangGraphClient) -> None:
    assert (await client.runs.wait(None, "steps", input={"n": 1}))["counted"] == [0]  # type: ignore[call-overload]


async def test_a_failure_is_raised_with_its_words(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    with pytest.raises(Exception, match="1 is too many"):
        await client.runs.wait(thread, "steps", input={"n": 2, "fail_at": 1}, raise_error=True)
    assert (await client.threads.get(thread))["status"] == "error"


async def test_every_mode_streams_its_events(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    parts = await said(
        client.runs.stream(thread, "nests", input=HI, stream_mode=EVERY_MODE, stream_subgraphs=True)
    )
    modes = {part.event.partition("|")[0] for part in parts}
    assert modes >= {"metadata", "messages", *EVERY_MODE} - {"messages-tuple"}
    assert any(part.event.startswith("custom|child:") for part in parts)


async def test_tokens_make_the_message(client: LangGraphClient) -> None:
    parts = await said(client.runs.stream(None, "chat", input=HI, stream_mode="messages-tuple"))
    assert "".join(part.data[0]["content"] for part in parts if part.event == "messages") == "You said: hi"
    whole = await said(client.runs.stream(None, "chat", input=HI, stream_mode="messages"))
    grown = [part.data[0]["content"] for part in whole if part.event == "messages/partial"]
    assert grown[-1] == "You said: hi"
    assert grown == sorted(grown, key=len)


async def test_a_stream_is_joined_from_an_id_on(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    modes: Any = ["messages-tuple", "values"]
    first = await said(client.runs.stream(thread, "chat", input=HI, stream_mode=modes, stream_resumable=True))
    (run,) = await client.runs.list(thread)
    again = await said(client.runs.join_stream(thread, run["run_id"], last_event_id="-1"))
    assert [part.id for part in again] == [part.id for part in first]
    rest = await said(client.runs.join_stream(thread, run["run_id"], last_event_id=again[2].id))
    assert [part.id for part in rest] == [part.id for part in again[3:]]


async def test_an_error_is_said_again_to_who_comes_later(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    run = await client.runs.create(thread, "steps", input={"n": 1, "fail_at": 0})
    await client.runs.join(thread, run["run_id"])
    parts = await said(client.runs.join_stream(thread, run["run_id"], last_event_id="-1"))
    assert (parts[-1].event, parts[-1].data["error"]) == ("error", "ValueError")


async def test_a_question_is_seen_everywhere_and_answered(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    parts = await said(client.runs.stream(thread, "asks", input={}))
    (asked,) = parts[-1].data["__interrupt__"]
    found: Any = await client.threads.get(thread)
    state: Any = await client.threads.get_state(thread)
    assert found["status"] == "interrupted"
    assert next(iter(found["interrupts"].values()))[0]["id"] == asked["id"]
    assert state["tasks"][0]["interrupts"][0]["id"] == asked["id"]
    answered: Any = await client.runs.wait(thread, "asks", command={"resume": "yes"})
    assert answered["answers"] == ["yes"]
    assert (await client.threads.get(thread))["status"] == "idle"


async def test_two_questions_are_answered_by_their_ids(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    asked: Any = (await client.runs.wait(thread, "asks", input={"two": True}))["__interrupt__"]  # type: ignore[call-overload]
    resume = {one["id"]: one["value"]["question"] for one in asked}
    answered: Any = await client.runs.wait(thread, "asks", command={"resume": resume})
    assert sorted(answered["answers"]) == ["first?", "second?"]


async def test_a_run_stops_before_a_node_and_goes_on(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    await client.runs.wait(thread, "nests", input=HI, interrupt_before=["child"])
    assert (await client.threads.get_state(thread))["next"] == ["child"]
    done: Any = await client.runs.wait(thread, "nests", input=None)
    assert len(done["messages"]) == 2


async def test_cancelling_and_waiting_means_stopped(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    run = await client.runs.create(thread, "chat", input=SLOWLY)
    await client.runs.cancel(thread, run["run_id"], wait=True)
    assert (await client.runs.get(thread, run["run_id"]))["status"] == "interrupted"


async def test_a_rollback_leaves_no_checkpoint(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    await client.runs.wait(thread, "steps", input={"n": 1})
    run = await client.runs.create(thread, "steps", input={"n": 9, "pause_s": 0.2})
    await client.runs.cancel(thread, run["run_id"], wait=True, action="rollback")
    with pytest.raises(NotFoundError):
        await client.runs.get(thread, run["run_id"])
    assert (await client.threads.get_state(thread))["values"]["counted"] == [0]  # type: ignore[call-overload]


async def test_many_runs_are_cancelled_at_once(client: LangGraphClient) -> None:
    threads = [await a_thread(client) for _ in range(3)]
    made = [await client.runs.create(thread, "chat", input=SLOWLY) for thread in threads[:1]]
    await client.runs.cancel_many(thread_id=threads[0], run_ids=[run["run_id"] for run in made])
    await client.runs.join(threads[0], made[0]["run_id"])
    assert (await client.runs.get(threads[0], made[0]["run_id"]))["status"] == "interrupted"


async def test_a_busy_thread_does_as_the_new_run_says(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    long: Any = {"n": 9, "pause_s": 0.3}
    first = await client.runs.create(thread, "steps", input=long)
    with pytest.raises(ConflictError):
        await client.runs.create(thread, "steps", input={"n": 1}, multitask_strategy="reject")
    second = await client.runs.create(thread, "steps", input=long, multitask_strategy="interrupt")
    third = await client.runs.create(thread, "steps", input={"n": 1}, multitask_strategy="rollback")
    last = await client.runs.create(thread, "chat", input=HI, multitask_strategy="enqueue")
    await client.runs.join(thread, last["run_id"])
    assert (await client.runs.get(thread, first["run_id"]))["status"] == "interrupted"
    with pytest.raises(NotFoundError):
        await client.runs.get(thread, second["run_id"])
    assert (await client.runs.get(thread, third["run_id"]))["status"] == "success"


async def test_a_webhook_is_told_of_a_delayed_run_on_a_new_thread(client: LangGraphClient) -> None:
    told: list[Any] = []

    class Hook(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(loads(self.rfile.read(int(self.headers["content-length"]))))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Hook) as server:
        waiting = Thread(target=server.handle_request)
        waiting.start()
        run = await client.runs.create(
            str(uuid4()),
            "steps",
            input={"n": 1},
            if_not_exists="create",
            after_seconds=1,
            webhook=f"http://127.0.0.1:{server.server_port}/hook",
        )
        assert run["status"] == "pending"
        await asyncio.to_thread(waiting.join, 15)
    (body,) = told
    assert (body["run_id"], body["status"], body["values"]["counted"]) == (run["run_id"], "success", [0])


async def test_a_schedule_is_made_changed_found_counted_and_removed(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    free: Any = await client.crons.create("steps", schedule="0 8 * * *", input={"n": 1})
    bound: Any = await client.crons.create_for_thread(thread, "steps", schedule="0 9 * * *", input={"n": 1})
    (found,) = await client.crons.search(thread_id=thread)
    assert found["cron_id"] == bound["cron_id"]
    assert await client.crons.count(thread_id=thread) == 1
    assert (await client.crons.update(free["cron_id"], enabled=False))["enabled"] is False
    for one in (free, bound):
        await client.crons.delete(one["cron_id"])
    with pytest.raises(UnprocessableEntityError):
        await client.crons.create("steps", schedule="not one", input={"n": 1})


async def test_an_item_is_put_read_searched_listed_and_removed(client: LangGraphClient) -> None:
    place = ["python", uuid4().hex]
    await client.store.put_item(place, "a", {"n": 1, "kind": "x"})
    await client.store.put_item(place, "b", {"n": 2, "kind": "y"})
    assert (await client.store.get_item(place, "a"))["value"] == {"n": 1, "kind": "x"}
    found = await client.store.search_items(place, filter={"kind": "y"})
    assert [item["key"] for item in found["items"]] == ["b"]
    assert (await client.store.list_namespaces(prefix=place))["namespaces"] == [place]
    await client.store.delete_item(place, "a")
    assert await client.store.get_item(place, "a") is None


async def test_what_a_graph_keeps_is_what_the_client_reads(client: LangGraphClient) -> None:
    who = uuid4().hex
    await client.runs.wait(None, "remembers", input={"who": who, "fact": "likes tea"})
    assert (await client.store.get_item(["facts", who], "likes"))["value"] == {"text": "likes tea"}


async def test_a_thread_is_followed_over_its_runs(client: LangGraphClient) -> None:
    thread = await a_thread(client)
    for n in (1, 2):
        await client.runs.wait(thread, "steps", input={"n": n})
    seen: list[StreamPart] = []
    async with asyncio.timeout(WITHIN_S):
        async for part in await client.threads.join_stream(thread, last_event_id="0-0"):
            seen.append(part)
            done = [one for one in seen if one.event == "metadata" and one.data.get("status") == "run_done"]
            if len(done) == 2:
                break
    assert [part.data["counted"] for part in seen if part.event == "values" and part.data.get("counted")]


def test_the_synchronous_client_runs_and_streams(url: str) -> None:
    with get_sync_client(url=url, api_key=None) as client:
        thread = client.threads.create()["thread_id"]
        parts = list(client.runs.stream(thread, "chat", input=HI, stream_mode="messages-tuple"))
        state: Any = client.threads.get_state(thread)
    assert "".join(part.data[0]["content"] for part in parts if part.event == "messages") == "You said: hi"
    assert state["values"]["messages"][-1]["content"] == "You said: hi"
