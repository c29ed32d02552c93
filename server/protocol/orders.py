"""From the body of a run to an order for the engine: which graph, with what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import orjson
from fastapi import Depends, Header, Request

from artel.server.auth.caller import LOCAL, OWNER, Caller, GivenCaller
from artel.server.catalog import Catalog
from artel.server.engine import Engine, dispatch
from artel.server.learning.varying import MARKS, varied
from artel.server.protocol import role_wishes
from artel.server.protocol.bodies import RunBody
from artel.storage import assistants, clock
from artel.storage.assistants import Assistant, UnknownAssistant
from artel.storage.errors import BadRequest, Invalid
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.postgres import Database
from artel.storage.runs import Order, Run

MAX_KEY = 255


class TwoContexts(BadRequest):
    """Both `context` and `config.configurable` were given."""

    code = "two_contexts"


@dataclass(frozen=True, slots=True)
class Call:
    """Who asks for a run, by which request, and by which key they may ask again."""

    caller: Caller = OWNER
    request_id: str = ""
    key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)  # those that `configurable_headers` passes on
    batch: str = ""  # the fingerprint of all bodies that came with this one

    @property
    def user_id(self) -> str:
        """Whose share of the server a run takes."""
        return self.caller.name


async def _call(
    request: Request,
    caller: GivenCaller,
    idempotency_key: Annotated[
        str | None, Header(description="The same key again gives the same run; up to 255 characters.")
    ] = None,
) -> Call:
    if idempotency_key is not None and not 1 <= len(idempotency_key) <= MAX_KEY:
        raise Invalid(f"Idempotency-Key must have 1 to {MAX_KEY} characters, got {len(idempotency_key)}")
    passed = request.app.state.http.configurable_headers
    headers = passed.chosen(request.headers) if passed else {}
    return Call(caller, str(request.scope.get("artel.request_id", "")), idempotency_key, headers)


GivenCall = Annotated[Call, Depends(_call)]


def calls_of(call: Call, bodies: Sequence[RunBody]) -> list[Call]:
    """Return a call for each run of a batch: key and place say which run is meant, and all bodies count.

    The first has the plain key, so that it is good for one run or one batch and not for both.
    """
    if call.key is None:
        return [call] * len(bodies)
    batch = _digest([body.model_dump(mode="json") for body in bodies])
    keys = [call.key, *(f"{call.key}\0{place}" for place in range(1, len(bodies)))]
    return [replace(call, key=key, batch=batch) for key in keys]


async def accept(
    engine: Engine, catalog: Catalog, body: RunBody, call: Call, *, thread_id: UUID | None, fast: bool
) -> Run:
    """Start the run that a body means, as `make` and `dispatch.start` say."""
    order = await make(engine.db, catalog, body, thread_id=thread_id, call=call)
    return await dispatch.start(engine, order, fast=fast)


async def make(
    db: Database,
    catalog: Catalog,
    body: RunBody,
    *,
    thread_id: UUID | None,
    owner: str = LOCAL,
    call: Call | None = None,
) -> Order:
    """Return the order that a body means; without a thread, one for a thread of its own.

    The `caller` of a call is asked whether they may, and their word on its metadata counts.

    Raises:
        Invalid: there is neither an assistant nor a graph of that name.
        UnknownAssistant: there is no assistant with that id.
        TwoContexts: `context` and `config.configurable` were both given.
        RoleWrong: it asks for a role that is none.
        Forbidden: the caller may not.
    """
    call = call or Call(Caller(owner))
    caller = call.caller
    assistant = await resolve(db, catalog, body.assistant_id, caller=caller)
    run_id, own_thread = new_id(), thread_id or new_id()
    given = body.context.keys() | body.config.configurable.keys()
    assistant, mark = await varied(db, assistant, own_thread, owner=caller.owner, given=given)
    kwargs = _kwargs(body, assistant, with_thread=thread_id is not None)
    wishes = {**kwargs["config"]["configurable"], **kwargs["context"]}
    await role_wishes.check_run(db, catalog, assistant.graph_id, wishes, thread_id, caller.owner)
    kwargs["config"]["configurable"].update(call.headers)  # a proxy set them: a body may not say otherwise
    if body.webhook and _tells_nobody(catalog):
        kwargs["webhook"] = None
    value: dict[str, Any] = {
        "thread_id": thread_id,
        "assistant_id": assistant.assistant_id,
        "run_id": run_id,
        "status": "pending",
        "metadata": dict(body.metadata),
        "prevent_insert_if_inflight": body.multitask_strategy == "reject",
        "multitask_strategy": body.multitask_strategy,
        "if_not_exists": kwargs["if_not_exists"],
        "after_seconds": body.after_seconds or 0,
        "kwargs": kwargs,
    }
    allowed = await caller.may("threads", "create_run", value)
    asked: dict[str, Any] = value["metadata"]
    stamp = {"graph_id": assistant.graph_id, "assistant_id": str(assistant.assistant_id)}
    metadata = {**assistant.metadata, **stamp, **asked}
    return Order(
        thread_id=own_thread,
        assistant_id=assistant.assistant_id,
        graph_id=assistant.graph_id,
        kwargs=kwargs | _known_of(call) | _fingerprint(body, thread_id, call),
        metadata={name: metadata[name] for name in metadata if name not in MARKS} | mark,
        multitask_strategy=body.multitask_strategy,
        due_at=await _due_at(db, body.after_seconds),
        priority=-(body.priority or 0),
        temporary=thread_id is None and body.on_completion != "keep",
        owner=caller.owner,
        idempotency_key=_scoped(call),
        user_id=call.user_id,
        thread_metadata=asked,
        allowed=allowed,
        run_id=run_id,
    )


async def _due_at(db: Database, after_s: float | None) -> datetime | None:
    """Return when a delayed run begins, by the clock that says when it is due."""
    if not after_s:
        return None
    async with db.connection() as conn:
        return await clock.now(conn) + timedelta(seconds=after_s)


def _tells_nobody(catalog: Catalog) -> bool:
    """Whether the configuration turns webhooks off: runs that have one run all the same."""
    http = catalog.config.sections.get("http") if catalog.config else None
    return bool(http and http.get("disable_webhooks"))


def _kwargs(body: RunBody, assistant: Assistant, *, with_thread: bool) -> dict[str, Any]:
    """Return what a run is run with, as its row keeps it."""
    config, context = mirrored(body, assistant)
    return {
        "input": body.input,
        "command": body.command.model_dump(exclude_unset=True) if body.command else None,
        "config": config,
        "context": context,
        "checkpoint": body.checkpoint.model_dump(exclude_none=True) if body.checkpoint else None,
        "checkpoint_id": str(body.checkpoint_id) if body.checkpoint_id else None,
        "interrupt_before": body.interrupt_before,
        "interrupt_after": body.interrupt_after,
        "stream_mode": body.modes,
        "stream_subgraphs": body.stream_subgraphs,
        "stream_resumable": body.stream_resumable,
        "durability": body.durability or ("exit" if body.checkpoint_during is False else None),
        "on_disconnect": body.on_disconnect,
        "if_not_exists": body.if_not_exists if with_thread else "create",
        "on_completion": body.on_completion,
        "feedback_keys": body.feedback_keys,
        "webhook": body.webhook,
        "priority": body.priority,
    }


def _known_of(call: Call) -> dict[str, Any]:
    """Return what the graph of a run is told of who asked for it."""
    user = call.caller.user
    return {
        "user": dict(user) if user else None,
        "permissions": list(call.caller.permissions),
        "request_id": call.request_id or None,
    }


def _scoped(call: Call) -> str | None:
    """Return a key as it is stored: that of one user is not that of another."""
    if call.key is None:
        return None
    return sha256(f"{call.user_id}\0{call.key}".encode()).hexdigest()


def _fingerprint(body: RunBody, thread_id: UUID | None, call: Call) -> dict[str, Any]:
    """Tell bodies with a key apart: one that comes with the key of another is refused."""
    if call.key is None:
        return {}
    told = [thread_id, body.model_dump(mode="json"), *([call.batch] if call.batch else ())]
    return {"fingerprint": _digest(told)}


def _digest(told: Any) -> str:
    return sha256(orjson.dumps(told, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def resolve(db: Database, catalog: Catalog, name: str, *, caller: Caller = OWNER) -> Assistant:
    """Return the assistant that a name means: its id, or the name of a graph.

    Graphs' own assistants are everybody's; others are asked for on behalf of the caller.

    Raises:
        Invalid: it is neither.
        UnknownAssistant: no assistant that the caller may see has that id.
    """
    if name in catalog.names():
        assistant_id = system_assistant_id(name)
    else:
        try:
            assistant_id = UUID(name)
        except ValueError:
            known = ", ".join(catalog.names())
            raise Invalid(f"assistant_id must be an assistant's id or one of {known}; got {name!r}") from None
    own = any(assistant_id == system_assistant_id(graph_id) for graph_id in catalog.names())
    allowed = None if own else await caller.may("assistants", "read", {"assistant_id": assistant_id})
    async with db.connection() as conn:
        assistant = await assistants.get(conn, assistant_id, allowed=allowed)
    if assistant.graph_id not in catalog.names():
        raise UnknownAssistant(f'the graph "{assistant.graph_id}" of assistant {name} is not served here')
    return assistant


def mirrored(body: RunBody, assistant: Assistant) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return config and context of a run: the assistant's, then its own; each holds what the other was given.

    Raises:
        TwoContexts: both were given.
    """
    asked = body.config.model_dump(exclude_unset=True)
    configurable = asked.get("configurable") or {}
    if body.context and configurable:
        raise TwoContexts("give context or config.configurable, not both: each stands for the other")
    of_assistant = assistant.config.get("configurable") or {}
    context = {**assistant.context, **body.context, **configurable}
    config = {**assistant.config, **asked}
    config["configurable"] = {**of_assistant, **assistant.context, **configurable, **body.context}
    return config, context
