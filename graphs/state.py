"""The state our agents share: plain JSON and messages."""

from typing import Annotated, Any, Literal, NotRequired

from langchain.agents import AgentState
from langchain.agents.middleware.types import OmitFromOutput, PrivateStateAttr
from typing_extensions import TypedDict

from artel.graphs import resolved
from artel.graphs.plan import Changed, Plan, StepResult
from artel.tools import todos


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

    agent: str
    "Name of a role, `plan`, or nothing: nobody."
    reason: str
    by: Literal["rules", "model", "person", "thread"]


class Cost(TypedDict):
    """What models used: tokens as they counted them, and US dollars for those whose price is known."""

    calls: int
    input: int
    output: int
    usd: float | None
    "None: nobody knows the price of any."
    unpriced: int
    "Tokens that are not in `usd`."


class StepReport(TypedDict):
    """What came of one step, for the table."""

    id: str
    title: str
    agent: str
    status: str
    attempts: int
    summary: str
    files: list[Changed]
    notes: list[str]
    cost: Cost
    "Of all attempts at it."


class CheckReport(TypedDict):
    """What came of one check after the steps."""

    check: str
    "The command, or `gate`."
    status: Literal["passed", "failed", "not run"]
    said: str
    "Its output, cut, if it failed; or why it was not run."


class Result(TypedDict):
    """What came of a request."""

    agent: str
    summary: str
    changed: list[str]
    status: NotRequired[Literal["done", "failed", "rejected", "cancelled"]]
    "Of a plan: done is all steps completed and no check red."
    steps: NotRequired[list[StepReport]]
    checks: NotRequired[list[CheckReport]]
    open_questions: NotRequired[list[str]]
    tokens: NotRequired[dict[str, int]]
    "Of all calls of models together: `input` and `output`."
    cost: NotRequired[Cost]
    "The same with money: all steps, and the calls that chose, planned and summed up."
    stopped: NotRequired[dict[str, Any]]
    "By what, where a limit stopped the plan before its end."


class Submission(TypedDict):
    """What an agent says of its step when it is done."""

    status: Literal["completed", "failed"]
    summary: str
    files_changed: list[str]
    evidence: list[str]
    open_questions: list[str]


class Outcome(TypedDict):
    """What came of the work on a step, and what the thread must know of it."""

    step: str
    result: StepResult
    spent: dict[str, Any]
    "What models used for it, as `limits.Spent.noted`."
    workspace: str
    tainted: bool
    resolved_context: dict[str, resolved.Resolved]


def handed_in(old: list[Outcome] | None, new: list[Outcome] | None) -> list[Outcome]:
    """Add what parallel steps came to; None empties it."""
    return [] if new is None else [*(old or []), *new]


def first(old: Submission | None, new: Submission) -> Submission:
    """Keep the first of several that one message holds."""
    return old or new


def merged(old: dict[str, str], new: dict[str, str]) -> dict[str, str]:
    """Add what parallel calls saw."""
    return {**(old or {}), **(new or {})}


def stained(old: bool, new: bool) -> bool:
    """Once true, always: what was read is not unread."""
    return bool(old or new)


# A literal has no value of its own, so that threads without taint have no such key
Tainted = Annotated[Literal[True], stained]


# A union has no value of its own, so that threads that decided or noted nothing have no such key
ResolvedContext = Annotated[dict[str, resolved.Resolved] | None, resolved.joined]
Todos = Annotated[list[todos.Todo] | None, todos.joined]


class AgentLoopState(AgentState[None]):
    """Messages, the thread's workspace, and what the gate and the tools must remember."""

    workspace: NotRequired[str]
    verdicts: NotRequired[Annotated[dict[str, Verdict], PrivateStateAttr]]
    "Of the calls of the last message, by their ids."
    seen: NotRequired[Annotated[dict[str, str], PrivateStateAttr, merged]]
    "Path → sha256 of the files whose content the model may suppose to know."
    tainted: NotRequired[Tainted]
    "Text from outside was read in this thread: it may have told the model what to do."
    plan: NotRequired[Annotated[Plan, OmitFromOutput]]
    "Of which this is a step, or which is under way: to read, nothing here writes it."
    step: NotRequired[str]
    "Its id, where the agent does one."
    paths: NotRequired[list[str]]
    "Globs of the files that it may change then."
    beside: NotRequired[bool]
    "Whether other steps run at the same time."
    submission: NotRequired[Annotated[Submission, first]]
    budget: NotRequired[dict[str, Any]]
    "Of a step of a plan, as `Budget`: who works on it ends at this limit instead of asking."
    spent: NotRequired[Annotated[dict[str, Any], OmitFromOutput]]
    "What its run had used before the agent began, as `limits.Spent.noted`."
    lanes: NotRequired[int]
    "How many steps run at the same time."
    resolved_context: NotRequired[ResolvedContext]
    "What people have decided, by the ids of the decisions: it goes down to children and comes back up."
    todos: NotRequired[Todos]
    "The steps of the work."
    compacted: NotRequired[dict[str, Any]]
    "How messages are shown that no longer fit a model's window (`artel.graphs.compaction.record`)."


class Request(AgentState[None]):
    """What the orchestrator may be given: a plan is made and approved, never handed in."""

    workspace: NotRequired[str]
    tainted: NotRequired[Tainted]
    "As in an agent's own state: it goes down to whoever works, and comes back up."
    resolved_context: NotRequired[ResolvedContext]
    "The same."
    depth: NotRequired[int]
    "0 for a thread's own orchestrator, 1 for one that does a step."
    spent: NotRequired[dict[str, Any]]
    "What models used for the request, as `limits.Spent.noted`; before it began, for one that does a step."
    before: NotRequired[dict[str, Any]]
    "That of one that does a step, kept as it was."
    budget: NotRequired[dict[str, Any]]
    lanes: NotRequired[int]
    "As in an agent's own state."


class OrchestratorState(Request):
    """Messages, the thread's workspace, who works and what came of it."""

    todos: NotRequired[Todos]
    compacted: NotRequired[dict[str, Any]]
    "As in an agent's own state."
    route: NotRequired[Route]
    result: NotRequired[Result]
    plan: NotRequired[Plan]
    outcomes: NotRequired[Annotated[list[Outcome], handed_in]]
    "Of the steps that ran last, until the plan has them."
    checks: NotRequired[list[CheckReport]]
    "Of the last verification."
    task: NotRequired[str]
    "What the plan was made for, in the person's words."
    words: NotRequired[str]
    "What the person said to it since."
    repairs: NotRequired[list[str]]
    "Ids of the steps that were put in because a check failed."
    stopped: NotRequired[dict[str, Any] | None]
    "Why the plan stops before its end: for programs, and in words as `why`."
