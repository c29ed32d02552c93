"""What our agents are handed inside the server: the server's own handles, with ledgers in the database."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any
from uuid import UUID

from artel.graphs.context import Handles, use
from artel.graphs.decisions import decision_on, final_args, shown_calls
from artel.graphs.ledgers import Begun, Done, EffectCall, New, Noted, Unknown
from artel.server.engine.auditing import Auditor, RunAudit
from artel.storage import approvals, effects, snapshots
from artel.storage.asking import question_of
from artel.storage.effects import EffectKey
from artel.storage.postgres import Database
from artel.storage.runs import Run


def handles_of(given: Handles, db: Database, run: Run, auditor: Auditor) -> AbstractContextManager[Handles]:
    """Hand a run the server's handles, with the ledgers of its thread."""
    return use(
        replace(
            given,
            approvals=StoredApprovals(db, run),
            effects=StoredEffects(db, run),
            snapshots=StoredSnapshots(db, run),
            audit=RunAudit(auditor, run),
        )
    )


class StoredApprovals:
    """Who allowed what on the thread of a run."""

    def __init__(self, db: Database, run: Run) -> None:
        self._db = db
        self._run = run

    async def asked(self, tool_call_id: str, value: Mapping[str, Any]) -> None:
        """Do nothing: the row is written with the ending of the run that asks."""

    async def approved(
        self, tool_call_id: str, name: str, args: Mapping[str, Any]
    ) -> Mapping[str, Any] | None:
        """Return what was shown for this very call when a yes to it stands."""
        async with self._db.connection() as conn:
            row = await approvals.approved(conn, self._run.thread_id, tool_call_id, run_id=self._run.run_id)
        if row is None:
            return None
        decision = decision_on(row.value, row.decision, tool_call_id)
        shown = _shown(row.value, tool_call_id)
        allowed = final_args(decision, name, shown.get("args") or {})
        return shown if allowed is not None and dict(allowed) == dict(args) else None


def _shown(value: Any, tool_call_id: str) -> Mapping[str, Any]:
    question = question_of(value)
    calls = shown_calls(question)
    return next((call for call in calls if call.get("tool_call_id") == tool_call_id), question)


class StoredEffects:
    """What tools did to the world on the thread of a run."""

    def __init__(self, db: Database, run: Run) -> None:
        self._db = db
        self._run = run

    async def begin(self, call: EffectCall, intent: Mapping[str, Any]) -> Begun:
        """Write the intent of a call before it runs, or say how an earlier attempt ended."""
        async with self._db.transaction() as conn:
            begun = await effects.begin(
                conn,
                _key(call),
                dict(intent),
                tool=call.tool,
                run_id=self._run.run_id,
                attempt=self._run.attempt,
            )
        match begun:
            case effects.Done(result=result):
                return Done(str(result))
            case effects.Unknown(intent=earlier):
                return Unknown(earlier)
        return New()

    async def finish(self, call: EffectCall, result: str) -> None:
        """Write the result of a call that ran."""
        async with self._db.connection() as conn:
            await effects.finish(conn, _key(call), result)


class StoredSnapshots:
    """What the files were before and after each change on the thread of a run."""

    def __init__(self, db: Database, run: Run) -> None:
        self._db = db
        self._run = run

    async def begin(self, call: EffectCall, workspace: str, before: str | None, problem: str = "") -> Noted:
        """Note what a call finds before it runs."""
        async with self._db.connection() as conn:
            change_id, found = await snapshots.begin(
                conn,
                _key(call),
                tool=call.tool,
                workspace=workspace,
                run_id=self._run.run_id,
                before=before,
                problem=problem or None,
            )
        return Noted(str(change_id), found)

    async def finish(
        self, noted: Noted, after: str | None, paths: Sequence[Mapping[str, str]], problem: str = ""
    ) -> None:
        """Note what a call has left."""
        async with self._db.connection() as conn:
            await snapshots.finish(conn, UUID(noted.change), after, paths, problem=problem or None)

    async def forget(self, noted: Noted) -> None:
        """Take back the note of a call that changed nothing."""
        async with self._db.connection() as conn:
            await snapshots.forget(conn, UUID(noted.change))


def _key(call: EffectCall) -> EffectKey:
    return EffectKey(
        thread_id=UUID(call.thread_id),
        checkpoint_ns=call.checkpoint_ns,
        parent_checkpoint_id=call.parent_checkpoint_id,
        tool_call_id=call.tool_call_id,
        args_sha=call.args_sha,
    )
