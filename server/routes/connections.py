"""/api/v1/connections: with which servers assistants may be connected, and what each offers."""

from asyncio import to_thread
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, Field

from artel.graphs.kinds.connections import Connection, Connections, OpenAI
from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.given import GivenEngine, JsonRoute
from artel.storage.errors import Forbidden

router = APIRouter(prefix="/connections", route_class=JsonRoute, tags=["Product"])


class Offered(BaseModel):
    """A connection as whoever makes an assistant sees it: neither its address nor its key."""

    name: str = Field(description="For `context.connection` of an assistant.")
    type: Literal["openai", "langgraph"]
    graph_id: str = Field(description="The graph that such an assistant is of.")
    description: str
    models: list[str] = Field([], description="Which models may be asked, by patterns.")
    tools: list[str] = Field([], description="Tools that the server runs itself.")
    assistants: list[str] = Field([], description="Which of its assistants may be asked, by patterns.")


class Connected(BaseModel):
    """All of them."""

    connections: list[Offered]
    problem: bool = Field(description="Whether the file is wrong as it is now, so that an earlier one holds.")


@router.get("", responses=answers(Forbidden))
async def search(engine: GivenEngine, caller: GivenCaller) -> Connected:
    """Return the connections that there are now; none of their servers is asked."""
    await caller.may("assistants", "search", {})
    given: Connections = engine.handles.connections if engine.handles else Connections()
    known = await to_thread(given.all)
    return Connected(
        connections=[_offered(name, one) for name, one in known.items()], problem=given.problem is not None
    )


def _offered(name: str, one: Connection) -> Offered:
    if isinstance(one, OpenAI):
        return Offered(
            name=name,
            type="openai",
            graph_id="openai_responses",
            description=one.description,
            models=one.models,
            tools=list(one.tools),
        )
    return Offered(
        name=name,
        type="langgraph",
        graph_id="remote_graph",
        description=one.description,
        assistants=one.assistants,
    )
