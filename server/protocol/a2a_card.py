"""The cards of agents: what another agent reads before it talks to one of ours."""

from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol import orders
from artel.server.protocol.given import GivenCatalog, GivenEngine, Json
from artel.storage.assistants import Assistant, UnknownAssistant

router = APIRouter(tags=["A2A"])

MODES = ["application/json", "text/plain"]

AssistantName = Annotated[str, Path(description="An assistant's id, or the name of a graph.")]


@router.get("/.well-known/agent-card.json", responses=answers(UnknownAssistant))
async def well_known(
    request: Request,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
    assistant_id: Annotated[str, Query(description="An assistant's id, or the name of a graph.")],
) -> Response:
    """Return the card of an assistant: what it is and where to talk to it."""
    assistant = await orders.resolve(engine.db, catalog, assistant_id, caller=caller)
    return Json(_card(assistant, str(request.base_url)))


@router.get("/a2a/{assistant_id}", responses=answers(UnknownAssistant))
@router.get("/a2a/{assistant_id}/.well-known/agent-card.json", responses=answers(UnknownAssistant))
async def card(
    request: Request,
    assistant_id: AssistantName,
    engine: GivenEngine,
    catalog: GivenCatalog,
    caller: GivenCaller,
) -> Response:
    """Return the card of an assistant: what it is and where to talk to it."""
    assistant = await orders.resolve(engine.db, catalog, assistant_id, caller=caller)
    return Json(_card(assistant, str(request.base_url)))


def _card(assistant: Assistant, base: str) -> dict[str, Any]:
    url = f"{base.rstrip('/')}/a2a/{assistant.assistant_id}"
    described = assistant.description or f"The assistant {assistant.name}."
    return {
        "name": assistant.name,
        "description": described,
        "version": version("artel"),
        "url": url,
        "preferredTransport": "JSONRPC",
        "protocolVersion": "0.3.0",
        "supportedInterfaces": [
            {"url": url, "protocolBinding": "JSONRPC", "protocolVersion": known} for known in ("1.0", "0.3")
        ],
        "capabilities": {"streaming": True, "pushNotifications": False},
        "defaultInputModes": MODES,
        "defaultOutputModes": MODES,
        "skills": [
            {
                "id": f"{assistant.assistant_id}-main",
                "name": assistant.name,
                "description": described,
                "tags": ["assistant", "langgraph"],
                "inputModes": MODES,
                "outputModes": MODES,
            }
        ],
    }
