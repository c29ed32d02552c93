"""An assistant that a server answers over OpenAI's Responses API."""

from asyncio import to_thread
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Annotated, Any, Literal, NotRequired

import httpx
from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, SystemMessage
from langgraph.graph import END, START, StateGraph, add_messages
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel, ConfigDict, Field
from typing_extensions import TypedDict

from artel.graphs.context import handles
from artel.graphs.kinds.connections import NotOffered, OpenAI, offers
from artel.graphs.kinds.wishes import wished
from artel.graphs.models import openai
from artel.graphs.models.fallback import Chain
from artel.graphs.models.link import KEY, Link
from artel.graphs.models.loading import load
from artel.graphs.models.settings import NoModelAnswered

TITLE = "OpenAI Responses"
DESCRIPTION = "A model with instructions of yours behind OpenAI's Responses API; context names a connection."
FORGOTTEN = "previous_response"  # in what servers say of an answer that they no longer have


class ResponsesContext(BaseModel):
    """What such an assistant is."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    connection: str = Field("", description="Name of a connection of type openai, as the operator set it up.")
    model: str = Field("", max_length=200, description="The model's name at that server.")
    instructions: str = Field("", max_length=100_000, description="What the assistant is told beforehand.")
    conversation: Literal["messages", "previous_response"] = Field(
        "messages",
        description="Send the messages each time and have nothing kept; or only new ones, after the server's "
        "own memory of its last answer.",
    )
    tools: tuple[str, ...] = Field((), max_length=32, description="Tools of the connection that it may use.")
    reasoning: Literal["", "minimal", "low", "medium", "high"] = Field(
        "", description="How much it thinks; empty: as the model does."
    )


class ResponsesState(TypedDict):
    """What is said."""

    messages: NotRequired[Annotated[list[AnyMessage], add_messages]]


@dataclass(frozen=True, slots=True)
class _Asked:
    """Who is asked, and with what."""

    chain: Chain
    client: httpx.AsyncClient
    options: Mapping[str, Any]
    connection: OpenAI


async def answer(state: ResponsesState, runtime: Runtime[ResponsesContext]) -> ResponsesState:
    """Ask the server, and stream what it says.

    Raises:
        UnknownConnection, NotOffered: the operator offers no such thing.
        NoModelAnswered: the server failed; the message says why.
    """
    wish = runtime.context or ResponsesContext()
    asked = await to_thread(_asked, wish)
    messages = list(_spoken(state.get("messages") or ()))
    place, response_id = _kept(messages, wish)
    try:
        try:
            said = await _say(asked, messages[place:], {"previous_response_id": response_id})
        except NoModelAnswered as failed:
            if not response_id or FORGOTTEN not in str(failed):
                raise
            said = await _say(asked, messages, {})
    except NoModelAnswered as failed:
        raise NoModelAnswered(asked.connection.hidden(str(failed))) from None
    finally:
        await asked.client.aclose()
    return {"messages": [said]}


def check_assistant(context: Mapping[str, Any]) -> None:
    """Refuse an assistant that could never answer. Reads a file: not for an event loop.

    Raises:
        Invalid: a value is wrong; the message names it and what would be right.
    """
    _offered(wished(ResponsesContext, context))


def build() -> CompiledStateGraph[Any, ResponsesContext, Any, Any]:
    """Return the graph: one question, one answer."""
    made = StateGraph(ResponsesState, context_schema=ResponsesContext)
    made.add_node(answer)
    made.add_edge(START, "answer")
    made.add_edge("answer", END)
    return made.compile(name="openai_responses")


graph = build()


def _offered(wish: ResponsesContext) -> OpenAI:
    found = handles().connections.get(wish.connection, OpenAI)
    if not wish.model:
        raise NotOffered(
            f"context.model must name a model of {wish.connection}: one like {_list(found.models)}"
        )
    if not offers(found.models, wish.model):
        raise NotOffered(
            f"context.model must be one of {_list(found.models)} at {wish.connection}, got {wish.model!r}"
        )
    if unknown := [name for name in wish.tools if name not in found.tools]:
        known = _list(found.tools) or "none"
        raise NotOffered(f"context.tools may name {known} at {wish.connection}, got {unknown[0][:80]!r}")
    return found


def _asked(wish: ResponsesContext) -> _Asked:
    found = _offered(wish)
    load("langchain_openai", "ChatOpenAI")  # says what to install
    client = httpx.AsyncClient(trust_env=not openai.is_loopback(found.url), timeout=found.timeout_s)
    model = import_module("artel.graphs.models.responses").Responses(
        model=wish.model,
        base_url=found.url,
        api_key=found.key or "none",
        default_headers=found.headers or None,
        timeout=found.timeout_s,
        max_retries=0,  # the link tries again
        use_responses_api=True,
        output_version="responses/v1",
        http_async_client=client,
    )
    link = Link(
        spec=f"{wish.connection}:{wish.model}",
        build=lambda: model,
        failures=openai.failures,
        retries=handles().models.settings.retries,
    )
    chain = Chain(links=(link,), timeout_s=found.timeout_s, silence_s=found.timeout_s)
    return _Asked(chain, client, dict(_options(wish, found)), found)


def _options(wish: ResponsesContext, found: OpenAI) -> Iterator[tuple[str, Any]]:
    yield "store", wish.conversation == "previous_response"
    if wish.instructions:
        yield "instructions", wish.instructions
    if wish.reasoning:
        yield "reasoning", {"effort": wish.reasoning, "summary": "auto"}
    if wish.tools:
        yield "tools", [found.tools[name] for name in wish.tools]


async def _say(asked: _Asked, messages: Sequence[BaseMessage], more: Mapping[str, Any]) -> AIMessage:
    given = {**asked.options, **{key: value for key, value in more.items() if value}}
    return await asked.chain.ainvoke(list(messages), **given)


def _spoken(messages: Sequence[BaseMessage]) -> Iterator[BaseMessage]:
    """Yield what was said, of assistants as plain text: calls of other agents mean nothing here."""
    for message in messages:
        if isinstance(message, AIMessage):
            if text := message.text:
                known = {key: message.response_metadata.get(key) for key in ("id", KEY)}
                yield AIMessage(text, id=message.id, response_metadata=known)
        elif isinstance(message, HumanMessage | SystemMessage):
            yield message


def _kept(messages: Sequence[BaseMessage], wish: ResponsesContext) -> tuple[int, str]:
    """Return from which message on the server knows nothing, and the answer that it remembers before it."""
    if wish.conversation == "previous_response":
        for place in range(len(messages) - 1, -1, -1):
            said = messages[place].response_metadata
            ours = str(said.get(KEY) or "").startswith(f"{wish.connection}:")
            if ours and isinstance(response_id := said.get("id"), str) and place + 1 < len(messages):
                return place + 1, response_id
    return 0, ""


def _list(names: Any) -> str:
    return ", ".join(names)
