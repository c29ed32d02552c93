"""What a gate knows of the past and says for later: approvals, grants, effects, changes, the audit log."""

from collections import deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from json import dumps
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from artel.tools.grants import Grant

if TYPE_CHECKING:  # a server that looks up an approval needs none of what tools need
    from langchain_core.messages.tool import ToolCall
    from langgraph.types import Command

    from artel.tools.tool import Tool

LOCAL_ENTRIES = 1_000  # of the audit log that are kept without a server


@dataclass(frozen=True, slots=True)
class EffectCall:
    """One tool call with an effect, told apart from every other one.

    Models repeat ids such as `call_0`, and a fork replays them: hence the checkpoint and the final arguments.
    """

    thread_id: str
    checkpoint_ns: str
    parent_checkpoint_id: str
    tool_call_id: str
    tool: str
    args: Mapping[str, Any]
    hunks: tuple[str, ...] = ()
    "Of the change, those a person accepted; none is all."

    @property
    def args_sha(self) -> str:
        """SHA-256 of the final arguments as canonical JSON, in hex, and of the hunks if they were chosen."""
        said = [self.args, sorted(self.hunks)] if self.hunks else self.args
        return sha256(dumps(said, sort_keys=True, ensure_ascii=False).encode()).hexdigest()

    @property
    def key(self) -> str:
        """One short word for all of it: 128 bits, in hex."""
        return sha256(dumps(_key(self)).encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class New:
    """This call never began: its intent is written now."""


@dataclass(frozen=True, slots=True)
class Done:
    """This call ran to its end before."""

    result: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """This call began and nobody knows whether it ended."""

    intent: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """What a gate says of one call."""

    kind: Literal["verdict", "intent", "result", "call"]
    "Not run or asked about; about to be made; made; a look that nobody had to be asked about."
    agent: str
    call: EffectCall
    effect: str
    "What the policy says: allow, ask or deny; empty: there is no such tool."
    rule: str
    reason: str
    summary: str = ""
    "The call in one line; it may name what nobody should read in a log."
    decision: str = ""
    "What kind of answer let it through, or did not."
    outcome: Mapping[str, Any] = field(default_factory=dict)
    "`status`, and what else is known: `code`, `by`, `took_s`, the file and its hashes."


Begun: TypeAlias = New | Done | Unknown
EffectKey: TypeAlias = tuple[str, str, str, str, str]


class ApprovalLedger(Protocol):
    """Who allowed what. Our server answers from the `approvals` table."""

    async def asked(self, tool_call_id: str, value: Mapping[str, Any]) -> None:
        """Note what a person is about to be shown; a ledger that stores questions elsewhere does nothing."""

    async def approved(
        self, tool_call_id: str, name: str, args: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return what was shown for this very call if a yes to it stands, `{}` if not known, else None.

        A yes is an approve, or an edit to exactly `args`; undecided, rejected, expired and superseded ones
        are none. What was shown is the interrupt's value, for a batched question its `artel.calls` entry.
        """

    async def answered(self, tool_call_id: str) -> tuple[str, datetime] | None:
        """Return who answered the question of this very call, and when; None where nobody knows."""


class EffectLedger(Protocol):
    """What tools did to the world. Our server answers from the `effects` table."""

    async def begin(self, call: EffectCall, intent: Mapping[str, Any]) -> Begun:
        """Write the intent of a call before it runs, or say how an earlier attempt ended."""

    async def finish(self, call: EffectCall, result: str) -> None:
        """Write the result of a call that ran."""

    async def has_begun(self, call: EffectCall) -> bool:
        """Return whether an earlier attempt at this very call was let through."""


@dataclass(frozen=True, slots=True)
class Noted:
    """A change that is noted before it is made."""

    change: str
    "Its id."
    before: str | None
    "The tree of files that the first attempt at it found; None: they could not be kept."


class SnapshotLedger(Protocol):
    """What the files were before and after each change. Our server answers from the `snapshots` table."""

    async def begin(self, call: EffectCall, workspace: str, before: str | None, problem: str = "") -> Noted:
        """Note what a call finds before it runs; a repeat of it keeps what the first attempt found."""

    async def finish(
        self, noted: Noted, after: str | None, paths: Sequence[Mapping[str, str]], problem: str = ""
    ) -> None:
        """Note what a call has left: the tree of files, and path and kind of each change."""

    async def forget(self, noted: Noted) -> None:
        """Take back the note of a call that changed nothing."""


class AuditLedger(Protocol):
    """What is said of each call for later. Our server answers from the `audit` table."""

    def note(self, entry: AuditEntry) -> None:
        """Put an entry down soon, with others."""

    async def write(self, entry: AuditEntry) -> None:
        """Put an entry down; it is there for good when this returns."""


class GrantLedger(Protocol):
    """What people have allowed from now on. Our server answers from the `grants` table."""

    async def standing(self, thread_id: str, workspace: str, tools: Collection[str]) -> Sequence[Grant]:
        """Return the grants for calls of `tools` in this thread and project, and those that hold always."""

    async def given(self, grant: Grant) -> None:
        """Keep a grant that came with an answer; a ledger that stored it with that does nothing."""

    async def used(self, grant_ids: Collection[str]) -> None:
        """Note that grants have let a call through."""


class Record(Protocol):
    """What a run that is replayed came to: its tools answer as they did, and touch nothing."""

    def tool(self, tool: "Tool") -> "Tool":
        """Return a tool that looks at no files to say what it would do."""

    def answers(self, tool: "Tool") -> bool:
        """Return whether the answer of a tool comes from the record."""

    def answer(self, messages: Sequence[Any], call: "ToolCall") -> "Command[Any]":
        """Return what a tool answered to a call that was let through."""

    def gate(self) -> Mapping[str, Any] | None:
        """Return what the gate said of a plan's files at the next verification; None: it is not known."""


@dataclass(slots=True)
class LocalApprovals:
    """An approval ledger without a server: the answer that LangGraph hands to the gate is the proof."""

    shown: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    async def asked(self, tool_call_id: str, value: Mapping[str, Any]) -> None:
        """Remember what is shown."""
        self.shown[tool_call_id] = value

    async def approved(
        self, tool_call_id: str, name: str, args: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return what was shown; after a restart that is not known."""
        del name, args
        return self.shown.get(tool_call_id, {})

    async def answered(self, tool_call_id: str) -> tuple[str, datetime] | None:
        """Return that nobody knows: whoever runs the graph gave the answer, just now."""
        del tool_call_id
        return None


@dataclass(slots=True)
class LocalGrants:
    """A grant ledger in memory: what it holds is forgotten with the process."""

    grants: list[Grant] = field(default_factory=list)

    async def standing(self, thread_id: str, workspace: str, tools: Collection[str]) -> Sequence[Grant]:
        """Return those that hold here and now."""
        places = {"thread": thread_id, "project": workspace, "always": ""}
        return [
            one
            for one in self.grants
            if one.tool in tools
            and places[one.scope] == {"thread": one.thread_id, "project": one.workspace}.get(one.scope, "")
            and (one.expires_at is None or one.expires_at > datetime.now(UTC))
        ]

    async def given(self, grant: Grant) -> None:
        """Remember it."""
        self.grants.append(grant)

    async def used(self, grant_ids: Collection[str]) -> None:
        """Count nothing."""


@dataclass(slots=True)
class LocalEffects:
    """An effect ledger in memory."""

    begun: dict[EffectKey, Mapping[str, Any]] = field(default_factory=dict)
    done: dict[EffectKey, str] = field(default_factory=dict)

    async def begin(self, call: EffectCall, intent: Mapping[str, Any]) -> Begun:
        """Remember the intent, or say how an earlier attempt ended."""
        key = _key(call)
        if key in self.done:
            return Done(self.done[key])
        if key in self.begun:
            return Unknown(self.begun[key])
        self.begun[key] = intent
        return New()

    async def finish(self, call: EffectCall, result: str) -> None:
        """Remember the result."""
        self.done[_key(call)] = result

    async def has_begun(self, call: EffectCall) -> bool:
        """Return whether it is remembered."""
        return _key(call) in self.begun


@dataclass(slots=True)
class LocalChange:
    """A change as it is remembered without a server."""

    call: EffectCall
    workspace: str
    before: str | None
    after: str | None = None
    paths: Sequence[Mapping[str, str]] = ()
    problem: str = ""


@dataclass(slots=True)
class LocalSnapshots:
    """A snapshot ledger in memory."""

    changes: dict[str, LocalChange] = field(default_factory=dict)
    "By their ids, the oldest first."

    async def begin(self, call: EffectCall, workspace: str, before: str | None, problem: str = "") -> Noted:
        """Remember what a call finds, unless an earlier attempt at it did."""
        name = "/".join(_key(call))
        change = self.changes.setdefault(name, LocalChange(call, workspace, before, problem=problem))
        return Noted(name, change.before)

    async def finish(
        self, noted: Noted, after: str | None, paths: Sequence[Mapping[str, str]], problem: str = ""
    ) -> None:
        """Remember what a call has left."""
        change = self.changes[noted.change]
        change.after, change.paths, change.problem = after, paths, problem

    async def forget(self, noted: Noted) -> None:
        """Remember nothing of it."""
        self.changes.pop(noted.change, None)


@dataclass(slots=True)
class LocalAudit:
    """An audit log without a server: the newest entries, in memory."""

    entries: deque[AuditEntry] = field(default_factory=lambda: deque(maxlen=LOCAL_ENTRIES))

    def note(self, entry: AuditEntry) -> None:
        """Remember it."""
        self.entries.append(entry)

    async def write(self, entry: AuditEntry) -> None:
        """Remember it."""
        self.entries.append(entry)


def _key(call: EffectCall) -> EffectKey:
    return (call.thread_id, call.checkpoint_ns, call.parent_checkpoint_id, call.tool_call_id, call.args_sha)
