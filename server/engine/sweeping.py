"""Removes what has outlived its time from the long-term store; nobody sees it any more in any case."""

import asyncio

import structlog

from artel.server.engine.engine import Engine
from artel.server.engine.retention import FIRST_S
from artel.storage.errors import Unavailable

EVERY_MIN = 5

log = structlog.get_logger(__name__)


async def keep_sweeping(engine: Engine) -> None:
    """Sweep now and then, until cancelled; replicas that sweep at once share the work."""
    configured = engine.store.ttl_config or {}
    pause_s = 60 * (configured.get("sweep_interval_minutes") or EVERY_MIN)
    await asyncio.sleep(min(FIRST_S, pause_s))
    while not engine.draining:
        try:
            if swept := await engine.store.sweep():
                log.info("swept the store", items=swept)
        except Unavailable as away:
            log.debug("cannot sweep the store", reason=str(away))
        await asyncio.sleep(pause_s)
