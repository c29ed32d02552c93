"""The store as `store` of a configuration says, and as graphs are given it."""

import json
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.engines import FAST
from tests.fakes.served import calling

from artel.server.app import create_app
from artel.server.catalog import Catalog
from artel.server.engine import EngineSettings, open_engine
from artel.server.served import ConfigWrong
from artel.server.store import open_store
from artel.storage.broker import open_broker
from artel.storage.postgres import Database
from artel.storage.store import Store

GRAPHS = '''
import asyncio
from typing import Annotated, Any, TypedDict

from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.config import get_store
from langgraph.graph import END, START, MessagesState, StateGraph
from langgraph.prebuilt import InjectedStore, ToolNode
from langgraph.runtime import Runtime
from langgraph_sdk.runtime import ServerRuntime

class State(TypedDict, total=False):
    said: Any
    seen: Any

HERE = ("memories",)

def graph_of(schema, **nodes):
    made = StateGraph(schema)
    names = list(nodes)
    for name in names:
        made.add_node(name, nodes[name])
    for here, there in zip([START, *names], [*names, END]):
        made.add_edge(here, there)
    return made.compile()

async def keep(state: State, runtime: Runtime):
    await runtime.store.aput(HERE, "runtime", {"text": state["said"]})
    return {}

def keep_in_a_thread(state: State):
    store = get_store()
    store.put(HERE, "thread", {"text": state["said"]})
    return {"seen": [item.key for item in store.search(HERE)]}

def keep_by_argument(state: State, *, store):
    store.put(HERE, "argument", {"text": state["said"]})
    assert store.get(HERE, "argument").value == {"text": state["said"]}
    return {}

async def many(state: State):
    store = get_store()
    await asyncio.gather(*(store.aput((*HERE, "many"), str(n), {"n": n}) for n in range(20)))
    return {"seen": len(await store.asearch((*HERE, "many"), limit=100))}

async def blocking(state: State):
    get_store().get(HERE, "x")

@tool
def remember(text: str, store: Annotated[Any, InjectedStore()]) -> str:
    """Remember a text."""
    store.put(HERE, "tool", {"text": text})
    return "kept"

def call(state: MessagesState):
    args = {"text": "by a tool"}
    return {"messages": [AIMessage("", tool_calls=[{"name": "remember", "args": args, "id": "c1"}])]}

nodes = graph_of(State, keep=keep, by_argument=keep_by_argument, in_a_thread=keep_in_a_thread)
inner = graph_of(State, sub=nodes)
tools = graph_of(MessagesState, call=call, tools=ToolNode([remember]))
gathered = graph_of(State, many=many)
blocked = graph_of(State, blocking=blocking)

def route(state: State):
    found = get_store().get(HERE, "way")
    return found.value["to"] if found else END

def routed_graph():
    made = StateGraph(State)
    made.add_node("start", lambda state: {})
    made.add_node("left", lambda state: {"seen": "left"})
    made.add_edge(START, "start")
    made.add_conditional_edges("start", route, ["left", END])
    return made.compile()

routed = routed_graph()

async def made(runtime: ServerRuntime):
    item = await runtime.store.aget(HERE, "config")
    said = item.value["text"] if item else "nothing"
    return graph_of(State, tell=lambda state: {"seen": [said, runtime.access_context]}, again=keep)

def embed(texts):
    return [[float(text.count(letter)) for letter in "abcd"] for text in texts]

async def aembed(texts):
    return embed(texts)

number = 7
'''
NAMES = ("nodes", "inner", "tools", "gathered", "blocked", "routed", "made")

Write = Callable[..., Path]


@pytest.fixture(autouse=True)
def apart(tmp_path: Path) -> Iterator[None]:
    """Undo what a loaded folder leaves in this process."""
    path = list(sys.path)
    yield
    sys.path[:] = path
    for name, module in list(sys.modules.items()):
        if str(getattr(module, "__file__", None)).startswith(str(tmp_path)):
            del sys.modules[name]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(store: Any = None) -> Path:
        (tmp_path / "memory_graphs.py").write_text(GRAPHS)
        graphs = {name: f"./memory_graphs.py:{name}" for name in NAMES}
        config = tmp_path / "langgraph.json"
        config.write_text(json.dumps({"graphs": graphs} | ({"store": store} if store is not None else {})))
        return config

    return written


@asynccontextmanager
async def opened(db: Database, config: Path) -> AsyncIterator[tuple[Catalog, Store]]:
    catalog = Catalog.load(config)
    async with open_store(db, catalog) as store:
        yield catalog, store


@pytest.fixture
async def given(db: Database, write: Write) -> AsyncIterator[tuple[Catalog, Store]]:
    async with opened(db, write()) as both:
        yield both


async def run(catalog: Catalog, graph_id: str, value: Any, **more: Any) -> Any:
    async with catalog.graph(graph_id, {}, **more) as graph:
        return await graph.ainvoke(value)


async def texts(store: Store) -> dict[str, Any]:
    return {item.key: item.value["text"] for item in await store.asearch(("memories",))}


@pytest.mark.parametrize("graph_id", ["nodes", "inner"])
async def test_nodes_have_it_however_they_ask(given: tuple[Catalog, Store], graph_id: str) -> None:
    catalog, store = given
    result = await run(catalog, graph_id, {"said": "hi"})
    assert sorted(result["seen"]) == ["argument", "runtime", "thread"]
    assert await texts(store) == {"argument": "hi", "runtime": "hi", "thread": "hi"}


async def test_tools_have_it_injected(given: tuple[Catalog, Store]) -> None:
    catalog, store = given
    await run(catalog, "tools", {"messages": []})
    assert await texts(store) == {"tool": "by a tool"}


async def test_an_async_node_may_ask_much_at_once(given: tuple[Catalog, Store]) -> None:
    assert (await run(given[0], "gathered", {}))["seen"] == 20


async def test_an_async_node_that_would_block_everything_is_told(given: tuple[Catalog, Store]) -> None:
    with pytest.raises(Exception, match=r"await store\.aget"):
        await run(given[0], "blocked", {})


async def test_functions_that_make_graphs_have_it_to_run_and_to_read(given: tuple[Catalog, Store]) -> None:
    catalog, store = given
    await store.aput(("memories",), "config", {"text": "configured"})
    assert (await run(catalog, "made", {"said": "x"}))["seen"] == ["configured", "threads.create_run"]
    async with catalog.graph("made", {}, access="threads.read") as graph:
        assert graph.store is store
    assert (await texts(store))["runtime"] == "x"


async def test_a_state_update_that_asks_the_store_where_to_go_is_answered(
    db: Database, fresh_dsn: str, write: Write
) -> None:
    async with (
        opened(db, write()) as (catalog, store),
        open_broker(fresh_dsn) as broker,
        open_engine(db, broker, catalog, settings=EngineSettings(**FAST), store=store) as engine,
        calling(create_app(engine, catalog)) as http,
    ):
        await store.aput(("memories",), "way", {"to": "left"})
        body: Any = {"metadata": {"graph_id": "routed"}}
        thread = (await http.post("/threads", json=body)).json()["thread_id"]
        body = {"values": {"said": "x"}, "as_node": "start"}
        updated = await http.post(f"/threads/{thread}/state", json=body)
        assert updated.status_code == 200, updated.text
        state = (await http.get(f"/threads/{thread}/state")).json()
        assert (state["next"], state["values"]) == (["left"], {"said": "x"})
        assert "__pregel_runtime" not in str(state)


async def test_without_a_configuration_there_is_a_plain_store(db: Database) -> None:
    async with open_store(db, Catalog({})) as store:
        await store.aput(("u",), "k", {})
        assert (store.index, store.ttl_config) == (None, None)


@pytest.mark.parametrize("function", ["embed", "aembed"])
async def test_an_index_embeds_by_a_function_of_the_folder(db: Database, write: Write, function: str) -> None:
    index = {"embed": f"./memory_graphs.py:{function}", "dims": 4, "fields": ["text"]}
    async with opened(db, write({"index": index})) as (catalog, store):
        await run(catalog, "nodes", {"said": "aaa"})
        await store.aput(("memories",), "other", {"text": "bbb"})
        found = await store.asearch(("memories",), query="a", limit=3)
        assert [round(item.score or 0, 3) for item in found] == [1.0, 1.0, 1.0]
        assert "other" not in [item.key for item in found]


async def test_an_index_by_provider_and_model_is_opened_as_langchain_does(
    db: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "none")
    index = {"embed": "openai:text-embedding-3-small", "dims": 1536}
    async with opened(db, write({"index": index})) as (_, store):
        assert store.index is not None
        assert type(store.index.embeddings).__name__ == "OpenAIEmbeddings"
        assert store.index.fields == ("$",)


async def test_lives_are_as_configured(db: Database, write: Write) -> None:
    ttl = {"refresh_on_read": False, "default_ttl": 90, "sweep_interval_minutes": 0.01}
    async with opened(db, write({"ttl": ttl})) as (_, store):
        assert store.ttl_config == ttl


async def test_a_worker_sweeps_what_has_expired(db: Database, write: Write, fresh_dsn: str) -> None:
    async with (
        opened(db, write({"ttl": {"sweep_interval_minutes": 0.001}})) as (catalog, store),
        open_broker(fresh_dsn) as broker,
        open_engine(db, broker, catalog, settings=EngineSettings(**FAST), store=store),
    ):
        await store.aput(("u",), "k", {}, ttl=0.0005)
        await store.aput(("u",), "stays", {})
        async with db.connection() as conn:
            for _ in range(200):
                row = await (await conn.execute("select count(*) as n, pg_sleep(0.05) from store")).fetchone()
                if row and row["n"] == 1:
                    break
        assert row is not None
        assert row["n"] == 1


INDEX = {"embed": "./memory_graphs.py:embed", "dims": 4}


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ([], r"store must be an object, got \[\]"),
        ({"path": "./x.py:store"}, "store has no 'path'; it has index, ttl"),
        ({"index": 5}, "store.index must be an object, got 5"),
        ({"index": {**INDEX, "field": []}}, "store.index has no 'field'; it has embed, dims, fields"),
        (
            {"index": {"dims": 4}},
            'store.index.embed must be "provider:model" or "./file.py:function", got None',
        ),
        ({"index": {**INDEX, "embed": "openai"}}, "got 'openai'"),
        (
            {"index": {**INDEX, "embed": "./nowhere.py:embed"}},
            "store.index.embed: there is no file .*nowhere.py",
        ),
        (
            {"index": {**INDEX, "embed": "./memory_graphs.py:nothing"}},
            'store.index.embed: there is no "nothing"',
        ),
        ({"index": {**INDEX, "embed": "./memory_graphs.py:number"}}, "must be a function .* not int"),
        ({"index": {**INDEX, "embed": "nobody:model"}}, "nobody:model cannot be opened: ValueError"),
        (
            {"index": {**INDEX, "dims": 0}},
            "store.index.dims must be the length of its vectors, 1 to 16000, got 0",
        ),
        ({"index": {**INDEX, "dims": "4"}}, "got '4'"),
        ({"index": {**INDEX, "dims": True}}, "got True"),
        ({"index": {**INDEX, "fields": "text"}}, "store.index.fields must be a list .* got 'text'"),
        ({"ttl": {"default_ttl": 0}}, "store.ttl.default_ttl must be minutes, more than 0 .* got 0"),
        ({"ttl": {"default_ttl": True}}, "got True"),
        ({"ttl": {"sweep_interval_minutes": -1}}, "store.ttl.sweep_interval_minutes must be minutes"),
        ({"ttl": {"refresh_on_read": "yes"}}, "store.ttl.refresh_on_read must be true or false, got 'yes'"),
        ({"ttl": {"omit": 1}}, "store.ttl has no 'omit'"),
    ],
)
async def test_a_configuration_that_cannot_be_used_is_said_at_start(
    db: Database, write: Write, store: Any, said: str
) -> None:
    with pytest.raises(ConfigWrong, match=said) as wrong:
        async with opened(db, write(store)):
            pass
    assert "langgraph.json" in str(wrong.value)


async def test_a_database_without_pgvector_is_said_at_start(
    db: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("artel.storage.store.index.EXTENSION", "create extension if not exists no_such_thing")
    with pytest.raises(ConfigWrong, match=r"langgraph.json: store.index needs the extension pgvector"):
        async with opened(db, write({"index": INDEX})):
            pass
