"""One turn of the offline model: a request, and what the tools answered so far.

A rule is a generator: it yields the calls it wants, is sent what they gave, and returns what to say. The
model keeps nothing between two calls; each time the rule runs anew over the messages there are.
"""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

NOT_RUN = "Not run:"  # how the gate begins every message about a call that was not let through


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
    def lines(self) -> list[str]:
        """The lines of a listing, without the remarks in square brackets."""
        return [line for line in self.text.split("\n") if line and not line.startswith("[")]


Steps: TypeAlias = list[Step]
Rule: TypeAlias = Generator[list[Call], Steps, str]


@dataclass(frozen=True, slots=True)
class Turn:
    """A request and the batches of steps that followed it."""

    request: str
    tools: frozenset[str]
    batches: Sequence[Steps]


def read_turn(messages: Sequence[BaseMessage], tools: frozenset[str]) -> Turn:
    """Return the turn that the last human message began."""
    start = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
    request = messages[start].text if start >= 0 else ""
    answers = {m.tool_call_id: m for m in messages[start + 1 :] if isinstance(m, ToolMessage)}
    batches = []
    for said in messages[start + 1 :]:
        if isinstance(said, AIMessage) and said.tool_calls:
            batches.append([_step(call, answers.get(call["id"] or "")) for call in said.tool_calls])
    return Turn(request, tools, batches)


def replay(rule: Rule, batches: Sequence[Steps]) -> list[Call] | str:
    """Return what the rule wants next: calls, or its last word."""
    try:
        wanted = next(rule)
        for batch in batches:
            if [step.call for step in batch] != wanted:
                break  # another model began this turn; the rule goes on by itself
            wanted = rule.send(batch)
    except StopIteration as end:
        return str(end.value)
    return wanted


def _step(call: Mapping[str, Any], answer: ToolMessage | None) -> Step:
    made = Call(call["name"], call["args"])
    if answer is None:
        return Step(made, "", "failed")
    text = answer.text
    if text.startswith(NOT_RUN):
        return Step(made, text, "refused")
    return Step(made, text, "failed" if answer.status == "error" else "done")
