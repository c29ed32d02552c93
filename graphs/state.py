"""The state our agents share: plain JSON and messages."""

from typing import Annotated, Literal, NotRequired

from langchain.agents import AgentState
from langchain.agents.middleware.types import PrivateStateAttr
from typing_extensions import TypedDict


class Verdict(TypedDict):
    """What the policy said of a call when the model made it; frozen, so that an answer fits its question."""

    verdict: Literal["allow", "ask", "deny"]
    before_sha: NotRequired[str]


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


class AgentLoopState(AgentState[None]):
    """Messages, the thread's workspace, and the verdicts on the calls of the last message."""

    workspace: NotRequired[str]
    verdicts: NotRequired[Annotated[dict[str, Verdict], PrivateStateAttr]]


class OrchestratorState(AgentState[None]):
    """Messages, the thread's workspace, who works and what came of it."""

    workspace: NotRequired[str]
    route: NotRequired[Route]
    result: NotRequired[Result]
