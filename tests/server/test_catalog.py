import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from artel.graphs.roles import built_in
from artel.server import served
from artel.server.catalog import Catalog, GraphBroken, UnknownGraph
from artel.server.served import ConfigWrong

Write = Callable[..., Path]

GRAPH = """
from __future__ import annotations
from typing import TypedDict
from langgraph.graph import START, StateGraph

class State(TypedDict, total=False):
    said: str

def builder(said: str = "{said}") -> StateGraph:
    made = StateGraph(State)
    made.add_node("say", lambda state: {{"said": said}})
    made.add_edge(START, "say")
    return made

graph = builder().compile()
"""

FACTORIES = (
    GRAPH.format(said="x")
    + """
from contextlib import asynccontextmanager, contextmanager
from langchain_core.runnables import RunnableConfig
from langgraph_sdk.runtime import ServerRuntime

left = []

def plain():
    return builder("plain").compile()

def uncompiled():
    return builder("uncompiled")

def configured(config):
    return builder(config["configurable"]["word"]).compile()

async def both(runtime: ServerRuntime, config: RunnableConfig):
    return builder(f"{config['configurable']['word']} {runtime.access_context} {runtime.context}").compile()

@contextmanager
def opened():
    yield builder("opened")
    left.append("opened")

@asynccontextmanager
async def awaited(runtime: ServerRuntime[dict]):
    yield builder(f"awaited {runtime.execution_runtime is None}").compile()
    left.append("awaited")

def nothing():
    return 7

def greedy(one, two, three):
    return None

number = 7
"""
)


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
    """Write a served folder: its configuration and its files; return the configuration."""

    def written(graphs: Any, files: dict[str, str] | None = None, **more: Any) -> Path:
        for name, text in (files or {}).items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text)
        config = tmp_path / "langgraph.json"
        config.write_text(json.dumps({"graphs": graphs, **more}))
        return config

    return written


async def says(catalog: Catalog, graph_id: str, **more: Any) -> object:
    async with catalog.graph(graph_id, {"configurable": {"word": "hello"}}, **more) as graph:
        return (await graph.ainvoke({}))["said"]


async def test_graphs_come_with_their_names_and_descriptions_in_order(write: Write) -> None:
    graphs = {"b": "./one.py:graph", "a": {"path": "./sub/two.py:graph", "description": "The second"}}
    files = {"one.py": GRAPH.format(said="one"), "sub/two.py": GRAPH.format(said="two")}
    catalog = Catalog.load(write(graphs, files))
    assert (catalog.names(), catalog.description("a"), catalog.description("b")) == (
        ["b", "a"],
        "The second",
        None,
    )
    assert (await says(catalog, "b"), await says(catalog, "a")) == ("one", "two")
    with pytest.raises(UnknownGraph, match=r'no graph "c"; there are: b, a'):
        catalog.description("c")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("plain", "plain"),
        ("uncompiled", "uncompiled"),
        ("configured", "hello"),
        ("both", "hello threads.create_run {'a': 1}"),
        ("opened", "opened"),
        ("awaited", "awaited False"),
    ],
)
async def test_functions_of_every_shape_make_graphs(write: Write, name: str, said: str) -> None:
    catalog = Catalog.load(write({"g": f"./shapes.py:{name}"}, {"shapes.py": FACTORIES}))
    assert await says(catalog, "g", context={"a": 1}) == said
    if name in ("opened", "awaited"):
        assert sys.modules["shapes"].left == [name]


async def test_a_function_is_told_when_its_graph_will_only_be_read(write: Write) -> None:
    catalog = Catalog.load(write({"g": "./reads.py:awaited"}, {"reads.py": FACTORIES}))
    assert await says(catalog, "g", access="assistants.read") == "awaited True"


async def test_a_function_that_makes_no_graph_is_said(write: Write) -> None:
    catalog = Catalog.load(write({"g": "./none.py:nothing"}, {"none.py": FACTORIES}))
    with pytest.raises(GraphBroken, match='of the graph "g" must return a graph, not int'):
        await says(catalog, "g")


def test_a_module_is_loaded_once_however_it_is_reached(write: Write) -> None:
    files = {
        "agents/first.py": GRAPH.format(said="1") + "from agents.shared import seen\nseen.append(1)\n",
        "agents/shared.py": "seen = []\n",
        "other.py": "from agents.first import seen, graph\n",
    }
    Catalog.load(write({"a": "./agents/first.py:graph", "b": "./other.py:graph", "c": "other:graph"}, files))
    assert sys.modules["agents.shared"].seen == [1]


def test_a_file_whose_name_is_taken_or_is_no_name_is_loaded_all_the_same(write: Write) -> None:
    files = {"json.py": GRAPH.format(said="1"), "my agent-2.py": GRAPH.format(said="2")}
    catalog = Catalog.load(write({"a": "./json.py:graph", "b": "./my agent-2.py:graph"}, files))
    assert catalog.names() == ["a", "b"]
    assert not hasattr(json, "graph")


def test_local_dependencies_are_found(write: Write) -> None:
    files = {"libs/words/wording.py": "said = 'x'\n", "uses.py": GRAPH.format(said="1") + "import wording\n"}
    Catalog.load(
        write({"a": "./uses.py:graph"}, files, dependencies=[".", "./libs/words", "langchain-openai"])
    )
    assert sys.modules["wording"].said == "x"


async def test_our_own_configuration_gives_the_very_modules_of_the_package() -> None:
    file = Path(__file__).parents[2] / "graphs/kinds/openai_responses.py"
    spec = served.GraphSpec("answered elsewhere", str(file), "graph", None)
    config = served.Served(file.parents[2] / "langgraph.json", (spec,), (), {})
    async with Catalog.of(config).graph("answered elsewhere") as graph:
        assert graph is sys.modules["artel.graphs.kinds.openai_responses"].graph


def test_without_a_configuration_our_agents_are_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = Catalog.load()
    assert catalog.names() == [
        "orchestrator",
        *built_in(),
        "agent",
        "publish",
        "openai_responses",
        "remote_graph",
    ]
    assert all(catalog.description(name) for name in catalog.names())


def test_the_configuration_of_the_current_folder_is_served_unasked(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(write({"here": "./found.py:graph"}, {"found.py": GRAPH.format(said="1")}).parent)
    assert Catalog.load().names() == ["here"]
    assert Catalog.load(Path()).names() == ["here"]


NAMESAKES = {
    "tools.py": "mine = 'their tools'\n",
    "server/__init__.py": "",
    "server/wording.py": "mine = 'their server'\n",
    "graphs/__init__.py": "",
    "graphs/agent.py": GRAPH.format(said="x")
    + "from tools import mine as one\nfrom server.wording import mine as two\n"
    + "from .helper import mine as three\nwords = [one, two, three]\n",
    "graphs/helper.py": "mine = 'their graphs'\n",
}

SERVE_NAMESAKES = """
import sys
from pathlib import Path
from artel.server.catalog import Catalog
catalog = Catalog.load(Path(sys.argv[1]))
import graphs.agent, artel.graphs, artel.tools, artel.server
assert graphs.agent.words == ["their tools", "their server", "their graphs"], graphs.agent.words
assert artel.graphs is not graphs and artel.server is not sys.modules["server"]
"""


@pytest.mark.parametrize("start", ["our checkout", "their folder"])
def test_a_folder_with_its_own_tools_server_and_graphs_gets_its_own(write: Write, start: str) -> None:
    config = write({"agent": "./graphs/agent.py:graph"}, NAMESAKES)
    folder = Path(__file__).parents[2] if start == "our checkout" else config.parent
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    subprocess.run(
        [sys.executable, "-c", SERVE_NAMESAKES, str(config)], cwd=folder, env=environment, check=True
    )


@pytest.mark.parametrize(
    ("graphs", "more", "sentence"),
    [
        ({"a": "./missing.py:graph"}, {}, r"graphs\.a: there is no file .*missing\.py"),
        ({"a": "./good.py:missing"}, {}, r'graphs\.a: there is no "missing" in \./good\.py'),
        ({"a": "./good.py"}, {}, r'graphs\.a must end in ":name"'),
        ({"a": "./page.ts:graph"}, {}, r"only Python graphs are served"),
        ({"a": 7}, {}, r'graphs\.a must be "\./file\.py:name"'),
        ({"a": {"path": "./good.py:graph", "description": 7}}, {}, r"graphs\.a must be"),
        ({}, {}, r"graphs must be an object such as"),
        ([], {}, r"graphs must be an object such as"),
        ({"a": "./good.py:number"}, {}, r'"number" in \./good\.py must be a graph .*, not int'),
        ({"a": "./good.py:greedy"}, {}, r"may take a config and a ServerRuntime, got \(one, two, three\)"),
        (
            {"a": "./broken.py:graph"},
            {},
            r"broken\.py cannot be imported: ZeroDivisionError: .*broken\.py, line 2",
        ),
        ({"a": "./syntax.py:graph"}, {}, r"syntax\.py cannot be imported: SyntaxError"),
        ({"a": "no.such.module:graph"}, {}, r"graphs\.a: no\.such\.module cannot be imported"),
        (
            {"a": "./good.py:graph"},
            {"dependencies": ["./nowhere"]},
            r"dependencies names the folder .*nowhere",
        ),
        ({"a": "./good.py:graph"}, {"dependencies": "x"}, r"dependencies must be a list"),
        ({"a": "./good.py:graph"}, {"env": "no.env"}, r"env names the file .*no\.env"),
        ({"a": "./good.py:graph"}, {"env": ["x"]}, r"env must be a file or an object, not a list"),
    ],
)
def test_what_is_wrong_in_a_configuration_is_said_with_file_and_key(
    write: Write, graphs: Any, more: dict[str, Any], sentence: str
) -> None:
    files = {"good.py": FACTORIES, "broken.py": "\n1 / 0\n", "syntax.py": "def\n"}
    with pytest.raises(ConfigWrong, match=sentence) as refused:
        Catalog.load(write(graphs, files, **more))
    assert "langgraph.json" in str(refused.value)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "sentence"), [("{", "is not JSON"), ("[]", "must hold an object, not a list")]
)
def test_a_file_that_is_no_configuration_is_said(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "langgraph.json").write_text(text)
    with pytest.raises(ConfigWrong, match=sentence):
        Catalog.load(tmp_path)


def test_a_configuration_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(ConfigWrong, match=r"there is no configuration .*--config"):
        Catalog.load(tmp_path / "nope.json")


def test_env_is_a_file_or_an_object(write: Write) -> None:
    (write({}).parent / "my.env").write_text("A=1\n# note\nB='two words'\nC\n")
    graphs = {"a": "./a.py:graph"}
    assert served.read(write(graphs, env="my.env")).env == {"A": "1", "B": "two words"}
    assert served.read(write(graphs, env={"A": "1", "N": 2})).env == {"A": "1", "N": "2"}
