"""Plays a recording: what the model said, what the tools answered; and notes where a run leaves it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from json import dumps
from typing import Any

from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage, ToolMessage
from langchain_core.messages.tool import ToolCall, tool_call_chunk
from langchain_core.outputs import ChatGenerationChunk
from langgraph.types import Command

from artel.graphs.replaying.recording import Conversation, Recording, alike, plain_id, thread_part
from artel.graphs.replies import CHANGED
from artel.graphs.workbench import taint
from artel.tools.registry import TOOLS
from artel.tools.tool import Outcome, Tool, ToolFailed, ToolRefused, Work
from artel.tools.workspace.change import Change
from artel.tools.workspace.changeset import ChangeSet

WORLD = frozenset({"recall", "remember"})
"""Tools that concern the run itself, and answer from what no archive holds."""
MAX_SHOWN = 1_200  # characters of each side of a difference


@dataclass(frozen=True, slots=True)
class Divergence:
    """Where a replay first was not as the record."""

    place: str
    what: str
    then: str
    now: str

    def __str__(self) -> str:
        """Tell it in words: where, what, and both sides."""
        sides = "\n".join(
            f"  {name}: {_cut(text)}" for name, text in (("then", self.then), ("now ", self.now)) if text
        )
        return f"{self.place}: {self.what}\n{sides}".rstrip()


class Diverged(RuntimeError):
    """A replay left the record: what follows could not be compared."""


class RecordEnds(RuntimeError):
    """The record ends here, in the middle of a run that was cut short."""


class Player:
    """Plays one recording once."""

    def __init__(self, recording: Recording) -> None:
        self.recording = recording
        self.here: dict[str, str] = {}
        "Folder now → what it was called then."
        self.found: Divergence | None = None
        self.cut_short = False
        "Whether the run that is replayed was."
        self.ended = False
        self.asked_now: set[str] = set()
        "What people were asked about in this replay."
        self.calls = 0
        self.results = 0
        self._gates = list(recording.gates)
        self._plans = list(recording.plans)
        self._broken = list(recording.broken)
        self._problems: dict[str, str] = {}

    def differs(self, place: str, what: str, then: str = "", now: str = "") -> Diverged:
        """Note a divergence, if it is the first; return what stops the run."""
        self.found = self.found or Divergence(place, what, then, now)
        return Diverged(str(self.found))

    async def say(self, messages: Sequence[BaseMessage]) -> AsyncIterator[ChatGenerationChunk]:
        """Yield what the model answered to these messages."""
        self._check()
        sent = thread_part(messages)
        talk = self._talk(sent)
        said = talk.messages[len(sent)] if len(sent) < len(talk.messages) else None
        if not isinstance(said, AIMessage):
            if self.cut_short:
                self.ended = True
                raise RecordEnds("the record has no more answers of the model")
            if self._broken and talk.namespace:
                kind, words = self._broken.pop(0)
                raise type(kind, (RuntimeError,), {})(words)  # by its name the step's result tells of it
            raise self.differs(_place(talk, len(sent)), "the model is asked once more than it was then")
        talk.played = len(sent) + 1
        self.calls += 1
        for call in said.tool_calls:
            self._note(call)
        yield ChatGenerationChunk(message=_chunk(said))

    def plan(self) -> str:
        """Return the plan that the model made next, as it would write it."""
        self._check()
        plan = self._plans.pop(0) if self._plans else {}
        keys = ("id", "title", "agent", "depends_on", "acceptance", "checks", "inputs", "paths", "budget")
        steps = [{key: step[key] for key in keys if key in step} for step in plan.get("steps", ())]
        return dumps({"goal": plan.get("goal"), "steps": steps}, ensure_ascii=False)

    def answers(self, tool: Tool) -> bool:
        """Return whether the answer of a tool comes from the record; what is the run's own is done anew."""
        return not tool.inner or tool.name in WORLD

    def answer(self, messages: Sequence[BaseMessage], call: ToolCall) -> Command[Any]:
        """Return what a tool answered to a call that was let through."""
        self._check()
        name, id_ = call["name"], plain_id(call["id"] or "")
        last = max(place for place, one in enumerate(messages) if isinstance(one, AIMessage))
        sent = thread_part(messages[: last + 1])
        talk = self._talk(sent)
        place = _place(talk, len(sent))
        told = next(
            (
                one
                for one in talk.messages[len(sent) :]
                if isinstance(one, ToolMessage) and plain_id(one.tool_call_id) == id_
            ),
            None,
        )
        if told is None:
            if self.cut_short:
                self.ended = True
                raise RecordEnds(f"the record has no result of {name}")
            raise self.differs(place, f"the call of {name} ran, and the record has no result of it")
        was = told.artifact if isinstance(told.artifact, dict) else {}
        asked = any(id_ in _ids(one.about) for one in self.recording.asked)
        if was.get("kind") == "refused":
            raise self.differs(
                place,
                f"the gate let the call of {name} through, and did not then",
                str(told.content),
                "it runs",
            )
        if asked and not any(id_ in _ids(one) for one in self.asked_now):
            raise self.differs(
                place, f"the gate let the call of {name} through, and asked a person then", "asked", "it runs"
            )
        self.results += 1
        text = str(told.content)
        if text.startswith(CHANGED):  # which is said once more
            text = text.partition("\n\n")[2]
        said = told.model_copy(update={"tool_call_id": call["id"], "content": text})
        return Command(update={"messages": [said], "seen": {}, **taint(was)})

    def gate(self) -> Mapping[str, Any] | None:
        """Return what the gate said of a plan's files at the next verification; None: nothing is recorded."""
        return self._gates.pop(0) if self._gates else None

    def tool(self, tool: Tool) -> Tool:
        """Return a tool that looks at nothing: what it would change is as much as was recorded of it."""
        if tool.inner or (tool.plan is None and tool.act is None):
            return tool

        def plan(root: Any, parsed: Any, seen: Any) -> ChangeSet:
            del root, seen
            if problem := self._problems.get(_key(tool.name, parsed)):
                raise ToolFailed(problem)
            paths = list(dict.fromkeys(tool.paths_of(parsed))) if tool.paths_of else []
            return ChangeSet(tuple(Change(path, None, None, "", "recorded") for path in paths or ["-"]))

        return replace(
            tool,
            plan=plan if tool.plan else None,
            plan_rest=None,
            act=_nothing,
            repeatable=True,
            shows=None,
            leads_to=None,
            reaches=None,
            offered=None,
        )

    def _note(self, call: ToolCall) -> None:
        """Remember what was wrong with a change that is about to be called."""
        tool = TOOLS.get(call["name"])
        if tool is None or tool.plan is None:
            return
        try:
            key = _key(tool.name, tool.parse(call["args"]))
        except ToolRefused:
            return
        self._problems[key] = self.recording.problems.get(plain_id(call["id"] or ""), "")

    def _talk(self, sent: Sequence[BaseMessage]) -> Conversation:
        """Return the conversation that begins with these messages; one not played so far, if there are two.

        Raises:
            Diverged: there is none; noted is the first message that is another.
        """
        mine = [alike(one, self.here) for one in sent]
        fitting: list[Conversation] = []
        nearest, common = self.recording.conversations[0], -1
        for talk in self.recording.conversations:
            theirs = [alike(one, self.here) for one in talk.messages[: len(mine)]]
            if theirs == mine:
                fitting.append(talk)
            same = next(
                (place for place, pair in enumerate(zip(mine, theirs, strict=False)) if pair[0] != pair[1]),
                min(len(mine), len(theirs)),
            )
            if same > common:
                nearest, common = talk, same
        if fitting:
            ahead = [one for one in fitting if one.played <= len(sent) < len(one.messages)]
            return (ahead or fitting)[0]
        now = sent[common]
        if common >= len(nearest.messages):
            if self.cut_short:
                self.ended = True
                raise RecordEnds("the record ends here")
            raise self.differs(_place(nearest, common), "there is a message more than then", "", _said(now))
        then = nearest.messages[common]
        raise self.differs(_place(nearest, common), _what(then, now), _said(then), _said(now))

    def _check(self) -> None:
        if self.found:
            raise Diverged(str(self.found))
        if self.ended:
            raise RecordEnds("the record has ended")


async def _nothing(work: Work, parsed: Any) -> Outcome:
    del work, parsed
    raise AssertionError("a replay lets no tool act")


def _chunk(said: AIMessage) -> AIMessageChunk:
    calls = [
        tool_call_chunk(
            name=call["name"],
            args=dumps(call["args"], ensure_ascii=False),
            id=plain_id(call["id"] or ""),
            index=place,
        )
        for place, call in enumerate(said.tool_calls)
    ]
    return AIMessageChunk(
        content=said.content,
        additional_kwargs={
            key: value for key, value in said.additional_kwargs.items() if key != "tool_calls"
        },
        id=said.id,
        tool_call_chunks=calls,
        usage_metadata=said.usage_metadata,
        chunk_position="last",
    )


def _what(then: BaseMessage, now: BaseMessage) -> str:
    if isinstance(then, ToolMessage) and isinstance(now, ToolMessage):
        kinds = [one.artifact.get("kind") if isinstance(one.artifact, dict) else "" for one in (then, now)]
        if kinds[0] != kinds[1] and "refused" in kinds:
            return f"the gate decided otherwise on the call of {now.name}"
        return f"the result of {now.name} differs"
    return f"a message to the model differs: {now.type}"


def _said(message: BaseMessage) -> str:
    calls = [
        f"{one['name']} {dumps(one['args'], ensure_ascii=False)}"
        for one in getattr(message, "tool_calls", ())
    ]
    return " ".join([str(message.text), *calls]).strip()


def _place(talk: Conversation, number: int) -> str:
    where = talk.namespace.replace("|", " → ") or "the thread"
    return f"{where}, message {number + 1}"


def _ids(about: str) -> list[str]:
    return about.removeprefix("call ").split(", ") if about.startswith("call ") else []


def _key(name: str, parsed: Any) -> str:
    return f"{name} {dumps(parsed.model_dump(mode='json'), sort_keys=True)}"


def _cut(text: str) -> str:
    return text if len(text) <= MAX_SHOWN else f"{text[:MAX_SHOWN]}… ({len(text)} characters)"
