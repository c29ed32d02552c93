"""The event log: everything a run said, in order, a row a chunk.

`seq` is given by the writer before anything is sent: unique, increasing, dense within an attempt. A chunk is
fenced: a worker that lost its run adds nothing. A `values` event whose objects lie in a checkpoint is stored
as a reference to it, so that no state is stored twice.
"""

import zlib
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, TypeAlias
from uuid import UUID

import orjson

from artel.storage.arrays import ByteaArray, bigints, ints, texts
from artel.storage.postgres import Connection
from artel.storage.sealing import NO_KEY, NoKey

PLAIN = b"\x01"  # the lines as they are
PACKED = b"\x02"  # the lines through zlib
SEALED = b"\x03"  # one of both, sealed
WORTH_PACKING = 400  # bytes: below it zlib costs more than it saves
LEVEL = 1  # 16 KB of token events: 12x smaller in 0.1 ms; level 6 saves another 15 % and takes twice as long


@dataclass(frozen=True, slots=True)
class ValuesRef:
    """Where the state that a `values` event shows is stored: in a checkpoint of the root graph.

    `parts` are its keys in order, each with its JSON when the checkpoint does not hold it.
    """

    thread_id: str
    checkpoint_id: str
    parts: tuple[tuple[str, str | None], ...]


Held: TypeAlias = Callable[[], ValuesRef | None]
Resolve: TypeAlias = Callable[[ValuesRef], Awaitable[bytes | None]]


@dataclass(frozen=True, slots=True)
class Event:
    """One thing a run said; `data` is compact JSON, encoded once.

    `held` is asked when the event is stored: it names the committed checkpoint that holds the same state,
    or None when there is none (yet), and then `data` itself is stored. `at` is when its chunk was stored: of
    one that comes from memory nothing, for that is now.
    """

    seq: int
    type: str
    ns: str  # "" for the root graph, else "node:task_id|child:task_id"
    data: bytes
    held: Held | None = field(default=None, compare=False, repr=False)
    at: datetime | None = field(default=None, compare=False, repr=False)


APPEND = """
insert into run_events (run_id, first_seq, last_seq, attempt, chunk)
select %(run_id)s, %(first)s, %(last)s, %(attempt)s, %(chunk)s
  from artel_fence(%(run_id)s, %(attempt)s)
"""

APPEND_MANY = """
insert into run_events (run_id, first_seq, last_seq, attempt, chunk)
select run_id, first_seq, last_seq, attempt, chunk
  from unnest(%(runs)s::uuid[], %(attempts)s, %(firsts)s, %(lasts)s, %(chunks)s)
           as n (run_id, attempt, first_seq, last_seq, chunk),
       artel_fence(n.run_id, n.attempt)
"""

APPEND_UNFENCED = """
insert into run_events (run_id, first_seq, last_seq, attempt, chunk)
values (%(run_id)s, %(first)s, %(last)s, %(attempt)s, %(chunk)s)
"""

READ = """
select chunk, created_at from run_events where run_id = %(run_id)s and last_seq > %(after)s order by first_seq
"""

LAST_SEQ = "select coalesce(max(last_seq), 0) as last from run_events where run_id = %(run_id)s"

DELETE = "delete from run_events where run_id = %(run_id)s"

DELETE_OF_THREAD = """
delete from run_events e using runs r where r.thread_id = %(thread_id)s and e.run_id = r.run_id
"""

PRUNE = """
delete from run_events e
 where e.created_at < now() - %(older_than)s::interval
   and not exists (select 1 from runs r
                    where r.run_id = e.run_id and r.status in ('pending', 'running'))
"""


async def append(
    conn: Connection,
    run_id: UUID,
    attempt: int,
    events: Sequence[Event],
    *,
    sealed_with: Mapping[str, Any] | None = None,
) -> None:
    """Store events as one chunk, in one round trip with the fence; none is fine.

    `sealed_with` is the context of the run, when that is not the caller's own.

    Raises:
        StaleAttempt: the run has ended or moved on; nothing is stored.
    """
    if events:
        row = _row(run_id, attempt, events)
        if conn.sealer:
            await _seal(conn, row, sealed_with)
        await conn.execute(APPEND, row)


@dataclass(frozen=True, slots=True)
class Chunk:
    """What one run has to say, at least one event; `sealed_with` as in `append`."""

    run_id: UUID
    attempt: int
    events: Sequence[Event]
    sealed_with: Mapping[str, Any] | None = None


async def append_many(conn: Connection, chunks: Sequence[Chunk]) -> None:
    """Store chunks of several runs, in one statement with their fences.

    Raises:
        StaleAttempt: one of the runs has ended or moved on; nothing is stored.
    """
    rows = [_row(one.run_id, one.attempt, one.events) for one in chunks]
    if conn.sealer:
        for row, one in zip(rows, chunks, strict=True):
            await _seal(conn, row, one.sealed_with)
    values = {
        "runs": texts(str(row["run_id"]) for row in rows),
        "attempts": ints(row["attempt"] for row in rows),
        "firsts": bigints(row["first"] for row in rows),
        "lasts": bigints(row["last"] for row in rows),
        "chunks": ByteaArray([row["chunk"] for row in rows]),
    }
    await conn.execute(APPEND_MANY, values)


async def append_unfenced(conn: Connection, run_id: UUID, attempt: int, events: Sequence[Event]) -> None:
    """Store events of a run that no worker holds; the caller has locked it."""
    if events:
        row = _row(run_id, attempt, events)
        if conn.sealer:
            await _seal(conn, row, None)
        await conn.execute(APPEND_UNFENCED, row)


async def read(
    conn: Connection, run_id: UUID, *, after: int = 0, resolve: Resolve | None = None
) -> list[Event]:
    """Return all stored events with a seq above `after`, oldest first.

    References are followed through `resolve`; a `values` event whose checkpoint is gone is left out.
    """
    cursor = await conn.execute(READ, {"run_id": run_id, "after": after})
    found: list[Event] = []
    for row in await cursor.fetchall():
        chunk = row["chunk"]
        if chunk[:1] == SEALED:
            chunk = await _open(conn, chunk)
        for event, ref in _unpack(chunk, row["created_at"]):
            if event.seq <= after:
                continue
            if ref is None:
                found.append(event)
            elif resolve and (data := await resolve(ref)) is not None:
                found.append(replace(event, data=data))
    return found


async def last_seq(conn: Connection, run_id: UUID) -> int:
    """Return the seq of the newest stored event, 0 when there is none."""
    row = await (await conn.execute(LAST_SEQ, {"run_id": run_id})).fetchone()
    return int(row["last"]) if row else 0


async def delete(conn: Connection, run_id: UUID) -> None:
    """Remove the events of a run."""
    await conn.execute(DELETE, {"run_id": run_id})


async def delete_of_thread(conn: Connection, thread_id: UUID) -> None:
    """Remove the events of all runs of a thread."""
    await conn.execute(DELETE_OF_THREAD, {"thread_id": thread_id})


async def prune(conn: Connection, *, older_than: timedelta) -> int:
    """Remove chunks older than that, but none of a run that has not ended; return how many."""
    return (await conn.execute(PRUNE, {"older_than": older_than})).rowcount


async def _seal(conn: Connection, row: dict[str, Any], context: Mapping[str, Any] | None) -> None:
    assert conn.sealer
    row["chunk"] = SEALED + await conn.sealer.seal_bytes("run", "events", row["chunk"], context=context)


async def _open(conn: Connection, chunk: bytes) -> bytes:
    if conn.sealer is None:
        raise NoKey(f"the events of a run cannot be read: {NO_KEY}")
    return await conn.sealer.open_bytes(chunk[1:])


def _row(run_id: UUID, attempt: int, events: Sequence[Event]) -> dict[str, Any]:
    return {
        "run_id": run_id,
        "attempt": attempt,
        "first": events[0].seq,
        "last": events[-1].seq,
        "chunk": _pack(events),
    }


def _pack(events: Sequence[Event]) -> bytes:
    """Write each event as a header line, `[seq, type, ns, bytes, ref]`, and its data."""
    parts: list[bytes] = []
    for event in events:
        ref = event.held() if event.held else None
        data = b"" if ref else event.data
        header: list[object] = [event.seq, event.type, event.ns, len(data)]
        if ref:
            header.append([ref.thread_id, ref.checkpoint_id, ref.parts])
        parts += (orjson.dumps(header), b"\n", data)
    lines = b"".join(parts)
    return PACKED + zlib.compress(lines, LEVEL) if len(lines) >= WORTH_PACKING else PLAIN + lines


def _unpack(chunk: bytes, at: datetime | None = None) -> Iterator[tuple[Event, ValuesRef | None]]:
    kind, lines = chunk[:1], chunk[1:]
    if kind == PACKED:
        lines = zlib.decompress(lines)
    elif kind != PLAIN:
        raise ValueError(f"an event chunk begins with {kind!r}: it was written by a newer version")
    start = 0
    while start < len(lines):
        stop = lines.index(b"\n", start)
        seq, type_, ns, size, *ref = orjson.loads(lines[start:stop])
        start = stop + 1 + size
        where = ValuesRef(ref[0][0], ref[0][1], tuple(map(tuple, ref[0][2]))) if ref else None
        yield Event(seq, type_, ns, lines[stop + 1 : start], at=at), where
