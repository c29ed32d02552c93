"""Tells others of the ends of runs: written with the ending, sent by whichever worker has time, logged."""

import asyncio
import hmac
import ssl
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal, TypeAlias

import httpx
import structlog

from artel.server.engine.addresses import Target, WebhookRefused, Webhooks
from artel.server.engine.engine import Engine
from artel.server.protocol.records import run_record
from artel.storage import clock, tasks, webhooks
from artel.storage.encoding import dumps, loads
from artel.storage.errors import Unavailable
from artel.storage.postgres import Connection
from artel.storage.runs import Run, Status
from artel.storage.sealing import CannotOpen
from artel.storage.webhooks import Taken
from artel.tools.web.asking import answer_to

AT_ONCE = 8  # deliveries under way in one process
SLOWEST_RETRY = timedelta(hours=1)
PRUNE_S = 600.0

RolledBack: TypeAlias = Literal["rolled_back"]

log = structlog.get_logger(__name__)


async def add(
    conn: Connection,
    run: Run,
    status: Status | RolledBack,
    error: Mapping[str, str] | None,
    values: bytes | None,
) -> None:
    """Note, with the ending of a run, that its webhook is to be told; nothing when it has none.

    A run that was rolled back is told too, though it is gone: its receiver waits for the end of each.
    """
    url = run.kwargs.get("webhook")
    if not url:
        return
    now = await clock.now(conn)
    known: Any = loads(values) if values else None
    if isinstance(known, dict):
        known.pop("__interrupt__", None)
    body = run_record(replace(run, updated_at=now, ahead=None)) | {
        "status": status,
        "run_started_at": run.started_at,
        "run_ended_at": now,
        "values": known,
        **({"error": dict(error)} if error else {}),
    }
    await webhooks.add(conn, run_id=run.run_id, thread_id=run.thread_id, owner=run.owner, url=url, body=body)


class Trust:
    """The authorities that certificates are held to: a megabyte, read by the first delivery."""

    def __init__(self) -> None:
        self._known: ssl.SSLContext | None = None
        self._reading = asyncio.Lock()

    async def get(self) -> ssl.SSLContext:
        """Return them; whoever comes while they are read waits for the same.

        Raises:
            OSError: they cannot be read; the next delivery tries again.
        """
        async with self._reading:
            if self._known is None:
                self._known = await asyncio.to_thread(ssl.create_default_context)
            return self._known


async def keep_delivering(engine: Engine) -> None:
    """Send what is due, a few at a time, until cancelled."""
    pruned = 0.0
    trust = Trust()
    sending: set[asyncio.Task[None]] = set()
    try:
        while True:
            engine.webhooks_due.clear()
            pause = engine.settings.poll_s
            try:
                pause = await _begin(engine, trust, sending)
                if time.monotonic() - pruned > PRUNE_S:
                    pruned = time.monotonic()
                    await _prune(engine)
            except Unavailable as away:
                log.debug("cannot look for webhooks", reason=str(away))
            with suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await engine.webhooks_due.wait()
    finally:
        await tasks.end(*sending)


async def _begin(engine: Engine, trust: Trust, sending: set[asyncio.Task[None]]) -> float:
    """Begin to send what is due and has room; return the seconds after which to look again."""
    timeout = timedelta(seconds=engine.webhooks.settings.timeout_s)
    if room := AT_ONCE - len(sending):
        async with engine.db.connection(control=True) as conn:
            taken = await webhooks.take(conn, most=room, held=2 * timeout + timedelta(seconds=30))
            due_in = await webhooks.next_due_in(conn)
        for delivery in taken:
            task = asyncio.create_task(_deliver(engine, trust, delivery))
            sending.add(task)
            task.add_done_callback(lambda done: _done(engine, sending, done))
        if len(sending) < AT_ONCE and due_in is not None:
            return min(engine.settings.poll_s, max(due_in, 0.01))
    return engine.settings.poll_s


def _done(engine: Engine, sending: set[asyncio.Task[None]], task: asyncio.Task[None]) -> None:
    sending.discard(task)
    engine.webhooks_due.set()
    if not task.cancelled() and (failed := task.exception()):
        log.error("a webhook could not be delivered", exc_info=failed)


async def _prune(engine: Engine) -> None:
    async with engine.db.connection(control=True) as conn:
        await webhooks.prune(conn, older_than=timedelta(hours=engine.settings.event_ttl_h))


async def _deliver(engine: Engine, trust: Trust, delivery: Taken) -> None:
    """Make one attempt, and write what came of it."""
    settings = engine.webhooks.settings
    begun = time.monotonic()
    entry: dict[str, Any] = {"at": delivery.taken_at}
    try:
        async with asyncio.timeout(settings.timeout_s):
            delivery = await webhooks.opened(engine.db.sealer, delivery)
            target = await engine.webhooks.policy.target(delivery.url)
            sent_at = delivery.taken_at + timedelta(seconds=time.monotonic() - begun)
            entry["answered"] = await _send(engine.webhooks, await trust.get(), target, delivery, sent_at)
        if not 200 <= entry["answered"] < 300:
            entry["reason"] = f"the receiver answered {entry['answered']}"
    except (WebhookRefused, CannotOpen) as no:
        entry["reason"] = str(no)
    except TimeoutError:
        entry["reason"] = f"no answer within {settings.timeout_s:g} s"
    except (httpx.HTTPError, OSError) as failed:
        entry["reason"] = f"{type(failed).__name__}: {failed}"[:500]
    entry["took_ms"] = round((time.monotonic() - begun) * 1000)
    again = min(timedelta(seconds=settings.retry_s * 4 ** (delivery.attempts - 1)), SLOWEST_RETRY)
    status: webhooks.Status = "delivered"
    if "reason" in entry:
        status = "failed" if delivery.attempts >= settings.attempts else "pending"
        log.info("a webhook was not delivered", delivery_id=str(delivery.delivery_id), reason=entry["reason"])
    engine.metrics.webhooks.add("retried" if status == "pending" else status)
    with suppress(Unavailable):  # then it falls due again by itself
        async with engine.db.connection(control=True) as conn:
            await webhooks.note(conn, delivery, status, entry=entry, again=again)


async def _send(
    hooks: Webhooks, verified: ssl.SSLContext, target: Target, delivery: Taken, sent_at: datetime
) -> int:
    """Send to the address that was checked, under the name that was asked for; return the HTTP status.

    No proxy is asked and no redirect followed: both would lead to addresses that nobody checked.
    """
    body = dumps({**delivery.body, "webhook_sent_at": sent_at})
    headers = {
        **hooks.policy.headers,
        "Host": target.url.netloc.rpartition("@")[2],
        "Content-Type": "application/json",
        "User-Agent": "artel-webhook",
        "Artel-Delivery": str(delivery.delivery_id),
        "Artel-Attempt": str(delivery.attempts),
        **signed(hooks.settings.secret.get_secret_value(), body, at=int(sent_at.timestamp())),
    }
    request = httpx.Request(
        "POST", target.at, content=body, headers=headers, extensions={"sni_hostname": target.host}
    )
    if target.url.username:
        login = httpx.BasicAuth(target.url.username, target.url.password or "")
        request = next(login.auth_flow(request))
    async with answer_to(request, timeout_s=hooks.settings.timeout_s, verified=verified) as response:
        return response.status_code  # what else it says is not read


def signed(secret: str, body: bytes, *, at: int) -> dict[str, str]:
    """Return the header by which a receiver knows that it was us, and when; none without a secret.

    `v1` is the HMAC-SHA256, in hex, of the time, a dot and the body.

    >>> signed("s", b"{}", at=1)["Artel-Signature"][:20]
    't=1,v1=b253639bcd705'
    """
    if not secret:
        return {}
    mark = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
    return {"Artel-Signature": f"t={at},v1={mark}"}
