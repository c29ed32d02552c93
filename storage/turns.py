"""Turns: a request and all runs that worked on it, up to its end; what came of it, and what it was worth.

A run that carries an answer goes on with the turn of the run that asked. The worth of a turn, its reward, is
0.5 · approved + 0.3 · executed + 0.2 · quality, each from 0 to 1, from what is recorded alone:

- approved: the mean over the calls that a person was asked about and answered: 1 approved as it was, 0.5
  with other arguments, 0 otherwise or when the change was undone. Nobody was asked: 0.5.
- executed: the share of the calls made that did what they should; 1 without calls. 0 if the turn failed or
  was stopped.
- quality: the mean of the thumbs, 1 up and 0 down. None: 0.5.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from artel.storage.approval_rates import CALLS, MOST_GROUPS
from artel.storage.postgres import Connection

By = Literal["agent", "assistant", "variant"]
Status = Literal["open", "waiting", "completed", "failed", "stopped"]

# After CALLS: the calls that people were asked about, with the runs that asked.
_AFTER_CALLS = """
, chain as (
    select r.run_id as turn_id, r.thread_id, r.run_id from runs r
     where r.owner = %(owner)s and (%(since)s::text is null or r.created_at >= %(since)s::timestamptz)
       and (%(threads)s::uuid[] is null or r.thread_id = any(%(threads)s))
       and (%(experiment)s::text is null or r.metadata ->> 'experiment_id' = %(experiment)s)
       and (%(allowed)s::jsonpath is null
            or exists (select 1 from threads t
                        where t.thread_id = r.thread_id and t.metadata @@ %(allowed)s::jsonpath))
       and not exists (select 1 from approvals a
                        where a.thread_id = r.thread_id and a.answer_run_id = r.run_id)
    union
    select c.turn_id, c.thread_id, a.answer_run_id
      from chain c join approvals a on a.thread_id = c.thread_id and a.run_id = c.run_id
     where a.answer_run_id is not null
), ordered as (
    select c.turn_id, r.thread_id, r.run_id, r.graph_id, r.assistant_id, r.user_id, r.metadata, r.status,
           r.created_at, r.ended_at, count(*) over (partition by c.turn_id) as runs,
           row_number() over (partition by c.turn_id order by r.created_at, r.run_id) as n
      from chain c join runs r on r.run_id = c.run_id
), asked as (
    select c.turn_id, count(*) as asked, count(*) filter (where by_person) as answered,
           count(*) filter (where by_person and yes) as allowed,
           avg(case when undone then 0 when outcome = 'approve' then 1
                    when outcome = 'edit' then 0.5 else 0 end) filter (where by_person) as approved
      from chain c join answered a on a.thread_id = c.thread_id and a.run_id = c.run_id group by 1
), made as (
    select c.turn_id, count(*) as calls, count(*) filter (where e.entry ->> 'status' = 'ok') as done
      from chain c join audit e on e.entry ->> 'thread_id' = c.thread_id::text
                               and e.entry ->> 'run_id' = c.run_id::text and e.owner = %(owner)s
     where e.entry ->> 'kind' in ('result', 'call') group by 1
), thumbs as (
    select c.turn_id, count(*) filter (where f.score > 0) as up, count(*) filter (where f.score < 0) as down
      from chain c join feedback f on f.run_id = c.run_id group by 1
), turns as (
    select first.turn_id, first.thread_id, first.graph_id, first.assistant_id, first.user_id, first.runs,
           first.metadata ->> 'experiment_id' as experiment_id,
           first.metadata ->> 'experiment_variant' as variant,
           first.created_at as began_at, last.ended_at, last.run_id as last_run_id,
           case when last.status in ('pending', 'running') then 'open'
                when last.status in ('error', 'timeout') then 'failed'
                when last.status = 'interrupted' then 'stopped'
                when exists (select 1 from chain c join approvals a
                                    on a.thread_id = c.thread_id and a.run_id = c.run_id
                              where c.turn_id = first.turn_id and a.decision is null
                                and a.superseded_at is null) then 'waiting'
                when exists (select 1 from chain c join approvals a
                                    on a.thread_id = c.thread_id and a.run_id = c.run_id
                              where c.turn_id = first.turn_id and a.decision is null) then 'stopped'
                else 'completed' end as status
      from ordered first join ordered last on last.turn_id = first.turn_id and last.n = first.runs
     where first.n = 1
), judged as (
    select t.*, coalesce(a.asked, 0) as asked, coalesce(a.answered, 0) as answered,
           coalesce(a.allowed, 0) as allowed, coalesce(m.calls, 0) as calls, coalesce(m.done, 0) as done,
           coalesce(h.up, 0) as up, coalesce(h.down, 0) as down,
           coalesce(a.approved, 0.5)::float8 as approved,
           case when t.status = 'completed' then coalesce(m.done::float8 / m.calls, 1)
                else 0.0 end as executed,
           coalesce(h.up::float8 / nullif(h.up + h.down, 0), 0.5) as quality
      from turns t left join asked a using (turn_id) left join made m using (turn_id)
                   left join thumbs h using (turn_id)
), worth as (
    select *, case when status in ('completed', 'failed', 'stopped')
                   then 0.5 * approved + 0.3 * executed + 0.2 * quality end as reward
      from judged
)
"""

_TURNS = CALLS + _AFTER_CALLS

STATISTICS = (
    _TURNS
    + """
select coalesce(case %(by)s::text when 'agent' then graph_id when 'assistant' then assistant_id::text
                                  else experiment_id || '/' || variant end, '') as name,
       count(*) as turns, count(*) filter (where status = 'completed') as completed,
       count(*) filter (where status = 'failed') as failed,
       count(*) filter (where status = 'stopped') as stopped,
       count(*) filter (where status in ('open', 'waiting')) as unfinished,
       (count(*) filter (where status = 'completed'))::float8 / nullif(count(reward), 0) as completion_rate,
       (count(*) filter (where status = 'failed'))::float8 / nullif(count(reward), 0) as error_rate,
       sum(up)::int as thumbs_up, sum(down)::int as thumbs_down,
       sum(up)::float8 / nullif(sum(up + down), 0) as up_rate,
       sum(down)::float8 / nullif(sum(up + down), 0) as down_rate,
       sum(asked)::int as asked, sum(allowed)::float8 / nullif(sum(answered), 0) as approval_rate,
       sum(calls)::int as calls, sum(done)::float8 / nullif(sum(calls), 0) as executed_rate,
       avg(reward) as reward
  from worth group by 1 order by turns desc, name limit %(most)s
"""
)

_JUDGED = """
select turn_id, thread_id, last_run_id,
       (select array_agg(o.run_id order by o.n) from ordered o where o.turn_id = worth.turn_id) as run_ids,
       graph_id, assistant_id, user_id, status, began_at, ended_at, asked, answered, calls, up, down,
       approved, executed, quality, reward
  from worth order by began_at, turn_id
"""

JUDGED = _TURNS + _JUDGED

# Turns of one thread are like each other: a thread counts once, with the mean of its turns.
OUTCOMES = (
    _TURNS
    + """
select variant, avg(reward) as reward,
       avg(case when status = 'failed' then 1.0 else 0.0 end)::float8 as failed,
       sum(up)::int as up, sum(down)::int as down
  from worth where reward is not null and variant is not null
 group by variant, thread_id order by min(began_at), thread_id
"""
)

# `before` is the checkpoint that a run found; none: it was the first of its thread.
SPANS = """
select r.run_id, max(c.checkpoint_id) as last,
       (array_agg(c.parent_checkpoint_id order by c.checkpoint_id))[1] as before
  from runs r join checkpoints c on c.thread_id = r.thread_id::text and c.checkpoint_ns = ''
                                and c.metadata ->> 'run_id' = r.run_id::text
 where r.thread_id = %(thread_id)s and r.owner = %(owner)s
 group by r.run_id, r.created_at order by r.created_at, r.run_id
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """How turns of one group went. Rates are of the turns that have ended; None: there were none."""

    name: str
    "Of the agent, the id of the assistant, or `experiment/variant`; empty: none."
    turns: int
    completed: int
    failed: int
    stopped: int
    "By a person, or set aside by a new request."
    unfinished: int
    "Running, or waiting for somebody: no rate counts them."
    completion_rate: float | None
    error_rate: float | None
    thumbs_up: int
    thumbs_down: int
    up_rate: float | None
    "Of the thumbs."
    down_rate: float | None
    asked: int
    "Calls that a person was asked about."
    approval_rate: float | None
    "Of the calls that somebody answered: approved, or with other arguments."
    calls: int
    "Calls of tools that were made."
    executed_rate: float | None
    "Of the calls made: they did what they should."
    reward: float | None


@dataclass(frozen=True, slots=True)
class Turn:
    """A turn and its worth."""

    turn_id: UUID
    "Its first run."
    thread_id: UUID
    last_run_id: UUID
    run_ids: list[UUID]
    graph_id: str
    assistant_id: UUID
    user_id: str
    "Who asked for its first run."
    status: Status
    began_at: datetime
    ended_at: datetime | None
    asked: int
    answered: int
    calls: int
    up: int
    down: int
    approved: float
    executed: float
    quality: float
    reward: float | None
    "None: it has not ended."


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a thread went that is part of an experiment: means over its turns."""

    variant: str
    reward: float
    failed: float
    up: int
    down: int


@dataclass(frozen=True, slots=True)
class Span:
    """Between which checkpoints a run moved its thread."""

    run_id: UUID
    before: str | None
    last: str


async def statistics(
    conn: Connection, *, owner: str, by: By, since: datetime | None = None, allowed: str | None = None
) -> list[Figures]:
    """Return how an owner's turns went that began since a moment, most first.

    `allowed` limits them by the metadata of their threads.
    """
    values = _values(owner, since=since, allowed=allowed) | {"by": by}
    return [Figures(**row) for row in await (await conn.execute(STATISTICS, values)).fetchall()]


async def judged(conn: Connection, thread_ids: Collection[UUID], *, owner: str) -> list[Turn]:
    """Return the turns of threads, oldest first, each with its worth."""
    values = _values(owner, threads=list(thread_ids))
    return [Turn(**row) for row in await (await conn.execute(JUDGED, values)).fetchall()]


async def outcomes(
    conn: Connection, experiment_id: UUID, *, owner: str, since: datetime | None = None
) -> list[Outcome]:
    """Return how the threads of an experiment went that have ended turns, oldest first.

    `since`, when it began, keeps the statement from looking at what was before.
    """
    values = _values(owner, experiment=str(experiment_id), since=since)
    return [Outcome(**row) for row in await (await conn.execute(OUTCOMES, values)).fetchall()]


async def spans(conn: Connection, thread_id: UUID, *, owner: str) -> list[Span]:
    """Return where each run of a thread moved it, oldest first, but of those pruned."""
    rows = await (await conn.execute(SPANS, {"thread_id": thread_id, "owner": owner})).fetchall()
    return [Span(**row) for row in rows]


def _values(
    owner: str,
    *,
    since: datetime | None = None,
    allowed: str | None = None,
    threads: list[UUID] | None = None,
    experiment: str | None = None,
) -> dict[str, Any]:
    return {
        "owner": owner,
        "since": since.isoformat() if since else None,
        "allowed": allowed,
        "threads": threads,
        "experiment": experiment,
        "most": MOST_GROUPS,
    }
