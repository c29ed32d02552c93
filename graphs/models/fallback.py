"""A chat model that asks a chain of models, one after another, each within its time."""

from asyncio import run
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, Self

from langchain_core.callbacks import AsyncCallbackManagerForLLMRun, CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel, LanguageModelInput
from langchain_core.language_models.base import LangSmithParams
from langchain_core.language_models.chat_models import agenerate_from_stream
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGenerationChunk, ChatResult
from langchain_core.runnables import Runnable, RunnableConfig
from langchain_core.tools import BaseTool
from pydantic import Field

from artel.graphs.models import retrying, tally
from artel.graphs.models.link import Asked, Link, answer, failures_of
from artel.graphs.models.rates import TooManyAsked
from artel.graphs.models.settings import NoModelAnswered
from artel.graphs.models.standing import LeftAlone

__all__ = ["BrokenOff", "Chain", "Link"]

MAX_CAUSE = 300  # characters of one provider's error: some send whole web pages

Tools = Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool]


class BrokenOff(NoModelAnswered):
    """A model failed after its first words, which cannot be taken back; `rest` may answer anew."""

    code = "model_broke_off"

    def __init__(self, message: str, rest: "Chain | None") -> None:
        super().__init__(message)
        self.rest = rest


class Chain(BaseChatModel):
    """Asks its links in turn until one answers, and streams that answer through.

    A link fails when it raises, sends no word for `timeout_s`, or falls silent for `silence_s` later.
    Nothing of a failed link is mixed into an answer: after its first words the failure is `BrokenOff`.
    """

    links: tuple[Link, ...]
    timeout_s: float
    silence_s: float
    causes: tuple[str, ...] = ()
    tools: tuple[Any, ...] = ()
    tool_choice: Any = None
    tool_settings: dict[str, Any] = Field(default_factory=dict)

    def __repr__(self) -> str:
        """Return it in words: LangChain makes this of it for each call, and all tools would be in it."""
        return f"Chain({self.label})"

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

    async def ainvoke(
        self,
        input: LanguageModelInput,  # noqa: A002  as LangChain names it
        config: RunnableConfig | None = None,
        *,
        stop: list[str] | None = None,
        **kwargs: Any,
    ) -> AIMessage:
        """Ask, and note what the answer used for whoever tallies."""
        answer = await super().ainvoke(input, config, stop=stop, **kwargs)
        tally.note(answer, input)
        return answer

    async def _astream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: AsyncCallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[ChatGenerationChunk]:
        del run_manager  # our caller reports the tokens; a link that also did would double them
        causes = list(self.causes)
        asked = Asked(messages, stop, kwargs, self.tools, self.tool_choice, self.tool_settings)
        for place, link in enumerate(self.links):
            begun = False
            try:
                given = answer(link, asked, timeout_s=self.timeout_s, silence_s=self.silence_s)
                async with aclosing(given) as stream:
                    async for chunk in stream:
                        begun = True
                        yield chunk
            except failures_of(link) as error:
                said = _words(error, self.silence_s if begun else self.timeout_s)
                causes.append(f"{link.spec}: {said}")
                if link.standing and not isinstance(error, LeftAlone | TooManyAsked):
                    pause_s = retrying.asked_s(error) or 0.0
                    link.standing.failed(said, at_fault=retrying.at_fault(error), pause_s=pause_s)
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

    def _after(self, place: int, causes: list[str]) -> "Chain | None":
        links = self.links[place + 1 :]
        return self.model_copy(update={"links": links, "causes": tuple(causes)}) if links else None


def _words(error: Exception, limit_s: float) -> str:
    if isinstance(error, TimeoutError):
        return f"no answer within {limit_s:g} s"
    said = " ".join(str(error).split()) or type(error).__name__
    said = said if len(said) <= MAX_CAUSE else f"{said[:MAX_CAUSE]}…"
    asked_s = retrying.asked_s(error)
    return said if not asked_s else f"{said} (it asks to be left alone for {asked_s:.0f} s)"
