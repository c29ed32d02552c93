"""From the body of a run to an order for the engine: which graph, with what."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from artel.server.catalog import Catalog
from artel.server.protocol.bodies import RunBody
from artel.server.protocol.given import not_yet
from artel.storage import assistants
from artel.storage.assistants import Assistant, UnknownAssistant
from artel.storage.errors import BadRequest, Invalid
from artel.storage.ids import new_id, system_assistant_id
from artel.storage.postgres import Database
from artel.storage.runs import Order


class TwoContexts(BadRequest):
    """Both `context` and `config.configurable` were given."""

    code = "two_contexts"


async def make(db: Database, catalog: Catalog, body: RunBody, *, thread_id: UUID | None, owner: str) -> Order:
    """Return the order that a body means; without a thread, one for a thread of its own.

    Raises:
        Invalid: there is neither an assistant nor a graph of that name.
        UnknownAssistant: there is no assistant with that id.
        TwoContexts: `context` and `config.configurable` were both given.
    """
    not_yet(webhook=body.webhook)
    assistant = await resolve(db, catalog, body.assistant_id)
    config, context = mirrored(body, assistant)
    metadata = {
        **assistant.metadata,
        "graph_id": assistant.graph_id,
        "assistant_id": str(assistant.assistant_id),
        **body.metadata,
    }
    kept = body.on_completion == "keep"
    kwargs = {
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
        "if_not_exists": body.if_not_exists if thread_id else "create",
        "on_completion": body.on_completion,
        "feedback_keys": body.feedback_keys,
        "webhook": body.webhook,
    }
    return Order(
        thread_id=thread_id or new_id(),
        assistant_id=assistant.assistant_id,
        graph_id=assistant.graph_id,
        kwargs=kwargs,
        metadata=metadata,
        multitask_strategy=body.multitask_strategy,
        due_at=datetime.now(UTC) + timedelta(seconds=body.after_seconds) if body.after_seconds else None,
        temporary=thread_id is None and not kept,
        owner=owner,
    )


async def resolve(db: Database, catalog: Catalog, name: str) -> Assistant:
    """Return the assistant that a name means: its id, or the name of a graph.

    Raises:
        Invalid: it is neither.
        UnknownAssistant: no assistant has that id.
    """
    if name in catalog.names():
        assistant_id = system_assistant_id(name)
    else:
        try:
            assistant_id = UUID(name)
        except ValueError:
            known = ", ".join(catalog.names())
            raise Invalid(f"assistant_id must be an assistant's id or one of {known}; got {name!r}") from None
    async with db.connection() as conn:
        assistant = await assistants.get(conn, assistant_id)
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
