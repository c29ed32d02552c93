"""A graph whose model says `n` numbered words, slowly."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langgraph.graph import END, START, MessagesState, StateGraph


class Numbers(BaseChatModel):
    """Says as many numbered words as the last message asks for: `60 0.02` is 60 words, 20 ms apart."""

    @property
    def _llm_type(self) -> str:
        return "numbers"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        count = int(str(messages[-1].content).split()[0])
        text = "".join(f"word{i} " for i in range(count))
        return ChatResult(generations=[ChatGeneration(message=AIMessage(text))])

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        count, pause_s = str(messages[-1].content).split()
        for i in range(int(count)):
            await asyncio.sleep(float(pause_s))
            yield ChatGenerationChunk(message=AIMessageChunk(content=f"word{i} "))


async def say(state: MessagesState) -> dict[str, list[BaseMessage]]:
    """Let the model speak."""
    return {"messages": [await Numbers().ainvoke(state["messages"])]}


builder = StateGraph(MessagesState)
builder.add_node(say)
builder.add_edge(START, "say")
builder.add_edge("say", END)
graph = builder.compile()
