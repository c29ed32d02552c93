"""One model of a chain: let through, asked, tried again, and its answer read."""

import re
from asyncio import sleep, timeout, to_thread
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import dataclass, field
from importlib import import_module
from time import monotonic
from typing import Any, cast
from uuid import uuid4

import httpx
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk, BaseMessage
from langchain_core.messages.tool import tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langchain_core.runnables import RunnableBinding

from artel.graphs.models import reasoning, retrying
from artel.graphs.models.rates import TooManyAsked, estimated
from artel.graphs.models.settings import ModelMisconfigured, ToolCalls
from artel.graphs.models.standing import LeftAlone, Standing
from artel.graphs.unreadable import in_part

# What a broken answer looks like from inside a client library: an answer of `null` is a TypeError there.
GARBAGE = (OSError, httpx.HTTPError, ValueError, TypeError, LookupError, AttributeError)
KEY = "artel_model"
"""In the metadata of an answer: the `provider:name` of the link that gave it."""

TAKES_NO_TOOLS = re.compile(
    r"(does|do) not support (tools|function|tool)|tool choice requires|tool-call-parser|"
    r"tool (use|calling)[^.]{0,20} not (supported|enabled)",
    re.IGNORECASE,
)

Chunks = AsyncGenerator[ChatGenerationChunk, None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model is asked."""

    messages: list[BaseMessage]
    stop: list[str] | None = None
    more: dict[str, Any] = field(default_factory=dict)
    tools: Sequence[Any] = ()
    tool_choice: Any = None
    tool_settings: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Link:
    """One model of a chain; made when its turn comes."""

    spec: str
    build: Callable[[], BaseChatModel]
    failures: Callable[[], tuple[type[Exception], ...]]
    standing: Standing | None = None
    tool_calls: ToolCalls = "native"
    retries: int = 0
    rate_wait_s: float = 0


def failures_of(link: Link) -> tuple[type[Exception], ...]:
    """Return what a link raises when it fails."""
    try:
        return (*GARBAGE, *link.failures(), ModelMisconfigured, LeftAlone, TooManyAsked)
    except ModelMisconfigured:  # its package is missing, which is what building it said
        return (*GARBAGE, ModelMisconfigured, LeftAlone, TooManyAsked)


async def answer(link: Link, asked: Asked, *, timeout_s: float, silence_s: float) -> Chunks:
    """Yield the answer of a model, from its first words on: nothing of a failed attempt is heard.

    Attempts that fail before a word are made again, all within `timeout_s`.

    Raises:
        LeftAlone: it failed too often just now.
        TooManyAsked: its limits are used up for too long.
    """
    standing = link.standing
    with standing.asking() if standing else nullcontext():
        tokens = 0
        if standing and standing.rate:
            tokens = estimated(asked.messages)
            await standing.rate.pass_(tokens, link.rate_wait_s)
        model = await to_thread(link.build)  # its first time imports the client library, or loads a model
        begun_at = monotonic()
        first_s: float | None = None
        async with aclosing(_attempts(link, model, asked, begun_at + timeout_s, silence_s)) as stream:
            async for chunk in stream:
                first_s = monotonic() - begun_at if first_s is None else first_s
                used = getattr(chunk.message, "usage_metadata", None)
                if used and standing and standing.rate:
                    standing.rate.used(used["total_tokens"] - tokens)
                    tokens = used["total_tokens"]
                yield chunk
        if standing:
            whole_s = monotonic() - begun_at
            standing.answered(whole_s if first_s is None else first_s, whole_s)


async def _attempts(
    link: Link, model: BaseChatModel, asked: Asked, deadline: float, silence_s: float
) -> Chunks:
    attempt, written = 1, link.tool_calls == "text" or bool(link.standing and link.standing.takes_no_tools)
    while True:
        begun = False
        try:
            given = _stream(link, model, asked, written)
            async with aclosing(_attempt(link, given, deadline, silence_s)) as stream:
                async for chunk in stream:
                    begun = True
                    yield chunk
        except failures_of(link) as error:
            if not begun and not written and link.tool_calls == "auto" and TAKES_NO_TOOLS.search(str(error)):
                written = True
                if link.standing:
                    link.standing.takes_no_tools = True
                continue
            wait_s = None if begun or attempt > link.retries else retrying.pause_s(error, attempt)
            if wait_s is None or monotonic() + wait_s >= deadline:
                raise
            await sleep(wait_s)
            attempt += 1
        else:
            return


async def _attempt(link: Link, given: Chunks, deadline: float, silence_s: float) -> Chunks:
    pieces: list[AIMessageChunk] = []
    held: list[ChatGenerationChunk] = []
    begun = ended = False
    async with aclosing(given) as stream:
        while True:
            try:
                async with timeout(silence_s if begun else max(0.001, deadline - monotonic())):
                    chunk = await anext(stream, None)
            except failures_of(link):
                if ended:  # all was said; only the count of its tokens is missing
                    break
                raise
            if chunk is None:
                break
            message = chunk.message
            if isinstance(message, AIMessageChunk) and message.tool_call_chunks:
                pieces.append(message)
            if not ended and _is_end(chunk):
                ended = True
                message.response_metadata |= in_part(pieces) | {KEY: link.spec}
            begun = begun or ended or bool(message.content or pieces) or reasoning.thinks(message)
            held.append(chunk)
            if begun:
                for one in held:
                    yield one
                held = []
    if not ended:
        raise ConnectionError("the answer stopped in the middle" if begun else "no answer came")


def _stream(link: Link, model: BaseChatModel, asked: Asked, written: bool) -> Chunks:
    """Ask a model in the form it knows, and read what it answers."""
    if written:
        telling = import_module("artel.graphs.models.written.telling")
        tools = telling.known(asked.tools)
        messages = telling.told(asked.messages, tools, asked.tool_choice)
        return _read(model._astream(messages, stop=asked.stop, **asked.more), _reader(lambda: tools))
    more, bound = asked.more, model
    if asked.tools:
        given = model.bind_tools(asked.tools, tool_choice=asked.tool_choice, **asked.tool_settings)
        inner: Any = given
        if isinstance(given, RunnableBinding):
            more, inner = {**more, **given.kwargs}, given.bound
        if not isinstance(inner, BaseChatModel):
            raise ModelMisconfigured(f"{link.spec} cannot take tools")
        bound = inner
    reader = None
    if asked.tools and link.tool_calls == "auto":
        reader = _reader(lambda: import_module("artel.graphs.models.written.telling").known(asked.tools))
    return _read(bound._astream(asked.messages, stop=asked.stop, **more), reader)


def _reader(known: Callable[[], Any]) -> Any:
    return import_module("artel.graphs.models.written.reader").Reader(known)


async def _read(stream: Any, reader: Any) -> Chunks:
    """Take thoughts and calls out of the text of an answer."""
    thoughts, calls, native = reasoning.Thoughts(), 0, False
    async with aclosing(cast("Chunks", stream)) as chunks:
        async for chunk in chunks:
            message = chunk.message
            if not isinstance(message, AIMessageChunk) or not isinstance(message.content, str):
                yield chunk
                continue
            native = native or bool(message.tool_call_chunks)
            said, thought = thoughts.feed(message.content)
            ended = _is_end(chunk)
            if ended:
                rest = thoughts.end()
                said, thought = said + rest[0], thought + rest[1]
            reasoning.keep(message, thought)
            found = (
                [*reader.feed(said), *(reader.end(cut_off=_cut_off(chunk)) if ended else ())]
                if reader
                else [said]
            )
            said = "".join(part for part in found if isinstance(part, str))
            # beside native calls those in the text are the same again
            spoken = [] if native else [part for part in found if not isinstance(part, str)]
            yield (
                chunk
                if said == message.content and not spoken
                else _changed(chunk, message, said, _called(spoken, calls))
            )
            calls += len(spoken)


def _changed(
    chunk: ChatGenerationChunk, message: AIMessageChunk, said: str, calls: Sequence[Any]
) -> ChatGenerationChunk:
    """Return a piece of an answer with another text, and calls."""
    changed = AIMessageChunk(
        content=said,
        tool_call_chunks=[*message.tool_call_chunks, *calls],
        additional_kwargs=message.additional_kwargs,
        response_metadata=message.response_metadata,
        usage_metadata=message.usage_metadata,
        id=message.id,
        chunk_position=message.chunk_position,
    )
    return ChatGenerationChunk(message=changed, generation_info=chunk.generation_info)


def _called(calls: Sequence[Any], place: int) -> list[Any]:
    return [
        tool_call_chunk(name=call.name, args=call.args, id=f"call_{uuid4().hex[:24]}", index=place + at)
        for at, call in enumerate(calls)
    ]


def _said(chunk: ChatGenerationChunk) -> dict[str, Any]:
    return {**(chunk.generation_info or {}), **chunk.message.response_metadata}


def _is_end(chunk: ChatGenerationChunk) -> bool:
    """A connection that breaks can look like an answer that ends; only an answer gives its reason."""
    said = _said(chunk)
    last = getattr(chunk.message, "chunk_position", None) == "last"
    return last or bool(said.get("finish_reason") or said.get("stop_reason"))


def _cut_off(chunk: ChatGenerationChunk) -> bool:
    said = _said(chunk)
    return (said.get("finish_reason") or said.get("stop_reason")) in ("length", "max_tokens")
