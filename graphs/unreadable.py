"""Calls of tools that came only in part: their arguments are no whole JSON, and none of them is run.

LangChain completes what is missing: of a `write_file` that was cut off in its middle it makes one that writes
half a file.
"""

from collections.abc import Iterator, Sequence
from json import JSONDecodeError, loads
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.ai import add_ai_message_chunks
from langchain_core.messages.tool import ToolCall

KEY = "artel_unreadable"
"""In the metadata of an answer: the places of such calls among its calls, and what is wrong with each."""

END = 60  # characters of the arguments that are shown


def in_part(chunks: Sequence[AIMessageChunk]) -> dict[str, Any]:
    """Return what to add to the metadata of an answer whose calls came in these chunks, as they came."""
    if not chunks:
        return {}
    found: list[tuple[int, str]] = []
    place = 0
    for piece in add_ai_message_chunks(chunks[0], *chunks[1:]).tool_call_chunks:
        if not AIMessageChunk(content="", tool_call_chunks=[piece]).tool_calls:
            continue  # LangChain could not complete it either
        if problem := _problem(piece["args"] or "{}"):
            found.append((place, problem))
        place += 1
    return {KEY: found} if found else {}


def answered(result: Sequence[BaseMessage]) -> Iterator[BaseMessage]:
    """Yield the messages of a model; a call that came only in part has no arguments, and its answer follows.

    So it is not run, the model is asked again, and every provider can be told of it.
    """
    for message in result:
        if isinstance(message, AIMessage):
            yield from _answered(message)
        else:
            yield message


def _answered(message: AIMessage) -> Iterator[BaseMessage]:
    problems = dict(message.response_metadata.get(KEY, ()))
    if not problems and not message.invalid_tool_calls:
        yield message
        return
    calls = [{**call, "args": {}} if at in problems else call for at, call in enumerate(message.tool_calls)]
    said = [(calls[at], problem) for at, problem in problems.items()]
    for number, broken in enumerate(message.invalid_tool_calls):
        known = broken["id"] or f"unreadable_{number}"
        call = ToolCall(name=broken["name"] or "unknown", args={}, id=known, type="tool_call")
        said.append((call, _problem(broken["args"] or "") or "they are no JSON object"))
        calls.append(call)
    metadata = {key: value for key, value in message.response_metadata.items() if key != KEY}
    changed = {"tool_calls": calls, "invalid_tool_calls": [], "response_metadata": metadata}
    yield message.model_copy(update=changed)
    yield from (_refused(call, problem) for call, problem in said)


def _refused(call: Any, problem: str) -> ToolMessage:
    return ToolMessage(
        f"Not run: the arguments of {call['name']} came only in part: {problem}. Call it again with all of "
        "them as one JSON object; if they were cut off for their length, do the work in smaller calls.",
        name=call["name"],
        tool_call_id=call["id"] or "",
        status="error",
        artifact={"kind": "failed", "code": "unreadable_arguments"},
    )


def _problem(args: str) -> str:
    try:
        whole = loads(args, strict=False)  # line ends inside of text are no sign of a missing part
    except JSONDecodeError as error:
        return f"{error.msg} at character {error.pos}, they end with {args[-END:]!r}"
    return "" if isinstance(whole, dict) else f"they are {args[:END]!r}, which is no object"
