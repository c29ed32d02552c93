"""What the models of a run were asked and used, whoever called them."""

from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult


class Meter(AsyncCallbackHandler):
    """Adds up tokens and keeps the names of the tools that were called, in order.

    A chain asks its links as models of their own: only the outermost is counted.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.tokens_in = 0
        self.tokens_out = 0
        self.calls: list[str] = []
        self._running: set[UUID] = set()

    async def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        **kwargs: Any,
    ) -> None:
        """Note that a model is asked, unless it is by another."""
        del serialized, messages, kwargs
        if parent_run_id not in self._running:
            self.asked += 1
        self._running.add(run_id)

    async def on_llm_end(
        self, response: LLMResult, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Add what an answer used and called."""
        del run_id, kwargs
        if parent_run_id in self._running:
            return
        for generation in (one for many in response.generations for one in many):
            said = generation.message if isinstance(generation, ChatGeneration) else None
            if isinstance(said, AIMessage):
                self.calls += [call["name"] for call in said.tool_calls]
                usage = said.usage_metadata
                self.tokens_in += usage["input_tokens"] if usage else 0
                self.tokens_out += usage["output_tokens"] if usage else 0
