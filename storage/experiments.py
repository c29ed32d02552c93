"""Experiments: other configurations of an assistant that some of its threads get.

Which one a thread gets follows from the ids of experiment and thread alone, so it is the same in every run.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from uuid import UUID

from psycopg.errors import UniqueViolation
from psycopg.types.json import Jsonb

from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection

Status = Literal["running", "stopped", "rolled_back"]

CONTROL = "control"


class UnknownExperiment(NotFound):
    """This owner has no such experiment."""


class ExperimentRuns(Conflict):
    """An assistant has one experiment at a time."""

    code = "experiment_runs"


class ExperimentOver(Conflict):
    """What has ended does not begin again: begin a new one."""

    code = "experiment_over"


@dataclass(frozen=True, slots=True)
class Variant:
    """What is different for some threads."""

    name: str
    weight: int
    context: dict[str, Any]
    "Takes the place of what the assistant's context says: `model`, `instructions` …"


@dataclass(frozen=True, slots=True)
class Experiment:
    """An assistant as it is, and variants of it."""

    experiment_id: UUID
    owner: str
    user_id: str
    assistant_id: UUID
    name: str
    control: int
    "The weight of the assistant as it is."
    variants: tuple[Variant, ...]
    min_threads: int
    "Threads on either side before the first look."
    alpha: float
    "How likely, at most, a variant that is no worse is rolled back, over the whole experiment."
    looks: dict[str, int]
    "Looks made, by variant."
    dropped: dict[str, Any]
    "Why a variant was rolled back: its threads get the assistant as it is."
    status: Status
    started_at: datetime
    ended_at: datetime | None

    def variant_of(self, thread_id: UUID) -> Variant:
        """Return what a thread gets; `control` is the assistant as it is."""
        as_it_is = Variant(CONTROL, self.control, {})
        total = self.control + sum(one.weight for one in self.variants)
        place = int.from_bytes(sha256(self.experiment_id.bytes + thread_id.bytes).digest()[:8], "big") % total
        for one in (as_it_is, *self.variants):
            if place < one.weight:
                return as_it_is if one.name in self.dropped else one
            place -= one.weight
        return as_it_is


ADD = """
insert into experiments (experiment_id, owner, user_id, assistant_id, name, control, variants, min_threads,
                         alpha, status)
values (%(experiment_id)s, %(owner)s, %(user_id)s, %(assistant_id)s, %(name)s, %(control)s, %(variants)s,
        %(min_threads)s, %(alpha)s, 'running')
returning *
"""

OF_ASSISTANT = """
select * from experiments where owner = %(owner)s and assistant_id = %(assistant_id)s and status = 'running'
"""

GET = "select * from experiments where experiment_id = %(experiment_id)s and owner = %(owner)s"

SEARCH = """
select e.* from experiments e join assistants a using (assistant_id)
 where e.owner = %(owner)s and (%(status)s::text is null or e.status = %(status)s)
   and (%(assistant_id)s::uuid is null or e.assistant_id = %(assistant_id)s)
   and (%(allowed)s::jsonpath is null or a.metadata @@ %(allowed)s::jsonpath)
 order by e.experiment_id desc limit %(limit)s offset %(offset)s
"""

STOP = """
update experiments set status = 'stopped', ended_at = clock_timestamp()
 where experiment_id = %(experiment_id)s and owner = %(owner)s and status = 'running'
returning *
"""

# Whoever looks at one holds it: two processes never make the same look.
NEXT = """
select * from experiments
 where status = 'running' and (%(after)s::uuid is null or experiment_id > %(after)s)
 order by experiment_id limit 1 for no key update skip locked
"""

LOOKED = """
update experiments
   set looks = %(looks)s, dropped = %(dropped)s,
       status = case when %(over)s then 'rolled_back' else status end,
       ended_at = case when %(over)s then clock_timestamp() end
 where experiment_id = %(experiment_id)s
returning *
"""


async def add(
    conn: Connection,
    *,
    owner: str,
    user_id: str,
    assistant_id: UUID,
    name: str,
    control: int,
    variants: tuple[Variant, ...],
    min_threads: int,
    alpha: float,
) -> Experiment:
    """Begin an experiment.

    Raises:
        ExperimentRuns: the assistant has one.
    """
    told: Any = [{"name": one.name, "weight": one.weight, "context": one.context} for one in variants]
    if conn.sealer:
        told = await conn.sealer.seal("experiment", "variants", told)
    values = {
        "experiment_id": new_id(),
        "owner": owner,
        "user_id": user_id,
        "assistant_id": assistant_id,
        "name": name,
        "control": control,
        "variants": Jsonb(told),
        "min_threads": min_threads,
        "alpha": alpha,
    }
    try:
        async with conn.transaction():
            found = await _one(conn, ADD, values)
    except UniqueViolation as taken:
        raise ExperimentRuns(f"an experiment runs on assistant {assistant_id}: stop it first") from taken
    assert found is not None
    return found


async def of_assistant(conn: Connection, assistant_id: UUID, *, owner: str) -> Experiment | None:
    """Return the experiment that runs on an assistant."""
    return await _one(conn, OF_ASSISTANT, {"assistant_id": assistant_id, "owner": owner})


async def get(conn: Connection, experiment_id: UUID, *, owner: str) -> Experiment:
    """Return an experiment.

    Raises:
        UnknownExperiment: this owner has none with that id.
    """
    found = await _one(conn, GET, {"experiment_id": experiment_id, "owner": owner})
    if found is None:
        raise UnknownExperiment(f"no experiment {experiment_id}")
    return found


async def search(
    conn: Connection,
    *,
    owner: str,
    status: Status | None = None,
    assistant_id: UUID | None = None,
    allowed: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Experiment]:
    """Return an owner's experiments, newest first; `allowed` limits them by their assistants' metadata."""
    values = {
        "owner": owner,
        "status": status,
        "assistant_id": assistant_id,
        "allowed": allowed,
        "limit": limit,
        "offset": offset,
    }
    rows = await (await conn.execute(SEARCH, values)).fetchall()
    return [await _opened(conn, row) for row in rows]


async def stop(conn: Connection, experiment_id: UUID, *, owner: str) -> Experiment:
    """End an experiment: from the next run on every thread gets the assistant as it is.

    Raises:
        UnknownExperiment: this owner has none with that id.
        ExperimentOver: it has ended.
    """
    stopped = await _one(conn, STOP, {"experiment_id": experiment_id, "owner": owner})
    if stopped is None:
        found = await get(conn, experiment_id, owner=owner)
        raise ExperimentOver(f"experiment {experiment_id} has ended: it was {found.status.replace('_', ' ')}")
    return stopped


async def next_running(conn: Connection, after: UUID | None) -> Experiment | None:
    """Lock and return the running experiment that follows `after`, in the order of their ids."""
    return await _one(conn, NEXT, {"after": after})


async def looked(
    conn: Connection, experiment_id: UUID, looks: Mapping[str, int], dropped: Mapping[str, Any], *, over: bool
) -> Experiment:
    """Write the looks made and what was rolled back; `over`: no variant is left."""
    values = {
        "experiment_id": experiment_id,
        "looks": Jsonb(dict(looks)),
        "dropped": Jsonb(dict(dropped)),
        "over": over,
    }
    found = await _one(conn, LOOKED, values)
    assert found is not None
    return found


async def _one(conn: Connection, query: str, values: dict[str, Any]) -> Experiment | None:
    row = await (await conn.execute(query, values)).fetchone()
    return await _opened(conn, row) if row else None


async def _opened(conn: Connection, row: Mapping[str, Any]) -> Experiment:
    told = await conn.sealer.open(row["variants"]) if conn.sealer else row["variants"]
    variants = tuple(Variant(one["name"], one["weight"], one["context"]) for one in told)
    return Experiment(**{**row, "variants": variants})
