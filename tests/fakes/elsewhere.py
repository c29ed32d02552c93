"""Two servers in the test's own process: one with assistants, and engines whose assistants are those."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from langchain_core.messages import AIMessageChunk
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.types import Send, interrupt
from tests.fakes.engines import FAST, Driver
from tests.fakes.listening import listening
from tests.fakes.served import calling, serving
from tests.fakes.speaking import Speaker

from artel.graphs.context import handles
from artel.graphs.kinds.connections import Connections
from artel.graphs.kinds.remote_graph import graph as remote_graph
from artel.server.catalog import Catalog, Entry
from artel.server.engine import EngineSettings, open_engine
from artel.storage.broker import open_broker
from artel.storage.postgres import open_database

ASKED = {
    "type": "tool_approval",
    "tool_call_id": "c1",
    "name": "send",
    "args": {"to": "x"},
    "description": "Send to x",
    "artel": {
        "kind": "tool_call",
        "agent": "post",
        "risk": "network",
        "escalate_to": ["boss"],
        "on_timeout": "escalate",
        "grants": [{"id": "all", "label": "all", "covers": [{"action": "fs.write"}]}],
    },
}


@dataclass
class There:
    """The other server: what its graphs did, and when they go on."""

    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    began: int = 0
    heard: list[list[str]] = field(default_factory=list)
    """What it was told each time, all of the conversation."""
    answers: list[Any] = field(default_factory=list)
    app: FastAPI | None = None
    url: str = ""

    async def talk(self, state: MessagesState) -> dict[str, Any]:
        self.began += 1
        self.heard.append([str(message.content) for message in state["messages"]])
        self.reached.set()
        words = [f"{word} " for word in f"reply {self.began} is here".split()]
        pieces = [AIMessageChunk(content=word, id=f"said-{self.began}") for word in words]
        model = Speaker(pieces=[*pieces, AIMessageChunk(content="", chunk_position="last")], gate=self.gate)
        return {"messages": [await model.ainvoke(state["messages"])]}

    async def ask(self, state: Any) -> dict[str, Any]:
        said = interrupt({**ASKED, "tool_call_id": state["about"], "args": {"to": state["about"]}})
        self.answers.append((state["about"], said))
        return {"messages": [{"role": "ai", "content": f"sent to {state['about']}"}]}

    async def fail(self, state: MessagesState) -> dict[str, Any]:
        raise ValueError("boom")

    def catalog(self) -> Catalog:
        talks = StateGraph(MessagesState)
        talks.add_node("talk", self.talk)
        talks.add_edge(START, "talk")
        asks = StateGraph(MessagesState)
        asks.add_node("ask", self.ask)
        asks.add_conditional_edges(START, lambda _: [Send("ask", {"about": x}) for x in ("x", "y")], ["ask"])
        asks.add_edge("ask", END)
        fails = StateGraph(MessagesState)
        fails.add_node("fail", self.fail)
        fails.add_edge(START, "fail")
        graphs = {"talks": talks, "asks": asks, "fails": fails}
        return Catalog({name: Entry(None, graph.compile()) for name, graph in graphs.items()})

    async def get(self, path: str) -> Any:
        assert self.app
        async with calling(self.app) as http:
            return (await http.get(path)).json()


@asynccontextmanager
async def elsewhere(dsn: str) -> AsyncIterator[There]:
    """Serve its graphs on a socket."""
    there = There()
    async with serving(dsn, catalog=there.catalog()) as app, listening(app) as url:
        there.app, there.url = app, url
        yield there


class _Remote:
    @asynccontextmanager
    async def graph(self, graph_id: str, config: Any, **_: Any) -> AsyncIterator[Any]:
        del graph_id, config
        yield remote_graph


def connected(file: Path, url: str, **more: Any) -> Connections:
    """Write the file of one connection, `far`, and return it."""
    entry = {"type": "langgraph", "url": url, "key": "${FAR_KEY}", **more}
    file.write_text(json.dumps({"connections": {"far": entry}}))
    return Connections(file, {"FAR_KEY": "secret-key-1"})


async def engine_here(stack: AsyncExitStack, dsn: str, connections: Connections) -> Driver:
    """Open an engine with assistants of the other server."""
    db = await stack.enter_async_context(open_database(dsn, pool_size=8))
    broker = await stack.enter_async_context(open_broker(dsn))
    given = replace(handles(), connections=connections)
    opened = open_engine(db, broker, _Remote(), settings=EngineSettings(**FAST), handles=given)
    return Driver(await stack.enter_async_context(opened))
