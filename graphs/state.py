"""The state our agents share: plain JSON and messages."""

from typing import Annotated, Any, Literal, NotRequired

from langchain.agents import AgentState
from langchain.agents.middleware.types import PrivateStateAttr
from typing_extensions import TypedDict


class File(TypedDict):
    """A file as it was when a change was worked out for it."""

    path: str
    before_sha: str | None
    "None is no file."


class Verdict(TypedDict):
    """What holds for a call since the model made it; frozen, so that an answer fits its question."""

    effect: Literal["allow", "ask", "deny"]
    reason: str
    rule: NotRequired[str]
    timeout_s: NotRequired[int]
    on_timeout: NotRequired[Literal["reject", "escalate", "park"]]
    escalate_to: NotRequired[list[str]]
    "How long a question waits, what follows then, and who may answer after it; unsaid: as the server does."
    problem: NotRequired[str]
    "Why the call cannot be done at all: nobody is asked."
    files: NotRequired[list[File]]
    "That the change was worked out for."
    batched: NotRequired[bool]
    inbox: NotRequired[bool]
    "Whether it is asked in the form of Agent Inbox."
    leads: NotRequired[list[str]]
    "Where else it leads: a yes is for these addresses."
    tainted: NotRequired[bool]
    "Whether text from outside had been read when the call was made."
    version: NotRequired[str]
    "Of the tool that the model was told of."


class Route(TypedDict):
    """Who works on a request, and why."""

    agent: Literal["coder", "ask", ""]
    reason: str
    by: Literal["rules", "model", "person", "thread"]


class Result(TypedDict):
    """What came of a request."""

    agent: str
    summary: str
    changed: list[str]


def merged(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Add what parallel calls saw."""
    return {**(old or {}), **(new or {})}


def stained(old: bool, new: bool) -> bool:
    """Once true, always: what was read is not unread."""
    return bool(old or new)


# A literal has no value of its own, so that threads without taint have no such key
Tainted = Annotated[Literal[True], stained]


class AgentLoopState(AgentState[None]):
    """Messages, the thread's workspace, and what the gate and the tools must remember."""

    workspace: NotRequired[str]
    verdicts: NotRequired[Annotated[dict[str, Verdict], PrivateStateAttr]]
    "Of the calls of the last message, by their ids."
    seen: NotRequired[Annotated[dict[str, str], PrivateStateAttr, merged]]
    "Path → sha256 of the files whose content the model may suppose to know."
    tainted: NotRequired[Tainted]
    "Text from outside was read in this thread: it may have told the model what to do."
    compacted: NotRequired[dict[str, Any]]
    "How messages are shown that no longer fit a model's window (`artel.graphs.compaction.record`)."


class OrchestratorState(AgentState[None]):
    """Messages, the thread's workspace, who works and what came of it."""

    workspace: NotRequired[str]
    tainted: NotRequired[Tainted]
    "As in an agent's own state: it goes down to whoever works, and comes back up."
    compacted: NotRequired[dict[str, Any]]
    "The same."
    route: NotRequired[Route]
    result: NotRequired[Result]
