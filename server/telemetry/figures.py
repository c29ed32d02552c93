"""Metrics in short, as JSON: the queue, the requests, the worker."""

from typing import Any

from artel.server.engine.engine import Engine
from artel.storage.errors import Unavailable
from artel.storage.runs import Standing


async def standing(engine: Engine) -> Standing | None:
    """Return how the queue stands; None while the database does not answer."""
    try:
        return await engine.metrics.queue.standing(engine.db)
    except (Unavailable, TimeoutError):
        return None


def summary(engine: Engine, queue: Standing | None) -> dict[str, Any]:
    """Return the figures that clients of the wire know."""
    requests = engine.metrics.requests.values.items()
    return {
        "queue": {
            "n_pending": queue.pending if queue else None,
            "pending_runs_wait_time_max_secs": queue.oldest_s if queue else None,
            "pending_runs_wait_time_med_secs": queue.median_s if queue else None,
            "pending_unblocked_runs_wait_time_max_secs": queue.oldest_free_s if queue else None,
            "n_running": queue.running if queue else None,
        },
        "api": {
            "http_requests_total": [
                {
                    "method": method,
                    "path": route,
                    "status": int(status) if status.isdigit() else status,
                    "count": int(count),
                }
                for (method, route, status), count in requests
            ]
        },
        "workers": {
            "max": engine.settings.slots if engine.settings.worker else 0,
            "active": len(engine.live),
            "available": max(0, engine.room),
        },
    }
