"""What the models of a run were asked and used, whoever called them, and what commands showed them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata, add_usage
from langchain_core.messages.utils import count_tokens_approximately
from langchain_core.outputs import ChatGeneration, LLMResult
from langgraph.types import Command

from artel.graphs.models.link import KEY
from artel.graphs.models.prices import cost_of, price_of

COMMANDS = ("execute", "read_output")


class Meter(AsyncCallbackHandler):
    """Adds up tokens by model, and keeps the tools that were called, in order, and what commands said.

    A chain asks its links as models of their own: only the outermost is counted. Tokens that nobody counted,
    and those of a script, are counted by letters, four a token, without the descriptions of tools.
    """

    def __init__(self) -> None:
        self.asked = 0
        self.calls: list[str] = []
        self.shown: list[str] = []
        "What commands put out."
        self.usage: dict[str, UsageMetadata] = {}
        "By `provider:name`."
        self._uncounted: set[str] = set()
        self._running: set[UUID] = set()
        self._given: dict[UUID, list[BaseMessage]] = {}

    @property
    def tokens_in(self) -> int:
        """What models were given."""
        return sum(one["input_tokens"] for one in self.usage.values())

    @property
    def tokens_out(self) -> int:
        """What models said."""
        return sum(one["output_tokens"] for one in self.usage.values())

    @property
    def cached(self) -> int:
        """What of the input providers found in their caches."""
        details = [one.get("input_token_details") or {} for one in self.usage.values()]
        return sum(int(one.get("cache_read") or 0) for one in details)

    @property
    def usd(self) -> float | None:
        """What it cost; None: a model has no known price, or did not say what it used."""
        unknown = [model for model in self._uncounted if not _is_free(model)]
        costs = [cost_of(model, used) for model, used in self.usage.items()]
        known = [one for one in costs if one is not None]
        return sum(known) if len(known) == len(costs) and not unknown else None

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
        del serialized, kwargs
        if parent_run_id not in self._running:
            self.asked += 1
            self._given[run_id] = [one for many in messages for one in many]
        self._running.add(run_id)

    async def on_llm_end(
        self, response: LLMResult, *, run_id: UUID, parent_run_id: UUID | None = None, **kwargs: Any
    ) -> None:
        """Add what an answer used and called."""
        del kwargs
        if parent_run_id in self._running:
            return
        given = self._given.pop(run_id, [])
        for generation in (one for many in response.generations for one in many):
            said = generation.message if isinstance(generation, ChatGeneration) else None
            if isinstance(said, AIMessage):
                self.calls += [call["name"] for call in said.tool_calls]
                self._count(said, given)

    async def on_tool_end(self, output: Any, **kwargs: Any) -> None:
        """Keep what a command said."""
        del kwargs
        self.shown += [one.text for one in _answers(output) if one.name in COMMANDS]

    def _count(self, said: AIMessage, given: list[BaseMessage]) -> None:
        model, used = str(said.response_metadata.get(KEY, "")), said.usage_metadata
        if used is None:
            self._uncounted.add(model)
        if used is None or model.startswith("scripted:"):
            used = _by_letters(given, said)
        self.usage[model] = add_usage(self.usage.get(model), used)


def _by_letters(given: list[BaseMessage], said: AIMessage) -> UsageMetadata:
    read, written = count_tokens_approximately(given), count_tokens_approximately([said])
    return UsageMetadata(input_tokens=read, output_tokens=written, total_tokens=read + written)


def _is_free(model: str) -> bool:
    price = price_of(model)
    return price is not None and not (price.input or price.output)


def _answers(output: Any) -> Iterator[ToolMessage]:
    """The answers in what a tool returned: a message, or an update of the state that holds some."""
    if isinstance(output, Command):
        update = output.update if isinstance(output.update, dict) else {}
        output = update.get("messages")
    for one in output if isinstance(output, list) else [output]:
        if isinstance(one, ToolMessage):
            yield one
