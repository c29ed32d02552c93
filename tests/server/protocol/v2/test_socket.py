"""Protocol v2 over a WebSocket, and who may open one."""

import asyncio
import json
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.fakes.speaking import Stage
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from artel.storage import threads

from .conftest import HI, Talk


class Line:
    """One socket."""

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.count = 0
        self.events: list[dict[str, Any]] = []

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command and return its answer; events that come before are kept."""
        self.count += 1
        await self.socket.send(json.dumps({"id": self.count, "method": method, "params": params}))
        while True:
            told: dict[str, Any] = json.loads(await asyncio.wait_for(self.socket.recv(), 5))
            if told.get("id") == self.count:
                return told
            self.events.append(told)

    async def until(self, text: str) -> list[dict[str, Any]]:
        """Read until an event has a text in it."""
        while not any(text in json.dumps(event) for event in self.events):
            self.events.append(json.loads(await asyncio.wait_for(self.socket.recv(), 5)))
        return self.events


def address(url: str, thread: str) -> str:
    return f"{url.replace('http', 'ws', 1)}/threads/{thread}/stream/events"


async def test_commands_and_events_share_a_socket(url: str) -> None:
    async with connect(address(url, str(uuid4()))) as socket:
        line = Line(socket)
        told = await line.send("subscription.subscribe", channels=["lifecycle", "values"])
        subscription = told["result"]["subscription_id"]
        await line.send("run.start", assistant_id="ask", input={"n": 1})
        await line.until("interrupted")
        assert next(event["method"] for event in line.events) == "lifecycle"
        line.events.clear()
        assert (await line.send("subscription.unsubscribe", subscription_id=subscription))[
            "type"
        ] == "success"
        gone = await line.send("subscription.unsubscribe", subscription_id=subscription)
        assert gone["error"] == "no_such_subscription"
        assert (await line.send("agent.getTree"))["result"]["tree"]["status"] == "interrupted"


async def test_a_socket_goes_on_after_the_last_event_it_has(url: str, talk: Talk) -> None:
    await talk.run("talk")
    async with connect(address(url, talk.thread)) as socket:
        line = Line(socket)
        first = await line.send("subscription.subscribe", channels=["messages", "lifecycle"])
        whole = list(await line.until("completed"))
        line.events.clear()
        last = whole[4]["event_id"]
        names = [first["result"]["subscription_id"]]
        told = await line.send("subscription.reconnect", run_id="", last_event_id=last, subscriptions=names)
        assert told["result"] == {"restored": True}
        rest = await line.until("completed")
        assert [event["seq"] for event in rest] == [event["seq"] for event in whole[5:]]
        told = await line.send("subscription.reconnect", run_id="", subscriptions=["another"])
        assert told["result"] == {"restored": False}
        told = await line.send("subscription.reconnect", run_id="", last_event_id="x", subscriptions=names)
        assert told["error"] == "invalid_argument"


async def test_what_is_no_command_is_said_so_and_the_socket_stays(url: str) -> None:
    async with connect(address(url, str(uuid4()))) as socket:
        for frame in ("{", "[]", "{}", b"\xff", '{"channels": ["values"]}'):
            await socket.send(frame)
            told = json.loads(await asyncio.wait_for(socket.recv(), 5))
            assert (told["type"], told["error"], told["id"]) == ("error", "invalid_argument", None)
        line = Line(socket)
        assert (await line.send("subscription.subscribe", channels=["x"]))["error"] == "invalid_argument"
        assert (await line.send("subscription.subscribe", channels=["values"]))["type"] == "success"


async def test_pages_of_others_open_no_socket(url: str) -> None:
    path = address(url, str(uuid4()))
    for headers in ({"Origin": "https://evil.example"}, {"Origin": "null"}):
        with pytest.raises(InvalidStatus) as refused:
            await connect(path, additional_headers=headers)
        assert refused.value.response.status_code == 403
    async with connect(path, additional_headers={"Origin": "http://localhost:3000"}):
        pass


async def test_a_name_that_only_pretends_to_be_ours_opens_no_socket(url: str) -> None:
    port = url.rpartition(":")[2]
    with pytest.raises(InvalidStatus) as refused:
        await connect(
            f"ws://evil.example:{port}/threads/{uuid4()}/stream/events", host="127.0.0.1", port=int(port)
        )
    assert refused.value.response.status_code == 403


async def test_a_socket_is_closed_with_the_reason(url: str, talk: Talk) -> None:
    async with connect(address(url, "x")) as socket:
        assert await closing(socket) == 4422
    await talk.run("talk")
    async with connect(address(url, talk.thread)) as socket:
        line = Line(socket)
        await line.send("subscription.subscribe", channels=["lifecycle"])
        await line.until("completed")
        await talk.http.delete(f"/threads/{talk.thread}")
        assert await closing(socket) == 4404


async def test_a_socket_to_what_somebody_else_has_or_to_what_is_gone_is_closed(url: str, talk: Talk) -> None:
    async with connect(address(url, talk.thread)) as socket:
        line = Line(socket)
        await line.send("subscription.subscribe", channels=["lifecycle"], since=4_000)
        assert await closing(socket) == 4404
    async with talk.app.state.engine.db.transaction() as conn:
        await threads.create(conn, UUID(talk.thread), owner="somebody else")
    async with connect(address(url, talk.thread)) as socket:
        assert await closing(socket) == 4404


async def closing(socket: ClientConnection) -> int:
    with pytest.raises(ConnectionClosed) as closed:
        await asyncio.wait_for(socket.recv(), 5)
    assert closed.value.rcvd
    return closed.value.rcvd.code


async def test_an_end_is_told_after_all_that_was_before_it_whoever_asked_for_that(
    url: str, talk: Talk
) -> None:
    """By an end the JavaScript client leaves all of its loops: what came later would be lost to it."""
    await talk.run("talk")
    async with connect(address(url, talk.thread)) as socket:
        line = Line(socket)
        for channels in (["lifecycle", "input"], ["values", "lifecycle"], ["messages"]):
            await line.send("subscription.subscribe", channels=channels)
        told = await line.until("completed")
        numbers = [event["seq"] for event in told]
        assert numbers == sorted(set(numbers))
        assert {event["method"] for event in told} == {"lifecycle", "values", "messages"}
        line.events.clear()
        await line.send("run.start", assistant_id="talk", input=HI)
        again = [event["seq"] for event in await line.until("completed")]
        assert again == sorted(set(again))
        assert again[0] > numbers[-1]


async def test_who_listens_to_nothing_any_more_may_listen_again(url: str, talk: Talk) -> None:
    async with connect(address(url, talk.thread)) as socket:
        line = Line(socket)
        for _ in range(3):
            told = await line.send("subscription.subscribe", channels=["lifecycle"])
            name = told["result"]["subscription_id"]
            await line.send("subscription.unsubscribe", subscription_id=name)
        await talk.run("talk")
        assert line.events == []
        await line.send("subscription.subscribe", channels=["lifecycle"])
        assert len(await line.until("completed")) == 2


async def test_two_sockets_hear_a_message_while_it_is_said(url: str, talk: Talk, stage: Stage) -> None:
    async with connect(address(url, talk.thread)) as one, connect(address(url, talk.thread)) as two:
        lines = [Line(one), Line(two)]
        for line in lines:
            await line.send("subscription.subscribe", channels=["messages", "lifecycle"])
        await lines[0].send("run.start", assistant_id="slow", input=HI)
        for line in lines:
            await line.until(" two")
        stage.gate.set()
        seen = [await line.until("completed") for line in lines]
        assert [e["seq"] for e in seen[0]] == [e["seq"] for e in seen[1]]
