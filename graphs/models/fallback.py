"""A chat model that asks a chain of models, one after another, each within its time."""

from asyncio import run, timeout, to_thread
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Self, cast

import httpx
from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from pydantic import Field

from artel.graphs.models.settings import ModelMisconfigured, NoModelAnswered
from artel.graphs.unreadable import in_part

# What a broken answer looks like from inside a client library: an answer of `null` is a TypeError there.
GARBAGE = (OSError, httpx.HTTPError, ValueError, TypeError, LookupError, AttributeError)
MAX_CAUSE = 300  # characters of one provider's error: some send whole web pages

Tools = Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]


@dataclass(frozen=True, slots=True)
class Link:
    """One model of a chain; made when its turn comes."""

    spec: str
    build: Callable[[], BaseChatModel]
    failures: Callable[[], tuple[type[Exception], ...]]


class BrokenOff(NoModelAnswered):
    """A model failed after its first words, which cannot be taken back; `rest` may answer anew."""

    code = "model_broke_off"

    def __init__(self, message: str, rest: "Chain | None") -> None:
        super().__init__(message)
        self.rest = rest


class Chain(BaseChatModel):
    """Asks its links in turn until one answers, and streams that answer through.

    A link fails when it raises, sends no chunk for `timeout_s`, or falls silent for `silence_s` later.
    Nothing of a failed link is mixed into an answer: after its first words the failure is `BrokenOff`.
    """

    links: tuple[Link, ...]
    timeout_s: float
    silence_s: float
    causes: tuple[str, ...] = ()
    tools: tuple[Any, ...] = ()
    tool_choice: Any = None
    tool_settings: dict[str, Any] = Field(default_factory=dict)

    @property
    def _llm_type(self) -> str:
        return "chain"

    @property
    def label(self) -> str:
        """The chain in words: `openai:a → ollama:b`."""
        return " → ".join(link.spec for link in self.links)

    def _get_ls_params(self, stop: list[str] | None = None, **kwargs: Any) -> LangSmithParams:
        """Name the model that is asked first: metrics and traces know calls by it, not by this class."""
        provider, _, name = self.links[0].spec.partition(":")
        known = super()._get_ls_params(stop, **kwargs)
        return {**known, "ls_provider": provider, "ls_model_name": name or provider}

    def bind_tools(
        self, tools: Tools, *, tool_choice: Any = None, **kwargs: Any
    ) -> Runnable[LanguageModelInput, AIMessage]:
        """Return the chain with tools, handed to each link in its own form."""
        return self.with_tools(tools, tool_choice, kwargs)

    def with_tools(self, tools: Tools, tool_choice: Any, settings: dict[str, Any]) -> Self:
        """Return the chain with tools."""
        return self.model_copy(
            update={"tools": tuple(tools), "tool_choice": tool_choice, "tool_settings": settings}
        )

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del run_manager  # our caller reports the tokens; a link that also did would double them
        causes = list(self.causes)
        for place, link in enumerate(self.links):
            begun = ended = False
            pieces: list[AIMessageChunk] = []
            try:
                model = await to_thread(link.build)  # its first time imports the client library
                async with aclosing(self._ask(link, model, messages, stop, kwargs)) as stream:
                    while (chunk := await self._next(stream, begun=begun)) is not None:
                        begun = begun or bool(chunk.message.content or _calls(chunk))
                        if isinstance(chunk.message, AIMessageChunk) and _calls(chunk):
                            pieces.append(chunk.message)
                        if not ended and _is_end(chunk):
                            ended = True
                            chunk.message.response_metadata |= in_part(pieces)
                        yield chunk
                if not ended:
                    raise ConnectionError("the answer stopped in the middle" if begun else "no answer came")
            except _failures(link) as error:
                causes.append(f"{link.spec}: {_words(error, self.silence_s if begun else self.timeout_s)}")
                if begun:
                    rest = self._after(place, causes)
                    raise BrokenOff(f"The model broke off. {'; '.join(causes)}", rest) from error
            else:
                return
        raise NoModelAnswered(f"No model answered. {'; '.join(causes)}")

    async def _agenerate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        return await agenerate_from_stream(self._astream(messages, stop, run_manager, **kwargs))

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        return run(self._agenerate(messages, stop, None, **kwargs))

    def _ask(
        self,
        link: Link,
        model: BaseChatModel,
        messages: list[BaseMessage],
        stop: list[str] | None,
        kwargs: dict[str, Any],
    ) -> AsyncGenerator[ChatGenerationChunk, None]:
        if self.tools:
            bound = model.bind_tools(self.tools, tool_choice=self.tool_choice, **self.tool_settings)
            if isinstance(bound, RunnableBinding):
                kwargs = {**kwargs, **bound.kwargs}
                bound = bound.bound
            if not isinstance(bound, BaseChatModel):
                raise ModelMisconfigured(f"{link.spec} cannot take tools")
            model = bound
        stream = model._astream(messages, stop=stop, **kwargs)
        return cast("AsyncGenerator[ChatGenerationChunk, None]", stream)

    async def _next(
        self, stream: AsyncGenerator[ChatGenerationChunk, None], *, begun: bool
    ) -> ChatGenerationChunk | None:
        async with timeout(self.silence_s if begun else self.timeout_s):
            return await anext(stream, None)

    def _after(self, place: int, causes: list[str]) -> "Chain | None":
        links = self.links[place + 1 :]
        return self.model_copy(update={"links": links, "causes": tuple(causes)}) if links else None


def _failures(link: Link) -> tuple[type[Exception], ...]:
    try:
        return (*GARBAGE, *link.failures(), ModelMisconfigured)
    except ModelMisconfigured:  # its package is missing, which is what building it said
        return (*GARBAGE, ModelMisconfigured)


def _calls(chunk: ChatGenerationChunk) -> bool:
    return bool(getattr(chunk.message, "tool_call_chunks", None))


def _is_end(chunk: ChatGenerationChunk) -> bool:
    """A connection that breaks can look like an answer that ends; only an answer gives its reason."""
    said = {**(chunk.generation_info or {}), **chunk.message.response_metadata}
    last = getattr(chunk.message, "chunk_position", None) == "last"
    return last or bool(said.get("finish_reason") or said.get("stop_reason"))


def _words(error: Exception, limit_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {limit_s:g} s"
    said = " ".join(str(error).split()) or type(error).__name__
    return said if len(said) <= MAX_CAUSE else f"{said[:MAX_CAUSE]}…"
