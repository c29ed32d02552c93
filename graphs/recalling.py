"""Show a model again what it sees no more: a state keeps every message whole."""

from collections.abc import Sequence

from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from artel.graphs.compaction.counting import plain
from artel.tools.errors import ToolRefused
from artel.tools.recalling import MAX_CHARS, NAME, Recall
from artel.tools.workspace.paths import printable


async def recall(runtime: ToolRuntime, args: Recall) -> ToolMessage:
    """Return part of a message of this thread, by its id or that of the call it answers.

    Raises:
        ToolRefused: there is none, or `offset` is behind its end.
    """
    found = _found(runtime.state["messages"], args.id)
    text = _whole(found)
    if args.offset and args.offset >= len(text):
        raise ToolRefused(f"offset must be below {len(text)}, the characters of {args.id}, got {args.offset}")
    end = min(args.offset + MAX_CHARS, len(text))
    more = f"; go on with offset={end}" if end < len(text) else ""
    artifact = found.artifact if isinstance(found, ToolMessage) and isinstance(found.artifact, dict) else {}
    from_outside = {"untrusted": True} if artifact.get("untrusted") else {}
    return ToolMessage(
        f"{text[args.offset : end]}\n[characters {args.offset}-{end} of {len(text)}{more}]",
        name=NAME,
        tool_call_id=runtime.tool_call_id or "",
        artifact={"kind": "look", "tool": NAME, **from_outside},
    )


def _found(messages: Sequence[AnyMessage], wanted: str) -> AnyMessage:
    """Return the newest message of that id: some models count their calls anew in every message."""
    for message in reversed(messages):
        if message.id == wanted or (isinstance(message, ToolMessage) and message.tool_call_id == wanted):
            return message
    for message in reversed(messages):  # the call of which only the arguments were long
        if isinstance(message, AIMessage) and any(call["id"] == wanted for call in message.tool_calls):
            return message
    raise ToolRefused(
        f"nothing here has the id {printable(wanted[:80])}; the note about what is left out has it"
    )


def _whole(message: AnyMessage) -> str:
    calls = message.tool_calls if isinstance(message, AIMessage) else []
    args = [f"{call['name']}:\n" + "\n".join(f"{k}: {v}" for k, v in call["args"].items()) for call in calls]
    return "\n\n".join([part for part in (plain(message), *args) if part])
