"""What a model is shown of a thread: what stays the same first, what changes in one message at the end.

A provider's prompt cache keeps the part that did not change since the last call: system, tools, history. What
changes from call to call (plan, decisions, todos) comes after it, in a message that is in no state. Where all
this does not fit the model's window, old messages give way (`artel.graphs.compaction`).
"""

from asyncio import to_thread
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from langchain_core.messages import AnyMessage, SystemMessage
from langchain_core.tools import BaseTool
from langgraph.store.base import BaseStore

from artel.graphs import remembering
from artel.graphs.circles import circles
from artel.graphs.compaction import counting, parts, record
from artel.graphs.compaction.cutting import shortened
from artel.graphs.compaction.fitting import fitted
from artel.graphs.compaction.ladder import Measure, view
from artel.graphs.compaction.meter import Meter
from artel.graphs.compaction.pairing import Group, grouped
from artel.graphs.compaction.record import Compaction
from artel.graphs.models.fallback import Chain
from artel.graphs.models.told import told
from artel.graphs.models.windows import Budget
from artel.graphs.resolved import decided
from artel.graphs.roles import Role
from artel.graphs.showing import part as plan
from artel.graphs.todos import todos
from artel.tools.recalling import NAME as RECALL

LAST = 16  # one part in so many of a question is there for what changes, at least
HISTORY = 4  # and for the thread, also where prompt and tools alone are too much for the window


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment before a model is asked."""

    role: Role
    root: Path
    "The workspace."
    state: Mapping[str, Any]
    store: BaseStore | None


Part: TypeAlias = Callable[[Moment], Awaitable[str]]
"""Returns what the model is told of one matter, as Markdown under a heading of its own; nothing: nothing."""


async def left_behind(moment: Moment) -> str:
    """Tell of the files that changed and of the last failure, once old messages are no longer shown."""
    if not record.read(moment.state.get("compacted")).is_summary:
        return ""
    return await to_thread(lambda: parts.told(grouped(moment.state.get("messages", ()))))


PARTS: tuple[Part, ...] = (remembering.known, decided, left_behind, plan, todos, circles)
"""In the order in which they are shown: what changes most comes last."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked besides the thread."""

    model: Chain
    system: SystemMessage
    tools: Sequence[BaseTool | dict[str, Any]]
    budget: Budget

    @property
    def spec(self) -> str:
        """The `provider:name` that is asked first."""
        return self.model.links[0].spec


@dataclass(frozen=True, slots=True)
class Shown:
    """What a model is shown of a thread."""

    messages: list[AnyMessage]
    compaction: Compaction
    "What the state is to keep of how."
    meter: Meter | None
    "None: the model has no window."


async def shown(messages: Sequence[AnyMessage], moment: Moment, question: Question) -> Shown:
    """Return the messages of a thread as the model gets them, within its budget."""
    before = record.read(moment.state.get("compacted"))
    groups = await to_thread(grouped, messages)
    last = await _last(moment)
    if question.budget.limit is None:
        return Shown(_with(_flat(view(groups, before, None)), last), before, None)
    factor = counting.correction(messages, question.spec)
    limit = int(question.budget.limit / factor)  # in tokens as we count them
    measure = Measure(question.budget.limit, recall=RECALL in moment.role.tools)
    system, tools = await to_thread(_fixed, question)
    room = max(limit - system - tools - max(_told(last), limit // LAST), limit // HISTORY)
    after = before
    seen, history = await to_thread(_seen, groups, before, measure)
    if history > room:
        after = await fitted(groups, before, measure, room, question.model)
        seen, history = await to_thread(_seen, groups, after, measure)
    if after != before:
        last = await _last(
            replace(moment, state={**moment.state, "compacted": after.model_dump(mode="json")})
        )
    last = shortened(last, max(limit - system - tools - history - counting.A_MESSAGE, limit // LAST))
    sizes = (system, tools, history, _told(last))
    meter = Meter.of(question.spec, question.budget, sizes, factor, compacted=after != Compaction())
    return Shown(_with(seen, last), after, meter)


async def _last(moment: Moment) -> str:
    return "\n\n".join([text for part in PARTS if (text := await part(moment))])


def _with(messages: list[AnyMessage], last: str) -> list[AnyMessage]:
    return told(messages, last) if last else messages


def _told(last: str) -> int:
    return counting.text_tokens(last) + counting.A_MESSAGE if last else 0


def _fixed(question: Question) -> tuple[int, int]:
    return counting.message_tokens(question.system), counting.tools_tokens(question.tools)


def _seen(groups: Sequence[Group], record: Compaction, measure: Measure) -> tuple[list[AnyMessage], int]:
    """Return groups as a model is shown them, and what they cost: the one place where that is counted."""
    seen = _flat(view(groups, record, measure))
    return seen, counting.tokens(seen)


def _flat(shown: Sequence[Sequence[AnyMessage]]) -> list[AnyMessage]:
    return [message for group in shown for message in group]
