"""A plan as readers of the stream, people and agents see it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from langgraph.config import get_stream_writer

from artel.graphs.plan import Changed, Plan, Status, Step, StepResult, is_under_way

if TYPE_CHECKING:  # it imports this
    from artel.graphs.assembly import Moment

MARKS: Mapping[Status, str] = {
    "pending": "[ ]",
    "in_progress": "[>]",
    "completed": "[x]",
    "failed": "[!]",
    "cancelled": "[-]",
}
MAX_SUMMARY = 160  # characters of a step's result


def announce(plan: Plan) -> None:
    """Tell who reads along how a plan stands now: an event `plan`."""
    get_stream_writer()({"type": "plan", "plan": plan})


async def part(moment: "Moment") -> str:
    """Tell an agent of the plan that is under way, and which step is its own; bounded by the plan's size."""
    plan: Plan | None = moment.state.get("plan")
    if plan is None or not is_under_way(plan):
        return ""
    own = moment.state.get("step")
    lines = [_line(number, step, own) for number, step in enumerate(plan["steps"], 1)]
    return "\n".join(["## Plan", "", f"Goal: {plan['goal']}", "", *lines])


def _line(number: int, step: Step, own: str | None) -> str:
    mark = MARKS[step["status"]]
    yours = " (yours)" if step["id"] == own else ""
    return f"{number}. {mark} {step['title']}: {step['agent']}{yours}{_came(step['result'])}"


def _came(result: StepResult | None) -> str:
    if result is None:
        return ""
    said = " ".join(result["summary"].split())
    return f" → {said[:MAX_SUMMARY]}{'…' if len(said) > MAX_SUMMARY else ''}"


def sizes(files: Sequence[Changed]) -> str:
    """Return files with the lines that came and went.

    >>> sizes([{"path": "a.py", "added": 2, "removed": 0}, {"path": "b.py"}])
    '`a.py` +2 −0, `b.py`'
    """
    return ", ".join(f"`{file['path']}`{_size(file)}" for file in files)


def _size(file: Changed) -> str:
    known = "added" in file and "removed" in file
    return f" +{file['added']} −{file['removed']}" if known else ""
