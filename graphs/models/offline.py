"""A chat model for a machine that has none: rules that read, search and make simple edits by real tool calls.

It says of itself that it is one: each answer ends in a label, each message carries the model name `offline`.
"""

import re
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from importlib import import_module
from json import dumps
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from langchain_core.utils.function_calling import convert_to_openai_tool

from artel.graphs.models.rules.abilities import label
from artel.graphs.models.rules.handing_in import SUBMIT, submission
from artel.graphs.models.rules.phrases import phrases
from artel.graphs.models.rules.telling import lacks
from artel.graphs.models.rules.turn import Call, Undone, read_turn, replay
from artel.graphs.models.settings import ModelSettings
from artel.graphs.models.told import of_the_thread
from artel.graphs.routing import is_russian

NAME = "offline"
MAX_BATCHES = 40  # model calls in a turn; no rule needs a quarter

RULES = "artel.graphs.models.rules.agents"  # with the scanners of the gate: only who answers needs them


class Offline(BaseChatModel):
    """Answers by rules from what its tools return; keeps nothing between calls."""

    tools: frozenset[str] = frozenset()

    @property
    def _llm_type(self) -> str:
        return NAME

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the model with tools, of which it knows those of the workspace by name."""
        del kwargs
        names = frozenset(convert_to_openai_tool(tool)["function"]["name"] for tool in tools)
        return self.model_copy(update={"tools": names})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager, kwargs
        return generate_from_stream(_chunks(self._next(messages), len(messages)))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del stop, run_manager, kwargs
        for chunk in _chunks(await to_thread(self._next, messages), len(messages)):
            yield chunk

    def _next(self, messages: list[BaseMessage]) -> list[Call] | str:
        """Return what the rules want next: calls, of a step of a plan at last the one that hands it in."""
        rules = import_module(RULES)
        turn = read_turn(of_the_thread(messages), self.tools)
        say, role = phrases(russian=is_russian(turn.request)), rules.role_of(turn)
        wanted = (
            Undone(say.too_long)
            if len(turn.batches) >= MAX_BATCHES
            else replay(rules.rule(turn, role, say), turn.batches)
        )
        missing = (
            [] if isinstance(wanted, str) else [one.name for one in wanted if one.name not in self.tools]
        )
        if missing:  # of a role that a user wrote
            wanted = Undone(lacks(missing[0], say))
        if not isinstance(wanted, str):
            return wanted
        if SUBMIT in self.tools:
            return [submission(wanted, turn.batches)]
        return f"{wanted.rstrip()}\n\n{label(role, say)}"


def build(name: str, settings: ModelSettings) -> BaseChatModel:
    """Return the model; it has no variants."""
    del name, settings
    return Offline()


def detect(settings: ModelSettings) -> str | None:
    """Always there."""
    del settings
    return ""


def failures() -> tuple[type[Exception], ...]:
    """It calls nobody, so nobody fails."""
    return ()


def _chunks(wanted: list[Call] | str, place: int) -> Iterator[ChatGenerationChunk]:
    calls = []
    if isinstance(wanted, str):
        for piece in re.findall(r"\s*\S+|\s+$", wanted):
            yield ChatGenerationChunk(message=AIMessageChunk(content=piece))
    else:
        calls = [
            tool_call_chunk(name=call.name, args=dumps(call.args), id=f"offline_{place}_{index}", index=index)
            for index, call in enumerate(wanted)
        ]
    words = len(wanted.split()) if isinstance(wanted, str) else 0
    yield ChatGenerationChunk(
        message=AIMessageChunk(
            content="",
            tool_call_chunks=calls,
            response_metadata={"model_name": NAME},
            usage_metadata={"input_tokens": 0, "output_tokens": words, "total_tokens": words},
            chunk_position="last",
        )
    )
