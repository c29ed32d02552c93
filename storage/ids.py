"""Names of things: time-ordered for what is made, fixed for what comes with a graph."""

from uuid import UUID, uuid5

from langchain_core.utils.uuid import uuid7

# The namespace of the reference server: clients may compute the id of a graph's own assistant themselves.
_GRAPHS = UUID("6ba7b821-9dad-11d1-80b4-00c04fd430c8")


def new_id() -> UUID:
    """Return a UUIDv7: later ids sort after earlier ones of this process."""
    return uuid7()


def system_assistant_id(graph_id: str) -> UUID:
    """Return the id of the assistant that every graph has without anyone making it.

    >>> system_assistant_id("agent")
    UUID('fe096781-5601-53d2-b2f6-0d3403f7e9ca')
    """
    return uuid5(_GRAPHS, graph_id)
