"""Fires crons: when each is due, and exactly one run a tick, however many replicas there are.

A tick that was missed because no server was up is made up for once, as soon as one is: also many of them by
one run. When a local time does not exist, because clocks are put forward, a cron for that time fires right
after; when it comes twice, at the first. Crons by the hour or minute (`*`) follow real time.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TypeAlias
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim, CronSimError

from artel.server.engine import dispatch
from artel.server.engine.engine import Engine
from artel.server.engine.priority import ranked, remember
from artel.storage import crons, sealing
from artel.storage.crons import Cron, Due
from artel.storage.errors import ArtelError, BadRequest, Forbidden, Invalid, NotFound, Unavailable
from artel.storage.postgres import Connection
from artel.storage.runs import Order

CHANGED = "cron.changed"
MAX_CHARS = 256
BEING_FIRED_S = 0.1  # something is due and somebody else has it: look again then
HOPELESS = (NotFound, Invalid, BadRequest, Forbidden)  # the next tick would fail as this one did
NAMED = {
    "@hourly": "0 * * * *",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@weekly": "0 0 * * 0",
    "@monthly": "0 0 1 * *",
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
}

OrderOf: TypeAlias = Callable[[Cron], Awaitable[Order]]

log = structlog.get_logger(__name__)


def next_tick(
    schedule: str, timezone: str | None, *, after: datetime, until: datetime | None = None
) -> datetime | None:
    """Return when a schedule is due first after `after`, in UTC; None when that is later than `until`.

    Five fields (minute, hour, day, month, weekday), a sixth one for seconds behind them, or a name such as
    `@daily`; read in `timezone`, by default UTC.

    >>> next_tick("30 9 * * 1-5", "Europe/Berlin", after=datetime(2026, 7, 3, 8, tzinfo=UTC))
    datetime.datetime(2026, 7, 6, 7, 30, tzinfo=datetime.timezone.utc)

    Raises:
        Invalid: it is no schedule, it never comes, or there is no such time zone.
    """
    zone = zone_of(timezone)
    try:
        for local in CronSim(_in_order(schedule), after.astimezone(zone)):
            tick = local.astimezone(UTC)
            if tick > after:  # of an hour that comes twice, the first may be over
                return None if until is not None and tick > until else tick
    except (CronSimError, OverflowError) as wrong:
        raise Invalid(_no_schedule(schedule, str(wrong))) from wrong
    raise Invalid(_no_schedule(schedule, "it never comes"))


def zone_of(name: str | None) -> ZoneInfo:
    """Return a time zone by its name.

    Raises:
        Invalid: there is none of that name.
    """
    try:
        return ZoneInfo(name or "UTC")
    except (KeyError, ValueError, OSError):  # unknown, no name at all, a folder of zones
        raise Invalid(f"timezone must be the name of one, such as Europe/Berlin; got {name!r}") from None


def _in_order(schedule: str) -> str:
    """Write a schedule as cronsim takes it: the seconds first."""
    if len(schedule) > MAX_CHARS:
        raise CronSimError(f"longer than {MAX_CHARS} characters")
    fields = NAMED.get(schedule.strip().lower(), schedule).split()
    return " ".join(fields[-1:] + fields[:-1] if len(fields) == 6 else fields)


def _no_schedule(schedule: str, why: str) -> str:
    shown = schedule if len(schedule) <= 80 else schedule[:77] + "..."
    return f'schedule must be a cron expression such as "*/5 * * * *"; got {shown!r}: {why}'


async def keep_schedule(engine: Engine, order_of: OrderOf) -> None:
    """Fire crons when they are due, until cancelled; `order_of` says what a cron wants to have run."""
    async with engine.broker.listen(CHANGED) as changes:
        while not engine.draining:
            pause = engine.settings.poll_s
            try:
                while await fire(engine, order_of):
                    pass
                pause = await _pause(engine)
            except Unavailable as away:
                log.debug("cannot look at the crons", reason=str(away))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await anext(changes)


async def fire(engine: Engine, order_of: OrderOf) -> bool:
    """Fire the cron that is longest due; False when none is, or others are at it.

    Its lock, its run and its next date are one transaction: of several replicas one makes the run, and a
    crash leaves the tick to the next.
    """
    async with engine.db.transaction(control=True) as conn:
        due = await crons.due(conn)
        if due is None:
            return False
        await _fire(conn, engine, due, order_of)
    return True


async def _fire(conn: Connection, engine: Engine, due: Due, order_of: OrderOf) -> None:
    """Put the run of a tick into the queue; what goes wrong with one cron holds up no other."""
    cron = due.cron
    try:
        following = next_tick(cron.schedule, cron.timezone, after=due.now, until=cron.end_time)
        await crons.move(conn, cron.cron_id, following)
        async with conn.transaction():
            cron = await crons.opened(conn, cron)
            with sealing.within(cron.sealed_with):
                order, priority = await ranked(engine, engine.bounded(await order_of(cron)))
                await dispatch.place(conn, engine, order)
                await remember(conn, order, priority)
    except Unavailable:
        raise
    except HOPELESS as gone:
        await crons.disable(conn, cron.cron_id)
        log.warning("a cron is disabled: its run cannot be made", cron_id=str(cron.cron_id), reason=str(gone))
    except ArtelError as refused:
        log.warning("a tick of a cron made no run", cron_id=str(cron.cron_id), reason=str(refused))
    except Exception:
        log.exception("a tick of a cron made no run", cron_id=str(cron.cron_id))


async def _pause(engine: Engine) -> float:
    """Return the seconds after which to look again, should nobody say anything before."""
    async with engine.db.connection(control=True) as conn:
        due_in = await crons.next_due_in(conn)
    if due_in is None:
        return engine.settings.poll_s
    return min(due_in if due_in > 0 else BEING_FIRED_S, engine.settings.poll_s)
