"""/runs/crons: runs that come again and again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import ValidationError
from starlette.responses import Response

from artel.server.auth.caller import Allowed, Caller, GivenCaller
from artel.server.catalog import Catalog
from artel.server.engine import Engine, schedule
from artel.server.engine.answers import check
from artel.server.errors import answers, explain
from artel.server.protocol import orders
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.cron_bodies import CronBody, CronFilter, CronPatch, CronSearch
from artel.server.protocol.given import (
    GivenCatalog,
    GivenEngine,
    Json,
    JsonRoute,
    ThreadId,
    pages,
    selected,
)
from artel.server.protocol.orders import Call, TwoContexts
from artel.storage import clock, crons, threads
from artel.storage.assistants import UnknownAssistant
from artel.storage.broker import notify
from artel.storage.crons import Cron, UnknownCron
from artel.storage.errors import BadRequest, Invalid
from artel.storage.ids import new_id
from artel.storage.postgres import Database
from artel.storage.runs import Order
from artel.storage.threads import UnknownThread

router = APIRouter(route_class=JsonRoute, tags=["Crons"])

CronId = Annotated[UUID, Path(description="The cron's id.")]


class NothingToChange(BadRequest):
    """A change was asked for, but none was named."""

    code = "nothing_to_change"


@router.post("/runs/crons", responses=answers(UnknownAssistant, TwoContexts))
async def create(body: CronBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller) -> Response:
    """Start runs by a schedule, each on a thread of its own."""
    return Json(cron_record(await _create(engine, catalog, body, caller, None)))


@router.post(
    "/threads/{thread_id}/runs/crons", responses=answers(UnknownThread, UnknownAssistant, TwoContexts)
)
async def create_for_thread(
    thread_id: ThreadId, body: CronBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Start runs on a thread by a schedule."""
    return Json(cron_record(await _create(engine, catalog, body, caller, thread_id)))


@router.post("/runs/crons/search", responses=answers())
async def search(body: CronSearch, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Find crons."""
    value = body.model_dump(include={"assistant_id", "thread_id", "metadata", "limit", "offset"})
    allowed = await caller.may("crons", "search", value)
    wanted = _wanted(body) | {"owner": caller.owner, "allowed": allowed}
    async with engine.db.connection() as conn:
        found = await crons.search(
            conn,
            **wanted,
            limit=body.limit,
            offset=body.offset,
            sort_by=body.sort_by,
            sort_order=body.sort_order,
        )
        total = await crons.count(conn, **wanted)
    headers = pages(total, limit=body.limit, offset=body.offset, here=len(found))
    return Json([selected(cron_record(one), body.select) for one in found], headers=headers)


@router.post("/runs/crons/count", responses=answers())
async def count(body: CronFilter, engine: GivenEngine, caller: GivenCaller) -> int:
    """Count crons."""
    allowed = await caller.may("crons", "search", body.model_dump(exclude={"enabled"}))
    async with engine.db.connection() as conn:
        return await crons.count(conn, **_wanted(body), owner=caller.owner, allowed=allowed)


@router.get("/runs/crons/{cron_id}", responses=answers(UnknownCron))
async def get(cron_id: CronId, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return a cron."""
    allowed = await caller.may("crons", "read", {"cron_id": cron_id})
    async with engine.db.connection() as conn:
        return Json(cron_record(await crons.get(conn, cron_id, owner=caller.owner, allowed=allowed)))


@router.patch("/runs/crons/{cron_id}", responses=answers(UnknownCron, NothingToChange, TwoContexts))
async def patch(
    cron_id: CronId, body: CronPatch, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Change a cron; when it is due next follows from the change."""
    changes = body.model_dump(mode="json", exclude_unset=True)
    if not changes:
        raise NothingToChange("name at least one field to change")
    value = {"cron_id": cron_id, "payload": changes, **changes}
    allowed = await caller.may("crons", "update", value)
    async with engine.db.connection() as conn:
        cron = await crons.get(conn, cron_id, owner=caller.owner, allowed=allowed)
        now = await clock.now(conn)
    await _check(engine, catalog, _changed(cron, changes, body.end_time, now), caller)
    async with engine.db.transaction() as conn:
        cron = await crons.lock(conn, cron_id, owner=caller.owner, allowed=allowed)
        cron = await crons.update(conn, _changed(cron, changes, body.end_time, now))
        await notify(conn, schedule.CHANGED, str(cron_id))
    return Json(cron_record(cron))


@router.delete("/runs/crons/{cron_id}", status_code=204, responses=answers(UnknownCron))
async def delete(cron_id: CronId, engine: GivenEngine, caller: GivenCaller) -> None:
    """Remove a cron; the runs it made stay."""
    allowed = await caller.may("crons", "delete", {"cron_id": cron_id})
    async with engine.db.connection() as conn:
        await crons.delete(conn, cron_id, owner=caller.owner, allowed=allowed)


def order_of(db: Database, catalog: Catalog) -> schedule.OrderOf:
    """Return what makes the order of a cron's next run."""

    async def make(cron: Cron) -> Order:
        maker = Caller(cron.owner, {"identity": cron.user_id} if cron.user_id else None)
        order = await _order(db, catalog, cron, maker)
        return replace(order, kwargs=_stamped(order.kwargs, cron), cron_id=cron.cron_id)

    return make


def cron_record(cron: Cron) -> dict[str, Any]:
    """Return a cron as clients know it."""
    return {
        "cron_id": cron.cron_id,
        "assistant_id": cron.assistant_id,
        "thread_id": cron.thread_id,
        "user_id": cron.user_id or "",
        "end_time": cron.end_time,
        "schedule": cron.schedule,
        "timezone": cron.timezone,
        "payload": _stamped(cron.payload, cron),
        "next_run_date": cron.next_run_date,
        "metadata": cron.metadata,
        "on_run_completed": None if cron.thread_id else cron.on_run_completed,
        "enabled": cron.enabled,
        "created_at": cron.created_at,
        "updated_at": cron.updated_at,
    }


def _stamped(kwargs: Mapping[str, Any], cron: Cron) -> dict[str, Any]:
    """Tell a run, in its configuration, which cron it comes from."""
    config = kwargs.get("config") or {}
    configurable = (config.get("configurable") or {}) | {"cron_id": str(cron.cron_id)}
    return {**kwargs, "config": {**config, "configurable": configurable}}


async def _create(
    engine: Engine, catalog: Catalog, body: CronBody, caller: Caller, thread_id: UUID | None
) -> Cron:
    cron_id = new_id()
    async with engine.db.connection() as conn:
        now = await clock.now(conn)
    identity = (caller.user or {}).get("identity")
    user_id = str(identity) if identity else None
    payload = body.model_dump(mode="json", exclude_unset=True)
    value: dict[str, Any] = {
        "cron_id": cron_id,
        "thread_id": thread_id,
        "user_id": user_id,
        "schedule": body.schedule,
        "end_time": body.end_time,
        "payload": payload,
        "metadata": body.metadata,
    }
    await caller.may("crons", "create", value)
    metadata = value["metadata"] or {}
    payload |= {"metadata": metadata} if metadata else {}
    assistant = await orders.resolve(engine.db, catalog, body.assistant_id, caller=caller)
    cron = _due(
        Cron(
            cron_id=cron_id,
            assistant_id=assistant.assistant_id,
            thread_id=thread_id,
            schedule=body.schedule,
            timezone=body.timezone or None,
            end_time=body.end_time,
            enabled=body.enabled,
            on_run_completed=body.on_run_completed,
            payload=payload | {"assistant_id": str(assistant.assistant_id)},
            metadata=metadata,
            owner=caller.owner,
            user_id=user_id,
            next_run_date=None,
            created_at=now,
            updated_at=now,
        ),
        now,
    )
    allowed = await _check(engine, catalog, cron, caller)
    async with engine.db.transaction() as conn:
        if thread_id is not None:
            await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        cron = await crons.create(conn, cron)
        await notify(conn, schedule.CHANGED, str(cron_id))
    return cron


def _changed(cron: Cron, changes: Mapping[str, Any], end_time: datetime | None, now: datetime) -> Cron:
    """Return the cron as it shall be; what is not named stays."""
    metadata = cron.metadata | changes.get("metadata", {})
    payload = {**cron.payload, **changes}
    if "metadata" in changes:
        payload["metadata"] = (cron.payload.get("metadata") or {}) | changes["metadata"]
    own = {
        name: changes[name]
        for name in ("schedule", "timezone", "enabled", "on_run_completed")
        if name in changes
    }
    changed = replace(cron, payload=payload, metadata=metadata, **own)
    if "end_time" in changes:
        changed = replace(changed, end_time=end_time)
    return _due(changed, now)


def _due(cron: Cron, now: datetime) -> Cron:
    tick = schedule.next_tick(cron.schedule, cron.timezone, after=now, until=cron.end_time)
    return replace(cron, next_run_date=tick)


async def _check(engine: Engine, catalog: Catalog, cron: Cron, caller: Caller) -> Allowed:
    """Refuse now what no run of the cron could be made of; return what limits the caller's threads.

    Raises:
        Invalid, UnknownAssistant, TwoContexts, Forbidden: as for a run.
    """
    order = await _order(engine.db, catalog, cron, caller)
    if command := order.kwargs.get("command"):
        check(command)
    if url := order.kwargs.get("webhook"):
        await engine.webhooks.policy.target(str(url))
    return order.allowed


async def _order(db: Database, catalog: Catalog, cron: Cron, caller: Caller) -> Order:
    try:
        body = RunBody.model_validate(cron.payload | {"on_completion": cron.on_run_completed})
    except ValidationError as wrong:
        raise Invalid(explain(wrong.errors())) from wrong
    return await orders.make(db, catalog, body, thread_id=cron.thread_id, call=Call(caller))


def _wanted(body: CronFilter) -> dict[str, Any]:
    return {
        "assistant_id": body.assistant_id,
        "thread_id": body.thread_id,
        "enabled": body.enabled,
        "metadata": body.metadata,
    }
