"""What our agents are handed inside the server: the server's own handles, with ledgers in the database."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from artel.graphs.context import Handles, use
from artel.graphs.decisions import decision_on, final_args, shown_calls
from artel.graphs.ledgers import Begun, Done, EffectCall, New, Noted, Unknown
from artel.graphs.steering import Steer
from artel.server.engine.auditing import Auditor, RunAudit
from artel.storage import approvals, effects, grants, snapshots, steering
from artel.storage.asking import question_of
from artel.storage.effects import EffectKey
from artel.storage.postgres import Database
from artel.storage.runs import Run
from artel.tools.grants import Grant
from artel.tools.policy import Policy


def handles_of(
    given: Handles,
    db: Database,
    run: Run,
    auditor: Auditor,
    policy: Policy,
    cancelled: Callable[[], bool],
) -> AbstractContextManager[Handles]:
    """Hand a run the server's handles, with the ledgers of its thread and the policy of whose run it is."""
    return use(
        replace(
            given,
            approvals=StoredApprovals(db, run),
            effects=StoredEffects(db, run),
            snapshots=StoredSnapshots(db, run),
            audit=RunAudit(auditor, run),
            grants=StoredGrants(db, run),
            steering=StoredSteering(db, run),
            policy=policy,
            user=run.user_id,
            cancelled=cancelled,
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

    async def answered(self, tool_call_id: str) -> tuple[str, datetime] | None:
        """Return who answered the newest question of this call, and when."""
        async with self._db.connection() as conn:
            row = await approvals.answered(conn, self._run.thread_id, tool_call_id)
        if row is None or row.decided_at is None:
            return None
        by_client = row.decided_by in (None, "wire")
        return self._run.user_id if by_client else str(row.decided_by), row.decided_at


def _shown(value: Any, tool_call_id: str) -> Mapping[str, Any]:
    question = question_of(value)
    calls = shown_calls(question)
    return next((call for call in calls if call.get("tool_call_id") == tool_call_id), question)


class StoredGrants:
    """What the person in whose name a run goes has allowed from now on."""

    def __init__(self, db: Database, run: Run) -> None:
        self._db = db
        self._run = run

    async def standing(self, thread_id: str, workspace: str, tools: Collection[str]) -> Sequence[Grant]:
        """Return the grants for calls of `tools` here, and those that hold always."""
        del thread_id
        run = self._run
        async with self._db.connection() as conn:
            found = await grants.standing(
                conn,
                owner=run.owner,
                user_id=run.user_id,
                thread_id=run.thread_id,
                workspace=workspace,
                tools=tools,
            )
        return [grant_of(one) for one in found]

    async def given(self, grant: Grant) -> None:
        """Do nothing: the row is written with the answer."""

    async def used(self, grant_ids: Collection[str]) -> None:
        """Note that grants have let a call through."""
        run, ids = self._run, [UUID(one) for one in grant_ids]
        async with self._db.connection() as conn:
            await grants.used(conn, ids, owner=run.owner, user_id=run.user_id)


def grant_of(row: grants.Granted) -> Grant:
    """Return a stored grant as calls are judged by it."""
    return Grant(
        grant_id=str(row.grant_id),
        scope=row.scope,
        tool=row.tool,
        covers=row.covers["calls"],
        agent=row.agent,
        thread_id=str(row.thread_id or ""),
        workspace=row.workspace or "",
        expires_at=row.expires_at,
    )


class StoredSteering:
    """What was said to a run while it is on."""

    def __init__(self, db: Database, run: Run) -> None:
        self._db = db
        self._run = run

    async def take(self, checkpoint_ns: str) -> Sequence[Steer]:
        """Return what this step of the run takes: it is the step's, also when it is begun again."""
        run = self._run
        async with self._db.connection() as conn:
            taken = await steering.take(
                conn, run.thread_id, user_id=run.user_id, run_id=run.run_id, taken_in=checkpoint_ns
            )
        return [Steer(str(one.steering_id), one.text) for one in taken]


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

    async def has_begun(self, call: EffectCall) -> bool:
        """Return whether an earlier attempt at this very call was let through."""
        async with self._db.connection() as conn:
            return await effects.has_begun(conn, _key(call))


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
