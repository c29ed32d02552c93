"""Which graphs of a run have begun and ended, told from what they do. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

Json: TypeAlias = dict[str, Any]
Ns: TypeAlias = tuple[str, ...]
Told: TypeAlias = tuple[Ns, Json]

ENDS = frozenset({"completed", "failed", "interrupted"})


def placed(ns: str) -> Ns:
    """Return a namespace of the log in its parts."""
    return tuple(ns.split("|")) if ns else ()


@dataclass(slots=True)
class Inner:
    """A graph inside another."""

    ns: Ns
    graph_name: str
    task_id: str
    cause: Json | None
    status: str = "started"


@dataclass(slots=True)
class Lifecycle:
    """The graphs of one run.

    `closely`: the log holds the tasks of all graphs, which say more; else a graph begins with the first that
    is heard of it, and ends with the run.
    """

    graph_name: str
    closely: bool
    status: str = ""
    graphs: dict[Ns, Inner] = field(default_factory=dict)
    _calls: dict[str, str] = field(default_factory=dict)  # tool calls, by the task that makes them

    def run(self) -> Iterator[Told]:
        """Tell that the run has begun."""
        if not self.status:
            self.status = "running"
            yield (), {"event": "running", "graph_name": self.graph_name}

    def heard(self, ns: Ns) -> Iterator[Told]:
        """Tell what begins with an event of a namespace."""
        if not self.closely:
            for depth in range(1, len(ns) + 1):
                yield from self._begin(ns[:depth], None)

    def task(self, ns: Ns, data: bytes) -> Iterator[Told]:
        """Tell what begins or ends with a task."""
        task = orjson.loads(data)
        if "result" in task or "error" in task:
            yield from self._end_of(ns, task)
            return
        if call := _call(task.get("input")):
            self._calls[task["id"]] = call
        for depth in range(1, len(ns) + 1):
            yield from self._begin(ns[:depth], task if depth == len(ns) else None)

    def end(self, status: str, error: str | None) -> Iterator[Told]:
        """Tell that the run has ended, and all that was still open in it."""
        for inner in sorted(self.graphs.values(), key=lambda one: -len(one.ns)):
            if inner.status == "started":
                yield self._close(inner, status, error)
        self.status = status
        last: Json = {"event": status, "graph_name": self.graph_name}
        yield (), {**last, "error": error} if error is not None else last

    def tree(self) -> Json:
        """Return the graphs as they lie in each other."""
        return self._node((), self.status or "running", self.graph_name)

    def _node(self, ns: Ns, status: str, graph_name: str) -> Json:
        inside = [one for one in self.graphs.values() if one.ns[:-1] == ns]
        node: Json = {"namespace": list(ns), "status": status, "graph_name": graph_name}
        if inside:
            node["children"] = [self._node(one.ns, one.status, one.graph_name) for one in inside]
        return node

    def _begin(self, ns: Ns, task: Json | None) -> Iterator[Told]:
        if ns in self.graphs:
            return
        name, _, task_id = ns[-1].partition(":")
        agent = ((task or {}).get("metadata") or {}).get("lc_agent_name")
        call = self._calls.get(task_id) if agent else None
        cause = {"type": "toolCall", "tool_call_id": call} if call else None
        self.graphs[ns] = Inner(ns, agent or name, task_id, cause)
        told: Json = {"event": "started", "namespace": list(ns), "graph_name": agent or name}
        if task_id:
            told["trigger_call_id"] = task_id
        yield ns, {**told, "cause": cause} if cause else told

    def _end_of(self, ns: Ns, task: Json) -> Iterator[Told]:
        for inner in self.graphs.values():
            if inner.ns[:-1] == ns and inner.task_id == task["id"] and inner.status == "started":
                error = task.get("error")
                status = "interrupted" if task.get("interrupts") else "failed" if error else "completed"
                yield self._close(inner, status, str(error) if status == "failed" else None)

    def _close(self, inner: Inner, status: str, error: str | None) -> Told:
        inner.status = status
        told: Json = {"event": status, "namespace": list(inner.ns), "graph_name": inner.graph_name}
        return inner.ns, {**told, "error": error} if error is not None else told


def _call(given: Any) -> str | None:
    """Return the id of the tool call that is a task's input."""
    match given:
        case {"tool_call": {"id": str(call)}}:
            return call
        case [{"id": str(call)}, *_]:
            return call
    return None
