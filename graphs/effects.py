"""Run a call that was let through, once: a repeat finds what the first attempt did."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping
from json import dumps, loads
from pathlib import Path
from typing import Any, TypeAlias

from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langchain_core.messages.tool import ToolCall
from langgraph.types import Command

from artel.graphs.context import handles
from artel.graphs.ledgers import Done, EffectCall, Unknown
from artel.graphs.workbench import letting, message
from artel.tools.tool import Seen, Tool, ToolFailed, ToolRefused
from artel.tools.workspace.change import Change, current_sha

Answer: TypeAlias = ToolMessage | Command[Any]
Handler: TypeAlias = Callable[[ToolCallRequest], Awaitable[Answer]]

_UNKNOWN = (
    "The outcome is unknown: the work stopped while {path} was being changed, and it is another file now. "
    "Read it to see whether the change is there, and tell the user."
)

_STOPPED = (
    "The outcome is unknown: the work stopped while {tool} was at it, and it was not begun again. "
    "Look what it has done; if it is still wanted, call the tool anew."
)


async def once(
    request: ToolCallRequest, handler: Handler, tool: Tool, root: Path, seen: Seen, shown: Mapping[str, Any]
) -> Answer:
    """Make the change of a call unless it was made, or tell the model why not.

    `shown` is what a person saw (`path`, `before_sha`): if that file is another one now, nothing is made.
    Of two calls on one file the second finds it changed.
    """
    call, ledger = request.tool_call, handles().effects
    effect = effect_call(request)
    planned = await to_thread(_plan, tool, call, root, seen, shown)
    intent = planned.intent if isinstance(planned, Change) else {"problem": planned}
    begun = await ledger.begin(effect, intent)
    if isinstance(begun, Done):
        return _remembered(call, begun.result)
    earlier = begun.intent if isinstance(begun, Unknown) else {}
    if "after_sha" in earlier and await to_thread(_is_made, root, earlier):
        answer: Answer = _made(call, earlier)
    elif "after_sha" in earlier and not _may_repeat(planned, earlier):
        answer = message(call, _UNKNOWN.format(path=earlier["path"]), {"kind": "unknown"})
    elif isinstance(planned, str):
        answer = message(call, planned, {"kind": "failed"})
    else:
        with letting(planned):
            answer = await handler(request)
    await ledger.finish(effect, _result(answer))
    return answer


async def act_once(request: ToolCallRequest, handler: Handler, tool: Tool) -> Answer:
    """Let a tool act, unless it did; one that began and whose end nobody saw does not act again."""
    call, ledger = request.tool_call, handles().effects
    if tool.repeatable:
        with letting(None):
            return await handler(request)
    effect = effect_call(request)
    begun = await ledger.begin(effect, {"tool": tool.name})
    if isinstance(begun, Done):
        return _remembered(call, begun.result)
    if isinstance(begun, Unknown):
        answer: Answer = message(call, _STOPPED.format(tool=tool.name), {"kind": "unknown"})
    else:
        with letting(None):
            answer = await handler(request)
    await ledger.finish(effect, _result(answer))
    return answer


def effect_call(request: ToolCallRequest) -> EffectCall:
    """Return what tells the call of a request from every other one."""
    info = request.runtime.execution_info
    call = request.tool_call
    return EffectCall(
        thread_id=(info.thread_id if info else None) or "",
        checkpoint_ns=info.checkpoint_ns if info else "",
        parent_checkpoint_id=info.checkpoint_id if info else "",
        tool_call_id=call["id"] or "",
        tool=call["name"],
        args=call["args"],
    )


def _plan(tool: Tool, call: ToolCall, root: Path, seen: Seen, shown: Mapping[str, Any]) -> Change | str:
    """Return the change to make, or why it is not made."""
    try:
        planned = tool.change(call["args"], root, seen)
    except (ToolRefused, ToolFailed) as error:
        return str(error)
    if planned is None:
        return f"{tool.name} changes nothing"
    if planned.path == shown.get("path") and planned.before_sha != shown.get("before_sha"):
        return (
            f"{planned.path} has changed since the user was asked, so nothing was written. "
            "Read it again; if the change is still wanted, call the tool anew."
        )
    return planned


def _is_made(root: Path, intent: Mapping[str, Any]) -> bool:
    """Say whether the file is now what an attempt that nobody saw the end of wanted it to be."""
    try:
        return bool(current_sha(root, intent["path"]) == intent["after_sha"])
    except (ToolRefused, ToolFailed):
        return False


def _may_repeat(planned: Change | str, intent: Mapping[str, Any]) -> bool:
    """Only on the very file the first attempt began with: there it cannot have done anything."""
    return isinstance(planned, Change) and planned.before_sha == intent["before_sha"]


def _made(call: ToolCall, intent: Mapping[str, Any]) -> Answer:
    done = message(call, f"{intent['path']} was changed as asked.", {"kind": "change", **intent}, "success")
    return Command(update={"messages": [done], "seen": {}})


def _result(answer: Answer) -> str:
    update = answer.update if isinstance(answer, Command) else {"messages": [answer]}
    assert isinstance(update, dict)
    said: ToolMessage = update["messages"][0]
    return dumps(
        {
            "content": said.content,
            "status": said.status,
            "artifact": said.artifact,
            "seen": update.get("seen", {}),
        }
    )


def _remembered(call: ToolCall, result: str) -> Answer:
    past = loads(result)
    said = message(call, past["content"], past["artifact"], past["status"])
    return Command(update={"messages": [said], "seen": past["seen"]})
