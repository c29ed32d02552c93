"""What people answered, counted: by rule, tool or agent, and which calls they always let through."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from artel.storage.postgres import Connection

By = Literal["rule", "tool", "agent"]

ENOUGH = 20  # times that a call was approved without a no
MOST_GROUPS = 1_000


@dataclass(frozen=True, slots=True)
class Rate:
    """How calls of one group were answered."""

    name: str
    "Of the rule, tool or agent; empty: not known."
    asked: int
    approved: int
    "As they were asked for."
    edited: int
    rejected: int
    timed_out: int
    superseded: int
    pending: int
    approve_rate: float | None
    "Of those that somebody answered: approved or edited."
    waited_p50_s: float | None
    waited_p95_s: float | None
    reverted: int
    "Of those approved or edited: what they changed is undone."
    reverted_rate: float | None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Calls that were always approved: a grant for them would have asked for nothing less."""

    tool: str
    agent: str
    covers: str
    "What they have in common: action and folder, command and first word."
    approved: int
    rejected: int


# One row for each call of a question. What a change became is told by the undos of its thread, newest first:
# one that was itself undone by a later one counts for nothing.
CALLS = """
with recursive calls as (
    select a.approval_id, a.thread_id, a.run_id, a.asked_at, a.decided_at, a.answer_run_id, a.agent,
           c.call ->> 'tool' as tool, c.call ->> 'rule' as rule, c.call ->> 'covers' as covers,
           c.call ->> 'tool_call_id' as tool_call_id,
           case when a.decision is null then a.status
                when a.decided_by = 'timeout' then 'timeout'
                when jsonb_typeof(a.decision -> 'decisions') = 'array'
                then coalesce(a.decision -> 'decisions' -> (c.n - 1)::int ->> 'type', 'reject')
                else coalesce(a.decision ->> 'type', 'reject') end as outcome
      from approvals a cross join lateral jsonb_array_elements(a.calls) with ordinality c (call, n)
     where a.owner = %(owner)s and (%(since)s::text is null or a.asked_at >= %(since)s::timestamptz)
       and (%(threads)s::uuid[] is null or a.thread_id = any(%(threads)s))
       and (%(allowed)s::jsonpath is null
            or exists (select 1 from threads t
                        where t.thread_id = a.thread_id and t.metadata @@ %(allowed)s::jsonpath))
), undos as (
    select thread_id, change_id, undoes,
           row_number() over (partition by thread_id order by change_id desc) as n
      from snapshots where undoes <> '{}' and after is not null
                       and thread_id in (select thread_id from calls)
), walk as (
    select distinct thread_id, 0::bigint as n, '{}'::uuid[] as undone from undos
    union all
    select w.thread_id, u.n, case when u.change_id = any(w.undone) then w.undone else w.undone || u.undoes end
      from walk w join undos u on u.thread_id = w.thread_id and u.n = w.n + 1
), standing as (
    select distinct on (thread_id) thread_id, undone from walk order by thread_id, n desc
), answered as (
    select calls.*, outcome in ('approve', 'edit') as yes,
           outcome not in ('pending', 'superseded', 'timeout') as by_person,
           exists (select 1 from snapshots s join standing using (thread_id)
                    where s.thread_id = calls.thread_id and s.run_id = calls.answer_run_id
                      and s.tool_call_id = calls.tool_call_id
                      and s.change_id = any(standing.undone)) as undone
      from calls
)
"""

RATES = (
    CALLS
    + """
select coalesce(case %(by)s::text when 'rule' then rule when 'tool' then tool else agent end, '') as name,
       count(*) as asked,
       count(*) filter (where outcome = 'approve') as approved,
       count(*) filter (where outcome = 'edit') as edited,
       count(*) filter (where by_person and not yes) as rejected,
       count(*) filter (where outcome = 'timeout') as timed_out,
       count(*) filter (where outcome = 'superseded') as superseded,
       count(*) filter (where outcome = 'pending') as pending,
       (count(*) filter (where yes))::float8 / nullif(count(*) filter (where by_person), 0) as approve_rate,
       percentile_cont(0.5) within group (order by extract(epoch from decided_at - asked_at)::float8)
           filter (where by_person) as waited_p50_s,
       percentile_cont(0.95) within group (order by extract(epoch from decided_at - asked_at)::float8)
           filter (where by_person) as waited_p95_s,
       count(*) filter (where yes and undone) as reverted,
       (count(*) filter (where yes and undone))::float8 / nullif(count(*) filter (where yes), 0)
           as reverted_rate
  from answered group by 1 order by asked desc, name limit %(most)s
"""
)

SUGGESTIONS = (
    CALLS
    + """
select tool, coalesce(agent, '') as agent, covers, count(*) filter (where outcome = 'approve') as approved,
       count(*) filter (where by_person and not yes) as rejected
  from answered where tool is not null and covers <> ''
 group by tool, agent, covers
having count(*) filter (where outcome = 'approve') >= %(enough)s
   and not bool_or(by_person and outcome <> 'approve') and not bool_or(yes and undone)
 order by approved desc, tool, covers limit %(most)s
"""
)


async def rates(
    conn: Connection, *, owner: str, by: By, since: datetime | None = None, allowed: str | None = None
) -> list[Rate]:
    """Return how calls were answered that an owner was asked about since a moment, most asked first.

    `allowed` limits them by their threads' metadata.
    """
    values = _values(owner, since, allowed) | {"by": by}
    return [Rate(**row) for row in await (await conn.execute(RATES, values)).fetchall()]


async def suggestions(
    conn: Connection, *, owner: str, since: datetime | None = None, allowed: str | None = None
) -> list[Suggestion]:
    """Return calls approved ENOUGH times as they were, without a no, an edit or an undo."""
    values = _values(owner, since, allowed) | {"enough": ENOUGH}
    return [Suggestion(**row) for row in await (await conn.execute(SUGGESTIONS, values)).fetchall()]


def _values(owner: str, since: datetime | None, allowed: str | None) -> dict[str, object]:
    moment = since.isoformat() if since else None
    return {"owner": owner, "since": moment, "allowed": allowed, "threads": None, "most": MOST_GROUPS}
