"""What the server tells: the very models the AsyncAPI document is made from."""

from datetime import UTC, datetime
from typing import Any, ClassVar, Literal, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from artel.storage.encoding import dumps

State = Literal["idle", "queued", "processing", "executing", "waiting", "error"]
Outcome = Literal["completed", "waiting", "cancelled", "failed"]


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

    status: Outcome = Field(description="Of a run that was stopped: `cancelled`.")


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

    example = {"agent": "coder", "data": "The README", "message_id": "run-7"}

    type: Literal["token"] = "token"
    data: str = Field(description="To be put behind what came before with the same `message_id`.")
    message_id: str = Field(description="The message it is a piece of.")


class ToolCalled(_Event):
    """An agent calls a tool."""

    example = {
        "agent": "coder",
        "data": {"id": "c1", "name": "read", "args": {"path": "README.md"}},
        "message_id": "run-7",
    }

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


def encoded(told: ServerMessage) -> str:
    """Return a message as it is sent; what does not apply is left out."""
    fields = {name: value for name, value in told if value is not None}
    return dumps({"type": fields.pop("type"), **fields}).decode()


def now() -> datetime:
    """Return the time."""
    return datetime.now(UTC)
