"""Our tools in LangChain's dress: off the event loop, in the workspace, their errors told to the model."""

from asyncio import to_thread
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from langchain.tools import ToolRuntime
from langchain_core.messages import ToolMessage
from langchain_core.messages.tool import ToolCall
from langchain_core.tools import BaseTool, StructuredTool
from langgraph.types import Command

from artel.graphs import inner
from artel.graphs.context import handles, workspace
from artel.graphs.ledgers import EffectCall
from artel.tools.policy import Call
from artel.tools.tool import Tool, ToolFailed, ToolRefused, Work, perform
from artel.tools.workspace.changeset import ChangeSet

BOX = "arguments"  # in which those of a tool travel that the graph was not built with
NOT_RUN = "Not run:"  # how every message about a call that was not let through begins


@dataclass(frozen=True, slots=True)
class _Let:
    planned: ChangeSet | None
    leads: tuple[str, ...] | None = None


_let: ContextVar[_Let | None] = ContextVar("artel_let", default=None)


def wrapped(tool: Tool, agent: str, *, boxed: bool = False) -> BaseTool:
    """Return `tool` for an agent; one that changes things does only what `letting` lets it.

    `boxed`: its arguments come as one, named BOX.
    """

    async def run(runtime: ToolRuntime, **args: Any) -> Command[Any] | ToolMessage:
        args = args[BOX] if boxed else args
        call = ToolCall(name=tool.name, args=args, id=runtime.tool_call_id)
        seen = runtime.state.get("seen") or {}
        if (recorded := handles().recorded) and recorded.answers(tool):
            return recorded.answer(runtime.state["messages"], call)
        try:
            root = await to_thread(root_of, runtime.state)
            let = _let.get()
            if tool.inner:
                return await inner.RUNS[tool.name](runtime, tool.parse(args))
            if tool.look:
                outcome = await to_thread(tool.function, root, args, seen)
            elif tool.act and let:
                outcome = await tool.act(_work(runtime, root, agent, call, let.leads), tool.parse(args))
            elif let and let.planned:
                outcome = await to_thread(perform, root, let.planned, seen)
                if new := await handles().language_servers.after(root, let.planned):
                    outcome = replace(outcome, text="\n".join((outcome.text.removesuffix("\n"), new)))
            else:
                return message(call, f"{NOT_RUN} nobody let this call through.", {"kind": "refused"})
        except (ToolRefused, ToolFailed) as error:
            return _failed(call, error)
        artifact = {**_artifact(tool, let.planned if let else None), **outcome.known}
        if outcome.untrusted:
            artifact["untrusted"] = True
        if outcome.failed:
            artifact["kind"] = "failed"
        done = message(call, outcome.text, artifact, status="error" if outcome.failed else "success")
        return Command(update={"messages": [done], "seen": dict(outcome.seen), **taint(artifact)})

    return StructuredTool(
        name=tool.name, description=tool.description, args_schema=tool.args_schema, coroutine=run
    )


def _failed(call: ToolCall, error: ToolRefused | ToolFailed) -> Command[Any] | ToolMessage:
    artifact: dict[str, Any] = {"kind": "failed", "code": error.code}
    if not error.untrusted:
        return message(call, str(error), artifact)
    said = message(call, str(error), {**artifact, "untrusted": True})
    return Command(update={"messages": [said], **taint(said.artifact)})


@contextmanager
def letting(planned: ChangeSet | None, leads: tuple[str, ...] | None = None) -> Iterator[None]:
    """Let the tool that is called inside make this very change, or act, only where it `leads`."""
    token = _let.set(_Let(planned, leads))
    try:
        yield
    finally:
        _let.reset(token)


def root_of(state: Mapping[str, Any]) -> Path:
    """Return the folder a thread works in; checked against the allowed roots each time.

    It is the state's, not the run's context: a question that was asked about one folder is not answered
    in another.
    """
    return workspace(state.get("workspace") or "")


def calls_of(tool: Tool, call: ToolCall, root: Path, *, tainted: bool) -> list[Call]:
    """Return what a call amounts to, as the policy of this run judges it.

    Raises:
        ToolRefused, ToolFailed: the arguments are wrong, or a path leads out of the workspace.
    """
    boxed = handles().sandbox.settings.mode == "bubblewrap"
    return tool.calls(call["args"], root, user=handles().user, tainted=tainted, boxed=boxed)


def made(files: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a message about a change carries for programs: path, before_sha and after_sha of each file.

    Those of the first stand beside them, for clients that know of one.
    """
    return {"kind": "change", **files[0], "files": [dict(file) for file in files]}


def message(
    call: ToolCall, content: str, artifact: Mapping[str, Any] | None = None, status: str = "error"
) -> ToolMessage:
    """Return what the model is told of a call."""
    return ToolMessage(
        content=content,
        name=call["name"],
        tool_call_id=call["id"] or "",
        status="success" if status == "success" else "error",
        artifact=dict(artifact or {}),
    )


def taint(artifact: Mapping[str, Any]) -> dict[str, Literal[True]]:
    """Return what the state notes of a result, by its artifact: that text from outside was read."""
    return {"tainted": True} if artifact.get("untrusted") else {}


def effect_of(runtime: ToolRuntime[Any, Any], call: ToolCall, hunks: Sequence[str] = ()) -> EffectCall:
    """Return what tells this call from every other one; with the parts that a person chose, if they did."""
    info = runtime.execution_info
    return EffectCall(
        thread_id=(info.thread_id if info else None) or "",
        checkpoint_ns=info.checkpoint_ns if info else "",
        parent_checkpoint_id=info.checkpoint_id if info else "",
        tool_call_id=call["id"] or "",
        tool=call["name"],
        args=call["args"],
        hunks=tuple(hunks),
    )


def _work(
    runtime: ToolRuntime[Any, Any], root: Path, agent: str, call: ToolCall, leads: tuple[str, ...] | None
) -> Work:
    effect, given = effect_of(runtime, call), handles()
    return Work(
        root,
        effect.thread_id,
        effect.tool_call_id,
        agent,
        effect.key,
        roots=given.roots,
        sandbox=given.sandbox,
        internet=given.internet,
        git=given.git,
        leads=leads,
        read_only=given.read_only,
    )


def _artifact(tool: Tool, planned: ChangeSet | None) -> dict[str, Any]:
    if planned is None:
        return {"kind": "act" if tool.act else "look", "tool": tool.name}
    return made(planned.intent)
