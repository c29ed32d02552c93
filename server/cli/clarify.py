"""The questions of an agent in the terminal, one by one; what was decided, and the todos."""

from collections.abc import Mapping, Sequence
from typing import Any

from artel.graphs.answering import answer_to
from artel.server.cli.paint import write
from artel.server.cli.terminal import Terminal
from artel.storage.errors import Invalid

NO = "/no"
SIGNS = {"pending": " ", "in_progress": "~", "completed": "x", "failed": "!", "cancelled": "-"}


async def ask(questions: Sequence[Mapping[str, Any]], terminal: Terminal) -> dict[str, Any]:
    """Ask each question until its answer fits; NO answers none of them."""
    answers = {}
    for one in questions:
        write(f"\n? {one['question']}\n", "yellow")
        for number, label in enumerate(one["options"], start=1):
            about = (one.get("descriptions") or {}).get(label, "")
            write(f"{number:4} {label}{f' · {about}' if about else ''}\n", "dim")
        while True:
            typed = await terminal.read(_prompt(one))
            if typed == NO:
                return {"type": "reject"}
            try:
                answers[one["id"]] = answer_to(one, given := _labels(one, typed), one["id"]) and given
                break
            except Invalid as wrong:
                write(f"{wrong}\n", "red")
    return {"type": "respond", "answers": {key: value or None for key, value in answers.items()}}


def show_todos(event: Mapping[str, Any]) -> None:
    """Show a list of todos as it is now."""
    for one in event.get("todos") or ():
        sign = SIGNS.get(str(one.get("status")), "?")
        write(f"  [{sign}] {one.get('content')}\n", "dim")


def show_decisions(decisions: Sequence[Mapping[str, Any]]) -> None:
    """Show what was decided in a thread, the latest first."""
    for one in decisions:
        revoked = " (revoked)" if one["status"] == "revoked" else ""
        write(f"· {one['question']} → {'; '.join(one['answer']) or 'left to the agent'}{revoked}\n")
        write(f"  {one['id']} · {one['by']} · {one['at']}\n", "dim")
    if not decisions:
        write("nothing was decided yet\n", "dim")


def _prompt(one: Mapping[str, Any]) -> str:
    ways = "numbers or words" if one["multiple"] else "a number or words" if one["options"] else "words"
    return f"{ways}{'' if one['required'] else ', or nothing'} ({NO}: no answer): "


def _labels(one: Mapping[str, Any], typed: str) -> Any:
    """Return the options that were typed by their numbers; what is no such number is words."""
    parts = typed.replace(",", " ").split()
    offered = one["options"]
    numbers = [int(part) for part in parts if part.isdecimal() and len(part) < 4]
    if parts and len(numbers) == len(parts) and all(0 < number <= len(offered) for number in numbers):
        return [offered[number - 1] for number in numbers]
    return typed
