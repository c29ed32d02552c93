"""The graphs that this process can run, by name."""

import inspect
import typing
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.graph import StateGraph
from langgraph.pregel import Pregel
from langgraph.store.base import BaseStore
from langgraph_sdk import runtime as sdk

from artel.graphs.context import Handles
from artel.server import kinds, loading, served
from artel.server.auth.caller import calling
from artel.server.kinds import Check
from artel.server.served import ConfigWrong, GraphSpec, Served
from artel.storage.errors import ArtelError, NotFound

log = structlog.get_logger(__name__)

Graph: TypeAlias = Pregel[Any, Any, Any, Any]
Runtime: TypeAlias = sdk.ServerRuntime[Any]
Make: TypeAlias = Callable[[RunnableConfig, Runtime], Any]

ON_RUN: sdk.AccessContext = "threads.create_run"


class UnknownGraph(NotFound):
    """No graph of that name is served."""


class GraphBroken(ArtelError):
    """A function that makes a graph made something else."""

    code = "graph_broken"


@dataclass(frozen=True, slots=True)
class Entry:
    """One graph of the catalog: ready, or made anew for every use."""

    description: str | None
    graph: Graph | None
    make: Make | None = None
    check: Check | None = None
    "Refuses a context that no assistant of it can have."
    module: str = ""
    "Of the function that makes it."


class Catalog:
    """All graphs that are served; loaded once, at start."""

    def __init__(self, entries: Mapping[str, Entry], config: Served | None = None) -> None:
        self._entries = dict(entries)
        self.config = config  # what was served from; None: our own agents
        self.handles: Callable[[], Handles | None] = lambda: None  # what our agents are run with
        self._store: Any = None

    @classmethod
    def load(cls, config: Path | None = None, further: Path | None = None) -> "Catalog":
        """Load the graphs of a `langgraph.json`: the named one, that of this folder, or else our own agents.

        And the kinds of assistants in the folder `further`, each by the name of its file.

        Raises:
            ConfigWrong: the file, a key in it, or a graph that it names cannot be used.
        """
        file = served.find(config)
        made = cls.of(served.read(file)) if file else cls.built_in()
        for kind in kinds.read(further) if further else ():
            if kind.name in made._entries:
                raise ConfigWrong(f'{kind.source}: there is a graph "{kind.name}" already; rename the file')
            entry = _entry(kind.graph, kind.description, kind.source, kind.name)
            made._entries[kind.name] = replace(entry, check=kind.check)
        return made

    @classmethod
    def built_in(cls) -> "Catalog":
        """Load the agents of the registry; a folder of others needs none of them in its memory."""
        agents = import_module("artel.graphs.registry").AGENTS
        return cls(
            {
                name: replace(
                    _entry(agent.graph, agent.description, f"artel.graphs.registry: {name}", name),
                    check=agent.check_assistant,
                )
                for name, agent in agents.items()
            }
        )

    @classmethod
    def of(cls, config: Served) -> "Catalog":
        """Load the graphs of a configuration.

        Raises:
            ConfigWrong: a graph that it names cannot be used.
        """
        for key in config.unknown:
            log.warning(f"{config.file}: {key} is not known here, and ignored")
        loading.open_folders(config.folders)
        return cls({spec.graph_id: _loaded(config, spec) for spec in config.graphs}, config)

    def give(self, store: BaseStore) -> None:
        """Give every graph the long-term store, and the functions that make graphs too."""
        self._store = store
        self._entries = {
            name: replace(entry, graph=entry.graph.copy(update={"store": store})) if entry.graph else entry
            for name, entry in self._entries.items()
        }

    def names(self) -> list[str]:
        """Return the names of all graphs, in the order of the configuration."""
        return list(self._entries)

    def description(self, graph_id: str) -> str | None:
        """Return what the configuration says of a graph.

        Raises:
            UnknownGraph: no graph has that name.
        """
        return self._entry(graph_id).description

    def check(self, graph_id: str) -> Check | None:
        """Return what refuses a context that no assistant of a graph can have; None: any will do.

        Raises:
            UnknownGraph: no graph has that name.
        """
        return self._entry(graph_id).check

    def kind(self, graph_id: str) -> str | None:
        """Return what a graph says it is in the metadata of its configuration: `workflow`, say.

        Raises:
            UnknownGraph: no graph has that name.
        """
        graph = self._entry(graph_id).graph
        said = ((graph.config or {}).get("metadata") or {}).get("kind") if graph else None
        return said if isinstance(said, str) else None

    def is_made_by(self, graph_id: str, module: str) -> bool:
        """Whether a function of that module makes a graph."""
        entry = self._entries.get(graph_id)
        return entry is not None and entry.module == module

    @asynccontextmanager
    async def graph(
        self,
        graph_id: str,
        config: RunnableConfig | None = None,
        *,
        access: sdk.AccessContext = ON_RUN,
        context: object = None,
    ) -> AsyncIterator[Graph]:
        """Open a graph for one use; what its function opened is closed at the end.

        Give it a checkpointer by `graph.copy(update=…)`: a graph may serve many runs at once. A function gets
        `config`, and `access`, `context` and the user in its `ServerRuntime`; what it raises is passed on.

        Raises:
            UnknownGraph: no graph has that name.
            GraphBroken: its function returned something else than a graph.
        """
        entry = self._entry(graph_id)
        if entry.graph:
            yield entry.graph
        elif entry.make:
            runtime = _runtime(access, context, self._store, _user(config or {}))
            async with _made(graph_id, entry.make, config or {}, runtime) as graph:
                yield graph.copy(update={"store": self._store}) if self._store else graph

    def _entry(self, graph_id: str) -> Entry:
        try:
            return self._entries[graph_id]
        except KeyError:
            known = ", ".join(self._entries)
            raise UnknownGraph(f'there is no graph "{graph_id}"; there are: {known}') from None


@asynccontextmanager
async def _made(graph_id: str, make: Make, config: RunnableConfig, runtime: Runtime) -> AsyncIterator[Graph]:
    made = make(config, runtime)
    if inspect.isawaitable(made):
        made = await made
    if isinstance(made, AbstractAsyncContextManager):
        async with made as inner:
            yield _compiled(graph_id, inner)
    elif isinstance(made, AbstractContextManager):
        with made as inner:
            yield _compiled(graph_id, inner)
    else:
        yield _compiled(graph_id, made)


def _compiled(graph_id: str, value: object) -> Graph:
    if isinstance(value, StateGraph):
        return value.compile()
    if isinstance(value, Pregel):
        return value
    raise GraphBroken(
        f'the function of the graph "{graph_id}" must return a graph, not {type(value).__name__}'
    )


def _loaded(config: Served, spec: GraphSpec) -> Entry:
    value = loading.load(config, spec)
    key = f"{config.file}: graphs.{spec.graph_id}"
    if not isinstance(value, StateGraph | Pregel) and not callable(value):
        raise ConfigWrong(
            f'{key}: "{spec.variable}" in {spec.source} must be a graph or a function that makes one, '
            f"not {type(value).__name__}"
        )
    check = kinds.check_of(loading.module_of(config, spec), key)
    return replace(_entry(value, spec.description, key, spec.graph_id), check=check)


def _entry(value: Any, description: str | None, key: str, graph_id: str) -> Entry:
    if isinstance(value, StateGraph | Pregel):
        return Entry(description, _compiled(graph_id, value))
    if not callable(value):
        raise ConfigWrong(f"{key} must be a graph or a function that makes one, not {type(value).__name__}")
    return Entry(description, None, _maker(value, key), module=str(getattr(value, "__module__", "")))


def _maker(function: Callable[..., Any], key: str) -> Make:
    """Fit a function of none, a config, a runtime, or both, in any order, to one signature."""
    names = list(inspect.signature(function).parameters)
    hints = _hints(function)
    runtimes = [name for name in names if _is_runtime(hints.get(name))]
    configs = [name for name in names if name not in runtimes]
    if len(runtimes) > 1 or len(configs) > 1:
        raise ConfigWrong(
            f"{key}: its function may take a config and a ServerRuntime, got ({', '.join(names)})"
        )

    def make(config: RunnableConfig, runtime: Runtime) -> Any:
        return function(**dict.fromkeys(configs, config), **dict.fromkeys(runtimes, runtime))

    return make


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    try:
        known = {"ServerRuntime": sdk.ServerRuntime, "RunnableConfig": RunnableConfig}
        return typing.get_type_hints(function, localns=known)
    except (NameError, TypeError):  # names that only a type checker sees
        return dict(getattr(function, "__annotations__", {}))


def _is_runtime(hint: object) -> bool:
    return "ServerRuntime" in str(hint) or "_ExecutionRuntime" in str(hint)


def _user(config: RunnableConfig) -> Any:
    """Return for whom a graph is made: whoever a run is for, else whoever calls; None without accounts."""
    configurable = config.get("configurable") or {}
    if "langgraph_auth_user" in configurable:
        return configurable["langgraph_auth_user"]
    return calling.get().known


def _runtime(access: sdk.AccessContext, context: object, store: Any, user: Any) -> Runtime:
    if access == ON_RUN:
        return sdk._ExecutionRuntime(access_context=access, store=store, context=context, user=user)
    return sdk._ReadRuntime(access_context=access, store=store, user=user)
