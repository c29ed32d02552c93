"""What can be learned of a thread: turns that went well, and pairs of which one side was better.

Only turns whose people consent are looked at, and nothing else of the thread is in an example.
"""

from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from artel.graphs.decisions import decision_on, final_args, shown_calls
from artel.server.learning.conversations import Said, call_of, is_whole, name_of, said
from artel.server.learning.redacting import Redaction
from artel.server.learning.speaking import messages_at
from artel.storage import approvals, turns
from artel.storage.approvals import CLOCK, Approval
from artel.storage.asking import question_of
from artel.storage.postgres import Database
from artel.storage.turns import Span, Turn

HISTORY = 20  # messages before a turn that are shown with it
MOST_QUESTIONS = 1_000  # of a thread, the newest

Kind = Literal["sft", "edited", "rejected", "rated"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be exported."""

    owner: str
    consents: Mapping[str, datetime]
    "Since when each user consents."
    since: datetime | None
    until: datetime
    min_reward: float


@dataclass(frozen=True, slots=True)
class Example:
    """A line of an export; of kind `rated` one side of a pair to be found."""

    kind: Kind
    content: dict[str, Any]
    name: bytes
    "The same for examples that say the same."
    score: int = 0


@dataclass(frozen=True, slots=True)
class _Told:
    turn: Turn
    history: list[Said]
    messages: list[Said]
    "Of the turn alone."


@dataclass(slots=True)
class Examples:
    """Finds what can be learned, and counts what cannot, by the reason."""

    db: Database
    redaction: Redaction
    wanted: Wanted
    skipped: Counter[str] = field(default_factory=Counter)
    turns: int = 0

    async def of_thread(self, thread_id: UUID) -> AsyncIterator[Example]:
        """Yield the examples of a thread, oldest first."""
        async with self.db.connection() as conn:
            found = await turns.judged(conn, [thread_id], owner=self.wanted.owner)
            spans = await turns.spans(conn, thread_id, owner=self.wanted.owner)
            asked = await approvals.search(
                conn, owner=self.wanted.owner, thread_id=thread_id, limit=MOST_QUESTIONS
            )
        by_run = {span.run_id: span for span in spans}
        history: list[Said] = []
        for turn in found:
            if not self._is_wanted(turn):
                continue
            self.turns += 1
            told = await self._told(turn, by_run, history)
            if told is None:
                continue
            for example in self._of_turn(
                told, [one for one in reversed(asked) if one.run_id in turn.run_ids]
            ):
                yield example
            history = _last([*history, *told.messages])

    def _is_wanted(self, turn: Turn) -> bool:
        given = self.wanted.consents.get(turn.user_id)
        since = self.wanted.since
        return (
            given is not None
            and turn.began_at >= given
            and (since is None or turn.began_at >= since)
            and turn.ended_at is not None
            and turn.ended_at <= self.wanted.until
        )

    async def _told(self, turn: Turn, spans: Mapping[UUID, Span], history: list[Said]) -> _Told | None:
        """Return what was said in a turn, or None and count why it cannot be told."""
        if turn.reward is None:
            self.skipped["unfinished"] += 1
            return None
        first, last = spans.get(turn.turn_id), spans.get(turn.last_run_id)
        after = await messages_at(self.db, turn.thread_id, last.last) if last else None
        before = await messages_at(self.db, turn.thread_id, first.before) if first and first.before else ()
        if first is None or after is None or before is None:
            self.skipped["gone"] += 1
            return None
        known = {message.id for message in before}
        fresh = [
            one for at, one in enumerate(after) if (one.id not in known if one.id else at >= len(before))
        ]
        messages = [told for one in fresh if (told := said(one, self.redaction))]
        if not messages or messages[0]["role"] != "user":
            self.skipped["no request"] += 1
            return None
        return _Told(turn, history, messages)

    def _of_turn(self, told: _Told, asked: Sequence[Approval]) -> Iterator[Example]:
        turn = told.turn
        yield from _pairs(told, asked, self.redaction)
        if not is_whole(told.messages):
            self.skipped["broken"] += 1
            return
        if score := (turn.up > turn.down) - (turn.up < turn.down):
            prompt = [*told.history, told.messages[0]]
            sides = {"prompt": prompt, "answer": told.messages[1:]}
            yield Example("rated", sides, name_of(prompt), score)
        if turn.status != "completed" or (turn.reward or 0) < self.wanted.min_reward:
            self.skipped["reward"] += 1
            return
        seen_before = [_unlearned(one) for one in told.history]
        content = {
            "messages": [*seen_before, *told.messages],
            "agent": turn.graph_id,
            "reward": round(turn.reward or 0, 6),
            "approved": round(turn.approved, 6),
            "executed": round(turn.executed, 6),
            "quality": round(turn.quality, 6),
        }
        yield Example("sft", content, name_of(told.messages))


def pair(kind: Kind, prompt: list[Said], chosen: list[Said], rejected: list[Said]) -> Example | None:
    """Return a pair; None when both sides say the same."""
    good, bad = name_of(chosen), name_of(rejected)
    if good == bad:
        return None
    content = {"prompt": prompt, "chosen": chosen, "rejected": rejected, "source": kind}
    return Example(kind, content, name_of(prompt) + good + bad)


@dataclass(frozen=True, slots=True)
class _Answered:
    call_id: str
    name: str
    asked: Mapping[str, Any]
    final: Mapping[str, Any] | None
    "None: a person said no."


def _pairs(told: _Told, asked: Sequence[Approval], redaction: Redaction) -> Iterator[Example]:
    answered = [one for row in asked if row.decided_by not in (None, CLOCK) for one in _answered(row)]
    for at, one in enumerate(answered):
        place = _place(told.messages, redaction.text(one.call_id))
        if place is None:
            continue
        kind: Kind = "edited" if one.final is not None else "rejected"
        better = one.final
        if better is None:
            later = (x for x in answered[at + 1 :] if x.name == one.name and x.final is not None)
            better = next((x.final for x in later), None)
        if better is None or better == one.asked:
            continue
        spoke = told.messages[place]
        sides = [
            [{**spoke, "tool_calls": [call_of(one.call_id, one.name, args, redaction)]}]
            for args in (better, one.asked)
        ]
        if found := pair(kind, [*told.history, *told.messages[:place]], *sides):
            yield found


def _answered(row: Approval) -> Iterator[_Answered]:
    """Yield the calls of a question with what became of them: a yes to parts of one is neither yes nor no."""
    value = question_of(row.value)
    calls: list[Mapping[str, Any]] = shown_calls(value)
    calls = calls or [{"tool_call_id": row.tool_call_id, "name": row.tool, "args": row.args}]
    for call in calls:
        call_id, name, args = call.get("tool_call_id"), call.get("name"), call.get("args")
        if not (isinstance(call_id, str) and isinstance(name, str) and isinstance(args, Mapping)):
            continue
        decision = decision_on(value, row.decision, call_id)
        if decision is None or "hunks" in decision or decision.get("type") == "respond":
            continue
        yield _Answered(call_id, name, args, final_args(decision, name, args))


def _place(messages: Sequence[Said], call_id: str) -> int | None:
    for at, message in enumerate(messages):
        if any(call["id"] == call_id for call in message.get("tool_calls", ())):
            return at
    return None


def _last(messages: list[Said]) -> list[Said]:
    """Return the end of a history, from a request on: no call is parted from its result."""
    if len(messages) <= HISTORY:
        return messages
    starts = [at for at, one in enumerate(messages) if one["role"] == "user"]
    fitting = [at for at in starts if len(messages) - at <= HISTORY]
    return messages[fitting[0] :] if fitting else []


def _unlearned(message: Said) -> Said:
    """Return a message of the history: what the assistant said there is not to be learned again."""
    return {**message, "weight": 0} if message["role"] == "assistant" else message
