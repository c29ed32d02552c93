"""From LangGraph's stream to our events: the one place that knows its shapes. Pure."""

from collections.abc import Mapping
from typing import Any, TypeAlias

from artel.storage.encoding import dumps

ALWAYS = ("messages", "updates", "values", "custom")
ON_DEMAND = frozenset({"tasks", "checkpoints", "debug"})
CLOSELY = ("tools", "tasks", "checkpoints")  # what more is stored of a run that is watched closely
MOST_INPUT = 16 * 1024  # bytes of a task's input that are stored then: more is the state, step after step
INTERRUPT = "__interrupt__"
PROJECTED = "projected"  # what a graph's own transformers make of its stream
SAID = "said"  # an event of a message, as they left it
MESSAGES = frozenset({"messages", "messages-tuple"})
UNNAMED = "LangGraph"  # what LangGraph calls a graph that has no name
MEMO = 64  # model calls at once whose constant part is remembered

Chunk: TypeAlias = tuple[tuple[str, ...], str, Any]  # namespace, mode, payload: one piece of `astream`
Part: TypeAlias = tuple[str, str, bytes]  # event type, namespace, data


def modes(asked: object, *, closely: bool = False) -> list[str]:
    """Return the modes to run a graph with: those we always store, and those the run asked for."""
    more = [*(CLOSELY if closely else ()), *(name for name in _names(asked) if name in ON_DEMAND)]
    return [*ALWAYS, *dict.fromkeys(more)]


def wants_events(asked: object) -> bool:
    """Say whether a run asked for LangChain's own events as well."""
    return "events" in _names(asked)


def _names(asked: object) -> list[str]:
    match asked:
        case str():
            return [asked]
        case list() | tuple():
            return [str(name) for name in asked]
    return []


class Translator:
    """Turns chunks into events, and remembers the constant part of a message's stream.

    All tokens of a model call carry the very same metadata object: it is encoded once.
    """

    def __init__(self, *, closely: bool = False) -> None:
        """Of a run watched `closely`, tasks lose large inputs, and checkpoints all but their names."""
        self._closely = closely
        self._known: dict[int, tuple[Mapping[str, Any], bytes]] = {}

    def part(self, chunk: Chunk) -> Part:
        """Return the event a chunk makes."""
        ns, mode, payload = chunk
        if mode == "messages":
            message, metadata = payload
            return mode, "|".join(ns), b"[%b,%b]" % (dumps(message), self._metadata(metadata))
        if self._closely and mode == "checkpoints":
            return "checkpoint", "|".join(ns), dumps(_name_of_checkpoint(payload))
        if self._closely and mode == "tasks":
            return mode, "|".join(ns), _task(payload)
        return mode, "|".join(ns), dumps(payload)

    def _metadata(self, metadata: Mapping[str, Any]) -> bytes:
        known = self._known.get(id(metadata))
        if known and known[0] is metadata:
            return known[1]
        if len(self._known) >= MEMO:
            self._known.clear()
        encoded = dumps(metadata)
        self._known[id(metadata)] = (metadata, encoded)
        return encoded


def _name_of_checkpoint(payload: Mapping[str, Any]) -> dict[str, Any]:
    """Return which checkpoint it is, and after which: its state is in `values`, and in itself."""
    metadata = payload.get("metadata") or {}
    parent = payload.get("parent_config")
    named = {"id": _id_of(payload["config"]), "step": metadata.get("step"), "source": metadata.get("source")}
    return {**named, "parent_id": _id_of(parent)} if parent else named


def _id_of(config: Mapping[str, Any]) -> Any:
    return config["configurable"].get("checkpoint_id")


def _task(payload: Mapping[str, Any]) -> bytes:
    """Return a task; of a large input only the tool call that it makes, if it makes one."""
    whole = dumps(payload)
    given = payload.get("input")
    if len(whole) <= MOST_INPUT or given is None:
        return whole
    call = given.get("tool_call") if isinstance(given, Mapping) else None
    return dumps({**payload, "input": {"tool_call": call} if call else None})


def looks_inside(kwargs: Mapping[str, Any]) -> bool:
    """Whether a run streams the graphs inside its graph too.

    One whose client reads messages, but not those of graphs inside, does not: then LangGraph gives it what
    they said as whole messages of the node that they are.
    """
    return bool(kwargs.get("stream_subgraphs")) or not MESSAGES.intersection(
        _names(kwargs.get("stream_mode"))
    )


def placed(chunk: Any) -> Chunk:
    """Return a chunk with its namespace, which LangGraph leaves out when it looks at the root graph only."""
    return chunk if len(chunk) == 3 else ((), *chunk)


def name_of(graph: Any, graph_id: str) -> str:
    """Return the name a graph goes by: its own, or that under which it is served."""
    name = str(graph.get_name())
    return graph_id if name == UNNAMED else name


def stops(chunk: Chunk) -> bool:
    """Say whether a chunk tells that the root graph stops to wait: for an answer, or at a breakpoint."""
    ns, mode, payload = chunk
    return not ns and mode == "updates" and isinstance(payload, Mapping) and INTERRUPT in payload


def questions(chunk: Chunk) -> list[str]:
    """Return the ids of the questions that a chunk raises, in whatever namespace."""
    _, mode, payload = chunk
    if mode != "updates" or not isinstance(payload, Mapping):
        return []
    return [asked.id for asked in payload.get(INTERRUPT) or () if hasattr(asked, "id")]


def failure(error: BaseException) -> dict[str, str]:
    """Say an error in the shape the wire has for it."""
    return {"error": type(error).__name__, "message": str(error)}
