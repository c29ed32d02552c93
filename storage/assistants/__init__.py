"""Assistants: a graph with a configuration, in versions. Each graph that is served has one nobody made."""

from artel.storage.assistants.changing import (
    Change,
    create,
    delete,
    get,
    keep_system,
    lock,
    patch,
    point,
    removable,
)
from artel.storage.assistants.finding import SORTABLE, count, search, threads_of, versions
from artel.storage.assistants.record import (
    Assistant,
    AssistantExists,
    OfTheGraph,
    UnknownAssistant,
    UnknownVersion,
    Version,
)

__all__ = [
    "SORTABLE",
    "Assistant",
    "AssistantExists",
    "Change",
    "OfTheGraph",
    "UnknownAssistant",
    "UnknownVersion",
    "Version",
    "count",
    "create",
    "delete",
    "get",
    "keep_system",
    "lock",
    "patch",
    "point",
    "removable",
    "search",
    "threads_of",
    "versions",
]
