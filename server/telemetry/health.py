"""How the things are that a process depends on: each is ok, degraded or down, and says why."""

import asyncio
import time
from typing import Any, Literal, TypedDict

from artel.server.engine.engine import Engine
from artel.server.telemetry import figures
from artel.storage.broker import LonelyBroker
from artel.storage.errors import Unavailable
from artel.storage.runs import Standing

OK, DEGRADED, DOWN = "ok", "degraded", "down"
PATIENCE_S = 3.0
FULL = 0.9  # of a pool

Level = Literal["ok", "degraded", "down"]


class Dependency(TypedDict):
    """One thing a process depends on."""

    status: Level
    reason: str | None


async def look(engine: Engine, *, own_agents: bool) -> dict[str, Any]:
    """Return how everything is; the whole is down when nothing could be served.

    `own_agents`: our agents are served, which need a chat model; graphs of others bring what they need.
    """
    database = await _database(engine)
    standing = await figures.standing(engine) if database["status"] != DOWN else None
    found = {
        "database": database,
        "broker": _broker(engine),
        "worker": _worker(engine, standing),
        "model": _model(engine, own_agents=own_agents),
    }
    levels = {one["status"] for one in found.values()}
    status: Level = "down" if DOWN in levels else "degraded" if DEGRADED in levels else "ok"
    return {"status": status, "dependencies": found}


async def _database(engine: Engine) -> Dependency:
    try:
        async with asyncio.timeout(PATIENCE_S), engine.db.connection(control=True) as conn:
            await conn.execute("select 1")
    except Unavailable as away:
        return _said("down", str(away))
    except TimeoutError:
        return _said("down", f"no answer within {PATIENCE_S:g} s")
    known = engine.db.pool.get_stats()
    in_use = known.get("pool_size", 0) - known.get("pool_available", 0)
    most, waiting = known.get("pool_max", 0), known.get("requests_waiting", 0)
    if waiting or in_use > FULL * most:
        return _said("degraded", f"{in_use} of {most} connections are in use, and {waiting} requests wait")
    return _said("ok")


def _broker(engine: Engine) -> Dependency:
    if isinstance(engine.broker, LonelyBroker):
        return _said("degraded", "other processes cannot be heard: they are looked at now and then")
    if engine.deaf_since is not None:
        since = time.monotonic() - engine.deaf_since
        return _said("degraded", f"the connection that carries wake-ups has been down for {since:.1f} s")
    return _said("ok")


def _worker(engine: Engine, standing: Standing | None) -> Dependency:
    if engine.draining:
        return _said("down", "this process hands its runs over and stops")
    if not engine.settings.worker:
        if standing and not standing.workers:
            return _said("degraded", "no worker is alive: runs wait in the queue")
        return _said("ok", "runs are run by other processes")
    if time.monotonic() > engine.lease_until:
        return _said("degraded", "the lease could not be renewed: others may take the runs of this process")
    if engine.room <= 0:
        return _said("degraded", f"all {engine.settings.slots} slots are taken: runs wait in the queue")
    return _said("ok")


def _model(engine: Engine, *, own_agents: bool) -> Dependency:
    if not own_agents or engine.handles is None:
        return _said("ok", "the graphs that are served bring their own")
    known = engine.handles.models.describe()
    if known["offline"]:
        return _said("degraded", "no language model was found, so fixed rules answer")
    closed = [
        one for one in engine.handles.models.told(engine.handles.models.names()) if one["state"] == "closed"
    ]
    if not closed:
        return _said("degraded", f"{known['label']} and its fallbacks failed too often and are left alone")
    if closed[0]["model"] != known["name"]:
        return _said("degraded", f"{known['label']} failed too often: {closed[0]['model']} answers")
    return _said("ok", known["label"])


def _said(status: Level, reason: str | None = None) -> Dependency:
    return {"status": status, "reason": reason}
