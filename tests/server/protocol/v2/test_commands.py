"""The commands of protocol v2, and how they are refused."""

from uuid import uuid4

import pytest

from .conftest import HI, Talk


async def test_a_broken_envelope_is_a_bad_request(talk: Talk) -> None:
    path = f"/threads/{talk.thread}/commands"
    for body in (b"{", b"[]", b"{}", b'{"id": 1}', b'{"id": "x", "method": "run.start"}', b'{"id": true}'):
        response = await talk.http.post(path, content=body)
        assert (response.status_code, response.json()["error"]) == (400, "invalid_argument")


async def test_refusals_are_answers_with_a_code(talk: Talk) -> None:
    assert await talk.refused("run.fly") == "unknown_command"
    assert await talk.refused("subscription.subscribe", channels=["values"]) == "not_supported"
    assert await talk.refused("run.start") == "invalid_argument"
    assert await talk.refused("run.start", assistant_id="nobody") == "invalid_argument"
    assert await talk.refused("run.start", assistant_id=str(uuid4())) == "invalid_argument"
    assert await talk.refused("agent.getTree") == "no_such_run"
    assert await talk.refused("state.get") == "no_such_run"
    assert await talk.refused("input.respond", interrupt_id="x", response=1) == "no_such_interrupt"
    assert await talk.refused("input.respond", response=1) == "invalid_argument"
    assert await talk.refused("input.respond", responses=[]) == "invalid_argument"


async def test_a_run_makes_the_thread_and_its_events_come_after_the_number_told(talk: Talk) -> None:
    first = await talk.send("run.start", assistant_id="talk", input=HI)
    await talk.http.get(f"/threads/{talk.thread}/runs/{first['result']['run_id']}/join")
    second = await talk.send("run.start", assistant_id="talk", input=HI)
    assert first["meta"] == {"applied_through_seq": 0}
    since = second["meta"]["applied_through_seq"]
    told = await talk.told(["lifecycle"], until="completed", since=since)
    assert {event["event_id"].split(":")[1] for event in told} == {second["result"]["run_id"]}


async def test_several_questions_are_answered_at_once(talk: Talk) -> None:
    await talk.run("two", input={"n": 1})
    asked = [event["params"] for event in await talk.told(["input"])]
    responses = [
        {"interrupt_id": one["data"]["interrupt_id"], "namespace": [], "response": i}
        for i, one in enumerate(asked)
    ]
    run_id = (await talk.ok("input.respond", responses=responses))["run_id"]
    done = (await talk.http.get(f"/threads/{talk.thread}/runs/{run_id}/join")).json()
    expected = [f"{one['data']['value']['about']}={i}" for i, one in enumerate(asked)]
    assert sorted(done["answers"]) == sorted(expected)
    assert await talk.refused("input.respond", responses=responses) == "no_such_interrupt"


async def test_what_is_still_asked_after_one_answer_is_asked_again(talk: Talk) -> None:
    await talk.run("two", input={"n": 1})
    first, second = [event["params"]["data"] for event in await talk.told(["input"])]
    told = await talk.send("input.respond", interrupt_id=first["interrupt_id"], response=1, namespace=[])
    since = told["meta"]["applied_through_seq"]
    events = await talk.told(["input", "lifecycle"], until="interrupted", since=since)
    again = [event["params"]["data"] for event in events if event["method"] == "input.requested"]
    assert again == [second]


async def test_an_answer_may_change_the_state_too(talk: Talk) -> None:
    await talk.run("ask", input={"n": 1})
    asked = (await talk.told(["input"]))[0]["params"]["data"]["interrupt_id"]
    told = await talk.ok("input.respond", interrupt_id=asked, response="yes", update={"n": 41})
    done = (await talk.http.get(f"/threads/{talk.thread}/runs/{told['run_id']}/join")).json()
    assert done == {"n": 42, "answers": ["yes"]}


async def test_a_message_is_injected_after_what_runs(talk: Talk) -> None:
    await talk.run("talk")
    await talk.ok("input.inject", namespace=[], message={"role": "user", "content": "and now?"})
    await talk.told(["lifecycle"], until="completed")
    values = (await talk.ok("state.get", keys=["messages"]))["values"]
    assert "and now?" in [message["content"] for message in values["messages"]]
    assert await talk.refused("input.inject", namespace=["x"], message={"content": "x"}) == "not_supported"
    await talk.run("ask", input={"n": 1})
    assert await talk.refused("input.inject", message={"content": "x"}) == "not_supported"


@pytest.mark.parametrize("by", ["state.fork", "config"])
async def test_a_run_may_begin_at_an_earlier_checkpoint(talk: Talk, by: str) -> None:
    await talk.run("talk")
    await talk.run("talk", input={"messages": [{"role": "user", "content": "again", "id": "h2"}]})
    checkpoints = (await talk.ok("state.listCheckpoints", limit=10))["checkpoints"]
    steps = [one["step"] for one in checkpoints]
    assert steps == sorted(steps, reverse=True)
    first = checkpoints[steps.index(1)]["id"]
    said = {"messages": [{"role": "user", "content": "other", "id": "h3"}]}
    if by == "config":
        place = {"configurable": {"checkpoint_id": first, "thread_id": talk.thread}}
        run_id = await talk.run("talk", input=said, config=place)
    else:
        told = await talk.ok("state.fork", checkpoint_id=first, input=said)
        run_id = told["run_id"]
        assert told["thread_id"] == talk.thread
    done = (await talk.http.get(f"/threads/{talk.thread}/runs/{run_id}/join")).json()
    assert [m["id"] for m in done["messages"] if m["type"] == "human"] == ["h1", "h3"]
    assert await talk.refused("state.fork", checkpoint_id=str(uuid4())) == "no_such_checkpoint"


async def test_the_tree_shows_graphs_in_graphs(talk: Talk) -> None:
    run_id = await talk.run("deep")
    tree = (await talk.ok("agent.getTree", run_id=run_id))["tree"]
    assert (tree["namespace"], tree["status"], tree["graph_name"]) == ([], "completed", "deep")
    (child,) = tree["children"]
    assert (child["graph_name"], child["status"]) == ("sub", "completed")
    assert await talk.refused("agent.getTree", run_id=str(uuid4())) == "no_such_run"
    assert await talk.refused("agent.getTree", run_id="x") == "no_such_run"


async def test_texts_that_no_database_takes_are_refused(talk: Talk) -> None:
    await talk.run("talk")
    for method, params in (
        ("state.fork", {"checkpoint_id": "\0"}),
        ("state.get", {"namespace": ["\0"]}),
        ("state.listCheckpoints", {"before": "\0"}),
        ("run.start", {"assistant_id": "\0"}),
    ):
        assert await talk.refused(method, **params) == "invalid_argument"
    assert await talk.refused("input.respond", interrupt_id="\0") == "no_such_interrupt"


async def test_a_busy_thread_that_was_not_to_wait_is_refused(talk: Talk) -> None:
    await talk.start("slow")
    code = await talk.refused("run.start", assistant_id="talk", input=HI, multitaskStrategy="reject")
    assert code == "unknown_error"
