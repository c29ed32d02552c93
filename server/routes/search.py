"""/api/v1/search: what a collection knows of a question, how sure that is, and what it asks back."""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.bodies import Body, Text
from artel.server.protocol.given import Json, JsonRoute
from artel.server.routes.collections import GivenKnowledge, Name
from artel.storage.errors import Forbidden
from artel.storage.knowledge.collections import UnknownCollection
from artel.storage.knowledge.filters import Filters
from artel.tools.knowledge.settings import LONGEST_QUERY, MOST_RESULTS

router = APIRouter(prefix="/search", route_class=JsonRoute, tags=["Product"])

MOST_VALUES = 32
Words = Annotated[list[Annotated[Text, Field(max_length=64)]], Field(max_length=MOST_VALUES)]
Scalar = StrictBool | StrictInt | StrictFloat | StrictStr


class Kept(Body):
    """What a document must be; each that is given must hold."""

    sources: Annotated[list[UUID], Field(max_length=MOST_VALUES)] = Field(default=[])
    kinds: Words = Field(default=[])
    languages: Words = Field(default=[])
    metadata: Annotated[dict[str, Scalar], Field(max_length=MOST_VALUES)] = Field(default={})
    updated_from: datetime | None = None
    updated_before: datetime | None = None


class Asked(Body):
    """A question to a collection."""

    query: Annotated[Text, Field(min_length=1, max_length=LONGEST_QUERY)]
    collection: Name
    top_k: int = Field(10, ge=1, le=MOST_RESULTS, description="Documents, at most.")
    role: Annotated[Text, Field(max_length=64)] | None = Field(
        None, description="For whom: what is for other roles only is left out."
    )
    filters: Kept | None = None
    threshold: float | None = Field(
        None, ge=0, le=1, description="Ask back below this confidence; by default as the server is set."
    )


@router.post("", responses=answers(Forbidden, UnknownCollection))
async def search(body: Asked, knowledge: GivenKnowledge, caller: GivenCaller) -> Response:
    """Return documents, best first, each once, by its best passage; what was deleted is never among them.

    `score` orders the results of one search and says nothing beyond. `confidence` is the probability that
    the first result is right. `clarification` is there exactly when that is below the threshold, and asks
    what would tell the results apart. `span` are characters of the document's text, in its `version`.
    """
    await caller.may("store", "search", {"namespace": ("knowledge", body.collection)})
    searching = await knowledge.ready()
    threshold = knowledge.settings.threshold if body.threshold is None else body.threshold
    found = await searching.search(
        body.query,
        owner=caller.owner,
        collection=body.collection,
        top_k=body.top_k,
        filters=_filters(body),
        threshold=threshold,
    )
    asks = None if found.clarification is None else [asdict(one) for one in found.clarification]
    return Json(
        {
            "results": [asdict(one) for one in found.results],
            "confidence": round(found.confidence, 4),
            "clarification": None if asks is None else {"questions": asks},
            "language": found.language,
            "revision": found.revision,
        }
    )


def _filters(body: Asked) -> Filters:
    kept = body.filters or Kept()
    return Filters(
        sources=tuple(kept.sources),
        kinds=tuple(kept.kinds),
        languages=tuple(kept.languages),
        roles=(body.role,) if body.role else (),
        metadata=tuple(sorted(kept.metadata.items())),
        updated_from=kept.updated_from,
        updated_before=kept.updated_before,
    )
