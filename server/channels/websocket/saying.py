"""What clients say: the very models the AsyncAPI document is made from."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from artel.server.errors import explain
from artel.server.protocol.bodies import Id, Text
from artel.storage.errors import Invalid

Reply = Annotated[Text, Field(min_length=1, max_length=200)]


class _Said(BaseModel):
    """A message to the server; a field it does not know is refused, for it is most likely misspelt."""

    model_config = ConfigDict(extra="forbid", strict=True)

    example: ClassVar[dict[str, Any]] = {}

    id: Reply | None = Field(None, description="Your name for this message; the answer has it in `reply_to`.")

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, given: Any) -> Any:
        return {k: v for k, v in given.items() if v is not None} if isinstance(given, dict) else given


class Auth(_Said):
    """Say who you are, as the first message of a socket that could not bring its key in a header."""

    example = {"type": "auth", "token": "the key"}

    type: Literal["auth"]
    token: Annotated[str, Field(min_length=1)] = Field(
        description="Handed to the server's authentication as `Authorization: Bearer …` and as `X-Api-Key`."
    )


class Chat(_Said):
    """Say something to an agent. The socket listens to the session from then on."""

    example = {"type": "chat", "id": "m1", "message": "What is in the README?", "message_id": "5f0c7f1e"}

    type: Literal["chat"]
    session_id: Id | None = Field(None, description="The thread to say it in; without one a new one is made.")
    message: Annotated[Text, Field(min_length=1, pattern=r"\S")] = Field(description="Your words.")
    message_id: Reply | None = Field(
        None,
        description="Your own name for these words, unique for ever, such as a UUID: sent again after a cut, "
        "they are not said twice.",
    )
    assistant: Text | None = Field(
        None,
        description="Id of an assistant, or name of a graph; by default who worked here last, "
        "in a new session `orchestrator`.",
    )
    workspace: Text | None = Field(None, description="The folder that the agent works in.")
    context: dict[str, Any] = Field({}, description="What else the agent is run with, such as `model`.")
    if_busy: Literal["enqueue", "reject", "interrupt"] = Field(
        "enqueue", description="When something runs there: wait for it, be refused, or stop it."
    )


class ToolApproval(_Said):
    """Answer what a run waits for; of several answers the first counts, whoever gave it and where."""

    example = {
        "type": "tool_approval",
        "id": "m2",
        "approval_id": "01997d5e-0000-7000-8000-00000000000a",
        "approved": False,
        "reason": "Leave the lock file alone",
    }

    type: Literal["tool_approval"]
    session_id: Id | None = Field(None, description="The session that asks; needed with `tool_call_id`.")
    approval_id: Id | None = Field(None, description="The question, as `approval_required` names it.")
    tool_call_id: Text | None = Field(None, description="Or the call it is about.")
    approved: bool | None = Field(None, description="Yes or no.")
    args: dict[str, Any] | None = Field(None, description="With a yes: arguments to run with instead.")
    hunks: list[Text] | None = Field(None, description="With a yes: the parts of the change to make.")
    grant: dict[str, Any] | None = Field(None, description="With a yes: what need not be asked again.")
    reason: Text | None = Field(None, description="With a no: why, for the agent.")
    answer: Any = Field(None, description="Instead of yes or no, whatever the question takes.")

    @model_validator(mode="after")
    def _one_answer(self) -> "ToolApproval":
        if (self.approved is None) == (self.answer is None):
            raise ValueError("give one of approved and answer")
        if self.approval_id is None and (self.tool_call_id is None or self.session_id is None):
            raise ValueError("give approval_id, or session_id and tool_call_id")
        if self.approved is not True and (self.args or self.hunks or self.grant):
            raise ValueError("args, hunks and grant go with approved: true")
        if self.approved is not False and self.reason is not None:
            raise ValueError("reason goes with approved: false")
        return self


class Cancel(_Said):
    """Stop what runs in a session and what waits there, or one run of it; `done` says when it has stopped."""

    example = {"type": "cancel", "id": "m3", "session_id": "01997d5e-0000-7000-8000-000000000001"}

    type: Literal["cancel"]
    session_id: Id = Field(description="The session.")
    run_id: Id | None = Field(None, description="The run; without it all that have not ended.")


class Subscribe(_Said):
    """Listen to a session: from now on, or again from the event after the last one that you have."""

    example = {
        "type": "subscribe",
        "id": "m4",
        "session_id": "01997d5e-0000-7000-8000-000000000001",
        "after": "41-0",
    }

    type: Literal["subscribe"]
    session_id: Id = Field(description="The session.")
    after: Annotated[str, Field(pattern=r"^(0|\d{1,16}-\d{1,6})$")] | None = Field(
        None, description="The last `event_id` that you have of it; `0` for all that is kept."
    )


class Unsubscribe(_Said):
    """Listen to a session no more; what runs there goes on."""

    example = {"type": "unsubscribe", "session_id": "01997d5e-0000-7000-8000-000000000001"}

    type: Literal["unsubscribe"]
    session_id: Id = Field(description="The session.")


class Ping(_Said):
    """Ask whether the server is there."""

    example = {"type": "ping", "id": "m5"}

    type: Literal["ping"]


ClientMessage: TypeAlias = Auth | Chat | ToolApproval | Cancel | Subscribe | Unsubscribe | Ping
CLIENT: tuple[type[ClientMessage], ...] = (Auth, Chat, ToolApproval, Cancel, Subscribe, Unsubscribe, Ping)


def name_of(kind: type[BaseModel]) -> str:
    """Return the `type` of a kind of message."""
    (name,) = kind.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
    return str(name)


KINDS: Mapping[str, type[ClientMessage]] = {name_of(kind): kind for kind in CLIENT}


def read(given: Any) -> ClientMessage:
    """Return what a client said.

    Raises:
        Invalid: it is no message; the sentence names the field and the value.
    """
    if not isinstance(given, dict):
        raise Invalid(f"a message must be a JSON object with a type, got {given!r:.120}")
    kind = KINDS.get(given["type"]) if isinstance(given.get("type"), str) else None
    if kind is None:
        raise Invalid(f"type must be one of {', '.join(KINDS)}; got {given.get('type')!r:.120}")
    try:
        return kind.model_validate(given)
    except ValidationError as wrong:
        raise Invalid(f"{given['type']}: {explain(wrong.errors())}") from wrong
