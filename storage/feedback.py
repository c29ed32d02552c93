"""What people think of what agents did: thumbs, and words if they like."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection

Score = Literal[-1, 1]

MOST = 10_000  # words of one user on one thread


class UnknownFeedback(NotFound):
    """This user has said nothing with that id."""


class TooMuchFeedback(Conflict):
    """This user has said enough about one thread."""

    code = "too_much_feedback"


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a user thinks of a message, or of a run as a whole."""

    feedback_id: UUID
    owner: str
    user_id: str
    thread_id: UUID
    run_id: UUID
    message_id: str | None
    score: Score
    comment: str | None
    created_at: datetime
    updated_at: datetime


# The newest word counts, and keeps the id of the first.
PUT = """
insert into feedback as f (feedback_id, owner, user_id, thread_id, run_id, message_id, score, comment)
select %(feedback_id)s, %(owner)s, %(user_id)s, r.thread_id, r.run_id, %(message_id)s, %(score)s, %(comment)s
  from runs r
 where r.run_id = %(run_id)s and r.thread_id = %(thread_id)s and r.owner = %(owner)s
   and (select count(*) from feedback o
         where o.thread_id = r.thread_id and o.user_id = %(user_id)s
           and coalesce('message:' || o.message_id, 'run:' || o.run_id::text)
               <> coalesce('message:' || %(message_id)s::text, 'run:' || r.run_id::text)) < %(most)s
on conflict (thread_id, user_id, (coalesce('message:' || message_id, 'run:' || run_id::text))) do update
   set score = excluded.score, comment = excluded.comment, run_id = excluded.run_id,
       updated_at = clock_timestamp()
returning f.*
"""

SEARCH = """
select * from feedback f
 where owner = %(owner)s and user_id = %(user_id)s
   and (%(thread_id)s::uuid is null or thread_id = %(thread_id)s)
   and (%(run_id)s::uuid is null or run_id = %(run_id)s)
   and (%(score)s::int is null or score = %(score)s)
   and (%(allowed)s::jsonpath is null
        or exists (select 1 from threads t
                    where t.thread_id = f.thread_id and t.metadata @@ %(allowed)s::jsonpath))
 order by feedback_id desc limit %(limit)s offset %(offset)s
"""

DELETE = """
delete from feedback where feedback_id = %(feedback_id)s and owner = %(owner)s and user_id = %(user_id)s
returning feedback_id
"""


async def put(
    conn: Connection,
    *,
    owner: str,
    user_id: str,
    thread_id: UUID,
    run_id: UUID,
    message_id: str | None,
    score: Score,
    comment: str | None = None,
) -> Feedback:
    """Write what a user thinks; it takes the place of what they thought before of the same thing.

    Raises:
        TooMuchFeedback: they have said MOST things about this thread, or the run has just gone.
        CannotSeal: the handler of `encryption` failed; nothing is written.
    """
    sealed: Any = comment
    if conn.sealer and comment is not None:
        sealed = await conn.sealer.seal("feedback", "comment", comment)
    values = {
        "feedback_id": new_id(),
        "owner": owner,
        "user_id": user_id,
        "thread_id": thread_id,
        "run_id": run_id,
        "message_id": message_id,
        "score": score,
        "comment": None if sealed is None else Jsonb(sealed),
        "most": MOST,
    }
    found = await _all(conn, PUT, values)
    if not found:
        raise TooMuchFeedback(f"thread {thread_id} has {MOST} words of yours, or run {run_id} is gone")
    return found[0]


async def search(
    conn: Connection,
    *,
    owner: str,
    user_id: str,
    thread_id: UUID | None = None,
    run_id: UUID | None = None,
    score: Score | None = None,
    allowed: str | None = None,
    limit: int = 100,
    offset: int = 0,
) -> list[Feedback]:
    """Return what a user has said, newest first; `allowed` limits it by the metadata of the threads."""
    values = {
        "owner": owner,
        "user_id": user_id,
        "thread_id": thread_id,
        "run_id": run_id,
        "score": score,
        "allowed": allowed,
        "limit": limit,
        "offset": offset,
    }
    return await _all(conn, SEARCH, values)


async def delete(conn: Connection, feedback_id: UUID, *, owner: str, user_id: str) -> None:
    """Take back what a user has said.

    Raises:
        UnknownFeedback: they have said nothing with that id.
    """
    values = {"feedback_id": feedback_id, "owner": owner, "user_id": user_id}
    if await (await conn.execute(DELETE, values)).fetchone() is None:
        raise UnknownFeedback(f"no feedback {feedback_id} of yours")


async def _all(conn: Connection, query: str, values: dict[str, Any]) -> list[Feedback]:
    rows = await (await conn.execute(query, values)).fetchall()
    return [Feedback(**(await conn.sealer.open(row) if conn.sealer else row)) for row in rows]
