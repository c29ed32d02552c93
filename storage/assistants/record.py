"""What an assistant is, and what it was in each of its versions."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

from artel.storage.errors import Conflict, NotFound
from artel.storage.ids import system_assistant_id
from artel.storage.postgres import Connection

SYSTEM = {"created_by": "system"}
Allowed: TypeAlias = str | None  # a jsonpath that the metadata must fulfil; None: no limit


class UnknownAssistant(NotFound):
    """No assistant has that id."""


class UnknownVersion(NotFound):
    """The assistant has no version of that number."""


class AssistantExists(Conflict):
    """There is an assistant with that id already."""

    code = "assistant_exists"


class OfTheGraph(Conflict):
    """The assistant belongs to its graph: it stays as long as the graph is served."""

    code = "assistant_of_the_graph"


@dataclass(frozen=True, slots=True)
class Assistant:
    """A graph, and what its runs are given unless they say otherwise."""

    assistant_id: UUID
    graph_id: str
    name: str
    description: str | None
    config: dict[str, Any]
    context: dict[str, Any]
    metadata: dict[str, Any]
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def is_system(self) -> bool:
        """Whether it came with its graph."""
        return self.assistant_id == system_assistant_id(self.graph_id)


@dataclass(frozen=True, slots=True)
class Version:
    """What an assistant was from one change to the next."""

    assistant_id: UUID
    version: int
    graph_id: str
    name: str
    description: str | None
    config: dict[str, Any]
    context: dict[str, Any]
    metadata: dict[str, Any]
    created_at: datetime


async def one(conn: Connection, query: str, values: dict[str, Any]) -> Assistant | None:
    """Return the assistant that a statement returns, if it does."""
    row = await (await conn.execute(query, values)).fetchone()
    if row and conn.sealer:
        row = await conn.sealer.open(row)
    return Assistant(**row) if row else None


def known(assistant: Assistant | None, assistant_id: UUID) -> Assistant:
    """Return an assistant that was found.

    Raises:
        UnknownAssistant: it was not.
    """
    if assistant is None:
        raise UnknownAssistant(f"no assistant {assistant_id}")
    return assistant
