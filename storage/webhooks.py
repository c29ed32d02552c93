"""Webhooks: who is to be told of the end of a run, and what came of each attempt.

A delivery is written in the transaction that ends the run. Whoever takes one has it for a while; should the
taker die, it falls due again: a receiver may be told twice, and knows that by the delivery's id.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeVar
from urllib.parse import urlsplit
from uuid import UUID

from psycopg.types.json import Jsonb

from artel.storage.errors import NotFound
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.sealing import Sealer

Status = Literal["pending", "delivered", "failed"]


class UnknownDelivery(NotFound):
    """No delivery of this owner has that id."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one URL; `log` has its attempts: when, what was answered or why it failed, how long."""

    delivery_id: UUID
    run_id: UUID
    thread_id: UUID
    owner: str
    url: str
    body: dict[str, Any]
    status: Status
    attempts: int
    due_at: datetime
    answered: int | None
    reason: str | None
    log: list[dict[str, Any]]
    created_at: datetime
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Taken(Delivery):
    """A delivery that the caller is to make now, and when that is by the clock of the database."""

    taken_at: datetime


D = TypeVar("D", bound=Delivery)

ADD = """
insert into webhook_deliveries (delivery_id, run_id, thread_id, owner, url, body)
values (%(delivery_id)s, %(run_id)s, %(thread_id)s, %(owner)s, %(url)s, %(body)s)
"""

TAKE = """
update webhook_deliveries d
   set attempts = d.attempts + 1, due_at = clock_timestamp() + %(held)s::interval
  from (select delivery_id from webhook_deliveries
         where status = 'pending' and due_at <= clock_timestamp()
         order by due_at limit %(most)s
           for update skip locked) due
 where d.delivery_id = due.delivery_id
returning d.*, clock_timestamp() as taken_at
"""

NEXT_DUE = """
select extract(epoch from min(due_at) - clock_timestamp())::float as in_s
  from webhook_deliveries where status = 'pending'
"""

NOTE = """
update webhook_deliveries
   set status = %(status)s, answered = %(answered)s, reason = %(reason)s, log = log || %(entry)s,
       due_at = clock_timestamp() + %(again)s::interval,
       delivered_at = case when %(status)s = 'delivered' then clock_timestamp() end
 where delivery_id = %(delivery_id)s and attempts = %(attempts)s and status = 'pending'
"""

SEARCH = """
select * from webhook_deliveries d
 where owner = %(owner)s
   and (%(status)s::text is null or status = %(status)s)
   and (%(run_id)s::uuid is null or run_id = %(run_id)s)
   and (%(allowed)s::jsonpath is null
        or exists (select from threads t where t.thread_id = d.thread_id
                                           and t.metadata @@ %(allowed)s::jsonpath))
 order by created_at desc, delivery_id desc limit %(limit)s offset %(offset)s
"""

RETRY = """
update webhook_deliveries d set status = 'pending', attempts = 0, due_at = clock_timestamp()
 where delivery_id = %(delivery_id)s and owner = %(owner)s
   and (%(allowed)s::jsonpath is null
        or exists (select from threads t where t.thread_id = d.thread_id
                                           and t.metadata @@ %(allowed)s::jsonpath))
returning *
"""

PRUNE = """
delete from webhook_deliveries where status <> 'pending' and created_at < now() - %(older_than)s::interval
"""


async def add(
    conn: Connection, *, run_id: UUID, thread_id: UUID, owner: str, url: str, body: dict[str, Any]
) -> None:
    """Note that a URL is to be told of the end of a run; in the transaction that ends it.

    Where something seals, of the URL only the host stays in clear: it may have a password in it.
    """
    if conn.sealer:
        body = await conn.sealer.seal("webhook", "body", {"url": url, "body": body})
        url = f"{urlsplit(url).scheme}://{urlsplit(url).hostname}"
    values = {
        "delivery_id": new_id(),
        "run_id": run_id,
        "thread_id": thread_id,
        "owner": owner,
        "url": url,
        "body": Jsonb(body),
    }
    await conn.execute(ADD, values)


async def take(conn: Connection, *, most: int, held: timedelta) -> list[Taken]:
    """Take up to `most` due deliveries, oldest first; after `held` others may take them. See `opened`."""
    cursor = await conn.execute(TAKE, {"most": most, "held": held})
    return [Taken(**row) for row in await cursor.fetchall()]


async def opened(sealer: Sealer | None, delivery: D) -> D:
    """Return a delivery with everything opened that is sealed of it.

    Raises:
        CannotOpen: it cannot be.
    """
    if sealer is None or sealer.mark not in delivery.body:
        return delivery
    told = await sealer.open(delivery.body)
    return replace(delivery, url=told["url"], body=told["body"])


async def next_due_in(conn: Connection) -> float | None:
    """Seconds until the next delivery is due; None when none waits."""
    row = await (await conn.execute(NEXT_DUE)).fetchone()
    return row["in_s"] if row else None


async def note(
    conn: Connection,
    delivery: Delivery,
    status: Status,
    *,
    entry: dict[str, Any],
    again: timedelta = timedelta(0),
) -> None:
    """Write what came of an attempt: the HTTP status in `answered` of its entry, or the `reason`.

    Silent when the delivery has been taken again meanwhile.
    """
    values = {
        "delivery_id": delivery.delivery_id,
        "attempts": delivery.attempts,
        "status": status,
        "answered": entry.get("answered"),
        "reason": entry.get("reason"),
        "entry": Jsonb([entry]),
        "again": again,
    }
    await conn.execute(NOTE, values)


async def search(
    conn: Connection,
    *,
    owner: str,
    status: Status | None = None,
    run_id: UUID | None = None,
    limit: int = 100,
    offset: int = 0,
    allowed: str | None = None,
) -> list[Delivery]:
    """Return deliveries, newest first; with `allowed` those of threads whose metadata fulfil it."""
    values = {
        "owner": owner,
        "status": status,
        "run_id": run_id,
        "limit": limit,
        "offset": offset,
        "allowed": allowed,
    }
    rows = await (await conn.execute(SEARCH, values)).fetchall()
    return [await opened(conn.sealer, Delivery(**row)) for row in rows]


async def retry(conn: Connection, delivery_id: UUID, *, owner: str, allowed: str | None = None) -> Delivery:
    """Deliver once more from the beginning, also what was delivered.

    Raises:
        UnknownDelivery: this owner has no such delivery.
    """
    values = {"delivery_id": delivery_id, "owner": owner, "allowed": allowed}
    row = await (await conn.execute(RETRY, values)).fetchone()
    if row is None:
        raise UnknownDelivery(f"no delivery {delivery_id}")
    return await opened(conn.sealer, Delivery(**row))


async def prune(conn: Connection, *, older_than: timedelta) -> int:
    """Remove deliveries older than that which wait for nothing; return how many."""
    return (await conn.execute(PRUNE, {"older_than": older_than})).rowcount
