"""Removing an assistant, with its threads when they shall go too."""

from contextlib import suppress
from uuid import UUID

from artel.server.auth.caller import Caller
from artel.server.engine import Engine, dispatch
from artel.storage import assistants
from artel.storage.threads import UnknownThread


async def remove(engine: Engine, assistant_id: UUID, caller: Caller, *, threads: bool) -> None:
    """Remove an assistant; with `threads` first those of its threads that the caller may remove.

    What runs on a thread is stopped first. Broken off in the middle, it can be asked for again.

    Raises:
        UnknownAssistant: there is none with that id that the caller may remove.
        OfTheGraph: it came with its graph.
    """
    allowed = await caller.may("assistants", "delete", {"assistant_id": assistant_id})
    if threads:
        async with engine.db.connection() as conn:
            assistants.removable(await assistants.get(conn, assistant_id, allowed=allowed))
        await _remove_threads(engine, assistant_id, caller)
    async with engine.db.transaction() as conn:
        await assistants.delete(conn, assistant_id, allowed=allowed)


async def _remove_threads(engine: Engine, assistant_id: UUID, caller: Caller) -> None:
    last: UUID | None = None
    while True:
        async with engine.db.connection() as conn:
            found = await assistants.threads_of(conn, assistant_id, owner=caller.owner, after=last)
        if not found:
            return
        for thread_id in found:
            allowed = await caller.may("threads", "delete", {"thread_id": thread_id})
            with suppress(UnknownThread):  # not theirs, or gone meanwhile
                await dispatch.delete_thread(engine, thread_id, owner=caller.owner, allowed=allowed)
        last = found[-1]
