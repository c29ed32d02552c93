"""The messages of threads as their checkpoints hold them: which run said what."""

from collections.abc import Sequence
from uuid import UUID

from langchain_core.messages import BaseMessage

from artel.storage import checkpoints, turns
from artel.storage.errors import NotFound
from artel.storage.postgres import Database
from artel.storage.turns import Span


class UnknownMessage(NotFound):
    """No run of the thread said a message with that id."""


async def run_of(db: Database, thread_id: UUID, message_id: str, *, owner: str) -> UUID:
    """Return the run that said a message of a thread: the first at whose end it was there.

    Looks at about log2(runs) states.

    Raises:
        UnknownMessage: the newest state of the thread does not hold it.
    """
    async with db.connection() as conn:
        spans = await turns.spans(conn, thread_id, owner=owner)
    if not spans or not await _holds(db, thread_id, spans[-1], message_id):
        raise UnknownMessage(
            f"thread {thread_id} has no message {message_id[:100]!r}; give its run_id as well"
        )
    low, high = 0, len(spans) - 1
    while low < high:
        middle = (low + high) // 2
        if await _holds(db, thread_id, spans[middle], message_id):
            high = middle
        else:
            low = middle + 1
    return spans[low].run_id


async def messages_at(db: Database, thread_id: UUID, checkpoint_id: str) -> Sequence[BaseMessage] | None:
    """Return the messages of a thread at a checkpoint; None: it is gone."""
    where = {"thread_id": str(thread_id), "checkpoint_ns": "", "checkpoint_id": checkpoint_id}
    saved = await checkpoints.reader(db).aget_tuple({"configurable": where})
    if saved is None:
        return None
    held = saved.checkpoint["channel_values"].get("messages")
    return [one for one in held if isinstance(one, BaseMessage)] if isinstance(held, list) else []


async def _holds(db: Database, thread_id: UUID, span: Span, message_id: str) -> bool:
    messages = await messages_at(db, thread_id, span.last) or ()
    return any(one.id == message_id for one in messages)
