"""/threads: dialogues."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.catalog import UnknownGraph
from artel.server.engine import dispatch, retention
from artel.server.errors import answers
from artel.server.protocol import finding, making, snapshots
from artel.server.protocol.finding import TooManyStates
from artel.server.protocol.given import (
    GivenCatalog,
    GivenEngine,
    Json,
    JsonRoute,
    ThreadId,
    chosen,
    pages,
    selected,
)
from artel.server.protocol.records import storage_record, thread_record
from artel.server.protocol.snapshots import NoGraph
from artel.server.protocol.thread_bodies import (
    Lasting,
    PruneBody,
    ThreadBody,
    ThreadFilter,
    ThreadPatch,
    ThreadSearch,
)
from artel.storage import checkpoints, threads
from artel.storage.ids import new_id
from artel.storage.threads import ThreadExists, UnknownThread
from artel.tools.errors import ToolFailed

router = APIRouter(prefix="/threads", route_class=JsonRoute, tags=["Threads"])


@router.post("", responses=answers(ThreadExists, NoGraph, UnknownGraph))
async def create(
    body: ThreadBody, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Make a thread, with a past when `supersteps` tell one."""
    thread_id = body.thread_id or new_id()
    asked = {"thread_id": thread_id, "metadata": body.metadata, "if_exists": body.if_exists, **_ttl(body)}
    allowed = await caller.may("threads", "create", asked)
    metadata, owner = asked["metadata"], caller.owner
    if body.supersteps:
        made = await making.with_past(
            engine, catalog, body, thread_id, metadata=metadata, owner=owner, allowed=allowed
        )
    else:
        async with engine.db.connection() as conn:
            made = await threads.create(
                conn,
                thread_id,
                owner=owner,
                metadata=metadata,
                life=body.life or engine.retention.life,
                if_exists=body.if_exists,
                allowed=allowed,
            )
    values = await snapshots.values_of(engine, catalog, [made])
    return Json(thread_record(made, values[made.thread_id]))


@router.post("/search", responses=answers(TooManyStates))
async def search(
    body: ThreadSearch, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Find threads; their values are only read when they are asked for."""
    asked = _searched(body) | {"limit": body.limit, "offset": body.offset}
    allowed = await caller.may("threads", "search", asked)
    wanted = finding.filter_of(
        body, asked, owner=caller.owner, allowed=allowed, sealed=engine.db.sealer is not None
    )
    found, total = await finding.search(engine, catalog, body, wanted)
    wants_values = not body.select or "values" in body.select or finding.needs_values(body.extract)
    values = await snapshots.values_of(engine, catalog, found) if wants_values else {}
    records = [
        selected(record, body.select) | finding.extracts(record, body.extract)
        for record in (thread_record(one, values.get(one.thread_id)) for one in found)
    ]
    return Json(records, headers=pages(total, limit=body.limit, offset=body.offset, here=len(found)))


@router.post("/count", responses=answers(TooManyStates))
async def count(body: ThreadFilter, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller) -> int:
    """Count threads."""
    asked = _searched(body)
    allowed = await caller.may("threads", "search", asked)
    wanted = finding.filter_of(
        body, asked, owner=caller.owner, allowed=allowed, sealed=engine.db.sealer is not None
    )
    return await finding.count(engine, catalog, body, wanted)


@router.post("/prune", responses=answers())
async def prune(body: PruneBody, engine: GivenEngine, caller: GivenCaller) -> dict[str, int]:
    """Remove threads, or their past; those that are unknown, or busy, stay as they are and do not count."""
    action: Literal["delete", "update"] = "delete" if body.strategy == "delete" else "update"
    pruned = 0
    for thread_id in dict.fromkeys(body.thread_ids):
        allowed = await caller.may("threads", action, {"thread_id": thread_id})
        pruned += await retention.prune(engine, thread_id, body.strategy, owner=caller.owner, allowed=allowed)
    return {"pruned_count": pruned}


@router.get("/{thread_id}", responses=answers(UnknownThread))
async def get(
    thread_id: ThreadId,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    include: Annotated[list[str], Query(description="What else: `ttl`.")] = [],  # noqa: B006 - FastAPI copies it
) -> Response:
    """Return a thread with its newest values."""
    included = chosen("include", include, Literal["ttl"])
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        found = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
    values = await snapshots.values_of(engine, catalog, [found])
    return Json(thread_record(found, values[thread_id], ttl="ttl" in included))


@router.patch("/{thread_id}", responses=answers(UnknownThread))
async def patch(
    thread_id: ThreadId,
    body: ThreadPatch,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    prefer: Annotated[str | None, Header(description="`return=minimal`: answer 204.")] = None,
) -> Response:
    """Merge metadata into a thread's, and say how long it stays."""
    asked = {"thread_id": thread_id, "metadata": body.metadata, **_ttl(body)}
    allowed = await caller.may("threads", "update", asked)
    async with engine.db.connection() as conn:
        changed = await threads.patch(
            conn, thread_id, asked["metadata"], life=body.life, owner=caller.owner, allowed=allowed
        )
    if prefer and "return=minimal" in prefer:
        return Response(status_code=204)
    values = await snapshots.values_of(engine, catalog, [changed])
    return Json(thread_record(changed, values[thread_id]))


@router.delete("/{thread_id}", status_code=204, responses=answers(UnknownThread))
async def delete(thread_id: ThreadId, engine: GivenEngine, caller: GivenCaller) -> None:
    """Remove a thread and all that is on it; what runs there is stopped first."""
    allowed = await caller.may("threads", "delete", {"thread_id": thread_id})
    await dispatch.delete_thread(engine, thread_id, owner=caller.owner, allowed=allowed)


@router.post("/{thread_id}/copy", responses=answers(UnknownThread, ToolFailed))
async def copy(
    thread_id: ThreadId, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller
) -> Response:
    """Make a thread with the state, history and changes of this one; its runs stay, its open questions come.

    If this one has a folder of its own, so has the copy, with the same files.
    """
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        source = await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
    asked: dict[str, Any] = {"thread_id": new_id(), "metadata": dict(source.metadata)}
    await caller.may("threads", "create", asked)
    made = await making.copy(
        engine, thread_id, asked["thread_id"], metadata=asked["metadata"], owner=caller.owner
    )
    values = await snapshots.values_of(engine, catalog, [made])
    return Json(thread_record(made, values[made.thread_id]))


@router.get("/{thread_id}/storage", responses=answers(UnknownThread))
async def storage(thread_id: ThreadId, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return how much the states of a thread take: bytes, as they are stored."""
    allowed = await caller.may("threads", "read", {"thread_id": thread_id})
    async with engine.db.connection() as conn:
        await threads.get(conn, thread_id, owner=caller.owner, allowed=allowed)
        return Json(storage_record(thread_id, await checkpoints.usage(conn, thread_id)))


def _ttl(body: Lasting) -> dict[str, Any]:
    """Return the life that was asked for as handlers of `auth` know it."""
    life = body.life
    return {"ttl": {"ttl": life.minutes, "strategy": life.strategy}} if life else {}


def _searched(body: ThreadFilter) -> dict[str, Any]:
    return {"metadata": body.metadata, "values": body.values, "status": body.status, "ids": body.wanted_ids}
