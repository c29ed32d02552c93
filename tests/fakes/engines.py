"""Engines in the test's own process, and small graphs for them to run."""

import asyncio
import operator
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage, AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.types import Send, interrupt
from typing_extensions import TypedDict

from artel.server.engine import Engine, dispatch, stream
from artel.storage import runs, threads
from artel.storage.events import Event
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.postgres import Database
from artel.storage.runs import Order, Run

FIELDS = ("multitask_strategy", "due_at", "temporary", "max_attempts", "priority")
ASKED = {
    "type": "tool_approval",
    "tool_call_id": "call_0",
    "name": "write_file",
    "args": {"path": "x"},
    "description": "Write x",
    "artel": {"kind": "tool_call"},
}
SAID = "one two three four five six"


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    trail: Annotated[list[str], operator.add]
    answer: Any


@dataclass
class Stage:
    """What the test graphs look at and leave behind: shared by all engines of a test."""

    did: list[str] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    fail: int = 0  # how often the failing node still fails

    async def step(self, name: str) -> dict[str, list[str]]:
        self.did.append(name)
        return {"trail": [name]}

    async def wait(self, name: str) -> dict[str, list[str]]:
        self.did.append(name)
        self.reached.set()
        await self.gate.wait()
        return {"trail": [name]}


Nodes: TypeAlias = dict[str, Any]


def chain(nodes: Nodes) -> Any:
    """Compile a graph that runs `nodes` one after the other."""
    graph = StateGraph(State)
    names = list(nodes)
    for name in names:
        graph.add_node(name, nodes[name])
    for here, there in zip([START, *names], [*names, END], strict=True):
        graph.add_edge(here, there)
    return graph.compile()


class Graphs:
    """A catalog of small graphs."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.known: dict[str, Any] = {
            "three": chain({name: self._step(name) for name in ("a", "b", "c")}),
            "slow": chain({"a": self._step("a"), "wait": self._wait("wait"), "c": self._step("c")}),
            "talk": chain({"speak": self._speak}),
            "ask": chain({"before": self._step("before"), "ask": self._ask, "after": self._step("after")}),
            "wait_ask": chain({"wait": self._wait("wait"), "ask": self._ask, "after": self._step("after")}),
            "ask_twice": chain({"ask": self._ask_twice}),
            "ask_two": self._two_questions(),
            "fail": chain({"a": self._step("a"), "fail": self._fail}),
            "unwritable": chain({"a": self._step("a"), "b\0": self._step("b")}),
            "approve": chain({"approve": self._approve}),
        }

    @asynccontextmanager
    async def graph(
        self, graph_id: str, config: RunnableConfig, *, access: str = "", context: object = None
    ) -> AsyncIterator[Any]:
        yield self.known[graph_id]

    def _step(self, name: str) -> Callable[[State], Awaitable[dict[str, Any]]]:
        async def step(state: State) -> dict[str, Any]:
            return await self.stage.step(name)

        return step

    def _wait(self, name: str) -> Callable[[State], Awaitable[dict[str, Any]]]:
        async def wait(state: State) -> dict[str, Any]:
            return await self.stage.wait(name)

        return wait

    async def _speak(self, state: State) -> dict[str, Any]:
        model = GenericFakeChatModel(messages=iter([AIMessage(SAID)]))
        return {"messages": [await model.ainvoke(state["messages"])]}

    async def _ask(self, state: State) -> dict[str, Any]:
        answer = interrupt({"question": "why?"})
        self.stage.did.append(f"answered {answer}")
        return {"answer": answer}

    async def _ask_twice(self, state: State) -> dict[str, Any]:
        first = interrupt("first?")
        self.stage.did.append(f"first {first}")
        second = interrupt("second?")
        self.stage.did.append(f"second {second}")
        return {"answer": [first, second]}

    async def _approve(self, state: State) -> dict[str, Any]:
        asked = {
            "type": "tool_approval",
            "tool_call_id": "call_0",
            "name": "write_file",
            "args": {"path": "x"},
        }
        answer = interrupt({**asked, "description": "Write x", "artel": {"kind": "tool_call"}})
        self.stage.did.append(answer["type"])
        return {"answer": answer}

    async def _fail(self, state: State) -> dict[str, Any]:
        self.stage.did.append("fail")
        if self.stage.fail:
            self.stage.fail -= 1
            raise ValueError("no luck")
        return {"trail": ["fail"]}

    def _two_questions(self) -> Any:
        async def ask(state: Any) -> dict[str, Any]:
            answer = interrupt({"about": state["about"]})
            self.stage.did.append(f"{state['about']}={answer}")
            return {"trail": [f"{state['about']}={answer}"]}

        graph = StateGraph(State)
        graph.add_node("ask", ask)
        graph.add_conditional_edges(
            START, lambda _: [Send("ask", {"about": "x"}), Send("ask", {"about": "y"})], ["ask"]
        )
        graph.add_edge("ask", END)
        return graph.compile()


@dataclass
class Driver:
    """An engine, and short ways to say what a test does with it."""

    engine: Engine

    @property
    def db(self) -> Database:
        return self.engine.db

    async def thread(self) -> UUID:
        async with self.db.connection() as conn:
            return (await threads.create(conn, new_id(), owner="local")).thread_id

    def order(self, graph: str, thread_id: UUID, **kwargs: Any) -> Order:
        fields = {name: kwargs.pop(name) for name in FIELDS if name in kwargs}
        kwargs.setdefault("input", {"messages": [{"role": "user", "content": "hi"}]})
        if "command" in kwargs:
            kwargs.pop("input")
        return Order(thread_id, system_assistant_id(graph), graph, kwargs, **fields)

    async def start(
        self, graph: str, thread_id: UUID | None = None, *, fast: bool = True, **kwargs: Any
    ) -> Run:
        thread_id = thread_id or await self.thread()
        return await dispatch.start(self.engine, self.order(graph, thread_id, **kwargs), fast=fast)

    async def run(self, graph: str, thread_id: UUID | None = None, **kwargs: Any) -> Run:
        """Start a run and return it when it has ended."""
        return await self.end(await self.start(graph, thread_id, **kwargs))

    async def end(self, run: Run) -> Run:
        ended = await asyncio.wait_for(stream.ended(self.engine, run.run_id), 10)
        assert ended is not None
        return ended

    async def find(self, run: Run) -> Run | None:
        async with self.db.connection() as conn:
            return await runs.find(conn, run.run_id)

    async def row(self, run: Run) -> Run:
        found = await self.find(run)
        assert found is not None
        return found

    async def of_thread(self, thread_id: UUID) -> threads.Thread:
        async with self.db.connection() as conn:
            return await threads.get(conn, thread_id, owner="local")

    async def events(self, run: Run, after: int | None = 0) -> list[Event]:
        async with asyncio.timeout(10):
            return [e async for batch in stream.follow(self.engine, run.run_id, after=after) for e in batch]

    async def rows(self, query: str, *values: Any) -> list[dict[str, Any]]:
        async with self.db.connection() as conn:
            return await (await conn.execute(query, values)).fetchall()


Open: TypeAlias = Callable[..., Awaitable[Driver]]
FAST: dict[str, Any] = {"lease_s": 1.0, "renew_s": 0.2, "look_s": 0.05, "poll_s": 1.0, "grace_s": 2.0}


def types(events: list[Event]) -> list[str]:
    return [event.type for event in events]
