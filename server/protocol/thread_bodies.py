"""What clients send about threads and their states."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from artel.server.engine.retention import LONGEST_MIN
from artel.server.protocol.bodies import MAX_LIMIT, Body, Checkpoint, Command, Id, Json, Limit, Offset, Text
from artel.server.protocol.extraction import checked
from artel.storage.threads import Life, TtlStrategy

ThreadField = Literal[
    "thread_id",
    "created_at",
    "updated_at",
    "state_updated_at",
    "metadata",
    "config",
    "context",
    "status",
    "values",
    "interrupts",
    "error",
]
STATE_FIELDS = (
    "values",
    "next",
    "tasks",
    "metadata",
    "created_at",
    "checkpoint",
    "parent_checkpoint",
    "interrupts",
    "checkpoint_id",
    "parent_checkpoint_id",
)


def _state_field(name: str) -> str:
    if name not in STATE_FIELDS and not (name.startswith("values.") and len(name) > len("values.")):
        raise ValueError(f"must be values.<key> or one of {', '.join(STATE_FIELDS)}")
    return name


Minutes = Annotated[float, Field(gt=0, le=LONGEST_MIN, allow_inf_nan=False)]
StateField = Annotated[str, AfterValidator(_state_field)]


class Ttl(BaseModel):
    """How long a thread stays after something last happened on it."""

    model_config = ConfigDict(extra="ignore", strict=True)

    ttl: Minutes | None = Field(None, description="In minutes; null: for ever.")
    strategy: TtlStrategy = Field("delete", description="What then goes: the thread, or only its past.")

    @model_validator(mode="after")
    def _says_how_long(self) -> "Ttl":
        if "strategy" in self.model_fields_set and "ttl" not in self.model_fields_set:
            raise ValueError("ttl is required beside strategy")
        return self


class Lasting(Body):
    """Something that may have a limited life."""

    ttl: Minutes | Ttl | None = Field(None, description="A number: minutes until the thread is deleted.")

    @property
    def life(self) -> Life | None:
        """What was said of it; None when nothing was."""
        if isinstance(self.ttl, Ttl):
            return Life(self.ttl.ttl, self.ttl.strategy) if "ttl" in self.ttl.model_fields_set else None
        return None if self.ttl is None else Life(self.ttl)


class Update(Body):
    """What a node is to have written."""

    values: Json | list[Any] | None = None
    command: Command | None = Field(None, description="Stands for `values`.")
    as_node: Text


class Superstep(Body):
    """What nodes are to have written at the same time."""

    updates: list[Update] = Field(min_length=1)


class ThreadBody(Lasting):
    """A thread to make."""

    thread_id: Id | None = None
    metadata: Json = Field({})
    if_exists: Literal["raise", "do_nothing"] = "raise"
    supersteps: list[Superstep] = Field(
        [], description="A past to give to it, by the graph that `metadata.graph_id` names."
    )


class ThreadPatch(Lasting):
    """What to change of a thread."""

    metadata: Json = Field({})


class StateNote(Body):
    """What to note with a thread, asked of its state."""

    metadata: Json


class ThreadFilter(Body):
    """Which threads."""

    metadata: Json = Field({})
    status: Literal["idle", "busy", "interrupted", "error"] | None = None
    ids: list[Id] = Field([], description="Empty: all.")
    values: Json = Field({}, description="What their newest state must contain.")

    @property
    def wanted_ids(self) -> list[UUID] | None:
        """The ids; None when any will do."""
        return self.ids or None


class ThreadSearch(ThreadFilter):
    """Which threads, in what order, and what of them."""

    limit: Limit = 10
    offset: Offset = 0
    sort_by: Literal["thread_id", "status", "created_at", "updated_at", "state_updated_at"] = "created_at"
    sort_order: Literal["asc", "desc"] = "desc"
    select: list[ThreadField] | None = None
    extract: Annotated[dict[str, str], AfterValidator(checked)] = Field(
        {}, description="Paths such as `values.messages[-1].content`, by the names to show them under."
    )


class PruneBody(Body):
    """Threads to remove, or to forget the past of."""

    thread_ids: list[Id] = Field(max_length=MAX_LIMIT)
    strategy: TtlStrategy = "delete"


class StateUpdate(Body):
    """A change of a thread's state, as if a node had written it."""

    values: Json | list[Any] | None = None
    as_node: str | None = None
    checkpoint: Checkpoint | None = None
    checkpoint_id: Text | None = None


class StateQuery(Body):
    """Which state of a thread, and what of it."""

    checkpoint: Checkpoint
    subgraphs: bool = False
    select: list[StateField] = Field([])


class Before(Body):
    """A checkpoint, a config that names one, or its bare id."""

    checkpoint_id: Text | None = None
    configurable: Checkpoint | None = None

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: Any) -> Any:
        return {"checkpoint_id": given} if isinstance(given, str) else given


class HistoryQuery(Body):
    """Which part of a thread's history, newest first, and what of it."""

    limit: Limit = 1
    before: Before | None = None
    metadata: Json = Field({})
    checkpoint: Checkpoint | None = None
    select: list[StateField] = Field([])

    @property
    def before_id(self) -> str | None:
        """The id of the checkpoint whose past is asked for."""
        if self.before is None:
            return None
        inner = self.before.configurable
        return (inner.checkpoint_id if inner else None) or self.before.checkpoint_id
