"""/api/v1/models: which models agents ask, in which order, and how each of them stands in this process."""

from asyncio import to_thread
from importlib import import_module
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from artel.graphs.models import Models
from artel.graphs.models.prices import Price, price_of
from artel.graphs.models.standing import Told
from artel.graphs.models.windows import budget
from artel.server.auth.caller import GivenCaller
from artel.server.errors import answers
from artel.server.protocol.given import GivenEngine, JsonRoute
from artel.storage.errors import Forbidden

router = APIRouter(prefix="/models", route_class=JsonRoute, tags=["Product"])


class Listed(Told):
    """How a model stands, and what is known of it beforehand."""

    window: Annotated[int | None, Field(description="Tokens it can be asked at once; null: no bound.")]
    price: Annotated[Price | None, Field(description="US dollars a million tokens; null: nobody knows.")]


class Chains(BaseModel):
    """The models of a process."""

    default: list[str] = Field(description="Asked one after another where nothing else is set.")
    agents: dict[str, list[str]] = Field(description="The same for each agent and step that has its own.")
    models: list[Listed] = Field(description="How each of them stands here; other processes have their own.")
    problem: str | None = Field(description="What is wrong with the file of settings; it then says nothing.")


@router.get("", responses=answers(Forbidden))
async def look(engine: GivenEngine, caller: GivenCaller) -> Chains:
    """Return the chain of each agent, and of each model its breaker, last error, latency and limits.

    No model is asked for it.
    """
    await caller.may("assistants", "search", {})
    if engine.handles is None:
        return Chains(default=[], agents={}, models=[], problem=None)
    return await to_thread(_told, engine.handles.models)


def _told(models: Models) -> Chains:
    models.look_again()
    roles = import_module("artel.graphs.roles").built_in()  # an idle server needs none of what roles need
    default = models.names()
    usual = {
        **dict.fromkeys(models.settings.per_agent, ""),
        **{name: str(role.model) for name, role in roles.items()},
    }
    agents = {name: models.names(name, usual=said) for name, said in sorted(usual.items())}
    used = dict.fromkeys([*default, *(spec for chain in agents.values() for spec in chain)])
    listed = [_listed(told, models) for told in models.told(used)]
    return Chains(default=default, agents=agents, models=listed, problem=models.problem)


def _listed(told: Told, models: Models) -> Listed:
    window = budget(told["model"], models.settings.windows).window
    return {**told, "window": window, "price": price_of(told["model"])}
