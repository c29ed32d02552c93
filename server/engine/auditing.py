"""Writes the audit log: entries of all runs of a process go together, one statement at a time.

What must be there before something happens is waited for; what was only looked at is written by the end of
its run, or LINGER_S later. An entry leaves memory when it is stored, and not before.
"""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_OID, UUID, uuid5

import structlog

from artel.graphs.decisions import decision_on, final_args, shown_calls
from artel.graphs.ledgers import AuditEntry
from artel.graphs.resolved import Resolved
from artel.server.engine import redaction
from artel.server.telemetry import carried
from artel.storage import audit, sealing
from artel.storage.approvals import CLOCK, Approval
from artel.storage.asking import question_of
from artel.storage.chains import said
from artel.storage.errors import Unavailable, Unstorable
from artel.storage.grants import Granted
from artel.storage.ids import new_id
from artel.storage.policies import Version
from artel.storage.postgres import Database
from artel.storage.runs import Run
from artel.storage.sealing import CannotSeal
from artel.tools.grants import Covers
from artel.tools.grants import said as covered

if TYPE_CHECKING:
    from artel.server.engine.engine import Engine

LINGER_S = 2.0  # a crash loses no more of what was only looked at
AGAIN_S = 0.2
LAST_S = 2.0  # for what is left when a run ends, or the process
TOGETHER = 500  # entries in a statement
LONGEST_NAME = 200  # characters of a name that a model chose
OUTCOME = ("status", "code", "by", "exit_code", "took_s")
FILE = ("path", "before_sha", "after_sha")

log = structlog.get_logger(__name__)

Noted = tuple[Mapping[str, Any], Mapping[str, Any]]  # an entry, and the context it is sealed with


class Auditor:
    """The audit log of one process."""

    def __init__(self, db: Database) -> None:
        self.noted = asyncio.Event()
        self._db = db
        self._noted: list[Noted] = []
        self._ready: list[tuple[str, str]] = []  # an owner and an entry, sealed
        self._spoken: set[str] = set()  # runs with something noted
        self._lane = asyncio.Lock()

    def note(self, entry: Mapping[str, Any], sealed_with: Mapping[str, Any]) -> None:
        """Have an entry written soon."""
        self._noted.append((entry, sealed_with))
        self._spoken.add(str(entry["run_id"]))
        self.noted.set()

    async def end(self, run_id: UUID) -> None:
        """Write what a run has noted, before anybody hears that it is over; later if the database is away."""
        if str(run_id) not in self._spoken:
            return
        self._spoken.discard(str(run_id))
        try:
            async with asyncio.timeout(LAST_S):
                await self.flush()
        except (Unavailable, TimeoutError) as away:
            log.warning("the audit log waits for the database", reason=str(away))

    async def write(self, entry: Mapping[str, Any], sealed_with: Mapping[str, Any]) -> None:
        """Write an entry, after what was noted before; return when it is committed.

        Raises:
            CannotSeal: the handler of `encryption` failed.
            Unavailable: the database is away; the entry is written when it is back.
        """
        await self._seal()
        self._ready.append(await self._sealed(entry, sealed_with))
        await self._fly()

    async def flush(self) -> None:
        """Write all that was noted; return when it is committed.

        Raises:
            Unavailable: the database is away; nothing is lost.
        """
        await self._seal()
        await self._fly()

    async def close(self) -> None:
        """Write what is left; what cannot be stored is said in the log of the process."""
        try:
            async with asyncio.timeout(LAST_S):
                await self.flush()
        except (Unavailable, TimeoutError) as away:
            for owner, text in self._ready:
                log.error("an entry of the audit log was not stored", owner=owner, entry=text)
            log.error("the audit log could not be written to its end", reason=str(away))
        for entry, _ in self._noted:
            log.error("an entry of the audit log could not be sealed", id=entry["id"], tool=entry.get("tool"))

    async def _seal(self) -> None:
        """Make ready what was noted, in its order; what cannot be sealed now is tried again."""
        noted, self._noted = self._noted, []
        for one in noted:
            try:
                self._ready.append(await self._sealed(*one))
            except CannotSeal as failed:
                log.warning("an entry of the audit log waits", reason=str(failed))
                self._noted.append(one)

    async def _sealed(self, entry: Mapping[str, Any], sealed_with: Mapping[str, Any]) -> tuple[str, str]:
        with sealing.within(sealed_with):
            return str(entry["owner"]), await audit.sealed(self._db.sealer, entry)

    async def _fly(self) -> None:
        """Write what is ready. Who waited for the lane finds that theirs went with others, or writes it."""
        async with self._lane:
            while batch := self._ready[:TOGETHER]:
                await self._add(batch)
                del self._ready[: len(batch)]

    async def _add(self, batch: Sequence[tuple[str, str]]) -> None:
        try:
            async with self._db.connection(control=True) as conn:
                await audit.add_sealed(conn, batch)
        except Unstorable:
            if len(batch) == 1:  # said here for good; it must not keep out all that follow
                log.exception("an entry of the audit log cannot be stored", entry=batch[0][1])
                return
            for one in batch:
                await self._add([one])


class RunAudit:
    """What a run says to the audit log."""

    def __init__(self, auditor: Auditor, run: Run) -> None:
        self._auditor = auditor
        self._run = run

    def note(self, entry: AuditEntry) -> None:
        """Put an entry down soon, with others."""
        self._auditor.note(entry_of(self._run, entry), self._run.sealed_with)

    async def write(self, entry: AuditEntry) -> None:
        """Put an entry down; it is there for good when this returns."""
        await self._auditor.write(entry_of(self._run, entry), self._run.sealed_with)


async def keep_auditing(engine: "Engine") -> None:
    """Write what was noted LINGER_S ago, until cancelled."""
    while True:
        await engine.audit.noted.wait()
        await asyncio.sleep(LINGER_S)
        engine.audit.noted.clear()
        try:
            await engine.audit.flush()
        except Unavailable as away:
            log.warning("the audit log waits for the database", reason=str(away))
            engine.audit.noted.set()
            await asyncio.sleep(AGAIN_S)


def entry_of(run: Run, one: AuditEntry) -> dict[str, Any]:
    """Return an entry as it is stored; of the call itself only what may be read.

    A run that goes on asks again what is still open: of that there is one entry.
    """
    call, told = one.call, one.outcome
    asked = told.get("status") == "asked"
    args = _args(call.args)
    place = f"{run.thread_id} {call.checkpoint_ns} {call.parent_checkpoint_id}"
    key = f"{place} {call.tool_call_id} {args['args_sha']}"
    return _stated(
        {
            "id": str(uuid5(NAMESPACE_OID, key) if asked else new_id()),
            "kind": one.kind,
            "at": said(datetime.now(UTC)),
            "owner": run.owner,
            "user": run.user_id,
            **(run.kwargs.get(carried.ORIGIN) or ({"surface": "cron"} if run.cron_id else {})),
            "agent": one.agent,
            "thread_id": str(run.thread_id),
            "run_id": str(run.run_id),
            "attempt": run.attempt,
            "checkpoint_id": call.parent_checkpoint_id,
            "checkpoint_ns": call.checkpoint_ns,
            "tool": call.tool[:LONGEST_NAME],
            "tool_call_id": call.tool_call_id[:LONGEST_NAME],
            "effect": one.effect,
            "rule": one.rule,
            "decision": one.decision,
            **{name: told[name] for name in OUTCOME if name in told},
            "said": {
                "summary": redaction.text(one.summary),
                "reason": redaction.text(one.reason),
                **args,
                **{name: told[name] for name in FILE if name in told},
            },
        }
    )


def decision_entries(asked: Approval, decision: Any, *, by: str, user: str) -> list[dict[str, Any]]:
    """Return the answer to a question that was just decided as entries: one for each call it speaks of.

    `by` is the way it came, or who gave it; `user` who that was. Whence it came the request knows.
    """
    value = question_of(asked.value)
    calls = shown_calls(value)
    parts: list[tuple[Mapping[str, Any], Any]] = [
        (call, decision_on(value, decision, str(call.get("tool_call_id")))) for call in calls
    ] or [({"tool_call_id": asked.tool_call_id, "name": asked.tool, "args": asked.args}, decision)]
    return [_decision(asked, call, one, by=by, user=user) for call, one in parts]


def overdue_entries(asked: Approval) -> list[dict[str, Any]]:
    """Return that a question was parked or escalated instead of answered, as entries: one for each call."""
    told = decision_entries(asked, {"type": asked.on_timeout}, by=CLOCK, user="")
    return [{**one, "id": str(uuid5(UUID(one["id"]), asked.on_timeout))} for one in told]


def _decision(asked: Approval, call: Mapping[str, Any], one: Any, *, by: str, user: str) -> dict[str, Any]:
    answer = one if isinstance(one, Mapping) else {}
    args, edited = call.get("args"), final_args(answer, str(call.get("name")), {})
    took = (asked.decided_at - asked.asked_at).total_seconds() if asked.decided_at else None
    artel = question_of(asked.value).get("artel")
    return _stated(
        {
            "id": str(uuid5(asked.approval_id, str(call.get("tool_call_id")))),
            "kind": "decision",
            "at": said(asked.decided_at or datetime.now(UTC)),
            "owner": asked.owner,
            "user": user,
            "by": by,
            **({"surface": "clock"} if by == CLOCK else carried.origin()),
            "agent": artel.get("agent") if isinstance(artel, Mapping) else None,
            "thread_id": str(asked.thread_id),
            "run_id": str(asked.run_id),
            "approval_id": str(asked.approval_id),
            "interrupt_id": asked.interrupt_id,
            "tool": str(call.get("name") or "")[:LONGEST_NAME],
            "tool_call_id": str(call.get("tool_call_id") or "")[:LONGEST_NAME],
            "decision": redaction.text(answer.get("type", "other")),
            "response_s": None if took is None else round(took, 3),
            "said": {
                **_args(args if isinstance(args, Mapping) else {}),
                **({"edited": _args(edited)} if edited else {}),
                "message": redaction.text(answer.get("message", "")),
                "answer_sha": redaction.digest(one),
            },
        }
    )


def grant_entry(grant: Granted, came_to: str, *, user: str) -> dict[str, Any]:
    """Return the entry of a grant that was given, or revoked."""
    covers = [Covers.model_validate(one) for one in grant.covers["calls"]]
    return _stated(
        {
            "id": str(uuid5(grant.grant_id, came_to)),
            "kind": "grant",
            "at": said(datetime.now(UTC)),
            "owner": grant.owner,
            "user": user,
            **carried.origin(),
            "agent": grant.agent,
            "thread_id": str(grant.thread_id) if grant.thread_id else None,
            "approval_id": str(grant.approval_id) if grant.approval_id else None,
            "grant_id": str(grant.grant_id),
            "scope": grant.scope,
            "tool": grant.tool[:LONGEST_NAME],
            "status": came_to,
            "said": {
                "summary": redaction.text(covered(grant.tool, covers)),
                **({"workspace": grant.workspace} if grant.workspace else {}),
                **({"expires_at": said(grant.expires_at)} if grant.expires_at else {}),
            },
        }
    )


def resolved_entry(entry: Resolved, *, thread_id: UUID, owner: str, user: str) -> dict[str, Any]:
    """Return the entry of a decision that a person has edited or revoked: its last edit."""
    edit = entry["edits"][-1]
    return _stated(
        {
            "id": str(new_id()),
            "kind": "decision",
            "at": edit["at"],
            "owner": owner,
            "user": user,
            "by": user,
            **carried.origin(),
            "agent": entry["agent"][:LONGEST_NAME],
            "thread_id": str(thread_id),
            "decision": "revoke" if entry["status"] == "revoked" else "edit",
            "said": {
                "summary": redaction.text(f"{entry['id']}: {entry['question']}"),
                "message": redaction.text("; ".join(entry["answer"])),
                "answer_sha": redaction.digest(entry["answer"]),
            },
        }
    )


def policy_entry(version: Version) -> dict[str, Any]:
    """Return the entry of a new version of somebody's policy."""
    return {
        "id": str(new_id()),
        "kind": "policy",
        "at": said(version.created_at),
        "owner": version.owner,
        "user": version.user_id,
        **carried.origin(),
        "version": version.version,
        "status": "back to the server's" if version.document is None else "replaced",
        "said": {"policy_sha": redaction.digest(version.document)},
    }


def _args(args: Mapping[str, Any]) -> dict[str, Any]:
    return {"args": redaction.arguments(args), "args_sha": redaction.digest(args)}


def _stated(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what is not known."""
    return {name: value for name, value in entry.items() if value not in ("", None)}
