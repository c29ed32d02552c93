"""What is looked at before an order is accepted: a repeat, a webhook that may not be, one run too many."""

from collections import Counter
from collections.abc import Sequence
from uuid import UUID

from artel.server.engine.engine import Engine
from artel.storage import runs
from artel.storage.errors import Invalid
from artel.storage.runs import Order, Run


class IdempotencyMismatch(Invalid):
    """The idempotency key was used before, for something else."""

    code = "idempotency_mismatch"


async def earlier(engine: Engine, order: Order) -> Run | None:
    """Return the run that was started with the order's key; None when there is none, or no key.

    Raises:
        IdempotencyMismatch: that run was asked for by another body.
    """
    return (await earlier_of(engine, [order])).get(order.run_id)


async def earlier_of(engine: Engine, orders: Sequence[Order]) -> dict[UUID, Run]:
    """Return the runs that were started with the keys of one owner's orders, by the ids that they ask for.

    Raises:
        IdempotencyMismatch: one was asked for by another body.
    """
    keys = [order.idempotency_key for order in orders if order.idempotency_key is not None]
    if not keys:
        return {}
    async with engine.db.connection() as conn:
        found = await runs.with_keys(conn, keys, owner=orders[0].owner)
    known = {order.run_id: found[key] for order in orders if (key := order.idempotency_key) in found}
    for order in orders:
        run = known.get(order.run_id)
        if run and run.kwargs.get("fingerprint") != order.kwargs.get("fingerprint"):
            raise IdempotencyMismatch("this Idempotency-Key was used before, with another body")
    return known


async def admit(engine: Engine, orders: Sequence[Order]) -> None:
    """Let orders in, and count them; what a schedule starts counts for nobody.

    Raises:
        WebhookRefused: a webhook may not be called.
        RateLimited: a user, or an assistant, has had enough runs for this minute.
    """
    for url in {order.kwargs.get("webhook") for order in orders} - {None}:
        await engine.webhooks.policy.target(str(url))
    by_user, by_assistant = engine.settings.user_rate, engine.settings.assistant_rate
    asked = [order for order in orders if order.cron_id is None]
    if not asked or (by_user is None and by_assistant is None):
        return
    async with engine.db.transaction() as conn:
        if by_user:
            for user, many in sorted(Counter(order.user_id for order in asked).items()):
                await runs.charge(conn, f"user {user}", a_minute=by_user, runs=many)
        if by_assistant:
            for assistant, many in sorted(Counter(order.assistant_id for order in asked).items()):
                await runs.charge(conn, f"assistant {assistant}", a_minute=by_assistant, runs=many)
