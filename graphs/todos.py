"""The todos of an agent: state, so that a crash loses none; told to the model, and to whoever watches."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langchain.tools import ToolRuntime
from langchain_core.messages import AIMessage, ToolMessage
from langgraph.types import Command

from artel.tools.todos import TOOL, Todo, WriteTodos, finished, listed, written
from artel.tools.tool import ToolRefused

if TYPE_CHECKING:
    from artel.graphs.assembly import Moment

MAX_TOLD = 3_000  # characters that a model is told

SIGNS = {"pending": " ", "in_progress": "~", "completed": "x", "failed": "!", "cancelled": "-"}


async def write(runtime: ToolRuntime[Any, Any], args: WriteTodos) -> Command[Any]:
    """Change the list as the model says, and tell whoever watches.

    Raises:
        ToolRefused: a change is not legal, or another call of the same message changes the list.
    """
    call_id = runtime.tool_call_id or ""
    last = next((one for one in reversed(runtime.state["messages"]) if isinstance(one, AIMessage)), None)
    ids = [one["id"] for one in last.tool_calls if one["name"] == TOOL.name] if last else []
    if ids and ids[0] != call_id:
        raise ToolRefused(
            "write_todos changed nothing: another call of the same message changes the list. Make one call, "
            "with all changes."
        )
    after = written(listed(runtime.state.get("todos")), args.todos)
    agent = str((runtime.config.get("metadata") or {}).get("lc_agent_name") or "")
    runtime.stream_writer({"type": "todos", "agent": agent, "todos": after})
    said = ToolMessage(
        content=told(after),
        name=TOOL.name,
        tool_call_id=call_id,
        artifact={"kind": "look", "tool": TOOL.name},
    )
    return Command(update={"messages": [said], "todos": after})


def told(items: Sequence[Todo]) -> str:
    """Return a list as a model reads it: in MAX_TOLD characters what is open, and was finished last."""
    order = [*(one for one in items if not finished(one)), *(one for one in reversed(items) if finished(one))]
    room, shown = MAX_TOLD, set()
    for one in order:
        room -= len(_line(one))
        if room >= 0:
            shown.add(one["id"])
    lines = [_line(one) for one in items if one["id"] in shown]
    more = [f"and {len(items) - len(lines)} more"] if len(lines) < len(items) else []
    return "\n".join([*lines, *more])


async def todos(moment: "Moment") -> str:
    """Tell of the todos while one is open."""
    items = listed(moment.state.get("todos"))
    if not items or all(map(finished, items)):
        return ""
    return f"## Todos\n`~` is in progress, `x` completed, `!` failed, `-` cancelled.\n{told(items)}"


def _line(one: Todo) -> str:
    return f"- [{SIGNS[one['status']]}] {one['content']} ({one['id']})"
