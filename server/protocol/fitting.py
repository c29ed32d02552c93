"""Whether an assistant can be what it is to be: its kind is asked when it is made or changed."""

from asyncio import to_thread
from collections.abc import Mapping
from contextlib import nullcontext
from typing import Any

from artel.graphs.context import use
from artel.server.catalog import Catalog
from artel.server.engine import Engine
from artel.server.protocol import role_wishes


async def fit(engine: Engine, catalog: Catalog, graph_id: str, context: Mapping[str, Any] | None) -> None:
    """Let the kind of an assistant refuse its context; one of a graph that is not served here passes.

    Raises:
        Invalid: a value cannot be; the message names it and what would be right.
    """
    await role_wishes.check_assistant(catalog, graph_id, context or {})
    check = catalog.check(graph_id) if graph_id in catalog.names() else None
    if check is not None:
        with use(engine.handles) if engine.handles else nullcontext():
            await to_thread(check, dict(context or {}))
