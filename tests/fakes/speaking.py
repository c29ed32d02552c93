"""Graphs that speak, call tools, ask and fail: what protocol v2 has words for."""

import asyncio
import operator
from collections.abc import AsyncIterator, Sequence
from itertools import pairwise
from typing import Annotated, Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, AnyMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.tools import tool
from langgraph.config import get_stream_writer
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Send, interrupt
from typing_extensions import TypedDict

from artel.server.catalog import Catalog, Entry


class State(TypedDict, total=False):
    messages: Annotated[list[AnyMessage], add_messages]
    trail: Annotated[list[str], operator.add]


class Answers(TypedDict, total=False):
    n: int
    answers: Annotated[list[Any], operator.add]
    about: str


class Speaker(BaseChatModel):
    """Says what it is given, piece by piece; waits for `gate` before the last one."""

    pieces: list[AIMessageChunk]
    gate: Any = None

    @property
    def _llm_type(self) -> str:
        return "speaker"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        for piece in self.pieces[:-1]:
            yield ChatGenerationChunk(message=piece)
        if self.gate:
            await self.gate.wait()
        yield ChatGenerationChunk(message=self.pieces[-1])


def words(text: str, **last: Any) -> list[AIMessageChunk]:
    """Return a text in pieces of a word."""
    pieces: list[AIMessageChunk] = []
    for word in text.split(" "):
        pieces.append(AIMessageChunk(content=f" {word}" if pieces else word))
    pieces[-1] = pieces[-1].model_copy(update=last)
    return pieces


def thinking() -> list[AIMessageChunk]:
    """Return a message that thinks, speaks and calls a tool."""
    call = {"name": "look", "id": "c1", "index": 2}
    rest = {"name": None, "id": None, "index": 2}
    return [
        AIMessageChunk(content=[{"type": "reasoning", "reasoning": "hm", "index": 0}]),
        AIMessageChunk(content=[{"type": "text", "text": "let me", "index": 1}]),
        AIMessageChunk(content="", tool_call_chunks=[{**call, "args": '{"at"'}]),
        AIMessageChunk(content="", tool_call_chunks=[{**rest, "args": ": 1}"}]),
    ]


@tool
def look(at: int) -> str:
    """Look at something."""
    get_stream_writer()({"name": "progress", "at": at})
    return f"seen {at}"


class Stage:
    """The graphs, and the gate at which `slow` speakers wait."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()
        self.graphs: dict[str, Any] = {
            "agent": self._agent(),
            "talk": line(State, {"talk": speaking(words("one two three"))}),
            "slow": line(State, {"talk": speaking(words("one two three"), self.gate)}),
            "choir": self._choir(),
            "deep": line(State, {"sub": line(State, {"talk": speaking(words("deep words"))})}),
            "plain": line(State, {"talk": plain, "write": write}),
            "ask": line(Answers, {"ask": ask("ok?"), "after": count}),
            "nest": line(Answers, {"sub": line(Answers, {"ask": ask("ok?")})}),
            "two": self._two(),
            "fail": line(State, {"fail": self._fail}),
        }

    def catalog(self) -> Catalog:
        """Return the graphs as they are served."""
        return Catalog({name: Entry(None, graph) for name, graph in self.graphs.items()})

    def _agent(self) -> Any:
        async def model(state: State) -> dict[str, Any]:
            usage = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
            answered = state["messages"][-1].type == "tool"
            pieces = words("done now", usage_metadata=usage) if answered else thinking()
            return {"messages": [await Speaker(pieces=pieces).ainvoke(state["messages"])]}

        def route(state: State) -> str:
            last = state["messages"][-1]
            return "tools" if isinstance(last, AIMessage) and last.tool_calls else END

        graph = StateGraph(State)
        graph.add_node("model", model)
        graph.add_node("tools", ToolNode([look]))
        graph.add_edge(START, "model")
        graph.add_conditional_edges("model", route, ["tools", END])
        graph.add_edge("tools", "model")
        return graph.compile()

    def _choir(self) -> Any:
        """Two models speak at the same time, in the same node."""
        graph = StateGraph(State)

        async def sing(state: Any) -> dict[str, Any]:
            pieces = words(f"{state['voice']} sings")
            return {"messages": [await Speaker(pieces=pieces, gate=self.gate).ainvoke("go")]}

        graph.add_node("sing", sing)
        graph.add_conditional_edges(
            START, lambda _: [Send("sing", {"voice": "alto"}), Send("sing", {"voice": "bass"})], ["sing"]
        )
        return graph.compile()

    def _two(self) -> Any:
        def about(state: Answers) -> dict[str, Any]:
            return {"answers": [f"{state['about']}={interrupt({'about': state['about']})}"]}

        graph = StateGraph(Answers)
        graph.add_node("ask", about)
        graph.add_conditional_edges(
            START, lambda _: [Send("ask", {"about": "x"}), Send("ask", {"about": "y"})], ["ask"]
        )
        return graph.compile()

    async def _fail(self, state: State) -> dict[str, Any]:
        async for _ in Speaker(pieces=words("half a sentence"), gate=self.gate).astream("go"):
            self.gate.clear()
            raise ValueError("no luck")
        return {}


def line(schema: Any, nodes: dict[str, Any]) -> Any:
    """Compile a graph that runs nodes one after the other."""
    graph = StateGraph(schema)
    for name, node in nodes.items():
        graph.add_node(name, node)
    for here, there in pairwise([START, *nodes, END]):
        graph.add_edge(here, there)
    return graph.compile()


def speaking(pieces: Sequence[AIMessageChunk], gate: asyncio.Event | None = None) -> Any:
    """Return a node that says this."""

    async def talk(state: State) -> dict[str, Any]:
        return {"messages": [await Speaker(pieces=list(pieces), gate=gate).ainvoke(state["messages"])]}

    return talk


def plain(state: State) -> dict[str, Any]:
    return {"messages": [AIMessage("whole", id="w1")], "trail": ["talk"]}


def write(state: State) -> dict[str, Any]:
    writer = get_stream_writer()
    writer("bare")
    writer({"name": "chart", "payload": [1, 2]})
    return {"trail": ["write"]}


def ask(question: str) -> Any:
    def asking(state: Answers) -> dict[str, Any]:
        return {"answers": [interrupt({"question": question})]}

    return asking


def count(state: Answers) -> dict[str, Any]:
    return {"n": state.get("n", 0) + 1}
