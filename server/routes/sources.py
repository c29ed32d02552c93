"""/api/v1/sources: what is known, put and taken away by whoever has it."""

from collections import Counter
from typing import Annotated, Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Text
from artel.server.protocol.given import GivenEngine, Json, JsonRoute
from artel.server.routes.collections import GivenKnowledge, Name
from artel.storage.errors import Forbidden
from artel.storage.knowledge import collections, documents
from artel.storage.knowledge.collections import UnknownCollection

router = APIRouter(prefix="/sources", route_class=JsonRoute, tags=["Product"])

MOST = 1_000  # documents of a call
Id = Annotated[Text, Field(min_length=1, max_length=512)]
Word = Annotated[Text, Field(min_length=1, max_length=64)]


class Document(Body):
    """A document as you have it."""

    id: Id = Field(description="As you know it: the same id again is the same document, changed or not.")
    text: str
    title: Text = ""
    url: Text | None = None
    language: Word | None = Field(None, description="ISO 639-1; by default told from the text.")
    kind: Word = "text"
    roles: Annotated[list[Word], Field(max_length=32)] = Field([], description="For whom; none: for all.")
    metadata: dict[str, Any] = Field({}, description="`path` lets code be cut by its syntax.")


class Put(Body):
    """Documents for a collection, which is made if there is none."""

    collection: Name
    documents: Annotated[list[Document], Field(max_length=MOST)]
    wait: bool = Field(
        True, description="Wait until their meaning is found, too; their words are found at once."
    )


class Gone(Body):
    """Documents that are no more."""

    collection: Name
    ids: Annotated[list[Id], Field(max_length=10_000)]


@router.post("", responses=answers(Forbidden))
async def put(body: Put, knowledge: GivenKnowledge, caller: GivenCaller) -> Response:
    """Add or change documents; what is wrong with one is said in `failed` and holds up no other.

    What is the same as before is `skipped`, and nothing is made anew for it. `added + updated + skipped +
    failed` are the documents that were given.
    """
    await caller.may("store", "put", {"namespace": ("knowledge", body.collection)})
    given = [one.model_dump() for one in body.documents]
    made, outcomes = await knowledge.add(given, owner=caller.owner, collection=body.collection)
    vectors = knowledge.make_vectors(made)
    if body.wait:
        await vectors
    counted = Counter(one.result for one in outcomes)
    return Json(
        {
            "added": counted["added"],
            "updated": counted["updated"],
            "skipped": counted["skipped"],
            "failed": [
                {"id": one.external_id, "reason": one.reason} for one in outcomes if one.result == "failed"
            ],
        }
    )


@router.post("/delete", responses=answers(Forbidden, UnknownCollection))
async def delete(body: Gone, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Delete documents by their ids; the next search finds none of them. Unknown ids count for nothing."""
    await caller.may("store", "delete", {"namespace": ("knowledge", body.collection)})
    async with engine.db.connection() as conn:
        named = await collections.named(conn, body.collection, owner=caller.owner)
        gone = await documents.delete(conn, named, body.ids)
    return Json({"deleted": len(gone)})
