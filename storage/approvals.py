"""The approvals ledger: what people were asked, and what they answered.

The first valid answer wins, from any surface. A question is open until it is decided, or set aside by new
input; one with a time limit can be answered before that moment, at it and after it only the clock decides.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.asking import about
from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.sealing import Sealer
from artel.storage.sealing.questions import seal_decision, seal_question

Kind = Literal["tool_call", "question", "plan", "foreign"]
Ending = Literal["reject", "escalate", "park"]
Status = Literal["pending", "approved", "rejected", "timeout", "superseded"]

CLOCK = "timeout"  # who decides when nobody did in time


class UnknownApproval(NotFound):
    """This owner was asked nothing with that id."""


class AlreadyDecided(Conflict):
    """An approval was answered before; the first answer stands."""

    code = "already_decided"


class Expired(Conflict):
    """The time for an answer is over."""

    code = "expired"


class Superseded(Conflict):
    """The question was set aside by newer input."""

    code = "superseded"


@dataclass(frozen=True, slots=True)
class Approval:
    """A question to a person, and its answer."""

    approval_id: UUID
    thread_id: UUID
    run_id: UUID  # the run that asked
    interrupt_id: str
    namespace: str
    kind: Kind
    tool_call_id: str | None
    tool: str | None
    args: dict[str, Any] | None
    value: Any  # as the graph asked
    owner: str
    asked_at: datetime
    expires_at: datetime | None
    decision: Any
    decided_at: datetime | None
    decided_by: str | None
    answer_run_id: UUID | None  # the run that carries the answer
    superseded_at: datetime | None
    status: Status
    agent: str | None = None
    calls: list[dict[str, Any]] = field(default_factory=list)  # tool, rule and tool_call_id of each
    on_timeout: Ending = "reject"
    escalate_to: list[str] = field(default_factory=list)
    escalated_at: datetime | None = None  # since then those users may see and answer it
    parked_at: datetime | None = None  # since then it waits without a limit
    sealed_with: Mapping[str, Any] = field(default_factory=dict)  # the context for what follows from it

    @property
    def open(self) -> bool:
        """Whether it can still be decided."""
        return self.status == "pending"


ASK = """
insert into approvals (approval_id, thread_id, run_id, interrupt_id, namespace, kind, tool_call_id, tool,
                       args, value, owner, asked_at, expires_at, agent, calls, on_timeout, escalate_to)
select %(approval_id)s, %(thread_id)s, %(run_id)s, %(interrupt_id)s, %(namespace)s, %(kind)s,
       %(tool_call_id)s, %(tool)s, %(args)s, %(value)s, %(owner)s, clock_timestamp(),
       clock_timestamp() + make_interval(secs => %(expires_in_s)s::float8), %(agent)s, %(calls)s,
       %(on_timeout)s, %(escalate_to)s
 where not exists (select 1 from approvals a left join runs r on r.run_id = a.answer_run_id
                    where a.thread_id = %(thread_id)s and a.interrupt_id = %(interrupt_id)s
                      and a.superseded_at is null
                      and (a.decision is null
                           or (r.run_id <> %(run_id)s and r.status in ('pending', 'running'))))
on conflict (thread_id, interrupt_id, run_id) do nothing
returning *
"""

DECIDE = """
update approvals
   set decision = %(decision)s, decided_at = clock_timestamp(), decided_by = %(by)s
 where approval_id = %(approval_id)s and owner = %(owner)s and decision is null and superseded_at is null
   and (expires_at is null or expires_at > clock_timestamp() or %(by)s = 'timeout')
returning *
"""

ANSWERED_BY = "update approvals set answer_run_id = %(run_id)s where approval_id = %(approval_id)s"

# It is seen by its owner, as far as they may see its thread, and by whoever it was escalated to.
GET = """
select a.* from approvals a
 where approval_id = %(approval_id)s
   and ((owner = %(owner)s
         and (%(allowed)s::jsonpath is null
              or exists (select 1 from threads t
                          where t.thread_id = a.thread_id and t.metadata @@ %(allowed)s::jsonpath)))
        or (escalated_at is not null and %(user)s::text = any(escalate_to)))
"""

OPEN_OF_THREAD = """
select * from approvals
 where thread_id = %(thread_id)s and decision is null and superseded_at is null
 order by asked_at, approval_id
"""

DECIDED = """
select exists (select 1 from approvals
                where thread_id = %(thread_id)s and interrupt_id = %(interrupt_id)s
                  and decision is not null) as found
"""

# The owner's in the order of their index, and the few that were escalated to the user
SEARCH = """
with fitting as not materialized (
    select a.approval_id, a.asked_at, a.owner, a.thread_id, a.escalated_at, a.escalate_to from approvals a
     where (%(status)s::text is null or status = %(status)s)
       and (%(thread_id)s::uuid is null or thread_id = %(thread_id)s)
       and (%(tool)s::text is null or calls @> jsonb_build_array(jsonb_build_object('tool', %(tool)s::text)))
       and (%(agent)s::text is null or agent = %(agent)s)
), found as (
    (select approval_id, asked_at from fitting
      where owner = %(owner)s
        and (%(allowed)s::jsonpath is null
             or exists (select 1 from threads t
                         where t.thread_id = fitting.thread_id and t.metadata @@ %(allowed)s::jsonpath))
      order by asked_at desc, approval_id desc limit %(limit)s::int + %(offset)s::bigint)
    union
    select approval_id, asked_at from fitting
     where escalated_at is not null and escalate_to @> array[%(user)s::text]
)
select a.* from found join approvals a using (approval_id)
 order by found.asked_at desc, approval_id desc limit %(limit)s offset %(offset)s
"""

SUPERSEDE = """
update approvals set superseded_at = clock_timestamp()
 where thread_id = %(thread_id)s and decision is null and superseded_at is null
"""

# The newest question about a call decides: models repeat ids, and an old yes says nothing about a new call.
# An answer that another run still has to carry is no answer for this one.
APPROVED = """
select * from (
    select a.* from approvals a
     where a.thread_id = %(thread_id)s
       and (a.tool_call_id = %(tool_call_id)s
            or jsonb_path_exists(a.value, '$.artel.calls[*] ? (@.tool_call_id == $id)', %(vars)s))
     order by a.asked_at desc, a.approval_id desc limit 1) newest
 where status = 'approved'
   and not exists (select 1 from runs r where %(run_id)s::uuid is not null and r.run_id = newest.answer_run_id
                                          and r.run_id <> %(run_id)s and r.status in ('pending', 'running'))
"""

CARRIED = """
select * from approvals
 where answer_run_id = any(%(run_ids)s) and owner = %(owner)s and status = 'approved'
"""

ANSWERED = """
select * from approvals
 where thread_id = %(thread_id)s and tool_call_id = %(tool_call_id)s and decision is not null
 order by decided_at desc, approval_id desc limit 1
"""

DELETE_OF_RUN = "delete from approvals where run_id = %(run_id)s"


async def ask(
    conn: Connection,
    *,
    thread_id: UUID,
    run_id: UUID,
    interrupt_id: str,
    value: Any,
    owner: str,
    namespace: str = "",
    expires_in_s: float | None = None,
) -> list[Approval]:
    """Write a question; return it, or nothing when a row for it is open, or this run asked it before.

    Nothing, too, while another run carries an answer to it that this one has not seen.

    What it is about (kind, tool, arguments, agent), and what follows when nobody answers in time, is read
    from the interrupt's value.
    """
    told = about(value)
    if conn.sealer:
        told["args"] = await conn.sealer.seal("approval", "args", told["args"]) if told["args"] else None
        told["calls"] = [{name: one[name] for name in one if name != "covers"} for one in told["calls"]]
        value = await seal_question(conn.sealer, value)
    values = {
        "approval_id": new_id(),
        "thread_id": thread_id,
        "run_id": run_id,
        "interrupt_id": interrupt_id,
        "namespace": namespace,
        "value": Jsonb(value),
        "owner": owner,
        "expires_in_s": expires_in_s,
        **told,
        "args": None if told["args"] is None else Jsonb(told["args"]),
        "calls": Jsonb(told["calls"]),
    }
    return await _all(conn, ASK, values)


async def decide(conn: Connection, approval_id: UUID, decision: Any, *, by: str, owner: str) -> Approval:
    """Record the first answer to a question, which the caller has checked; of two at once one is recorded.

    `by` CLOCK may decide after the time limit, everybody else only before it.

    Raises:
        UnknownApproval: this owner was asked nothing with that id.
        AlreadyDecided: another answer came first.
        Superseded: newer input set the question aside.
        Expired: the time is over.
    """
    if conn.sealer:
        decision = await seal_decision(conn.sealer, decision)
    values = {"approval_id": approval_id, "decision": Jsonb(decision), "by": by, "owner": owner}
    if decided := await _all(conn, DECIDE, values):
        return decided[0]
    asked = await get(conn, approval_id, owner=owner)
    if asked.decision is not None:
        raise AlreadyDecided(f"approval {approval_id} was answered before, by {asked.decided_by}")
    if asked.superseded_at is not None:
        raise Superseded(f"approval {approval_id} was set aside by newer input")
    raise Expired(f"approval {approval_id} could be answered until {asked.expires_at}")


async def answered_by(conn: Connection, approval_id: UUID | str, run_id: UUID) -> None:
    """Note which run carries the answer to the graph."""
    await conn.execute(ANSWERED_BY, {"approval_id": approval_id, "run_id": run_id})


async def get(
    conn: Connection, approval_id: UUID, *, owner: str, allowed: str | None = None, user: str | None = None
) -> Approval:
    """Return a question of an owner, or one that was escalated to `user`.

    Raises:
        UnknownApproval: this owner was asked nothing with that id.
    """
    values = {"approval_id": approval_id, "owner": owner, "allowed": allowed, "user": user}
    found = await _all(conn, GET, values)
    if not found:
        raise UnknownApproval(f"no approval {approval_id}")
    return found[0]


async def open_of_thread(conn: Connection, thread_id: UUID) -> list[Approval]:
    """Return the open questions of a thread, in the order they were asked."""
    return await _all(conn, OPEN_OF_THREAD, {"thread_id": thread_id})


async def decided(conn: Connection, thread_id: UUID, interrupt_id: str) -> bool:
    """Say whether this question of a thread was answered before."""
    cursor = await conn.execute(DECIDED, {"thread_id": thread_id, "interrupt_id": interrupt_id})
    row = await cursor.fetchone()
    return bool(row and row["found"])


async def search(
    conn: Connection,
    *,
    owner: str,
    status: Status | None = None,
    thread_id: UUID | None = None,
    limit: int = 100,
    offset: int = 0,
    allowed: str | None = None,
    user: str | None = None,
    tool: str | None = None,
    agent: str | None = None,
) -> list[Approval]:
    """Return the questions an owner was asked, and those escalated to `user`, newest first.

    `allowed` limits the owner's by their threads' metadata.
    """
    values = {
        "owner": owner,
        "status": status,
        "thread_id": thread_id,
        "limit": limit,
        "offset": offset,
        "allowed": allowed,
        "user": user,
        "tool": tool,
        "agent": agent,
    }
    return await _all(conn, SEARCH, values)


async def supersede(conn: Connection, thread_id: UUID) -> None:
    """Set aside what is open on a thread: new input means that nobody waits for it."""
    await conn.execute(SUPERSEDE, {"thread_id": thread_id})


async def opened(sealer: Sealer, asked: Approval) -> Approval:
    """Return a question with everything opened that is sealed of it.

    Raises:
        CannotOpen: it cannot be.
    """
    args, value, decision = await sealer.open([asked.args, asked.value, asked.decision])
    context = sealer.context_of(asked.value)
    return replace(asked, args=args, value=value, decision=decision, sealed_with=context)


async def approved(
    conn: Connection, thread_id: UUID, tool_call_id: str, *, run_id: UUID | None = None
) -> Approval | None:
    """Return the newest question about a call if the answer to it was an approve or an edit.

    With `run_id`, the run about to act: an answer that another run still has to carry does not count.
    """
    values = {
        "thread_id": thread_id,
        "tool_call_id": tool_call_id,
        "vars": Jsonb({"id": tool_call_id}),
        "run_id": run_id,
    }
    found = await _all(conn, APPROVED, values)
    return found[0] if found else None


async def answered(conn: Connection, thread_id: UUID, tool_call_id: str) -> Approval | None:
    """Return what was answered last about a call, whatever the answer was."""
    found = await _all(conn, ANSWERED, {"thread_id": thread_id, "tool_call_id": tool_call_id})
    return found[0] if found else None


async def carried(conn: Connection, run_ids: Sequence[UUID], *, owner: str) -> list[Approval]:
    """Return what an owner approved, to be carried out by one of these runs."""
    return await _all(conn, CARRIED, {"run_ids": list(run_ids), "owner": owner})


async def delete_of_run(conn: Connection, run_id: UUID) -> None:
    """Remove what a run asked."""
    await conn.execute(DELETE_OF_RUN, {"run_id": run_id})


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[Approval]:
    found = [Approval(**row) for row in await (await conn.execute(query, values)).fetchall()]
    return [await opened(conn.sealer, one) for one in found] if conn.sealer else found
