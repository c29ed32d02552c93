"""Telling what came of a call: what it showed, or that it was not made."""

import re

from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.turn import Step, Undone

MAX_LINES = 40
MAX_LINE = 400  # characters


def not_done(step: Step, what: str, say: Phrases) -> Undone:
    """Return why a call that was refused or failed did nothing; `what` names what it was to do."""
    if step.outcome == "failed":
        return Undone(say.failed.format(why=step.text.strip()))
    if "No answer" in step.text or "nobody answered" in step.text:
        return Undone(say.timeout.format(what=what))
    if "the user" in step.text:
        reason = re.search(r"the user (?:rejected it|answered instead): (.+)", step.text)
        return Undone(say.rejected.format(what=what, reason=f" ({reason[1]})" if reason else ""))
    return Undone(say.denied.format(what=what, why=step.text.strip()))


def block(text: str, language: str = "", *, last: int = 0, first: int = 0) -> str:
    """Return a text as a block of code: its `last` lines, or its `first`, and how many are left out."""
    lines = [line[:MAX_LINE] for line in text.strip("\n").split("\n")]
    limit = last or first or MAX_LINES
    left = max(0, len(lines) - limit)
    shown = lines[-limit:] if last else lines[:limit]
    if left:
        shown = [f"… ({left})", *shown] if last else [*shown, f"… ({left})"]
    fence = "````" if any("```" in line for line in shown) else "```"
    return "\n".join([f"{fence}{language}", *shown, fence])


def bullets(lines: list[str], limit: int = MAX_LINES) -> str:
    """Return lines as a list, and how many more there are."""
    more = [f"- … ({len(lines) - limit})"] if len(lines) > limit else []
    return "\n".join([*(f"- {line}" for line in lines[:limit]), *more])


def lacks(tool: str, say: Phrases) -> Undone:
    """Say that an agent cannot do what it is asked for want of a tool."""
    return Undone(
        say(
            f"This agent has no tool for that (`{tool}`). The `coder` has: ask it the same.",
            f"У этого агента нет для этого инструмента (`{tool}`). Он есть у `coder`: попросите его.",
        )
    )
