"""What client and server say to each other: the very models the AsyncAPI document is made from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, ClassVar, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from artel.server.errors import explain
from artel.server.protocol.bodies import Id, Text
from artel.storage.encoding import dumps
from artel.storage.errors import Invalid

State = Literal["idle", "queued", "processing", "executing", "waiting", "error"]
Outcome = Literal["completed", "waiting", "cancelled", "failed"]
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


class _Told(BaseModel):
    """A message from the server."""

    model_config = ConfigDict(extra="forbid")

    example: ClassVar[dict[str, Any]] = {}

    at: datetime = Field(description="When it happened; of what is told again, when that was.")


class _Event(_Told):
    """Something that happened in a session."""

    session_id: UUID = Field(description="The session: the id of its thread.")
    run_id: UUID | None = Field(None, description="The run.")
    event_id: str | None = Field(
        None, description="Its place: after a cut, `subscribe` with the last one that you have."
    )
    agent: str | None = Field(None, description="Who speaks or acts.")


class Message(BaseModel):
    """What somebody said."""

    role: Literal["user"] = "user"
    text: str
    message_id: str | None = None


class ToolCall(BaseModel):
    """A call of a tool."""

    id: str
    name: str
    args: dict[str, Any]


class ToolResult(BaseModel):
    """What came of a call."""

    tool_call_id: str
    name: str
    status: Literal["success", "error"]
    content: str


class Question(BaseModel):
    """What a person is asked."""

    approval_id: UUID
    kind: Literal["tool_call", "question", "plan", "foreign"]
    tool: str | None = None
    tool_call_id: str | None = None
    args: dict[str, Any] | None = None
    value: Any = Field(None, description="The question as the graph asked it: its diff, risk, options.")
    expires_at: datetime | None = Field(None, description="When silence is taken for a no.")


class Decided(BaseModel):
    """How it was answered."""

    approval_id: UUID
    decision: Any = None
    by: str


class Retracted(BaseModel):
    """What was said and does not count."""

    message_ids: list[str]
    attempt: int


class Done(BaseModel):
    """How a run ended."""

    status: Outcome


class Gap(BaseModel):
    """What cannot be told any more."""

    before: str = Field(description="Where it goes on.")


class UserMessage(_Event):
    """A person said something, from whichever device: so that all of them show it."""

    example = {"data": {"role": "user", "text": "What is in the README?", "message_id": "5f0c7f1e"}}

    type: Literal["message"] = "message"
    data: Message


class Token(_Event):
    """A piece of what an agent says."""

    example = {"data": "The README", "message_id": "run-7"}

    type: Literal["token"] = "token"
    data: str = Field(description="To be put behind what came before with the same `message_id`.")
    message_id: str = Field(description="The message it is a piece of.")


class ToolCalled(_Event):
    """An agent calls a tool."""

    example = {"data": {"id": "c1", "name": "read", "args": {"path": "README.md"}}, "message_id": "run-7"}

    type: Literal["tool_call"] = "tool_call"
    data: ToolCall
    message_id: str = Field(description="The message that calls it.")


class ToolAnswered(_Event):
    """A tool has answered."""

    example = {
        "data": {"tool_call_id": "c1", "name": "read", "status": "success", "content": "# Artel"},
        "message_id": "t1",
    }

    type: Literal["tool_result"] = "tool_result"
    data: ToolResult
    message_id: str = Field(description="The message that holds the answer.")


class ApprovalRequired(_Event):
    """The run waits for a person: answer by `tool_approval`."""

    example = {
        "data": {
            "approval_id": "01997d5e-0000-7000-8000-00000000000a",
            "kind": "tool_call",
            "tool": "write",
            "tool_call_id": "c2",
            "args": {"path": "a.txt", "content": "hi"},
        }
    }

    type: Literal["approval_required"] = "approval_required"
    data: Question


class ApprovalDecided(_Event):
    """The question was answered, here or elsewhere; the run goes on with that."""

    example = {
        "data": {
            "approval_id": "01997d5e-0000-7000-8000-00000000000a",
            "decision": {"type": "approve"},
            "by": "ada",
        }
    }

    type: Literal["approval_decided"] = "approval_decided"
    data: Decided


class StateChanged(_Event):
    """What the session does now. `processing` stands for "read" and "is typing"."""

    example = {"data": "processing"}

    type: Literal["state"] = "state"
    data: State


class Withdrawn(_Event):
    """A worker died and another goes on: forget what was said in these messages so far; it is said again."""

    example = {"data": {"message_ids": ["run-7"], "attempt": 2}}

    type: Literal["retracted"] = "retracted"
    data: Retracted


class Missed(_Event):
    """Events after the one you named may not be kept any more: read the session's state, then go on."""

    example = {"data": {"before": "97-0"}}

    type: Literal["gap"] = "gap"
    data: Gap


class Finished(_Event):
    """The run has ended, or waits for an answer."""

    example = {"data": {"status": "completed"}}

    type: Literal["done"] = "done"
    data: Done


class Failed(_Event):
    """A run failed, or a message of yours was refused; the socket stays open."""

    example = {
        "error": "the question was answered before; the first answer stands",
        "code": "already_decided",
        "status": 409,
        "reply_to": "m2",
    }

    type: Literal["error"] = "error"
    session_id: UUID | None = Field(None, description="The session, if it is about one.")  # type: ignore[assignment]
    error: str = Field(description="One sentence that says what is wrong.")
    code: str = Field(description="The same for programs.")
    status: int | None = Field(None, description="What HTTP would have answered to a message of yours.")
    reply_to: str | None = Field(None, description="The `id` of the message that was refused.")


class Accepted(_Told):
    """Your message was done. Of a `chat`: it is delivered, and will be run whatever becomes of the socket."""

    example = {"reply_to": "m1", "session_id": "…", "run_id": "…"}

    type: Literal["accepted"] = "accepted"
    reply_to: str | None = Field(None, description="The `id` of the message.")
    session_id: UUID | None = Field(None, description="The session; of a first `chat` the new one.")
    run_id: UUID | None = Field(None, description="The run that began, or waits for its turn.")


class Pong(_Told):
    """The server is there."""

    example = {"reply_to": "m5"}

    type: Literal["pong"] = "pong"
    reply_to: str | None = Field(None, description="The `id` of the ping.")


SERVER: tuple[type[_Told], ...] = (
    Accepted,
    StateChanged,
    UserMessage,
    Token,
    ToolCalled,
    ToolAnswered,
    ApprovalRequired,
    ApprovalDecided,
    Finished,
    Failed,
    Withdrawn,
    Missed,
    Pong,
)
ServerMessage: TypeAlias = _Told


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


def encoded(told: ServerMessage) -> str:
    """Return a message as it is sent; what does not apply is left out."""
    fields = {name: value for name, value in told if value is not None}
    return dumps({"type": fields.pop("type"), **fields}).decode()


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
