"""Run a call that was let through, once: a repeat finds what the first attempt did."""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from json import dumps, loads
from pathlib import Path
from typing import Any, Literal, TypeAlias

from langchain.agents.middleware.types import ToolCallRequest
from langchain_core.messages import ToolMessage
from langchain_core.messages.tool import ToolCall
from langgraph.types import Command

from artel.graphs.context import handles
from artel.graphs.keeping import kept
from artel.graphs.ledgers import Begun, Done, Unknown
from artel.graphs.workbench import effect_of, letting, made, message, taint
from artel.tools.tool import Seen, Tool, ToolFailed, ToolRefused
from artel.tools.workspace import hunks
from artel.tools.workspace.change import current_sha
from artel.tools.workspace.changeset import ChangeSet

Answer: TypeAlias = ToolMessage | Command[Any]
File: TypeAlias = Mapping[str, Any]
"""A noted change: path, before_sha, after_sha."""

Handler: TypeAlias = Callable[[ToolCallRequest], Awaitable[Answer]]

_UNKNOWN = (
    "The outcome is unknown: the work stopped while {path} was being changed, and is another file now. "
    "Read it to see whether the change is there, and tell the user."
)

_HALF = (
    "The outcome is unknown: the work stopped in the middle of the change, and {path}, still as before, "
    "could not be changed in the same way again. Read the files, make what is missing, and tell the user."
)

_STOPPED = (
    "The outcome is unknown: the work stopped while {tool} was at it, and it was not begun again. "
    "Look what it has done; if it is still wanted, call the tool anew."
)


@dataclass(frozen=True, slots=True)
class Yes:
    """What a person said yes to."""

    files: Mapping[str, str | None]
    "Path → sha256 of each file as it was when they were shown the change; empty: not known."
    edited: bool = False
    "Whether they changed the call, which then may lead to other files."
    hunks: tuple[str, ...] = ()
    "The parts of the change that they took; empty: all."
    leads: tuple[str, ...] | None = None
    "Where else they were shown that it leads; None: they were not."


FREE = Yes({})
"""For a call that nobody needs to be asked about."""


async def once(
    request: ToolCallRequest, handler: Handler, tool: Tool, root: Path, seen: Seen, yes: Yes
) -> Answer:
    """Make the change of a call unless it was made, or tell the model why not.

    If a file is another one now than in the `yes`, nothing is made. Of two calls on one file the second
    finds it changed. Where the work stopped in the middle of a change, what is left of it is made, provided
    that each file is as it was or as it would become, and that the rest comes out as it was noted.
    """
    call, ledger = request.tool_call, handles().effects
    effect = effect_of(request.runtime, request.tool_call, yes.hunks)
    planned: ChangeSet | str | None = await to_thread(_plan, tool, call, root, seen, yes)
    intent = {"files": planned.intent} if isinstance(planned, ChangeSet) else {"problem": planned}
    begun = await ledger.begin(effect, intent)
    if isinstance(begun, Done):
        return _remembered(call, begun.result)
    noted = _noted(begun)
    if noted:
        planned = await to_thread(resume, tool, call["args"], root, seen, noted, yes.hunks)
    async with kept(effect, root, _paths(planned, noted)):
        answer = await _make(request, handler, planned, noted, yes)
    await ledger.finish(effect, _result(answer))
    return answer


async def _make(
    request: ToolCallRequest,
    handler: Handler,
    planned: ChangeSet | str | None,
    noted: Sequence[File],
    yes: Yes,
) -> Answer:
    call = request.tool_call
    if planned is None:
        return _made(call, noted, in_part=bool(yes.hunks))
    if isinstance(planned, str):
        return message(call, planned, {"kind": "unknown" if noted else "failed"})
    with letting(planned):
        answer = await handler(request)
    return _completed(answer, noted) if noted else answer


def resume(
    tool: Tool, args: Mapping[str, Any], root: Path, seen: Seen, noted: Sequence[File], ids: Sequence[str]
) -> ChangeSet | str | None:
    """Return what is left of a change that was begun, None for nothing, or why that is not known.

    `noted` is the intent of the first attempt; `ids` are the hunks to which the change was limited.
    """
    states = [(file, _state(root, file)) for file in noted]
    if strange := [file["path"] for file, state in states if state == "strange"]:
        return _UNKNOWN.format(path=_named(strange))
    left = [file for file, state in states if state == "before"]
    if not left:
        return None
    try:
        rest = tool.rest(args, root, seen, [file["path"] for file, state in states if state == "after"])
        if rest and ids:
            rest = hunks.taken(rest, ids)
    except (ToolRefused, ToolFailed) as error:
        return f"{_HALF.format(path=_named([file['path'] for file in left]))} ({error})"
    if rest is None or _told_apart(rest.intent) != _told_apart(left):
        return _HALF.format(path=_named([file["path"] for file in left]))
    return rest


def _told_apart(files: Sequence[File]) -> dict[str, tuple[Any, Any]]:
    """Return by what a change is known again; what else is noted of it may be newer than the note."""
    return {str(file["path"]): (file["before_sha"], file["after_sha"]) for file in files}


async def act_once(
    request: ToolCallRequest, handler: Handler, tool: Tool, root: Path, yes: Yes = FREE
) -> Answer:
    """Let a tool act, unless it did; one that began and whose end nobody saw does not act again."""
    call, ledger = request.tool_call, handles().effects
    if tool.repeatable:
        with letting(None, yes.leads):
            return await handler(request)
    effect = effect_of(request.runtime, request.tool_call)
    begun = await ledger.begin(effect, {"tool": tool.name})
    if isinstance(begun, Done):
        return _remembered(call, begun.result)
    async with kept(effect, root):
        if isinstance(begun, Unknown):
            answer: Answer = message(call, _STOPPED.format(tool=tool.name), {"kind": "unknown"})
        else:
            with letting(None, yes.leads):
                answer = await handler(request)
    await ledger.finish(effect, _result(answer))
    return answer


def _paths(planned: ChangeSet | str | None, noted: Sequence[File]) -> list[str]:
    """Return the files that a call may change now, or may have changed before it was cut short."""
    now = planned.files if isinstance(planned, ChangeSet) else ()
    return sorted({*now, *(str(file["path"]) for file in noted)})


def _plan(tool: Tool, call: ToolCall, root: Path, seen: Seen, yes: Yes) -> ChangeSet | str:
    """Return the changes to make, or why none is made."""
    try:
        planned = tool.change(call["args"], root, seen)
        if planned is None:
            return f"{tool.name} changes nothing"
        if strange := _strange(planned, yes):
            return strange
        return hunks.only(planned, yes.hunks) if yes.hunks else planned
    except (ToolRefused, ToolFailed) as error:
        return str(error)


def _strange(planned: ChangeSet, yes: Yes) -> str:
    """Say what a person was not shown so."""
    now = planned.files
    changed = [path for path in now if path in yes.files and now[path] != yes.files[path]]
    if changed:
        return (
            f"{_named(changed)} has changed since the user was asked, so nothing was written. "
            "Read it again; if the change is still wanted, call the tool anew."
        )
    if yes.files and not yes.edited and now.keys() != yes.files.keys():
        return (
            f"The call now leads to {_named(list(now))}, and the user was shown {_named(list(yes.files))}, "
            "so nothing was written. If the change is still wanted, call the tool anew."
        )
    return ""


def _noted(begun: Begun) -> list[File]:
    """Return the files of an intent whose end nobody saw."""
    intent = begun.intent if isinstance(begun, Unknown) else {}
    if "after_sha" in intent:  # one file, as servers that did not know of several wrote it
        return [dict(intent)]
    return list(intent.get("files") or ())


def _state(root: Path, file: File) -> Literal["before", "after", "strange"]:
    try:
        now = current_sha(root, file["path"])
    except (ToolRefused, ToolFailed):
        return "strange"
    return "after" if now == file["after_sha"] else "before" if now == file["before_sha"] else "strange"


def _named(files: Sequence[str]) -> str:
    return ", ".join(files)


def _made(call: ToolCall, noted: Sequence[File], *, in_part: bool) -> Answer:
    said = f"{_named([file['path'] for file in noted])} was changed as asked."
    if in_part:
        said += " Only the parts that the user chose were made: read the files to see which."
    return Command(update={"messages": [message(call, said, made(noted), "success")], "seen": {}})


def _completed(answer: Answer, noted: Sequence[File]) -> Answer:
    """Tell of all files, when only the last of them were changed now."""
    if not isinstance(answer, Command) or not isinstance(answer.update, dict):
        return answer
    said: ToolMessage = answer.update["messages"][0]
    done = {file["path"] for file in said.artifact["files"]}
    earlier = [file["path"] for file in noted if file["path"] not in done]
    before = f"{_named(earlier)} was changed as asked before the work stopped.\n" if earlier else ""
    whole = said.model_copy(update={"content": f"{before}{said.content}", "artifact": made(noted)})
    return Command(update={**answer.update, "messages": [whole]})


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
    return Command(update={"messages": [said], "seen": past["seen"], **taint(past["artifact"])})
