"""Looks at running experiments now and then, and rolls back a variant that is measurably worse."""

import asyncio
from uuid import UUID

import structlog

from artel.server.engine.engine import Engine
from artel.server.engine.retention import FIRST_S
from artel.server.learning import comparing
from artel.server.learning.noting import experiment_entry
from artel.storage import audit, experiments, turns
from artel.storage.errors import Unavailable
from artel.storage.experiments import Experiment
from artel.storage.postgres import Connection, Database

EVERY_S = 60.0

log = structlog.get_logger(__name__)


async def keep_experimenting(engine: Engine) -> None:
    """Look now and then, until cancelled; replicas that look at once take different experiments."""
    await asyncio.sleep(FIRST_S)
    while not engine.draining:
        try:
            await look_at_all(engine.db)
        except Unavailable as away:
            log.debug("cannot look at experiments", reason=str(away))
        await asyncio.sleep(EVERY_S)


async def look_at_all(db: Database) -> list[Experiment]:
    """Make the looks that are due; return the experiments of which a variant was rolled back."""
    rolled_back: list[Experiment] = []
    after: UUID | None = None
    while True:
        async with db.transaction() as conn:
            running = await experiments.next_running(conn, after)
            if running is None:
                return rolled_back
            after = running.experiment_id
            if changed := await _look(conn, running):
                rolled_back.append(changed)


async def _look(conn: Connection, running: Experiment) -> Experiment | None:
    """Make the looks at one experiment that are due; return it if a variant was rolled back."""
    found = await turns.outcomes(conn, running.experiment_id, owner=running.owner, since=running.started_at)
    looked = comparing.look(running, found)
    if looked.looks == running.looks:
        return None
    dropped = {**running.dropped, **{one.variant: comparing.told(one) for one in looked.drops}}
    over = all(one.name in dropped for one in running.variants)
    changed = await experiments.looked(conn, running.experiment_id, looked.looks, dropped, over=over)
    for drop in looked.drops:
        log.warning("rolled back a variant", experiment=running.name, **comparing.told(drop))
        entry = experiment_entry(changed, "rolled back", user="", measured=comparing.told(drop))
        await audit.add(conn, [entry])
    return changed if looked.drops else None
