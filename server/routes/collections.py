"""/api/v1/collections: what is searched together."""

from typing import Annotated

from fastapi import APIRouter, Depends
from fastapi import Path as InPath
from pydantic import AfterValidator, Field
from starlette.requests import HTTPConnection
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.knowledge import Knowledge
from artel.server.protocol.bodies import Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.storage.errors import Forbidden
from artel.storage.knowledge import collections
from artel.storage.knowledge.collections import UnknownCollection

router = APIRouter(prefix="/collections", route_class=JsonRoute, tags=["Product"])

LONGEST_NAME = 200


def _named(name: str) -> str:
    if name != name.strip() or "/" in name:
        raise ValueError("a collection's name has no slash, and no blanks at its ends")
    return name


Name = Annotated[
    Text, Field(min_length=1, max_length=LONGEST_NAME, description="The collection."), AfterValidator(_named)
]


async def _knowledge(request: HTTPConnection) -> Knowledge:
    knowledge: Knowledge = request.app.state.knowledge
    return knowledge


GivenKnowledge = Annotated[Knowledge, Depends(_knowledge)]


@router.get("", responses=answers(Forbidden))
async def search(engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return your collections, by name, a hundred at most."""
    await caller.may("store", "list_namespaces", {"namespace": ("knowledge",)})
    async with engine.db.connection() as conn:
        found = await collections.search(conn, owner=caller.owner)
    return Json(
        [
            {
                "name": one.name,
                "revision": one.revision,
                "embedder": one.embedder,
                "created_at": one.created_at,
            }
            for one in found
        ]
    )


@router.delete("/{name}", status_code=204, responses=answers(Forbidden, UnknownCollection))
async def drop(
    name: Annotated[str, InPath(max_length=LONGEST_NAME)], engine: GivenEngine, caller: GivenCaller
) -> Response:
    """Delete a collection with all that is in it; no search finds any of it from then on."""
    await caller.may("store", "delete", {"namespace": ("knowledge", name)})
    async with engine.db.transaction() as conn:
        await collections.drop(conn, await collections.named(conn, name, owner=caller.owner))
    return Response(status_code=204)
