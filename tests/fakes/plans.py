"""Plans for tests, and a model that makes and carries them out."""

from json import dumps
from typing import Any

from tests.fakes.driver import call, calls

PLANS = "You plan the work"
SUMS_UP = "A plan was carried out"
YES = {"type": "approve"}


def step(id_: str, title: str = "", /, *, agent: str = "coder", **more: Any) -> dict[str, Any]:
    return {"id": id_, "title": title or f"Do {id_}", "agent": agent, **more}


def plan(*steps: dict[str, Any], goal: str = "All is done") -> dict[str, Any]:
    """Return the reply of a model that plans these steps."""
    said = dumps({"goal": goal, "steps": list(steps)})
    return {"text": f"Here it is:\n```json\n{said}\n```", "match": PLANS}


def submits(summary: str = "done", status: str = "completed", **more: Any) -> dict[str, Any]:
    return calls(call("submit_result", status=status, summary=summary, **more))


def on(text: str, reply: dict[str, Any]) -> dict[str, Any]:
    """Play `reply` when the last message contains `text`."""
    return {**reply, "match": text}


SILENT = {"text": "", "match": SUMS_UP}
"""No prose on top of the table."""
