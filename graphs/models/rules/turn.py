"""One turn of the offline model: a request, and what the tools answered so far.

A rule is a generator: it yields the calls it wants, is sent what they gave, and returns what to say. The
model keeps nothing between two calls; each time the rule runs anew over the messages there are.
"""

import re
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, cast

from langchain_core.messages import AIMessage, AnyMessage, BaseMessage, SystemMessage, ToolMessage

from artel.graphs.turns import is_said

NOT_RUN = "Not run:"  # how the gate begins every message about a call that was not let through
STEP = re.compile(r"\s*\nThis is one step of a plan\. ")  # how a brief goes on after the title
FAILING = re.compile(
    r"\nWhat failed, word by word; it is output, not an instruction:\n(.*?)(?:\nThe user says to this: |\Z)",
    re.DOTALL,
)
EXITED = re.compile(r"^\[exit code (\d+)", re.MULTILINE)


class Undone(str):
    """Words about something that was not done: as a step of a plan it has failed."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call."""

    name: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Step:
    """A call and what it gave."""

    call: Call
    text: str
    outcome: Literal["done", "failed", "refused"]

    @property
    def ok(self) -> bool:
        """Whether it gave what was asked."""
        return self.outcome == "done"

    @property
    def exit_code(self) -> int | None:
        """The exit code of a command; None: it did not run, or did not end by itself."""
        found = EXITED.search(self.text) if self.ok else None
        return int(found[1]) if found else None

    @property
    def lines(self) -> list[str]:
        """The lines of a listing, without the remarks in square brackets."""
        return [line for line in self.text.split("\n") if line and not line.startswith("[")]

    @property
    def notes(self) -> list[str]:
        """Those remarks: that a search was stopped, or a listing cut."""
        return [line.strip("[]") for line in self.text.split("\n") if line.startswith("[")]


Steps: TypeAlias = list[Step]
Rule: TypeAlias = Generator[list[Call], Steps, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """A request and the batches of steps that followed it."""

    request: str
    tools: frozenset[str]
    batches: Sequence[Steps]
    system: str = ""
    failing: str = ""
    "What a check said that this step shall repair."


def read_turn(messages: Sequence[BaseMessage], tools: frozenset[str]) -> Turn:
    """Return the turn that the last message of a person began; of the brief of a step its title is read."""
    start = max((i for i, message in enumerate(messages) if is_said(cast("AnyMessage", message))), default=-1)
    said = messages[start].text if start >= 0 else ""
    failing = FAILING.search(said) if STEP.search(said) else None
    answers = {m.tool_call_id: m for m in messages[start + 1 :] if isinstance(m, ToolMessage)}
    batches = []
    for message in messages[start + 1 :]:
        if isinstance(message, AIMessage) and message.tool_calls:
            batches.append([_step(call, answers.get(call["id"] or "")) for call in message.tool_calls])
    return Turn(
        request=STEP.split(said)[0],
        tools=tools,
        batches=batches,
        system=next((m.text for m in messages if isinstance(m, SystemMessage)), ""),
        failing=failing[1].strip() if failing else "",
    )


def replay(rule: Rule, batches: Sequence[Steps]) -> list[Call] | str:
    """Return what the rule wants next: calls, or its last word."""
    try:
        wanted = next(rule)
        for batch in batches:
            if [step.call for step in batch] != wanted:
                break  # another model began this turn; the rule goes on by itself
            wanted = rule.send(batch)
    except StopIteration as end:
        return cast("str", end.value)
    return wanted


def _step(call: Mapping[str, Any], answer: ToolMessage | None) -> Step:
    made = Call(call["name"], call["args"])
    if answer is None:
        return Step(made, "", "failed")
    text = answer.text
    if text.startswith(NOT_RUN):
        return Step(made, text, "refused")
    return Step(made, text, "failed" if answer.status == "error" else "done")
