"""What a model is shown of a thread: what stays the same first, what changes in one message at the end.

A provider's prompt cache keeps the part that did not change since the last call: system, tools, history. What
changes from call to call (plan, decisions, todos) comes after it, in a message that is in no state.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from langchain_core.messages import AnyMessage
from langgraph.store.base import BaseStore

from artel.graphs import remembering
from artel.graphs.models.told import told
from artel.graphs.roles import Role


@dataclass(frozen=True, slots=True)
class Moment:
    """The moment before a model is asked."""

    role: Role
    root: Path
    "The workspace."
    state: Mapping[str, Any]
    store: BaseStore | None


Part: TypeAlias = Callable[[Moment], Awaitable[str]]
"""Returns what the model is told of one matter, as Markdown under a heading of its own; nothing: nothing."""

PARTS: tuple[Part, ...] = (remembering.known,)
"""In the order in which they are shown: what changes most comes last."""


async def shown(messages: Sequence[AnyMessage], moment: Moment) -> list[AnyMessage]:
    """Return the messages of a thread as the model gets them."""
    said = [text for part in PARTS if (text := await part(moment))]
    return told(messages, "\n\n".join(said)) if said else list(messages)
