"""What clients send about assistants."""

from typing import Literal

from pydantic import ConfigDict, Field

from artel.server.protocol.bodies import Body, Config, Id, Json, Limit, Offset, Text
from artel.server.protocol.orders import TwoContexts
from artel.storage.assistants import Change

AssistantField = Literal[
    "assistant_id",
    "graph_id",
    "name",
    "description",
    "config",
    "context",
    "created_at",
    "updated_at",
    "metadata",
    "version",
]


class KeptConfig(Config):
    """A config that is kept as it was given, with what only later releases may know."""

    model_config = ConfigDict(extra="allow", strict=True)


class Configured(Body):
    """Something with a config and a context, of which each stands for the other."""

    config: KeptConfig | None = None
    context: Json | None = None

    def mirrored(self) -> tuple[Json | None, Json | None]:
        """Return config and context, each with what the other was given; None: nothing was said of it.

        Raises:
            TwoContexts: both were given.
        """
        config = self.config.model_dump(exclude_unset=True) if self.config else {}
        configurable: Json | None = config.get("configurable")
        if self.context and configurable:
            raise TwoContexts("give context or config.configurable, not both: each stands for the other")
        if self.context:
            return {**config, "configurable": self.context}, self.context
        return config or None, configurable if configurable is not None else self.context


class AssistantBody(Configured):
    """An assistant to make."""

    graph_id: Text
    assistant_id: Id | None = None
    name: Text = "Untitled"
    description: Text | None = None
    metadata: Json = Field({})
    if_exists: Literal["raise", "do_nothing"] = "raise"


class AssistantPatch(Configured):
    """What a new version of an assistant has otherwise: metadata is merged, the rest replaced."""

    graph_id: Text | None = None
    name: Text | None = None
    description: Text | None = None
    metadata: Json = Field({})

    def change(self) -> Change:
        """Return what is to change.

        Raises:
            TwoContexts: `context` and `config.configurable` were both given.
        """
        config, context = self.mirrored()
        return Change(self.graph_id, self.name, self.description, config, context, self.metadata)


class AssistantFilter(Body):
    """Which assistants."""

    metadata: Json = Field({})
    graph_id: Text | None = None
    name: Text | None = None


class AssistantSearch(AssistantFilter):
    """Which assistants, in what order, and what of them."""

    limit: Limit = 10
    offset: Offset = 0
    sort_by: Literal["assistant_id", "created_at", "updated_at", "name", "graph_id"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[AssistantField] | None = None


class VersionsQuery(Body):
    """Which versions of an assistant, newest first."""

    metadata: Json = Field({})
    limit: Limit = 10
    offset: Offset = 0


class Latest(Body):
    """The version that an assistant is to be again."""

    version: int = Field(description="Its number.")
