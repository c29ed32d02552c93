"""What calls of models used and cost: added up by run, thread, agent, model, step or day."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.postgres import Connection

By = Literal["run", "thread", "agent", "model", "step", "day"]

MOST_GROUPS = 1_000
MOST = 2**31 - 1  # of an integer in a row


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a model that was answered."""

    run_id: UUID
    call_id: UUID
    thread_id: UUID
    owner: str
    agent: str
    model: str
    step: int
    took_ms: int
    input_tokens: int
    cached_tokens: int
    cache_written: int
    output_tokens: int
    thought: int
    usd: float | None
    plan_step: str = ""
    "Id of the step of a plan that it was made for; empty: of none."


@dataclass(frozen=True, slots=True)
class Sum:
    """Calls added up."""

    key: str
    "Of the group; empty for all together."
    calls: int
    input_tokens: int
    "All that was given, what is cached among it."
    cached_tokens: int
    "Found in the provider's cache."
    cache_written: int
    output_tokens: int
    thought: int
    "Of these, not shown as an answer."
    cache_share: float | None
    "Of the input."
    usd: float | None
    "Of the calls whose price is known; null: of none."
    unpriced: int
    "Calls whose price nobody knows; `usd` is without them."
    took_s: float


ADD = """
insert into usage (run_id, call_id, thread_id, owner, agent, model, step, took_ms, input_tokens,
                   cached_tokens, cache_written, output_tokens, thought, usd, plan_step)
select * from jsonb_to_recordset(%(calls)s) as
    c (run_id uuid, call_id uuid, thread_id uuid, owner text, agent text, model text, step int, took_ms int,
       input_tokens int, cached_tokens int, cache_written int, output_tokens int, thought int, usd float8,
       plan_step text)
on conflict do nothing
"""

SUMS = """
with fitting as (
    select u.*, case %(by)s when 'run' then u.run_id::text when 'thread' then u.thread_id::text
                            when 'agent' then u.agent when 'model' then u.model
                            when 'step' then u.run_id || '/' || coalesce(
                                'plan/' || nullif(u.plan_step, ''), u.step::text)
                            when 'day' then to_char(u.called_at at time zone 'UTC', 'YYYY-MM-DD')
                            else '' end as key
      from usage u
     where u.owner = %(owner)s
       and (%(thread_id)s::uuid is null or u.thread_id = %(thread_id)s)
       and (%(run_id)s::uuid is null or u.run_id = %(run_id)s)
       and (%(since)s::timestamptz is null or u.called_at >= %(since)s)
       and (%(until)s::timestamptz is null or u.called_at < %(until)s)
       and (%(allowed)s::jsonpath is null
            or exists (select 1 from threads t
                        where t.thread_id = u.thread_id and t.metadata @@ %(allowed)s::jsonpath))
)
select key, count(*)::int as calls, coalesce(sum(input_tokens), 0)::bigint as input_tokens,
       coalesce(sum(cached_tokens), 0)::bigint as cached_tokens,
       coalesce(sum(cache_written), 0)::bigint as cache_written,
       coalesce(sum(output_tokens), 0)::bigint as output_tokens,
       coalesce(sum(thought), 0)::bigint as thought,
       round(sum(cached_tokens)::numeric / nullif(sum(input_tokens), 0), 4)::float8 as cache_share,
       round(sum(usd)::numeric, 8)::float8 as usd,
       count(*) filter (where usd is null)::int as unpriced,
       round(coalesce(sum(took_ms), 0) / 1000.0, 3)::float8 as took_s
  from fitting group by key order by max(called_at) desc, key limit %(limit)s
"""


async def add(conn: Connection, calls: Sequence[Call]) -> None:
    """Write calls; one that is there already stays as it is."""
    await conn.execute(ADD, {"calls": Jsonb([_row(call) for call in calls])})


def _row(call: Call) -> dict[str, object]:
    return {
        name: min(value, MOST) if isinstance(value, int) else str(value) if isinstance(value, UUID) else value
        for name, value in asdict(call).items()
    }


async def sums(
    conn: Connection,
    *,
    owner: str,
    by: By | None = None,
    thread_id: UUID | None = None,
    run_id: UUID | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    allowed: str | None = None,
    limit: int = 100,
) -> list[Sum]:
    """Return what an owner's calls used, in groups with the latest first; without `by` all in one, or none.

    `allowed`, a jsonpath, limits them by the metadata of their threads: not those of deleted ones.
    """
    values = {
        "owner": owner,
        "by": by or "",
        "thread_id": thread_id,
        "run_id": run_id,
        "since": since,
        "until": until,
        "allowed": allowed,
        "limit": min(limit, MOST_GROUPS),
    }
    return [Sum(**row) for row in await (await conn.execute(SUMS, values)).fetchall()]
