"""A graph whose model says `n` words on the beat; each word is the time at which it was due."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langgraph.graph import END, START, MessagesState, StateGraph


class Metronome(BaseChatModel):
    """Says what the last message asks for: `79 0.05` is 79 words, 50 ms apart; without a pause, at once.

    The beat is absolute: a server that is late does not slow the model down, it falls behind it.
    """

    @property
    def _llm_type(self) -> str:
        return "metronome"

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        raise NotImplementedError("this model only streams")

    async def _astream(
        self, messages: list[BaseMessage], *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        count, pause_s = str(messages[-1].content).split()
        begun, pause = time.monotonic_ns(), int(float(pause_s) * 1e9)
        for n in range(int(count)):
            due = begun + n * pause if pause else time.monotonic_ns()
            ahead = due - time.monotonic_ns()
            if ahead > 0 or n % 20 == 19:
                await asyncio.sleep(max(ahead, 0) / 1e9)
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"t{due} "))


async def say(state: MessagesState) -> dict[str, list[BaseMessage]]:
    """Let the model speak."""
    return {"messages": [await Metronome().ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node(say)
builder.add_edge(START, "say")
builder.add_edge("say", END)
graph = builder.compile()
