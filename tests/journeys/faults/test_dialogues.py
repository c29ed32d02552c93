"""A worker dies while it speaks: readers of protocol v2 hear the whole dialogue, each word of it once."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.waiting import eventually
from tests.journeys.conftest import Server
from tests.journeys.faults.conftest import Tally
from tests.journeys.faults.crew import Crew
from websockets.asyncio.client import connect

pytestmark = pytest.mark.journey
CHANNELS = ["values", "updates", "messages", "lifecycle", "tasks", "checkpoints"]
TOLD: dict[str, Any] = {"channels": CHANNELS}


class Ear:
    """Somebody who listens to a thread, and notes what comes and when."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []
        self.at: list[float] = []

    def note(self, text: str) -> None:
        """Take an event."""
        event = json.loads(text)
        if event["type"] == "event":
            event["params"].pop("timestamp")  # when it was told
            self.heard.append(event)
            self.at.append(time.monotonic())

    async def by_sse(self, server: Server, thread: str, since: int = 0) -> None:
        """Listen until the test has heard enough."""
        path = f"{server.url}/threads/{thread}/stream/events"
        async with (
            httpx.AsyncClient(timeout=60) as http,
            http.stream("POST", path, json={**TOLD, "since": since}) as stream,
        ):
            async for line in stream.aiter_lines():
                if line.startswith("data: "):
                    self.note(line.removeprefix("data: "))

    async def by_socket(self, server: Server, thread: str) -> None:
        """Do the same over a WebSocket."""
        path = f"{server.url.replace('http', 'ws', 1)}/threads/{thread}/stream/events"
        async with connect(path) as socket:
            wish = {"id": 1, "method": "subscription.subscribe", "params": TOLD}
            await socket.send(json.dumps(wish))
            async for text in socket:
                self.note(str(text))

    def lifecycle(self) -> list[str]:
        """Return what was told of the root graph."""
        told = [event["params"] for event in self.heard if event["method"] == "lifecycle"]
        return [params["data"]["event"] for params in told if not params["namespace"]]


def messages(heard: list[dict[str, Any]]) -> dict[str, tuple[str, str]]:
    """Return by id what was said of each AI message, as its deltas add up, and how it ended."""
    said: dict[str, tuple[str, str]] = {}
    for event in heard:
        if event["method"] != "messages":
            continue
        data = event["params"]["data"]
        match data["event"]:
            case "message-start" if data["role"] == "ai":
                assert data["id"] not in said, "a message began twice"
                said[data["id"]] = ("", "")
            case "content-block-delta" if data["id"] in said:
                text, end = said[data["id"]]
                assert not end, "something was said of a message that had ended"
                said[data["id"]] = (text + data["delta"]["text"], "")
            case "message-finish" | "error" as how if data["id"] in said:
                said[data["id"]] = (said[data["id"]][0], how)
    return said


async def speak(crew: Crew, thread: str, words: str) -> str:
    """Say something; the run that answers."""
    params = {"assistant_id": "talk", "input": {"messages": [{"role": "user", "content": words}]}}
    async with httpx.AsyncClient(base_url=crew.api.url, timeout=20) as http:
        order = {"id": 1, "method": "run.start", "params": params}
        answer = await http.post(f"/threads/{thread}/commands", json=order)
    run_id: str = answer.json()["result"]["run_id"]
    return run_id


async def test_a_worker_is_killed_in_the_middle_of_a_message(crew: Crew, tally: Tally) -> None:
    """A reader that is there all the time, one on a WebSocket, and one that comes in the middle agree."""
    thread, n = str(uuid4()), 40
    near, far, late = Ear(), Ear(), Ear()
    tasks = [
        asyncio.create_task(near.by_sse(crew.api, thread)),
        asyncio.create_task(far.by_socket(crew.api, thread)),
    ]
    try:
        await speak(crew, thread, "5 0.01")
        await eventually(lambda: near.lifecycle() == far.lifecycle() == ["running", "completed"])
        run = await speak(crew, thread, f"{n} 0.05")
        await eventually(lambda: any("word20" in text for text, _ in messages(near.heard).values()))
        killed_at = await crew.kill(crew.holder(run))
        middle = near.heard[-3]["seq"]
        tasks.append(asyncio.create_task(late.by_sse(crew.api, thread, since=middle)))
        whole = ["running", "completed"] * 2
        await eventually(lambda: near.lifecycle() == far.lifecycle() == whole, within_s=30)
        await eventually(lambda: late.lifecycle() == ["completed"])
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks)
    assert near.heard == far.heard
    assert late.heard == [event for event in near.heard if event["seq"] > middle]
    assert crew.run(run)["attempt"] == 2

    said = list(messages(near.heard).values())
    assert [how for _, how in said] == ["message-finish", "error", "message-finish"]
    texts = ["".join(f"word{i} " for i in range(count)) for count in (5, n)]
    assert [text for text, how in said if how == "message-finish"] == texts
    last = next(event for event in reversed(near.heard) if event["method"] == "values")
    kept = [m["content"] for m in last["params"]["data"]["messages"] if m["type"] == "ai"]
    assert [block["text"] for (block,) in kept] == texts

    numbers = [event["seq"] for event in near.heard]
    ids = Counter(event["event_id"] for event in near.heard)
    doubled = [name for name, times in ids.items() if times > 1]
    assert numbers == sorted(numbers)
    again = next(at for at in near.at if at > killed_at + 0.2)
    tally(
        "a worker is killed while it speaks (protocol v2)",
        lost=0,
        doubled=doubled,
        recovery_s=again - killed_at,
    )
