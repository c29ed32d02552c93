"""A thread of one of our agents, without a database: LangGraph's saver in memory and a given model."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import uuid4

from langchain_core.messages import AnyMessage, HumanMessage, ToolMessage
from langgraph.types import Command, Interrupt

from artel.graphs import orchestrator
from artel.graphs.agent_loop import loop
from artel.graphs.context import Handles, use
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.fallback import Chain, Link
from artel.graphs.models.scripted import Scripted
from artel.graphs.roles import built_in

BUILDERS: dict[str, Callable[[], Any]] = {
    **{name: partial(loop, role) for name, role in built_in().items()},
    "orchestrator": orchestrator.build,
}


class OneModel(Models):
    """Gives every agent the same model."""

    def __init__(self, model: Scripted) -> None:
        super().__init__(ModelSettings(model="scripted:test"))
        self.model = model

    def chat(self, agent: str, override: str = "", *, usual: str = "") -> Chain:
        del agent, override, usual
        link = Link(spec="scripted", build=lambda: self.model, failures=tuple)
        return Chain(links=(link,), timeout_s=5, silence_s=5)


@dataclass
class Driver:
    """A thread of one agent."""

    graph: Any
    handles: Handles
    model: Scripted
    thread: str = field(default_factory=lambda: str(uuid4()))
    context: dict[str, Any] = field(default_factory=dict)
    custom: list[Any] = field(default_factory=list)

    async def say(self, text: str) -> "Driver":
        return await self.go({"messages": [HumanMessage(text)]})

    async def answer(self, *decisions: Any, **by_path: Any) -> "Driver":
        """Answer the open questions, in order, or by the path they are about."""
        resume = {q.id: d for q, d in zip(self.open, decisions, strict=False)}
        for path, decision in by_path.items():
            resume[self.about(path).id] = decision
        return await self.go(Command(resume=resume))

    async def go(self, given: Any) -> "Driver":
        config = {"configurable": {"thread_id": self.thread}}
        with use(self.handles):
            stream = self.graph.astream(
                given, config, context=self.context, stream_mode=["custom"], subgraphs=True
            )
            async for _, _, chunk in stream:
                self.custom.append(chunk)
            self.state = await self.graph.aget_state(config, subgraphs=True)
        return self

    def about(self, name: str) -> Interrupt:
        return next(q for q in self.open if q.value["args"]["file_path"].startswith(name))

    @property
    def open(self) -> tuple[Interrupt, ...]:
        return tuple(self.state.interrupts)

    @property
    def messages(self) -> list[AnyMessage]:
        """Those of the thread; while a sub-agent waits, those it has so far."""
        state = self.state
        while inner := next((task.state for task in state.tasks if task.state and task.interrupts), None):
            if not hasattr(inner, "values"):
                break
            state = inner
        return list(state.values["messages"])

    @property
    def told(self) -> list[str]:
        """What the tools told the model, in order."""
        return [str(m.content) for m in self.messages if isinstance(m, ToolMessage)]

    @property
    def said(self) -> str:
        return str(self.messages[-1].content)


def call(name: str, /, *, id: str = "", **args: Any) -> dict[str, Any]:  # noqa: A002
    return {"name": name, "args": args, **({"id": id} if id else {})}


def edit(path: str, old: str, new: str, **more: Any) -> dict[str, Any]:
    return call("edit_file", file_path=path, old_string=old, new_string=new, **more)


def calls(*many: dict[str, Any]) -> dict[str, Any]:
    return {"tool_calls": list(many)}
