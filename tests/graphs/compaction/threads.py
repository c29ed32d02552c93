"""Threads to be shown: messages made by hand."""

from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, HumanMessage, ToolMessage

from artel.graphs.compaction.ladder import Measure, view
from artel.graphs.compaction.pairing import Group, grouped
from artel.graphs.compaction.record import Compaction

SMALL = Measure(12_288)


def person(text: str, at: int) -> HumanMessage:
    return HumanMessage(text, id=f"h{at}")


def looks(at: int, name: str, args: dict[str, Any], said: Any, **more: Any) -> list[AnyMessage]:
    """A call and its result."""
    call = {"name": name, "args": args, "id": f"call{at}", "type": "tool_call"}
    result = ToolMessage(said, name=name, tool_call_id=f"call{at}", id=f"t{at}", **more)
    return [AIMessage("", tool_calls=[call], id=f"a{at}"), result]


def reads(at: int, path: str, lines: int = 40, **args: Any) -> list[AnyMessage]:
    text = "\n".join(
        f"{n:6}\tdef work_{n}(value: int) -> int:\n{n:6}\t    return value" for n in range(1, lines)
    )
    return looks(at, "read_file", {"file_path": path, **args}, text)


def changes(at: int, path: str, sha: str = "ab" * 32) -> list[AnyMessage]:
    artifact = {"kind": "change", "files": [{"path": path, "before_sha": None, "after_sha": sha}]}
    return looks(at, "edit_file", {"file_path": path}, f"edited {path}", artifact=artifact)


def laid(messages: list[AnyMessage], record: Compaction, measure: Measure = SMALL) -> list[AnyMessage]:
    return [message for group in view(grouped(messages), record, measure) for message in group]


def groups(*many: list[AnyMessage]) -> list[Group]:
    return grouped([message for some in many for message in some])


def is_paired(messages: list[AnyMessage] | list[BaseMessage]) -> bool:
    """Whether each call is followed by its one result, and nothing else is a result."""
    waiting: list[str] = []
    for message in messages:
        if isinstance(message, ToolMessage):
            if message.tool_call_id not in waiting:
                return False
            waiting.remove(message.tool_call_id)
            continue
        if waiting:
            return False
        if isinstance(message, AIMessage):
            waiting = [call["id"] or "" for call in message.tool_calls]
    return not waiting
