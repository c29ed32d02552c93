"""Calls and their results as providers want them: each call with one result, right behind it."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

Group: TypeAlias = tuple[AnyMessage, ...]
"""What is never parted: a message that calls tools with all its results, or any other message alone."""

LOST = "No result: the call was broken off before it ended. Whether it did anything is not known; look first."


def grouped(messages: Sequence[AnyMessage]) -> list[Group]:
    """Return messages in groups, in order; every message has an id.

    A result without its call is left out, a call without its result gets one that says so, and a result that
    came late stands behind its call.
    """
    named = [_named(message, place) for place, message in enumerate(messages)]
    again = _again(named)
    taken: set[int] = set()
    groups: list[Group] = []
    for place, message in enumerate(named):
        if isinstance(message, ToolMessage):
            continue
        if not isinstance(message, AIMessage):
            groups.append((message,))
            continue
        results = [_result(named, place, number, again, taken) for number in range(len(message.tool_calls))]
        groups.append((_whole(message), *results))
    return groups


def _named(message: AnyMessage, place: int) -> AnyMessage:
    return message if message.id else message.model_copy(update={"id": f"at-{place}"})


def _whole(message: AIMessage) -> AIMessage:
    """Leave out calls that nobody ran: a provider would wait for their results."""
    more = message.additional_kwargs
    if not message.invalid_tool_calls and "tool_calls" not in more and "function_call" not in more:
        return message
    kept = {key: value for key, value in more.items() if key not in ("tool_calls", "function_call")}
    return message.model_copy(update={"invalid_tool_calls": [], "additional_kwargs": kept})


def _again(messages: Sequence[AnyMessage]) -> dict[str, list[int]]:
    """Return where each call id is used: models begin to count anew."""
    places: dict[str, list[int]] = {}
    for place, call_id in _calls(messages):
        places.setdefault(call_id, []).append(place)
    return places


def _calls(messages: Sequence[AnyMessage]) -> Iterator[tuple[int, str]]:
    for place, message in enumerate(messages):
        if isinstance(message, AIMessage):
            yield from ((place, call["id"] or "") for call in message.tool_calls)


def _result(
    messages: Sequence[AnyMessage], place: int, number: int, again: dict[str, list[int]], taken: set[int]
) -> ToolMessage:
    said = messages[place]
    assert isinstance(said, AIMessage)
    call = said.tool_calls[number]
    call_id = call["id"] or ""
    end = next((other for other in again[call_id] if other > place), len(messages))
    for at in range(place + 1, end):
        found = messages[at]
        if isinstance(found, ToolMessage) and found.tool_call_id == call_id and at not in taken:
            taken.add(at)
            return found
    return ToolMessage(
        LOST, name=call["name"], tool_call_id=call_id, status="error", id=f"{said.id}-lost-{number}"
    )
