"""What waits for a person over all their threads, and which runs have ended since they looked."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from artel.storage import approvals, threads
from artel.storage.approvals import Approval, Kind
from artel.storage.asking import question_of
from artel.storage.encoding import dumps
from artel.storage.postgres import Connection
from artel.storage.threads import Filter, Thread

MAX_ABOUT = 200  # characters
MAX_ENDED = 50
PLACES = ("command", "file_path", "path", "url", "query", "pattern")
"""Arguments that tell best what a call is about."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question that is open; without `approval_id` the ledger does not know it, and the wire answers it."""

    approval_id: UUID | None
    interrupt_id: str
    thread_id: UUID
    title: str
    graph_id: str
    kind: Kind
    tool: str | None
    about: str
    "In a line: the command, the path, the question."
    agent: str | None
    asked_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Ended:
    """The last run of a thread."""

    run_id: UUID
    thread_id: UUID
    title: str
    failed: bool
    ended_at: datetime
    took_s: float


KNOWN = """
select thread_id, interrupt_id from approvals
 where thread_id = any(%(threads)s) and decision is null and superseded_at is null
"""

ENDED = """
select r.run_id, t.thread_id, t.metadata, r.status <> 'success' as failed, r.ended_at,
       round(extract(epoch from r.ended_at - coalesce(r.started_at, r.created_at)), 3)::float8 as took_s
  from threads t
 cross join lateral (select * from runs where runs.thread_id = t.thread_id
                      order by created_at desc, run_id desc limit 1) r
 where t.owner = %(owner)s and t.updated_at > %(since)s and t.status in ('idle', 'error')
   and (%(allowed)s::jsonpath is null or t.metadata @@ %(allowed)s::jsonpath)
   and r.ended_at > %(since)s and r.status in ('success', 'error', 'timeout') and not r.temporary
 order by r.ended_at desc, r.run_id limit %(limit)s
"""


async def waiting(
    conn: Connection, *, owner: str, user: str | None = None, limit: int = 100, allowed: str | None = None
) -> list[Waiting]:
    """Return what an owner's threads wait for, and what was escalated to `user`, newest first.

    `allowed` limits the threads by their metadata.
    """
    asked = await approvals.search(
        conn, owner=owner, status="pending", limit=limit, allowed=allowed, user=user
    )
    ids = {one.thread_id for one in asked}
    named = await threads.search(conn, Filter(owner, ids=list(ids), allowed=allowed), limit=limit)
    of = {thread.thread_id: thread for thread in named}
    halted = await threads.search(
        conn, Filter(owner, status="interrupted", allowed=allowed), limit=limit, sort_by="updated_at"
    )
    found = [_listed(one, of.get(one.thread_id)) for one in asked] + await _unlisted(conn, halted)
    return sorted(found, key=lambda one: (one.asked_at, one.interrupt_id), reverse=True)[:limit]


async def ended(conn: Connection, *, owner: str, since: datetime, allowed: str | None = None) -> list[Ended]:
    """Return the threads whose last run has ended since then, by itself or in an error, the latest first."""
    values = {"owner": owner, "since": since, "allowed": allowed, "limit": MAX_ENDED}
    rows = await (await conn.execute(ENDED, values)).fetchall()
    if conn.sealer:
        rows = await conn.sealer.open(rows)
    return [Ended(title=_text(row.pop("metadata").get("title")), **row) for row in rows]


async def _unlisted(conn: Connection, halted: Sequence[Thread]) -> list[Waiting]:
    """Return the questions of threads that the ledger does not know."""
    cursor = await conn.execute(KNOWN, {"threads": [one.thread_id for one in halted]})
    known = {(row["thread_id"], row["interrupt_id"]) for row in await cursor.fetchall()}
    return [
        Waiting(
            approval_id=None,
            interrupt_id=asked["id"],
            thread_id=thread.thread_id,
            title=_text(thread.metadata.get("title")),
            graph_id=_text(thread.metadata.get("graph_id")),
            kind="foreign",
            tool=None,
            about=in_a_line(asked["value"]),
            agent=None,
            asked_at=thread.updated_at,
            expires_at=None,
        )
        for thread in halted
        for questions in thread.interrupts.values()
        for asked in questions
        if (thread.thread_id, asked["id"]) not in known
    ]


def _listed(asked: Approval, thread: Thread | None) -> Waiting:
    metadata = thread.metadata if thread else {}
    return Waiting(
        approval_id=asked.approval_id,
        interrupt_id=asked.interrupt_id,
        thread_id=asked.thread_id,
        title=_text(metadata.get("title")),
        graph_id=_text(metadata.get("graph_id")),
        kind=asked.kind,
        tool=asked.tool,
        about=in_a_line(asked.value),
        agent=asked.agent,
        asked_at=asked.asked_at,
        expires_at=asked.expires_at,
    )


def in_a_line(value: Any) -> str:
    """Return in a line what a question is about, in whatever form it is asked.

    >>> in_a_line({"type": "tool_approval", "name": "execute", "args": {"command": "ls"}})
    'ls'
    >>> in_a_line({"questions": [{"question": "Which one?"}, {"question": "When?"}]})
    'Which one? When?'
    >>> in_a_line(["anything", 5])
    '["anything",5]'
    """
    question = question_of(value)
    ours = _mapping(question.get("artel"))
    said = (
        _text(ours.get("command"))
        or ", ".join(_each(ours.get("files"), "path"))
        or _text(ours.get("path"))
        or _of_args(_mapping(question.get("args")))
        or ", ".join(_each(question.get("action_requests"), "name"))
        or " ".join(_each(question.get("questions"), "question"))
        or _text(_mapping(question.get("plan")).get("goal"))
        or _text(question.get("question"))
        or _text(question.get("description"))
        or (value if isinstance(value, str) else dumps(value).decode())
    )
    line = " ".join(said[: MAX_ABOUT * 4].split())
    return line if len(line) <= MAX_ABOUT else f"{line[: MAX_ABOUT - 1]}…"


def _of_args(args: Mapping[str, Any]) -> str:
    return next((args[name] for name in PLACES if _text(args.get(name))), "")


def _each(many: Any, name: str) -> list[str]:
    return (
        [_text(one.get(name)) for one in many if isinstance(one, Mapping)] if isinstance(many, list) else []
    )


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
