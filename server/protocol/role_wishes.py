"""The role that a run of the agent `agent` asks for: a wrong one is refused before there is a run."""

from asyncio import to_thread
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any
from uuid import UUID

from artel.graphs.context import Handles, workspace
from artel.server.catalog import Catalog
from artel.storage import threads
from artel.storage.postgres import Database
from artel.storage.threads import UnknownThread
from artel.tools.errors import ToolFailed, ToolRefused

ROLES = "artel.graphs.agent"  # the module of the graph that takes one; loaded where it is served


async def check_run(
    db: Database,
    catalog: Catalog,
    graph_id: str,
    asked: Mapping[str, Any],
    thread_id: UUID | None,
    owner: str,
) -> None:
    """Refuse a run in a role that is none. One of a folder that is not known yet is left to the run itself.

    Raises:
        RoleWrong: it names none, both, or one that is not there; the message names those there are.
    """
    if not catalog.is_made_by(graph_id, ROLES):
        return
    place = asked.get("workspace") or ""
    known = isinstance(place, str) and ("/" in place or (not place and await _is_new(db, thread_id, owner)))
    await to_thread(_check, asked, catalog.handles() if known else None, whole=True)


async def check_assistant(catalog: Catalog, graph_id: str, context: Mapping[str, Any]) -> None:
    """Refuse an assistant in a role that is none; one that names none leaves it to its runs.

    Raises:
        RoleWrong: as for a run.
    """
    if catalog.is_made_by(graph_id, ROLES):
        place = context.get("workspace") or ""
        known = isinstance(place, str) and (not place or "/" in place)
        await to_thread(_check, context, catalog.handles() if known else None, whole=False)


def _check(asked: Mapping[str, Any], given: Handles | None, *, whole: bool) -> None:
    folder: Path | None = None
    if given is not None and asked.get("role"):
        try:
            folder = workspace(str(asked.get("workspace") or ""), given)
        except (ToolRefused, ToolFailed):  # the run says what is wrong with it
            folder = None
    import_module(ROLES).check(asked, folder, whole=whole)


async def _is_new(db: Database, thread_id: UUID | None, owner: str) -> bool:
    """Whether a thread has not run yet: one that has may work in another folder than the default."""
    if thread_id is None:
        return True
    try:
        async with db.connection() as conn:
            thread = await threads.get(conn, thread_id, owner=owner)
    except UnknownThread:
        return True
    return not thread.metadata.get("graph_id")
