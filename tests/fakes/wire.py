"""A server that speaks just enough of the wire for a client to be tested against it, in memory."""

import json
from collections.abc import Callable
from typing import Any

import httpx
from langgraph_sdk.client import LangGraphClient

Events = list[tuple[str, Any]]
Reply = Callable[[dict[str, Any]], tuple[Events, dict[str, Any]]]


class FakeWire:
    """One thread; `reply` turns the body of a run into its events and the thread's interrupts after it."""

    def __init__(self, reply: Reply, graphs: tuple[str, ...] = ("coder", "orchestrator")) -> None:
        self.reply = reply
        self.graphs = graphs
        self.interrupts: dict[str, Any] = {}
        self.bodies: list[dict[str, Any]] = []
        self.cancelled: list[str] = []
        self.messages: list[dict[str, Any]] = []
        self.decisions: list[dict[str, Any]] = []

    @property
    def client(self) -> LangGraphClient:
        """The official client, talking to this."""
        return LangGraphClient(
            httpx.AsyncClient(transport=httpx.MockTransport(self._handle), base_url="http://fake")
        )

    def _handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        body = json.loads(request.content or b"null")
        if path == "/assistants/search":
            return httpx.Response(200, json=[{"graph_id": name} for name in self.graphs])
        if path.endswith("/runs/stream"):
            self.bodies.append(body)
            events, self.interrupts = self.reply(body)
            lines = [f"event: {name}\r\ndata: {json.dumps(data)}\r\n\r\n" for name, data in events]
            return httpx.Response(200, headers={"content-type": "text/event-stream"}, text="".join(lines))
        if path.endswith("/cancel"):
            self.cancelled.append(path)
            return httpx.Response(200, json={})
        if path.endswith("/state"):
            return httpx.Response(200, json={"values": {"messages": self.messages}})
        if path.endswith("/decisions"):
            return httpx.Response(200, json=self.decisions)
        if path == "/threads/missing":
            return httpx.Response(404, json={"detail": "no such thread"})
        return httpx.Response(200, json={"thread_id": "t", "interrupts": self.interrupts})
