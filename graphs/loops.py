"""Whether an agent goes round in circles: read from what it called and what came of it. Pure.

What is compared are steps: all calls of one message with their results. A repetition counts only while
nothing is new, so reading a file again after it changed, or looking at a job that has said more, is none.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from types import MappingProxyType
from typing import Any, Literal, TypeAlias

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.messages.tool import ToolCall

from artel.graphs.turns import is_said, since

LET_GO_ON = "let_go_on"  # in the `response_metadata` of an answer: a person saw the circle and said go on
LONGEST = 3  # steps of a circle that is looked for

# How often a circle is walked before the model is told, and before a person is asked; by its length.
ROUNDS: Mapping[int, tuple[int, int]] = MappingProxyType({1: (3, 5), 2: (2, 4), 3: (3, 4)})
ERRORS = (3, 6)  # the same error of one tool, whatever it was called with
WORDS = (3, 5)  # answers without a call, one after another
WAITING = (6, 30)  # looks at a job that still runs and says nothing: it may take its time

_TIMES = re.compile(  # all of it begins with a digit: a regex that does is three times as fast
    r"[0-9]+(?:-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}[0-9.,Z+]*"
    r"|(?:[.,][0-9]+)?\s?(?:ms|µs|secs?|seconds?|мс|с|s)\b|x[0-9a-f]+)"
)
_EDGE = (
    400  # characters at either end of a result in which times are looked for: a regex takes 0.5 µs for each
)
_VAGUE = frozenset({"tool_failed", "tool_refused"})  # codes that say nothing of what went wrong
_STILL_RUNS = re.compile(r"\[job \S+: running")

Circle: TypeAlias = Literal["repeat", "alternation", "error", "words"]


@dataclass(frozen=True, slots=True)
class Act:
    """A call of a tool, and what came of it, by their hashes."""

    tool: str
    args: str
    result: str
    error: str = ""
    "Which one, if it failed."
    waits: bool = False
    "Whether it looked at a job that still runs."


Step: TypeAlias = tuple[Act, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A circle that an agent walks."""

    circle: Circle
    tools: tuple[str, ...]
    times: int
    stuck: bool
    "Whether to ask a person; else the model is told."


def look(messages: Sequence[AnyMessage]) -> Found | None:
    """Return the circle that the agent walks at the end of its thread; the gravest if there are several.

    Only what it did since a person last said something counts, or let it go on. Results are compared from
    the end on, and only as far as they are the same.
    """
    walk = _Walk.of(since(messages, is_said))
    found = [one for one in (*_circles(walk), _same_error(walk), _only_words(walk)) if one]
    return max(found, key=lambda one: one.stuck, default=None)


@dataclass(frozen=True, slots=True)
class _Walk:
    """The steps of an agent, counted from the last one back; each is made when somebody looks."""

    answers: Sequence[AIMessage]
    results: Mapping[str, ToolMessage]
    known: dict[int, Step]

    @classmethod
    def of(cls, messages: Sequence[AnyMessage]) -> "_Walk":
        after = next((i for i in range(len(messages) - 1, -1, -1) if _let_go_on(messages[i])), 0)
        window = messages[after:]
        results = {one.tool_call_id: one for one in window if isinstance(one, ToolMessage)}
        return cls([one for one in window if isinstance(one, AIMessage)], results, {})

    def __len__(self) -> int:
        return len(self.answers)

    def back(self, n: int) -> Step:
        """Return the step before `n` others; 0 is the last."""
        if n not in self.known:
            done = ((call, self.results.get(call["id"] or "")) for call in self.calls(n))
            self.known[n] = tuple(_act(call["name"], call["args"], told) for call, told in done if told)
        return self.known[n]

    def calls(self, n: int) -> Sequence[ToolCall]:
        """Return what that step called."""
        return self.answers[-1 - n].tool_calls


def _circles(walk: _Walk) -> Iterator[Found | None]:
    for length in range(1, LONGEST + 1):
        same = 0
        while same + length < len(walk) and walk.back(same) == walk.back(same + length):
            same += 1
        if not same:
            continue
        circle = [walk.back(n) for n in range(length)]
        if not all(circle) or (length > 1 and len(set(circle)) == 1):
            continue
        rounds = (same + length) // length
        patient = all(act.waits for step in circle for act in step)
        told, stuck = WAITING if patient else ROUNDS[length]
        if rounds >= told:
            kind: Circle = "repeat" if length == 1 else "alternation"
            yield Found(kind, _tools(circle), rounds, rounds >= stuck)


def _same_error(walk: _Walk) -> Found | None:
    """Find a tool that failed in the same way each time it was called, also between other calls."""
    last = walk.back(0) if walk else ()
    for tool in dict.fromkeys(act.tool for act in last if act.error):
        times = 0
        wanted = next(act.error for act in last if act.tool == tool and act.error)
        for n in range(len(walk)):
            if not any(call["name"] == tool for call in walk.calls(n)):
                continue
            if {act.error for act in walk.back(n) if act.tool == tool} != {wanted}:
                break
            times += 1
        if times >= ERRORS[0]:
            return Found("error", (tool,), times, times >= ERRORS[1])
    return None


def _only_words(walk: _Walk) -> Found | None:
    times = next((n for n in range(len(walk)) if walk.calls(n)), len(walk))
    return Found("words", (), times, times >= WORDS[1]) if times >= WORDS[0] else None


def _let_go_on(message: AnyMessage) -> bool:
    return isinstance(message, AIMessage) and bool(message.response_metadata.get(LET_GO_ON))


def _tools(circle: Sequence[Step]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(act.tool for step in circle for act in step))


def _act(tool: str, args: Mapping[str, Any], told: ToolMessage) -> Act:
    said = told.text
    artifact = told.artifact if isinstance(told.artifact, Mapping) else {}
    failed = told.status == "error" and artifact.get("kind") != "refused"
    return Act(
        tool,
        _hash(dumps(args, sort_keys=True, default=str)),
        _result(said),
        _error(str(artifact.get("code", "")), said) if failed else "",
        waits=bool(_STILL_RUNS.match(said)),
    )


def _error(code: str, said: str) -> str:
    return code if code and code not in _VAGUE else _result(said)


def _result(said: str) -> str:
    """Return what a result is known by, but for the times that it tells."""
    ends = said if len(said) <= 2 * _EDGE else f"{said[:_EDGE]}\0{said[-_EDGE:]}"
    rest = "" if ends is said else said[_EDGE:-_EDGE]
    return _hash(f"{_TIMES.sub('', ends)}\0{rest}")


def _hash(text: str) -> str:
    return sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
