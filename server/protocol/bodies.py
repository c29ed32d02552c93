"""What clients send: unknown fields are ignored, null is not given, wrong values of known fields are 422."""

from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

MAX_LIMIT = 1000
MAX_OFFSET = 2**31
TEN_YEARS_S = 3650 * 24 * 3600

Json = dict[str, Any]
Mode = Literal[
    "values", "messages", "messages-tuple", "tasks", "checkpoints", "updates", "events", "debug", "custom"
]
RunField = Literal[
    "run_id",
    "thread_id",
    "assistant_id",
    "created_at",
    "updated_at",
    "status",
    "metadata",
    "kwargs",
    "multitask_strategy",
]


def _storable(text: str) -> str:
    if "\0" in text:
        raise ValueError("a text may not have a NUL character")
    return text


Id = Annotated[UUID, Field(strict=False)]
Text = Annotated[str, AfterValidator(_storable)]
Limit = Annotated[int, Field(ge=1, le=MAX_LIMIT)]
Offset = Annotated[int, Field(ge=0, le=MAX_OFFSET)]


class Body(BaseModel):
    """The body of a request."""

    model_config = ConfigDict(extra="ignore", strict=True)

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return {k: v for k, v in given.items() if v is not None} if isinstance(given, dict) else given


class Config(Body):
    """What LangGraph calls a config, as far as clients may give one."""

    tags: list[str] = []
    recursion_limit: int | None = Field(None, ge=1, le=2**31)
    configurable: Json = {}
    metadata: Json = {}


class Checkpoint(Body):
    """Where in a thread's history."""

    thread_id: str | None = None
    checkpoint_ns: Text = ""
    checkpoint_id: Text | None = None
    checkpoint_map: dict[Text, Text] | None = None


class Goto(Body):
    """A node to run, and what it is given."""

    node: str
    input: Any = None


class Command(Body):
    """Go on otherwise than by new input: an answer, a change of the state, another node."""

    update: Json | list[Annotated[list[Any], Field(min_length=2, max_length=2)]] | None = None
    resume: Any = None
    goto: str | Goto | list[str | Goto] | None = None


class RunBody(Body):
    """A run to start."""

    assistant_id: str = Field(description="An assistant's id, or the name of a graph.")
    input: Any = None
    command: Command | None = None
    metadata: Json = {}
    config: Config = Config()
    context: Json = {}
    checkpoint: Checkpoint | None = None
    checkpoint_id: Id | None = None
    webhook: Text | None = Field(None, min_length=1, description="A URL that is told of the end.")
    interrupt_before: Literal["*"] | list[str] | None = None
    interrupt_after: Literal["*"] | list[str] | None = None
    stream_mode: Mode | list[Mode] = ["values"]
    stream_subgraphs: bool = False
    stream_resumable: bool = False
    feedback_keys: list[str] | None = None
    multitask_strategy: Literal["reject", "interrupt", "rollback", "enqueue"] = "enqueue"
    if_not_exists: Literal["reject", "create"] = "reject"
    after_seconds: float | None = Field(None, ge=0, le=TEN_YEARS_S, allow_inf_nan=False)
    durability: Literal["sync", "async", "exit"] | None = None
    checkpoint_during: bool | None = Field(None, json_schema_extra={"deprecated": True})
    on_disconnect: Literal["cancel", "continue"] = "continue"
    on_completion: Literal["delete", "keep"] = Field("delete", description="Of a run without a thread.")
    priority: int | None = Field(None, ge=-5, le=5, description="-5 begins first, 5 last; by default 0.")

    @property
    def modes(self) -> list[str]:
        """The modes that were asked for, each once."""
        asked = [self.stream_mode] if isinstance(self.stream_mode, str) else self.stream_mode
        return list(dict.fromkeys(asked))


class CancelBody(Body):
    """Which runs to stop: those of a status, or some of a thread."""

    status: Literal["pending", "running", "all"] | None = None
    thread_id: Id | None = None
    run_ids: Annotated[list[Id], Field(max_length=MAX_LIMIT)] | None = None

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        of_thread = self.thread_id is not None and self.run_ids is not None
        if of_thread == (self.status is not None) or (self.thread_id is None) != (self.run_ids is None):
            raise ValueError("give either status, or thread_id and run_ids")
        return self
