"""Which runs begin first: by the function that `priority` of the configuration names, asked once a thread.

On the wire -5 begins first and 5 last; in the queue the higher number goes first.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import structlog
from langgraph_sdk.priority import Priority
from langgraph_sdk.priority.types import PriorityContext, PrioritySettings

from artel.server import loading
from artel.server.engine.configuration import User
from artel.server.sections import NamedIn, Section, parse
from artel.server.served import ConfigWrong, Served
from artel.storage.postgres import Connection
from artel.storage.runs import Order, priorities
from artel.storage.runs.priorities import Known

if TYPE_CHECKING:
    from artel.server.engine.engine import Engine

Assign: TypeAlias = Callable[[PriorityContext], Awaitable[PrioritySettings | None]]

LAST = 5

log = structlog.get_logger(__name__)


class PrioritySection(Section):
    """`priority` as it is written."""

    path: NamedIn


def assign_of(config: Served | None) -> Assign | None:
    """Return the function that says how urgent threads are; None where there is none.

    Raises:
        ConfigWrong: what `priority` names cannot be used.
    """
    section = parse(config, "priority", PrioritySection)
    if config is None or section is None:
        return None
    source, _, name = section.path.rpartition(":")
    found = loading.load_named(config, "priority.path", source, name)
    where = f"{config.file}: priority.path"
    if not isinstance(found, Priority):
        raise ConfigWrong(f'{where}: "{name}" in {source} must be a Priority, not {type(found).__name__}')
    if found._assign_handler is None:
        raise ConfigWrong(f'{where}: "{name}" has no @{name}.assign: nobody says how urgent a run is')
    return found._assign_handler


async def ranked(engine: "Engine", order: Order) -> tuple[Order, int | None]:
    """Return an order as urgent as its thread is, and what is to be kept of the thread, if that is new.

    A run may ask to go later than its thread, never sooner.
    """
    if engine.assign is None:
        return order, None
    async with engine.db.connection() as conn:
        known = await priorities.known(conn, order.thread_id, order.assistant_id, owner=order.owner)
    said = known.priority if known.priority is not None else await _asked(engine.assign, order, known)
    priority = said or 0
    if order.kwargs.get("priority") is not None:
        priority = min(priority, order.priority)
    return replace(order, priority=priority), said if known.priority is None else None


async def remember(conn: Connection, order: Order, priority: int | None) -> None:
    """Keep how urgent the thread of a new run is; were it forgotten here, the next run would ask again."""
    if priority is not None and not order.temporary:
        await priorities.keep(conn, order.thread_id, priority)


async def _asked(assign: Assign, order: Order, known: Known) -> int | None:
    """Ask the function; None when it fails, so that the next run asks again."""
    user = order.kwargs.get("user") or {"identity": ""}
    told = PriorityContext(
        user=User(user),
        permissions=list(order.kwargs.get("permissions") or ()),
        thread_id=None if order.temporary else str(order.thread_id),
        thread_metadata=known.thread_metadata if known.thread_metadata is not None else order.thread_metadata,
        assistant_id=str(order.assistant_id),
        graph_id=order.graph_id,
        assistant_metadata=known.assistant_metadata or {},
        run_metadata=dict(order.metadata),
        cron_id=str(order.cron_id) if order.cron_id else None,
    )
    try:
        return -_checked(await assign(told))
    except Exception:
        log.exception("the priority of a run could not be found out; it goes as any other")
        return None


def _checked(settings: Any) -> int:
    priority = (settings or {}).get("priority") or 0
    if isinstance(priority, bool) or not isinstance(priority, int) or abs(priority) > LAST:
        raise ValueError(f"priority must be from -5 to 5, got {priority!r}")
    return priority
