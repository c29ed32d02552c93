"""What of a thread is sealed beside its metadata: what it asks, and why it failed."""

from collections.abc import Mapping, Sequence
from typing import Any

from artel.storage.sealing import Sealer


async def questions_of(
    sealer: Sealer, interrupts: Mapping[str, Sequence[Any]] | None
) -> dict[str, Any] | None:
    """Return what a thread waits for, each question sealed but for its id: by that it is taken away."""
    if interrupts is None:
        return None
    return {
        task: [{"id": one["id"], **await sealer.seal("thread", "interrupts", one)} for one in asked]
        for task, asked in interrupts.items()
    }


async def error_of(sealer: Sealer, error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return an error sealed; what a graph raises may say anything."""
    return await sealer.seal("thread", "error", error) if error else None
