"""/api/v1/experiments: other models or prompts for some threads of an assistant, compared with its own."""

from typing import Annotated, Any, Self
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import Field, model_validator
from starlette.responses import Response

from artel.server.auth.caller import Caller, GivenCaller
from artel.server.engine import Engine
from artel.server.errors import answers
from artel.server.learning import comparing
from artel.server.learning.noting import experiment_entry
from artel.server.protocol import orders
from artel.server.protocol.bodies import Body, Json, Limit, Offset, Text
from artel.server.protocol.given import GivenCatalog, GivenEngine, JsonRoute
from artel.server.protocol.given import Json as JsonAnswer
from artel.storage import assistants, audit, experiments, turns
from artel.storage.assistants import UnknownAssistant
from artel.storage.encoding import dumps
from artel.storage.errors import Forbidden
from artel.storage.experiments import (
    CONTROL,
    Experiment,
    ExperimentOver,
    ExperimentRuns,
    Status,
    UnknownExperiment,
    Variant,
)
from artel.storage.turns import Outcome

MAX_CONTEXT = 100_000  # bytes of a variant's context

router = APIRouter(prefix="/experiments", route_class=JsonRoute, tags=["Product"])

Name = Annotated[Text, Field(min_length=1, max_length=100)]
Weight = Annotated[int, Field(ge=0, le=10_000)]


class Different(Body):
    """A variant: what is different for its threads."""

    name: Name
    weight: Annotated[int, Field(ge=1, le=10_000)] = 1
    context: Json = Field(
        description="In place of the assistant's: `model`, `instructions`, or your own keys."
    )

    @model_validator(mode="after")
    def _storable(self) -> Self:
        if self.name == CONTROL or "/" in self.name:
            raise ValueError(f"name may not be {CONTROL!r}, the assistant as it is, nor hold a /")
        if not self.context:
            raise ValueError("context must say what is different")
        told = dumps(self.context)
        if len(told) > MAX_CONTEXT or b"\\u0000" in told:
            raise ValueError(f"context must be at most {MAX_CONTEXT} bytes, without NUL characters")
        return self


class Begun(Body):
    """An experiment to begin."""

    assistant_id: Text = Field(description="An assistant's id, or the name of a graph.")
    name: Name
    variants: Annotated[list[Different], Field(min_length=1, max_length=8)]
    control_weight: Weight = Field(1, description="How many threads get the assistant as it is, by weight.")
    min_threads: Annotated[int, Field(ge=10, le=100_000)] = Field(
        20,
        description="Threads on either side before the first look; more looks at 2, 4, 8, 16 times as many.",
    )
    alpha: Annotated[float, Field(gt=0, le=0.5, allow_inf_nan=False)] = Field(
        0.05, description="How likely at most a variant that is no worse is rolled back."
    )

    @model_validator(mode="after")
    def _comparable(self) -> Self:
        if len({one.name for one in self.variants}) < len(self.variants):
            raise ValueError("each variant must have a name of its own")
        if not self.control_weight:
            raise ValueError(
                "control_weight must be 1 or more: variants are compared with the assistant as it is"
            )
        return self


@router.get("", responses=answers(Forbidden))
async def search(
    engine: GivenEngine,
    caller: GivenCaller,
    status: Status | None = None,
    assistant_id: UUID | None = None,
    limit: Annotated[Limit, Query()] = 100,
    offset: Annotated[Offset, Query()] = 0,
) -> Response:
    """Return the experiments on assistants you may see, newest first."""
    allowed = await caller.may("assistants", "search", {})
    async with engine.db.connection() as conn:
        found = await experiments.search(
            conn,
            owner=caller.owner,
            status=status,
            assistant_id=assistant_id,
            allowed=allowed,
            limit=limit,
            offset=offset,
        )
    return JsonAnswer([_record(one) for one in found])


@router.post("", status_code=201, responses=answers(Forbidden, UnknownAssistant, ExperimentRuns))
async def begin(body: Begun, engine: GivenEngine, catalog: GivenCatalog, caller: GivenCaller) -> Response:
    """Give some threads of an assistant a variant, from now on; which one follows from the thread's id."""
    assistant = await orders.resolve(engine.db, catalog, body.assistant_id, caller=caller)
    assistant_id = assistant.assistant_id
    allowed = await caller.may("assistants", "update", {"assistant_id": assistant_id, "metadata": {}})
    async with engine.db.transaction() as conn:
        await assistants.get(conn, assistant_id, allowed=allowed)
        begun = await experiments.add(
            conn,
            owner=caller.owner,
            user_id=caller.name,
            assistant_id=assistant_id,
            name=body.name,
            control=body.control_weight,
            variants=tuple(Variant(one.name, one.weight, one.context) for one in body.variants),
            min_threads=body.min_threads,
            alpha=body.alpha,
        )
        await audit.add(conn, [experiment_entry(begun, "begun", user=caller.name)])
    return JsonAnswer(_record(begun), status_code=201)


@router.get("/{experiment_id}", responses=answers(Forbidden, UnknownExperiment, UnknownAssistant))
async def results(experiment_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """Return an experiment with its results so far: threads, reward, failures and thumbs of each side."""
    found = await _seen(engine, experiment_id, caller, change=False)
    async with engine.db.connection() as conn:
        outcomes = await turns.outcomes(conn, experiment_id, owner=caller.owner, since=found.started_at)
    return JsonAnswer({**_record(found), "results": _results(found, outcomes)})


@router.post(
    "/{experiment_id}/stop",
    responses=answers(Forbidden, UnknownExperiment, UnknownAssistant, ExperimentOver),
)
async def stop(experiment_id: UUID, engine: GivenEngine, caller: GivenCaller) -> Response:
    """End an experiment: every thread gets the assistant as it is, from its next run on."""
    await _seen(engine, experiment_id, caller, change=True)
    async with engine.db.transaction() as conn:
        stopped = await experiments.stop(conn, experiment_id, owner=caller.owner)
        await audit.add(conn, [experiment_entry(stopped, "stopped", user=caller.name)])
    return JsonAnswer(_record(stopped))


async def _seen(engine: Engine, experiment_id: UUID, caller: Caller, *, change: bool) -> Experiment:
    """Return an experiment on an assistant that the caller may see, or change.

    Raises:
        UnknownExperiment, UnknownAssistant, Forbidden: they may not, or there is none.
    """
    async with engine.db.connection() as conn:
        found = await experiments.get(conn, experiment_id, owner=caller.owner)
        asked = {"assistant_id": found.assistant_id, "metadata": {}}
        allowed = await caller.may("assistants", "update" if change else "read", asked)
        await assistants.get(conn, found.assistant_id, allowed=allowed)
    return found


def _results(found: Experiment, outcomes: list[Outcome]) -> list[dict[str, Any]]:
    control = [one for one in outcomes if one.variant == CONTROL]
    told = []
    for name in (CONTROL, *(one.name for one in found.variants)):
        theirs = [one for one in outcomes if one.variant == name]
        compared = {
            f"p_{measure}": comparing.p_measured(measure, control, theirs) for measure in comparing.MEASURES
        }
        told.append(
            {
                "variant": name,
                "threads": len(theirs),
                "reward": _mean([one.reward for one in theirs]),
                "failed": _mean([one.failed for one in theirs]),
                "thumbs_up": sum(one.up for one in theirs),
                "thumbs_down": sum(one.down for one in theirs),
                **({} if name == CONTROL else compared),
            }
        )
    return told


def _mean(values: list[float]) -> float | None:
    return sum(values) / len(values) if values else None


def _record(found: Experiment) -> dict[str, Any]:
    named = (
        "experiment_id",
        "assistant_id",
        "name",
        "status",
        "min_threads",
        "alpha",
        "looks",
        "dropped",
        "user_id",
        "started_at",
        "ended_at",
    )
    variants = [{"name": one.name, "weight": one.weight, "context": one.context} for one in found.variants]
    told = {name: getattr(found, name) for name in named}
    return {**told, "control_weight": found.control, "variants": variants}
