"""Words of an assistant elsewhere, told as those of a model here: they stream, their tokens are counted."""

from typing import Any

from langchain_core.callbacks import AsyncCallbackManager, AsyncCallbackManagerForLLMRun
from langchain_core.messages import AIMessageChunk
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, LLMResult
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import get_async_callback_manager_for_config

from artel.graphs.kinds.passing import clean

MAX_MESSAGES = 200  # of one run that are told while they are said; the others come whole


class Speaking:
    """The messages of one run, as far as they were heard."""

    def __init__(self, name: str, config: RunnableConfig) -> None:
        self._name = name
        self._manager: AsyncCallbackManager = get_async_callback_manager_for_config(config)
        self._told: dict[str, AsyncCallbackManagerForLLMRun] = {}
        self._said: dict[str, AIMessageChunk] = {}

    async def hear(self, data: Any) -> None:
        """Tell a piece of a message on; what is none, or no assistant's, is left out."""
        match data:
            case [{"type": "AIMessageChunk", "id": str(message_id)} as said, *_] if message_id:
                await self._tell(message_id, said)

    async def end(self) -> None:
        """Say that no more will come."""
        for message_id, told in self._told.items():
            whole = ChatGeneration(message=self._said[message_id])
            await told.on_llm_end(LLMResult(generations=[[whole]]))
        self._told = {}

    async def _tell(self, message_id: str, said: Any) -> None:
        if message_id not in self._said and len(self._said) >= MAX_MESSAGES:
            return
        kept = ("content", "tool_call_chunks", "usage_metadata", "chunk_position")
        piece = AIMessageChunk.model_validate(
            {"id": message_id}
            | {key: clean(said[key]) for key in kept if said.get(key)}
            | {"content": clean(said.get("content") or "")}
        )
        if message_id not in self._told:
            (told,) = await self._manager.on_chat_model_start({"name": self._name}, [[]], name=self._name)
            self._told[message_id] = told
        before = self._said.get(message_id)
        whole = piece if before is None else before + piece
        self._said[message_id] = whole if isinstance(whole, AIMessageChunk) else piece
        chunk = ChatGenerationChunk(message=piece)
        await self._told[message_id].on_llm_new_token(str(piece.text), chunk=chunk)
