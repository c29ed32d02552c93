"""The client of OpenAI's Responses API; imported when one is asked, for it takes a second to load."""

from collections.abc import AsyncIterator
from typing import Any

from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI

from artel.graphs.models import reasoning

HOSTED = "hosted_tools"
"""In the `additional_kwargs` of an answer: what tools of the server's own did for it."""
CITATIONS = "citations"
"""There too: what the answer says that it rests on."""

NO_CALLS = ("text", "output_text", "refusal", "reasoning", "function_call")


class Responses(ChatOpenAI):
    """Says in plain text what the API sends in blocks; thoughts, hosted tools and citations stand apart."""

    async def _astream(self, *args: Any, **kwargs: Any) -> AsyncIterator[ChatGenerationChunk]:
        async for chunk in super()._astream(*args, **kwargs):
            yield _plain(chunk)


def _plain(chunk: ChatGenerationChunk) -> ChatGenerationChunk:
    message = chunk.message
    if not isinstance(message, AIMessageChunk) or isinstance(message.content, str):
        return chunk
    blocks = [block for block in message.content if isinstance(block, dict)]
    said = "".join(str(block.get("text") or block.get("refusal") or "") for block in blocks)
    made = message.model_copy(update={"content": said, "additional_kwargs": {**message.additional_kwargs}})
    for block in blocks:
        _keep_apart(made, block)
    return ChatGenerationChunk(message=made, generation_info=chunk.generation_info)


def _keep_apart(message: BaseMessage, block: dict[str, Any]) -> None:
    kept = message.additional_kwargs
    if block.get("type") == "reasoning":
        for part in block.get("summary") or ():
            reasoning.keep(message, str(part.get("text") or ""))
    elif block.get("type") not in NO_CALLS:
        told = {key: value for key, value in block.items() if key != "index"}  # else pieces merge by it
        kept[HOSTED] = [*kept.get(HOSTED, ()), told]
    if found := block.get("annotations"):
        kept[CITATIONS] = [*kept.get(CITATIONS, ()), *found]
