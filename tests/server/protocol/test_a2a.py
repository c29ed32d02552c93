"""A2A: as the official client sees it over a real socket, in both versions, and as raw requests."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from a2a.client import A2ACardResolver, Client, ClientConfig, ClientFactory
from a2a.helpers import get_artifact_text, get_message_text, new_data_message, new_text_message
from a2a.types import (
    CancelTaskRequest,
    GetTaskRequest,
    Message,
    Role,
    SendMessageRequest,
    StreamResponse,
    TaskState,
)
from a2a.utils.errors import TaskNotCancelableError, TaskNotFoundError
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.listening import listening
from tests.fakes.served import serving
from tests.server.protocol.conftest import Wire

from artel.storage.ids import system_assistant_id

NOBODY = "e4cbeadf-24cf-41fd-881f-14bfc78aaec9"


@pytest.fixture
async def url(fresh_dsn: str) -> AsyncIterator[str]:
    async with serving(fresh_dsn) as app, listening(app) as url:
        yield url


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=20) as client:
        yield client


@pytest.fixture(params=["1.0", "0.3"])
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def _client(http: httpx.AsyncClient, url: str, version: str, graph: str, **config: Any) -> Client:
    card = await A2ACardResolver(http, f"{url}/a2a/{graph}").get_agent_card()
    wanted = [one for one in card.supported_interfaces if one.protocol_version == version]
    del card.supported_interfaces[:]
    card.supported_interfaces.extend(wanted)
    return ClientFactory(ClientConfig(httpx_client=http, **config)).create(card)


async def _send(client: Client, message: Message) -> list[StreamResponse]:
    async with asyncio.timeout(15):
        return [event async for event in client.send_message(SendMessageRequest(message=message))]


def _said(text: str, **where: str) -> Message:
    return new_text_message(text, role=Role.ROLE_USER, **where)


def _given(data: dict[str, Any]) -> Message:
    return new_data_message(data, role=Role.ROLE_USER)


async def test_the_official_client_sends_and_reads(url: str, http: httpx.AsyncClient, version: str) -> None:
    client = await _client(http, url, version, "flow", streaming=False)
    (sent,) = await _send(client, _said("hi"))
    task = sent.task
    assert task.status.state == TaskState.TASK_STATE_COMPLETED
    assert get_artifact_text(task.artifacts[0]) == "one two three"
    assert [(one.role, get_message_text(one)) for one in task.history] == [
        (Role.ROLE_USER, "hi"),
        (Role.ROLE_AGENT, "one two three"),
    ]
    again = await client.get_task(GetTaskRequest(id=task.id, history_length=1))
    assert again.status.state == TaskState.TASK_STATE_COMPLETED
    assert [get_message_text(one) for one in again.history] == ["one two three"]
    (second,) = await _send(client, _said("more", context_id=task.context_id))
    assert second.task.context_id == task.context_id
    assert second.task.id != task.id


async def test_the_official_client_streams(url: str, http: httpx.AsyncClient, version: str) -> None:
    client = await _client(http, url, version, "flow")
    events = await _send(client, _said("hi"))
    assert events[0].task.status.state == TaskState.TASK_STATE_SUBMITTED
    states = [one.status_update.status for one in events if one.HasField("status_update")]
    assert states[0].state == TaskState.TASK_STATE_WORKING
    assert states[-1].state == TaskState.TASK_STATE_COMPLETED
    said = [get_message_text(one.message) for one in states if one.HasField("message")]
    assert said[-1] == "one two three"
    assert all("one two three".startswith(text) for text in said)
    (made,) = [one.artifact_update.artifact for one in events if one.HasField("artifact_update")]
    assert get_artifact_text(made) == "one two three"


async def test_a_question_is_answered_in_its_task(url: str, http: httpx.AsyncClient, version: str) -> None:
    client = await _client(http, url, version, "asks")
    events = await _send(client, _given({"n": 1}))
    task = events[0].task
    last = events[-1].status_update.status
    assert last.state == TaskState.TASK_STATE_INPUT_REQUIRED
    asked = last.message.parts[0].data
    assert asked.struct_value["question"] == "ok?"
    waiting = await client.get_task(GetTaskRequest(id=task.id))
    assert waiting.status.state == TaskState.TASK_STATE_INPUT_REQUIRED
    answered = await _send(client, _said("yes", task_id=task.id, context_id=task.context_id))
    assert answered[0].task.id == task.id
    assert answered[-1].status_update.status.state == TaskState.TASK_STATE_COMPLETED
    done = await client.get_task(GetTaskRequest(id=task.id))
    assert done.status.state == TaskState.TASK_STATE_COMPLETED
    values = done.artifacts[0].parts[0].data.struct_value
    assert (values["answer"], values["n"]) == ("yes", 2)


async def test_a_running_task_is_cancelled(url: str, http: httpx.AsyncClient, version: str) -> None:
    client = await _client(http, url, version, "slow", streaming=False, polling=True)
    (sent,) = await _send(client, _given({"n": 30}))
    assert sent.task.status.state in (TaskState.TASK_STATE_SUBMITTED, TaskState.TASK_STATE_WORKING)
    stopped = await client.cancel_task(CancelTaskRequest(id=sent.task.id))
    assert stopped.status.state == TaskState.TASK_STATE_CANCELED
    with pytest.raises(TaskNotCancelableError):
        await client.cancel_task(CancelTaskRequest(id=sent.task.id))
    with pytest.raises(TaskNotFoundError):
        await client.get_task(GetTaskRequest(id=f"{uuid4()}:{uuid4()}"))


async def test_a_failure_is_told_with_its_reason(url: str, http: httpx.AsyncClient, version: str) -> None:
    client = await _client(http, url, version, "fails")
    last = (await _send(client, _given({"n": 1})))[-1].status_update.status
    assert last.state == TaskState.TASK_STATE_FAILED
    assert get_message_text(last.message) == "ValueError: boom"


async def test_a_card_says_where_and_how(wire: Wire) -> None:
    card = await wire.ok("GET", "/.well-known/agent-card.json?assistant_id=flow")
    assistant_id = system_assistant_id("flow")
    assert card["url"] == f"http://localhost/a2a/{assistant_id}"
    assert [one["protocolVersion"] for one in card["supportedInterfaces"]] == ["1.0", "0.3"]
    assert card["capabilities"]["streaming"] is True
    assert card == await wire.ok("GET", f"/.well-known/agent-card.json?assistant_id={assistant_id}")
    assert card == await wire.ok("GET", f"/a2a/{assistant_id}")
    assert (await wire.refused("GET", "/.well-known/agent-card.json"))[0] == 422
    assert (await wire.refused("GET", f"/.well-known/agent-card.json?assistant_id={uuid4()}"))[0] == 404


def _message(*parts: Any, **more: Any) -> dict[str, Any]:
    return {"message": {"role": "user", "parts": list(parts), "messageId": "m1", **more}}


def _text(text: str) -> dict[str, Any]:
    return {"kind": "text", "text": text}


async def _rpc(wire: Wire, graph: str, method: str, params: Any) -> Any:
    body = {"jsonrpc": "2.0", "id": "x", "method": method, "params": params}
    response = await wire("POST", f"/a2a/{graph}", body)
    assert response.status_code == 200
    told = response.json()
    assert (told["jsonrpc"], told["id"]) == ("2.0", "x")
    return told


async def test_a_task_is_a_run_on_the_thread_of_its_context(wire: Wire) -> None:
    context = str(uuid4())
    told = await _rpc(wire, "flow", "message/send", _message(_text("hi"), _text("you"), contextId=context))
    task = told["result"]
    assert (task["kind"], task["contextId"]) == ("task", context)
    thread, run = task["id"].split(":")
    assert thread == context
    assert (await wire.ok("GET", f"/threads/{thread}/runs/{run}"))["metadata"]["source"] == "a2a"
    state = await wire.ok("GET", f"/threads/{thread}/state")
    assert (state["values"]["messages"][0]["content"], state["values"]["messages"][0]["id"]) == (
        "hi\nyou",
        "m1",
    )


async def test_a_stream_is_server_sent_events_of_rpc_answers(wire: Wire) -> None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "message/stream", "params": _message(_text("hi"))}
    response = await wire("POST", "/a2a/flow", body)
    assert response.headers["content-type"].startswith("text/event-stream")
    told = [json.loads(line[6:]) for line in response.text.splitlines() if line.startswith("data: ")]
    kinds = [one["result"]["kind"] for one in told]
    assert (kinds[0], kinds[-2:]) == ("task", ["artifact-update", "status-update"])
    assert [one["result"]["final"] for one in told[1:] if "final" in one["result"]][-1] is True
    assert all(one["id"] == 1 for one in told)


async def test_files_and_data_reach_the_graph(wire: Wire) -> None:
    file = {"kind": "file", "file": {"uri": "https://example.com/a.png", "mimeType": "image/png"}}
    params = _message(_text("see"), file, {"raw": "aGk=", "mediaType": "application/pdf"})
    thread = (await _rpc(wire, "flow", "message/send", params))["result"]["contextId"]
    content = (await wire.ok("GET", f"/threads/{thread}/state"))["values"]["messages"][0]["content"]
    assert content == [
        {"type": "text", "text": "see"},
        {"type": "image", "mime_type": "image/png", "url": "https://example.com/a.png"},
        {"type": "file", "mime_type": "application/pdf", "base64": "aGk="},
    ]


async def test_one_who_comes_later_follows_a_task_to_its_end(wire: Wire) -> None:
    params = _message({"kind": "data", "data": {"n": 1}}) | {"configuration": {"blocking": False}}
    task = (await _rpc(wire, "slow", "message/send", params))["result"]
    assert task["status"]["state"] == "submitted"
    body = {"jsonrpc": "2.0", "id": 1, "method": "tasks/resubscribe", "params": {"id": task["id"]}}
    response = await wire("POST", "/a2a/slow", body)
    told = [
        json.loads(line[6:])["result"] for line in response.text.splitlines() if line.startswith("data: ")
    ]
    assert (told[0]["id"], told[-1]["status"]["state"]) == (task["id"], "completed")
    again = await _rpc(wire, "slow", "tasks/resubscribe", {"id": task["id"]})
    assert again["error"]["code"] == -32004


@pytest.mark.parametrize(
    ("graph", "method", "params", "code", "said"),
    [
        ("flow", "bogus", {}, -32601, "'bogus'"),
        ("flow", "message/send", {}, -32602, "at least one part"),
        ("flow", "message/send", _message(), -32602, "at least one part"),
        ("flow", "message/send", _message({"kind": "odd"}), -32602, "message.parts[0]"),
        ("flow", "message/send", _message("text"), -32602, "message.parts[0]"),
        ("flow", "message/send", _message({"file": {}}), -32602, "without content"),
        ("flow", "message/send", _message(_text("x"), contextId="ctx-1"), -32602, "'ctx-1'"),
        ("flow", "message/send", _message(_text("x"), contextId=5), -32602, "got 5"),
        ("flow", "message/send", _message(_text("x"), taskId="nothing"), -32001, "'nothing'"),
        ("flow", "message/send", _message(_text("x"), taskId=[1]), -32001, "[1]"),
        ("asks", "message/send", _message(_text("x")), -32602, "has no messages"),
        ("nobody", "message/send", _message(_text("x")), -32602, "'nobody'"),
        (NOBODY, "message/send", _message(_text("x")), -32602, "no assistant"),
        ("flow", "tasks/get", {}, -32001, "no task"),
        ("flow", "tasks/get", {"id": "a\0b"}, -32001, "no task"),
        ("flow", "tasks/cancel", {"id": NOBODY}, -32001, "no task"),
        ("flow", "tasks/pushNotificationConfig/set", {}, -32003, "webhook"),
        ("flow", "SendMessage", {}, -32602, "at least one part"),
    ],
)
async def test_what_cannot_be_done_is_refused(
    wire: Wire, graph: str, method: str, params: Any, code: int, said: str
) -> None:
    error = (await _rpc(wire, graph, method, params))["error"]
    assert error["code"] == code
    assert said in error["message"]


async def test_what_is_no_call_is_refused(wire: Wire) -> None:
    for body, code in (
        (b"x", -32700),
        (b"[]", -32600),
        (b'{"id": 1}', -32600),
        (b'{"jsonrpc":"2.0","result":1}', -32600),
    ):
        response = await wire.http.post("/a2a/flow", content=body)
        assert (response.status_code, response.json()["error"]["code"]) == (200, code)


async def test_a_task_that_waits_for_nothing_takes_no_answer(wire: Wire) -> None:
    task = (await _rpc(wire, "flow", "message/send", _message(_text("hi"))))["result"]
    told = await _rpc(wire, "flow", "message/send", _message(_text("and?"), taskId=task["id"]))
    assert told["error"]["code"] == -32004


async def test_a_task_of_somebody_else_is_not_there(wire: Wire) -> None:
    policy = OwnOnly()
    ann, bob = (Wire(wire.app, called_by(wire.app, name, policy)) for name in ("ann", "bob"))
    task = (await _rpc(ann, "asks", "message/send", _message({"data": {"n": 1}})))["result"]
    for method in ("tasks/get", "tasks/cancel"):
        assert (await _rpc(bob, "asks", method, {"id": task["id"]}))["error"]["code"] == -32001
    answer = _message(_text("yes"), taskId=task["id"])
    assert (await _rpc(bob, "asks", "message/send", answer))["error"]["code"] == -32001
    inside = _message({"data": {"n": 1}}, contextId=task["contextId"])
    assert "error" in await _rpc(bob, "asks", "message/send", inside)
    done = (await _rpc(ann, "asks", "message/send", answer))["result"]
    assert done["status"]["state"] == "completed"
