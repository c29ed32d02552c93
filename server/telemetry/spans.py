"""From what LangChain tells of a run to spans: its nodes, and in them the calls of models and tools."""

import json
import traceback
from asyncio import CancelledError
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import BaseMessage
from langchain_core.outputs import LLMResult
from langgraph.errors import GraphBubbleUp
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from artel.server.telemetry.watch import name_of, usage
from artel.storage.encoding import dumps

STEP = "graph:step:"  # the tag by which LangGraph marks the task of a node
LONGEST = 32_000  # characters of one content in a span


class Spans(BaseCallbackHandler):
    """Makes the spans inside one attempt of a run.

    What was said to models and tools, and what errors say of it, is told only where a setting allows it.
    """

    run_inline = True
    ignore_retriever = True
    ignore_custom_event = True

    def __init__(self, tracer: Tracer, above: Context, ids: Mapping[str, str], *, content: bool) -> None:
        self._tracer = tracer
        self._root = above
        self._ids = dict(ids)
        self._content = content
        self._spans: dict[UUID, Span] = {}
        self._inside: dict[UUID, Context] = {}

    def close(self) -> None:
        """End what was broken off."""
        for span in self._spans.values():
            span.set_attribute("artel.cancelled", True)
            span.end()
        self._spans.clear()
        self._inside.clear()

    def on_chain_start(self, serialized: dict[str, Any] | None, inputs: Any, **about: Any) -> None:
        """Begin a node; other chains are only passed through."""
        metadata, name = about.get("metadata") or {}, about.get("name")
        steps = any(tag.startswith(STEP) for tag in about.get("tags") or ())
        if name and steps and metadata.get("langgraph_node") == name:
            told = {"artel.node": name, "artel.step": metadata.get("langgraph_step")}
            self._begin(f"node {name}", about, SpanKind.INTERNAL, told)
        else:
            self._inside[about["run_id"]] = self._above(about)

    def on_chain_end(self, outputs: Any, **about: Any) -> None:
        """End a node."""
        self._end(about["run_id"])

    def on_chain_error(self, error: BaseException, **about: Any) -> None:
        """End a node that failed, or asks a question."""
        self._end(about["run_id"], error=error)

    def on_chat_model_start(
        self, serialized: dict[str, Any] | None, messages: list[list[BaseMessage]], **about: Any
    ) -> None:
        """Begin a call of a chat model."""
        said = [one for batch in messages for one in batch]
        self._ask(serialized, about, "chat", said)

    def on_llm_start(self, serialized: dict[str, Any] | None, prompts: list[str], **about: Any) -> None:
        """Begin a call of a model that knows no messages."""
        self._ask(serialized, about, "text_completion", prompts)

    def on_llm_end(self, response: LLMResult, **about: Any) -> None:
        """End a call of a model, with what it counted."""
        given, made = usage(response)
        messages = [getattr(one, "message", None) for batch in response.generations for one in batch]
        answered: dict[str, Any] = next((dict(one.response_metadata) for one in messages if one), {})
        told: dict[str, Any] = {
            "gen_ai.usage.input_tokens": given or None,
            "gen_ai.usage.output_tokens": made or None,
            "gen_ai.response.model": answered.get("model_name"),
            "gen_ai.response.id": answered.get("id"),
        }
        if reason := answered.get("finish_reason") or answered.get("stop_reason"):
            told["gen_ai.response.finish_reasons"] = [str(reason)]
        if self._content:
            told["gen_ai.output.messages"] = _shown(messages)
        self._end(about["run_id"], told)

    def on_llm_error(self, error: BaseException, **about: Any) -> None:
        """End a call of a model that failed."""
        self._end(about["run_id"], error=error)

    def on_tool_start(self, serialized: dict[str, Any] | None, input_str: str, **about: Any) -> None:
        """Begin a call of a tool."""
        name = about.get("name") or (serialized or {}).get("name") or "tool"
        told: dict[str, Any] = {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": name,
            "gen_ai.tool.call.id": about.get("tool_call_id"),
        }
        if self._content:
            told["gen_ai.tool.call.arguments"] = _shown(about.get("inputs") or input_str)
        self._begin(f"execute_tool {name}", about, SpanKind.INTERNAL, told)

    def on_tool_end(self, output: Any, **about: Any) -> None:
        """End a call of a tool."""
        told = {"gen_ai.tool.call.result": _shown(output)} if self._content else {}
        self._end(about["run_id"], told)

    def on_tool_error(self, error: BaseException, **about: Any) -> None:
        """End a call of a tool that failed."""
        self._end(about["run_id"], error=error)

    def _ask(
        self,
        serialized: dict[str, Any] | None,
        about: dict[str, Any],
        operation: str,
        said: Sequence[BaseMessage | str],
    ) -> None:
        metadata = about.get("metadata") or {}
        model = name_of(serialized, about)
        told: dict[str, Any] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": metadata.get("ls_provider"),
            "gen_ai.request.model": model,
            "gen_ai.request.temperature": metadata.get("ls_temperature"),
            "gen_ai.request.max_tokens": metadata.get("ls_max_tokens"),
        }
        if self._content:
            told["gen_ai.input.messages"] = _shown(said)
        self._begin(f"{operation} {model}", about, SpanKind.CLIENT, told)

    def _begin(self, name: str, about: dict[str, Any], kind: SpanKind, told: dict[str, Any]) -> None:
        above = self._above(about)
        known = {key: value for key, value in told.items() if value is not None}
        span = self._tracer.start_span(name, context=above, kind=kind, attributes=self._ids | known)
        self._spans[about["run_id"]] = span
        self._inside[about["run_id"]] = set_span_in_context(span, above)

    def _end(
        self, call: UUID, told: Mapping[str, Any] | None = None, *, error: BaseException | None = None
    ) -> None:
        self._inside.pop(call, None)
        span = self._spans.pop(call, None)
        if span is None:
            return
        span.set_attributes({key: value for key, value in (told or {}).items() if value is not None})
        if error is not None:
            self._blame(span, error)
        span.end()

    def _blame(self, span: Span, error: BaseException) -> None:
        """Note why something did not end well; a question to somebody is no failure, and a stop neither."""
        if isinstance(error, GraphBubbleUp):
            span.set_attribute("artel.interrupted", True)
            return
        if isinstance(error, CancelledError):
            span.set_attribute("artel.cancelled", True)
            return
        kind = type(error).__name__
        told = {"exception.type": kind}
        if self._content:
            told["exception.message"] = str(error)[:LONGEST]
            told["exception.stacktrace"] = "".join(traceback.format_exception(error))[-LONGEST:]
        span.add_event("exception", told)
        span.set_attribute("error.type", kind)
        span.set_status(Status(StatusCode.ERROR, str(error)[:LONGEST] if self._content else kind))

    def _above(self, about: Mapping[str, Any]) -> Context:
        return self._inside.get(about.get("parent_run_id") or UUID(int=0), self._root)


def _shown(value: Any) -> str:
    try:
        return dumps(value).decode()[:LONGEST]
    except (TypeError, ValueError):
        return json.dumps(repr(value))[:LONGEST]
