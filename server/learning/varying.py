"""Gives threads the variant of an assistant that an experiment has for them."""

from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from artel.storage import experiments
from artel.storage.assistants import Assistant
from artel.storage.postgres import Database

MARKS = ("experiment_id", "experiment_variant")
"Of a run's metadata; nobody else may write them: results are counted by them."


async def varied(
    db: Database, assistant: Assistant, thread_id: UUID, *, owner: str, given: Collection[str]
) -> tuple[Assistant, dict[str, str]]:
    """Return an assistant as a thread gets it, and what the metadata of its run say of that.

    A run that says itself what a variant would (`given` are the names) is no part of the experiment.
    """
    async with db.connection() as conn:
        running = await experiments.of_assistant(conn, assistant.assistant_id, owner=owner)
    if running is None or any(name in one.context for one in running.variants for name in given):
        return assistant, {}
    variant = running.variant_of(thread_id)
    mark = dict(zip(MARKS, (str(running.experiment_id), variant.name), strict=True))
    return replace(assistant, context={**assistant.context, **variant.context}), mark
