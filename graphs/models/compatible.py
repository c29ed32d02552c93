"""The client of OpenAI-compatible servers; imported when one is asked, for it takes a second to load."""

from typing import Any

from langchain_core.outputs import ChatGenerationChunk
from langchain_openai import ChatOpenAI

from artel.graphs.models import reasoning


class Compatible(ChatOpenAI):
    """Also hears what other vendors' models think: their servers send it beside the answer."""

    def _convert_chunk_to_generation_chunk(
        self, chunk: dict[str, Any], default_chunk_class: type, base_generation_info: dict[str, Any] | None
    ) -> ChatGenerationChunk | None:
        made = super()._convert_chunk_to_generation_chunk(chunk, default_chunk_class, base_generation_info)
        choices = chunk.get("choices")
        if made is not None and choices:
            delta = choices[0].get("delta") or {}
            thought = delta.get("reasoning_content") or delta.get("reasoning")
            reasoning.keep(made.message, thought if isinstance(thought, str) else "")
        return made
