"""Runs the commands that a plan names as checks: as calls of `execute`, each before the gate as any call."""

from asyncio import to_thread
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, cast

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.messages.tool import ToolCall
from langgraph.config import get_config
from langgraph.graph import START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.prebuilt import ToolNode
from langgraph.runtime import Runtime
from langgraph.types import Command

from artel.graphs.approval import Gate
from artel.graphs.context import Context, handles, workspace
from artel.graphs.lifting import lifted
from artel.graphs.roles import Role
from artel.graphs.state import AgentLoopState, CheckReport
from artel.graphs.thinking import NAME
from artel.graphs.verdicts import freeze
from artel.graphs.workbench import wrapped
from artel.graphs.workflows import gating
from artel.tools.commands import MAX_TIMEOUT_S
from artel.tools.registry import TOOLS
from artel.tools.tool import ToolFailed, ToolRefused, Work

EXECUTE = "execute"
MAX_SAID = 4_000  # characters of a check's output that are kept, from its end
CHECKER = Role(
    name=NAME, title="Checks", description="Runs the commands a plan names.", tools=(EXECUTE,), prompt="-"
)
TRIES = 3  # of a command whose end nobody saw


class Checking(AgentLoopState):
    """The commands, and what came of them as messages."""

    commands: list[str]


async def call(state: Checking, runtime: Runtime[Context]) -> Command[Literal["tools", "__end__"]]:
    """Call the next command; one that was cut short by a crash once more."""
    place, tries = _next(state["messages"])
    if place >= len(state["commands"]):
        return Command(goto="__end__")
    wishes = runtime.context or Context()
    root = await to_thread(workspace, wishes.workspace or state.get("workspace") or "")
    command, tainted = state["commands"][place], bool(state.get("tainted"))
    args = {"command": command, "timeout": MAX_TIMEOUT_S, "description": "A check of the plan"}
    asked = ToolCall(name=EXECUTE, args=args, id=f"check_{place}_{tries}", type="tool_call")
    inbox = wishes.approvals == "agent_inbox"
    verdicts = await to_thread(freeze, NAME, [asked], root, {}, batched=False, tainted=tainted, inbox=inbox)
    verdicts = await lifted(NAME, [asked], root, verdicts, tainted=tainted)
    said = AIMessage("", tool_calls=[asked], name=NAME)
    return Command(goto="tools", update={"messages": [said], "verdicts": verdicts, "workspace": str(root)})


@lru_cache(maxsize=1)
def commands() -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the graph: call ⇄ tools, one command after another."""
    graph = StateGraph(Checking, context_schema=Context)
    graph.add_node(call)
    tools = ToolNode([wrapped(TOOLS[EXECUTE], NAME)], awrap_tool_call=Gate(CHECKER).awrap_tool_call)
    graph.add_node("tools", tools)
    graph.add_edge(START, "call")
    graph.add_edge("tools", "call")
    return graph.compile(name="checks")


def reports(asked: Sequence[str], messages: Sequence[AnyMessage]) -> list[CheckReport]:
    """Return what came of each command."""
    last: dict[int, ToolMessage] = {}
    for said in messages:
        if isinstance(said, ToolMessage):
            last[int(said.tool_call_id.split("_")[1])] = said
    return [_report(command, last.get(place)) for place, command in enumerate(asked)]


async def gate(root: Path, paths: Sequence[str]) -> CheckReport:
    """Return what the gate says of the files that a plan changed, against the last commit."""
    if recorded := handles().recorded:
        kept = recorded.gate() or {"check": "gate", "status": "not run", "said": "it is not in the record"}
        return cast("CheckReport", dict(kept))
    given, thread_id = handles(), str(get_config()["configurable"].get("thread_id", ""))
    work = Work(root, thread_id, "", roots=given.roots, sandbox=given.sandbox, git=given.git)
    try:
        report = await gating.run(work, base="HEAD", paths=list(paths))
    except (ToolRefused, ToolFailed) as error:
        return CheckReport(check="gate", status="not run", said=str(error)[:MAX_SAID])
    return CheckReport(
        check="gate", status="passed" if report.passed else "failed", said=report.text(limit=MAX_SAID)
    )


def _report(command: str, said: ToolMessage | None) -> CheckReport:
    if said is None:
        return CheckReport(check=command, status="not run", said="")
    text = said.text[-MAX_SAID:]
    artifact = said.artifact if isinstance(said.artifact, dict) else {}
    if artifact.get("kind") in ("refused", "failed", "unknown"):
        return CheckReport(check=command, status="not run", said=text)
    if artifact.get("exit_code") == 0:
        return CheckReport(check=command, status="passed", said="")
    return CheckReport(check=command, status="failed", said=text)


def _next(messages: Sequence[AnyMessage]) -> tuple[int, int]:
    """Return which command comes next, and how often it was tried."""
    done = [m for m in messages if isinstance(m, ToolMessage)]
    if not done:
        return 0, 0
    _, place, tries = done[-1].tool_call_id.split("_")
    is_unknown = isinstance(done[-1].artifact, dict) and done[-1].artifact.get("kind") == "unknown"
    if is_unknown and int(tries) + 1 < TRIES:
        return int(place), int(tries) + 1
    return int(place) + 1, 0
