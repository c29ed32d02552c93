"""Graphs that speak, served in this process; some tests need a real socket."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from langgraph_sdk import get_client
from langgraph_sdk.client import LangGraphClient
from tests.fakes.listening import listening
from tests.fakes.served import calling, serving
from tests.fakes.speaking import Stage
from tests.fakes.streaming import Streamed, streaming

HI = {"messages": [{"role": "user", "content": "hi", "id": "h1"}]}
ALL = ["values", "updates", "messages", "tools", "lifecycle", "input", "checkpoints", "tasks", "custom"]


class Talk:
    """Short ways to speak protocol v2 on one thread."""

    def __init__(self, app: FastAPI, http: httpx.AsyncClient) -> None:
        self.app = app
        self.http = http
        self.thread = str(uuid4())
        self.count = 0

    async def send(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command; its answer as it is."""
        self.count += 1
        body = {"id": self.count, "method": method, "params": params}
        response = await self.http.post(f"/threads/{self.thread}/commands", json=body)
        assert response.status_code == 200, response.text
        told: dict[str, Any] = response.json()
        assert told["id"] == self.count
        return told

    async def ok(self, method: str, **params: Any) -> dict[str, Any]:
        """Send a command that must succeed; its result."""
        told = await self.send(method, **params)
        assert told["type"] == "success", told
        result: dict[str, Any] = told["result"]
        return result

    async def refused(self, method: str, **params: Any) -> str:
        """Send a command that must be refused; the code."""
        told = await self.send(method, **params)
        assert (told["type"], bool(told["message"])) == ("error", True)
        return str(told["error"])

    async def start(self, graph: str, **params: Any) -> str:
        """Start a run and return its id."""
        given = {"input": HI, **params}
        return str((await self.ok("run.start", assistant_id=graph, **given))["run_id"])

    async def run(self, graph: str, **params: Any) -> str:
        """Start a run, wait for its end, and return its id."""
        run_id = await self.start(graph, **params)
        await self.http.get(f"/threads/{self.thread}/runs/{run_id}/join")
        return run_id

    def events(self, channels: list[str] | None = None, **wish: Any) -> Any:
        """Open the event stream."""
        path = f"/threads/{self.thread}/stream/events"
        return streaming(self.app, "POST", path, {"channels": channels or ALL, **wish})

    async def told(self, channels: list[str] | None = None, until: str = "", **wish: Any) -> list[Any]:
        """Return what is told now, or until a text has come."""
        stream: Streamed
        async with self.events(channels, **wish) as stream:
            await (stream.until(until) if until else stream.settled())
        return stream.data


@pytest.fixture
async def stage() -> Stage:
    return Stage()


@pytest.fixture
async def app(fresh_dsn: str, stage: Stage) -> AsyncIterator[FastAPI]:
    async with serving(fresh_dsn, catalog=stage.catalog()) as served:
        yield served


@pytest.fixture
async def talk(app: FastAPI) -> AsyncIterator[Talk]:
    async with calling(app) as http:
        yield Talk(app, http)


@pytest.fixture
async def url(app: FastAPI) -> AsyncIterator[str]:
    async with listening(app, ws="websockets-sansio") as here:
        yield here


@pytest.fixture
async def client(url: str) -> AsyncIterator[LangGraphClient]:
    async with get_client(url=url) as opened:
        async with asyncio.timeout(30):
            yield opened
