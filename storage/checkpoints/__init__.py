"""Checkpoints: LangGraph's savers over our database, with lists stored item by item.

The tables are LangGraph's, and one of our own for the items of lists. What its stock saver wrote is read as
well.
"""

from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver

from artel.storage.checkpoints.holding import shown_again
from artel.storage.checkpoints.pruning import keep_latest
from artel.storage.checkpoints.removal import copy_thread, delete_run, delete_thread, sweep
from artel.storage.checkpoints.run_saver import RunSaver
from artel.storage.checkpoints.saver import Saver
from artel.storage.checkpoints.sizes import Usage, usage
from artel.storage.checkpoints.writing import Load, Saves, save
from artel.storage.events import Resolve, ValuesRef
from artel.storage.postgres import Database

__all__ = [
    "Load",
    "RunSaver",
    "Saver",
    "Saves",
    "Usage",
    "copy_thread",
    "delete_run",
    "delete_thread",
    "keep_latest",
    "reader",
    "resolver",
    "save",
    "sweep",
    "usage",
]


def reader(db: Database, *, shares: bool = False) -> AsyncPostgresSaver:
    """Return an unfenced saver, for reading state and for updates by people who hold the thread's lock.

    `shares`: what several checkpoints of a listing hold is one object, which nobody may change.
    """
    return Saver(db, shares=shares)


def resolver(db: Database) -> Resolve:
    """Return what follows the references of stored `values` events."""
    saver = Saver(db)

    async def resolve(ref: ValuesRef) -> bytes | None:
        configurable = {"thread_id": ref.thread_id, "checkpoint_ns": "", "checkpoint_id": ref.checkpoint_id}
        found = await saver.aget_tuple({"configurable": configurable})
        if found is None:
            return None
        return shown_again(ref, found.checkpoint["channel_values"])

    return resolve
