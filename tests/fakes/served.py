"""Small graphs for the wire to serve, and an application that serves them in the test's own process."""

import asyncio
import operator
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import httpx
from fastapi import FastAPI
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.runtime import Runtime
from langgraph.types import interrupt
from typing_extensions import TypedDict

from artel.server import encryption
from artel.server.app import create_app
from artel.server.catalog import Catalog, Entry
from artel.server.engine import EngineSettings, open_engine
from artel.server.engine.addresses import Webhooks
from artel.server.knowledge import open_knowledge
from artel.server.protocol.assistants import prepare
from artel.server.protocol.crons import order_of
from artel.server.settings import Settings
from artel.server.store import open_store
from artel.server.telemetry.tracing import Tracing
from artel.storage.broker import open_broker
from artel.storage.postgres import open_database
from artel.storage.sealing import agree
from artel.tools.knowledge.settings import KnowledgeSettings

HI: dict[str, Any] = {"messages": [{"role": "user", "content": "hi", "id": "h1"}]}
FAST = {"lease_s": 1.0, "renew_s": 0.2, "look_s": 0.05, "poll_s": 1.0, "grace_s": 1.0}


class Log(TypedDict):
    log: Annotated[list[str], operator.add]


class State(TypedDict):
    log: Annotated[list[str], operator.add]
    messages: Annotated[list[AnyMessage], add_messages]


class Answer(TypedDict, total=False):
    answer: Any
    n: float


@dataclass
class Wish:
    who: str = "nobody"


class Told(TypedDict):
    out: Any


def _inner_step(state: Log) -> dict[str, Any]:
    get_stream_writer()({"inner": 1})
    return {"log": ["inner"]}


def _first(state: State) -> dict[str, Any]:
    get_stream_writer()("hello")
    return {"log": ["first"]}


async def _talk(state: State) -> dict[str, Any]:
    model = GenericFakeChatModel(messages=iter([AIMessage(content="one two three", id="said-1")]))
    return {"messages": [await model.ainvoke(state["messages"])]}


def _plain(state: State) -> dict[str, Any]:
    call = {"name": "look", "args": {"at": 1}, "id": "c1"}
    asked = AIMessage(content="whole", id="w1", tool_calls=[call])
    return {"messages": [asked, ToolMessage(content="seen", tool_call_id="c1", id="t1")]}


async def _deep(state: State) -> dict[str, Any]:
    model = GenericFakeChatModel(messages=iter([AIMessage(content="deep words", id="deep-1")]))
    return {"messages": [await model.ainvoke(state["messages"])]}


def _ask(state: Answer) -> dict[str, Any]:
    return {"answer": interrupt({"question": "ok?"})}


def _gate(state: Answer) -> dict[str, Any]:
    asked = {"type": "tool_approval", "tool_call_id": "c1", "name": "write_file", "args": {"path": "x"}}
    return {"answer": interrupt({**asked, "description": "Write x", "artel": {"kind": "tool_call"}})}


def _after(state: Answer) -> dict[str, Any]:
    return {"n": state.get("n", 0) + 1}


def _boom(state: Answer) -> dict[str, Any]:
    raise ValueError("boom")


async def _nap(state: Answer) -> dict[str, Any]:
    await asyncio.sleep(state.get("n", 0))
    return {"answer": "slept"}


def _tell(state: Told, config: RunnableConfig, runtime: Runtime[Wish]) -> dict[str, Any]:
    known = config["configurable"]
    return {"out": {"who": runtime.context.who, "x": known.get("x"), "tags": config.get("tags")}}


def _asked_by(state: Told, config: RunnableConfig, runtime: Runtime[None]) -> dict[str, Any]:
    known = config["configurable"]
    user = known["langgraph_auth_user"]
    server = runtime.server_info
    return {
        "out": {
            "user_id": known["user_id"],
            "user": user,
            "id": known["langgraph_auth_user_id"],
            "may": known["langgraph_auth_permissions"],
            "request": known["langgraph_request_id"],
            "known": server.user.identity if server and server.user else None,
        }
    }


def _line(schema: Any, nodes: dict[str, Any], **options: Any) -> Any:
    graph = StateGraph(schema, **options)
    for name, node in nodes.items():
        graph.add_node(name, node)
    names = [START, *nodes, END]
    for here, there in pairwise(names):
        graph.add_edge(here, there)
    return graph.compile()


def graphs() -> dict[str, Any]:
    """Return the graphs by name."""
    inner = _line(Log, {"inner_step": _inner_step})
    return {
        "flow": _line(State, {"first": _first, "child": inner, "talk": _talk}),
        "said": _line(State, {"plain": _plain, "sub": _line(State, {"deep": _deep})}),
        "asks": _line(Answer, {"ask": _ask, "after": _after}),
        "gated": _line(Answer, {"gate": _gate}),
        "nest": _line(Answer, {"sub": _line(Answer, {"ask": _ask})}),
        "fails": _line(Answer, {"boom": _boom}),
        "slow": _line(Answer, {"nap": _nap}),
        "asked_by": _line(Told, {"tell": _asked_by}),
        "tells": _line(Told, {"tell": _tell}, context_schema=Wish),
    }


@asynccontextmanager
async def serving(
    dsn: str,
    settings: Settings | None = None,
    *,
    webhooks: Webhooks | None = None,
    tracing: Tracing | None = None,
    catalog: Catalog | None = None,
    handles: Any = None,
    **engine: Any,
) -> AsyncIterator[FastAPI]:
    """Open an application on a database, with the graphs above or those of a catalog."""
    catalog = catalog or Catalog({name: Entry(f"Graph {name}", graph) for name, graph in graphs().items()})
    sealer = await agree(dsn, encryption.read(catalog.config))
    async with (
        open_database(dsn, pool_size=6, sealer=sealer) as db,
        open_broker(dsn) as broker,
        open_store(db, catalog) as store,
        open_engine(
            db,
            broker,
            catalog,
            settings=EngineSettings(**{**FAST, **engine}),
            handles=handles,
            order_of=order_of(db, catalog),
            store=store,
            webhooks=webhooks,
            tracing=tracing,
        ) as opened,
    ):
        await prepare(db, catalog)
        with TemporaryDirectory() as data:
            chosen = settings.knowledge if settings else KnowledgeSettings(embedder="none")
            async with open_knowledge(db, broker, chosen, data=Path(data)) as knowledge:
                yield create_app(opened, catalog, settings, knowledge)


def calling(app: FastAPI) -> httpx.AsyncClient:
    """Return a client that calls an application in this process; streams come whole."""
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=20)
