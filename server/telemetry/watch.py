"""Watching one attempt of a run: its first word, and its calls of models, as LangChain tells of them."""

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult

from artel.server.telemetry import spending
from artel.server.telemetry.metrics import Metrics
from artel.storage.runs import Run
from artel.storage.usage import Call

UNNAMED = "unknown"
STOPS = frozenset({"steps", "tokens", "usd", "minutes", "repeat", "alternation", "error", "words", "empty"})


class Watch(BaseCallbackHandler):
    """Counts the calls of models inside a run.

    Costs 2.4 µs a token, of some 160 that LangGraph takes: what is done a token is one comparison.
    """

    run_inline = True
    ignore_chain = True
    ignore_agent = True
    ignore_retriever = True
    ignore_custom_event = True

    def __init__(self, metrics: Metrics, run: Run, note: Callable[[Call], None] | None = None) -> None:
        """Watch a run; `note` is told of each call of a model that was answered."""
        self.run = run
        self.begun_at = time.monotonic()
        self.input_tokens = 0
        self.output_tokens = 0
        self._metrics = metrics
        self._note = note
        self._waited_s = metrics.begun(run)
        self._speechless: dict[UUID, float] = {}  # calls without a word yet, since when
        self._calls: dict[UUID, tuple[str, float]] = {}
        self._places: dict[UUID, Mapping[str, Any]] = {}  # the metadata of each
        self._speaking: dict[UUID, float] = {}  # since when there are words
        self._silent = run.attempt == 1  # nobody has heard a word of this run

    @property
    def waited_s(self) -> float:
        """How long the run was due before it began, by the database's clock; 0 for a later attempt."""
        return self._waited_s

    @property
    def took_s(self) -> float:
        """How long the attempt has taken until now."""
        return time.monotonic() - self.begun_at

    def told(self, payload: Any) -> None:
        """Note what a graph writes to its stream: that an agent stopped at a limit, or in a circle."""
        match payload:
            case {"type": "limit" | "loop", "by": str(by)} if by in STOPS:
                self._metrics.stops.add(self.run.graph_id, by)

    def on_chat_model_start(
        self, serialized: dict[str, Any] | None, messages: list[list[BaseMessage]], **about: Any
    ) -> None:
        """Note that a chat model is asked."""
        self._begin(serialized, **about)

    def on_llm_start(self, serialized: dict[str, Any] | None, prompts: list[str], **about: Any) -> None:
        """Note that a model is asked that knows no messages."""
        self._begin(serialized, **about)

    def on_llm_new_token(self, token: str | list[str | dict[str, Any]], **about: Any) -> None:
        """Note the first word of each call."""
        if self._speechless and about["run_id"] in self._speechless:
            self._first_word(about["run_id"])

    def on_llm_end(self, response: LLMResult, **about: Any) -> None:
        """Note a whole answer."""
        call: UUID = about["run_id"]
        if call not in self._calls:
            return
        model, begun = self._calls.pop(call)
        place = self._places.pop(call, {})
        if self._speechless.pop(call, None) is not None:
            self._said()
        now = time.monotonic()
        self._metrics.model_calls.add(model, "ok")
        self._metrics.model_seconds.add(now - begun, model)
        given, made = usage(response)
        if given or made:
            self.input_tokens += given
            self.output_tokens += made
            self._metrics.model_tokens.add(model, "input", by=given)
            self._metrics.model_tokens.add(model, "output", by=made)
        spent = spending.call_of(self.run, call, place, response, took_s=now - begun)
        if spent.cached_tokens:
            self._metrics.model_cached.add(model, by=spent.cached_tokens)
        if spent.usd:
            self._metrics.model_usd.add(model, by=spent.usd)
        if self._note and (spent.input_tokens or spent.output_tokens):
            self._note(spent)
        speaking = self._speaking.pop(call, None)
        if speaking is not None and made > 1 and now > speaking:
            self._metrics.model_rate.add((made - 1) / (now - speaking), model)

    def on_llm_error(self, error: BaseException, **about: Any) -> None:
        """Note an answer that did not come, or was not wanted any more."""
        call: UUID = about["run_id"]
        self._speechless.pop(call, None)
        self._speaking.pop(call, None)
        self._places.pop(call, None)
        if call in self._calls:
            model, begun = self._calls.pop(call)
            failed = isinstance(error, Exception)
            self._metrics.model_calls.add(model, "error" if failed else "stopped")
            if failed:
                self._metrics.model_seconds.add(time.monotonic() - begun, model)

    def _begin(self, serialized: dict[str, Any] | None, **about: Any) -> None:
        now = time.monotonic()
        call: UUID = about["run_id"]
        self._calls[call] = (name_of(serialized, about), now)
        self._places[call] = about.get("metadata") or {}
        self._speechless[call] = now

    def _first_word(self, call: UUID) -> None:
        since = self._speechless.pop(call)
        now = self._speaking[call] = time.monotonic()
        self._metrics.model_first_seconds.add(now - since, self._calls[call][0])
        self._said()

    def _said(self) -> None:
        if self._silent:
            self._silent = False
            self._metrics.first_token_seconds.add(self._waited_s + self.took_s, self.run.graph_id)


def name_of(serialized: dict[str, Any] | None, about: dict[str, Any]) -> str:
    """Return what a model is called: its own name, else that of its class."""
    metadata = about.get("metadata") or {}
    params = about.get("invocation_params") or {}
    known = metadata.get("ls_model_name") or params.get("model") or params.get("model_name")
    named = known or about.get("name") or (serialized or {}).get("name") or ""
    return str(named)[:100] or UNNAMED


def usage(response: LLMResult) -> tuple[int, int]:
    """Return the tokens of an answer, given and made, as its model counted them; 0 where it did not."""
    given = made = 0
    for batch in response.generations:
        for one in batch:
            counted = getattr(getattr(one, "message", None), "usage_metadata", None) or {}
            given += int(counted.get("input_tokens") or 0)
            made += int(counted.get("output_tokens") or 0)
    return given, made
