"""A model that plays replies from a JSON file: for tests and journeys.

The file is a list of replies: `"text"`, or an object with any of `text`, `tool_calls` (`[{name, args, id}]`),
`delay_s` (between chunks), `error` (raised instead of an answer), `match` (plays only when the last message
contains it). Reply n is played as the n-th answer after the last human message when `per_turn` is set
(`{"per_turn": true, "replies": […]}`), else as the n-th answer in the thread. Both are counted in the
messages, not in the process: a restart in the middle goes on with the right reply.
"""

from asyncio import sleep
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from json import dumps, loads
from pathlib import Path
from re import findall
from typing import Any

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.chat_models import generate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import BaseModel, Field

from artel.graphs.models.settings import ModelMisconfigured, ModelSettings
from artel.graphs.models.told import of_the_thread


class Call(BaseModel):
    """A tool call to play."""

    name: str
    args: dict[str, Any] | str = {}
    "Text is sent as it is, whole JSON or not."
    id: str = ""


class Reply(BaseModel):
    """An answer to play."""

    text: str = ""
    tool_calls: list[Call] = []
    delay_s: float = 0
    error: str = ""
    match: str = ""


class ScriptError(RuntimeError):
    """The script says that the model fails here, or it has no reply left."""


class Scripted(BaseChatModel):
    """Plays `replies`; `asked` keeps what it was asked."""

    replies: list[Reply]
    per_turn: bool = False
    name_shown: str = "scripted"
    asked: list[list[BaseMessage]] = Field(default_factory=list)

    @property
    def _llm_type(self) -> str:
        return "scripted"

    def bind_tools(
        self, tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool], **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Take any tools; the script knows which it calls."""
        del tools
        return self.bind(**kwargs)

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del stop, run_manager, kwargs
        return generate_from_stream(self._chunks(self._next(messages), len(of_the_thread(messages))))

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del stop, run_manager, kwargs
        reply = self._next(messages)
        for chunk in self._chunks(reply, len(of_the_thread(messages))):
            await sleep(reply.delay_s)
            yield chunk

    def _next(self, messages: list[BaseMessage]) -> Reply:
        self.asked.append(list(messages))
        messages = of_the_thread(messages)
        last = next((str(m.content) for m in reversed(messages)), "")
        fitting = [reply for reply in self.replies if reply.match in last]
        matched = [reply for reply in fitting if reply.match]
        reply = matched[0] if matched else self._in_order(messages)
        if reply.error:
            raise ScriptError(reply.error)
        return reply

    def _in_order(self, messages: list[BaseMessage]) -> Reply:
        plain = [reply for reply in self.replies if not reply.match]
        since = 0
        if self.per_turn:
            since = max((i for i, m in enumerate(messages) if m.type == "human"), default=0)
        place = sum(m.type == "ai" for m in messages[since:])
        if place >= len(plain):
            raise ScriptError(f"the script has {len(plain)} replies, this is number {place + 1}")
        return plain[place]

    def _chunks(self, reply: Reply, place: int) -> Iterator[ChatGenerationChunk]:
        for word in findall(r"\s*\S+\s*?(?=\s|$)|\s+$", reply.text):
            yield ChatGenerationChunk(message=AIMessageChunk(content=word))
        calls = [
            tool_call_chunk(
                name=call.name,
                args=call.args if isinstance(call.args, str) else dumps(call.args, ensure_ascii=False),
                id=call.id or f"call_{place}_{index}",
                index=index,
            )
            for index, call in enumerate(reply.tool_calls)
        ]
        words = len(reply.text.split())
        yield ChatGenerationChunk(
            message=AIMessageChunk(
                content="",
                tool_call_chunks=calls,
                usage_metadata={"input_tokens": place, "output_tokens": words, "total_tokens": place + words},
                response_metadata={"model_name": self.name_shown},
                chunk_position="last",
            )
        )


def build(name: str, settings: ModelSettings) -> BaseChatModel:
    """Return a model that plays the file `name`.

    Raises:
        ModelMisconfigured: the file is missing or is no script.
    """
    del settings
    try:
        script = loads(Path(name).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelMisconfigured(f"cannot play the script {name!r}: {error}") from error
    per_turn = isinstance(script, dict) and bool(script.get("per_turn"))
    replies = script["replies"] if isinstance(script, dict) else script
    return scripted(*replies, per_turn=per_turn)


def scripted(*replies: str | dict[str, Any] | Reply, per_turn: bool = False) -> Scripted:
    """Return a model that plays `replies`."""
    return Scripted(
        replies=[Reply(text=r) if isinstance(r, str) else Reply.model_validate(r) for r in replies],
        per_turn=per_turn,
    )


def detect(settings: ModelSettings) -> str | None:
    """Never chosen by itself."""
    del settings
    return None


def failures() -> tuple[type[Exception], ...]:
    """Return what a scripted failure raises."""
    return (ScriptError,)
