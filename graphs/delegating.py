"""Carrying a plan out: which steps begin, the work on each in a graph of its own, what came of them."""

from asyncio import to_thread
from importlib import import_module
from typing import Any, Literal

import structlog
from langchain_core.messages import HumanMessage
from langchain_core.runnables import RunnableConfig
from langgraph.config import get_config
from langgraph.errors import GraphBubbleUp, GraphRecursionError
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, Send
from typing_extensions import TypedDict

from artel.graphs import limits
from artel.graphs.child import brief, child, failed, given, more, most_turns, result_of
from artel.graphs.context import Context, workspace
from artel.graphs.crew import role_of
from artel.graphs.halting import limit_of
from artel.graphs.limits import Spent
from artel.graphs.models.tally import STEP
from artel.graphs.pausing import is_of_run
from artel.graphs.plan import (
    ORCHESTRATOR,
    Plan,
    Step,
    StepResult,
    begun,
    blocked,
    charged,
    ended,
    ready,
    step_of,
    taken_back,
)
from artel.graphs.resolved import Resolved, entries
from artel.graphs.roles import Role
from artel.graphs.showing import announce
from artel.graphs.state import CheckReport, OrchestratorState, Outcome
from artel.storage.errors import StaleAttempt, Unavailable

MAX_LANES = 4
HANDED_DOWN = ("workspace", "tainted", "resolved_context", "spent")
"""What of the thread's state goes down to each step."""
PASSED_ON = (StaleAttempt, Unavailable)
"""Errors that are the whole run's: another worker has it, or the database is away."""

log = structlog.get_logger(__name__)


class Work(TypedDict):
    """What one piece of work is sent out with."""

    plan: Plan
    step: str
    told: str
    lanes: int
    "How many are sent out together."
    handed_down: dict[str, Any]


async def dispatch(
    state: OrchestratorState, runtime: Runtime[Context]
) -> Command[Literal["work", "verify", "pause"]]:
    """Send out the steps that may begin, while the budget lasts; where none is left, go on to the checks."""
    plan, wishes = blocked(taken_back(state["plan"])), runtime.context or Context()
    lanes = min(max(wishes.lanes, 1), MAX_LANES)
    steps = ready(plan, lanes)
    if not steps:
        if plan != state["plan"]:
            announce(plan)
        return Command(goto="verify", update={"plan": plan})
    if limit_of(state, wishes):
        return Command(goto="pause", update={"plan": plan})
    plan = begun(plan, [step["id"] for step in steps], lanes)
    announce(plan)
    sent = [Send("work", _work(state, plan, step_of(plan, step["id"]), lanes=len(steps))) for step in steps]
    return Command(goto=sent, update={"plan": plan})


async def work(state: Work, runtime: Runtime[Context]) -> dict[str, list[Outcome]]:
    """Let an agent do a step; whatever becomes of it, a result comes back.

    What it asks its person passes through, and so does what ends the whole run.
    """
    step = step_of(state["plan"], state["step"])
    wish = (runtime.context or Context()).workspace or str(state["handed_down"].get("workspace", ""))
    end: dict[str, Any] = {}
    why = ""
    try:
        root = await to_thread(workspace, wish)
        role = await to_thread(role_of, step["agent"], root)
        graph, asked, config = _graph(state, step, role)
        async for state_so_far in graph.astream(asked, config, stream_mode="values"):
            end = state_so_far  # the last one counts, also where it breaks off
    except (GraphBubbleUp, *PASSED_ON):
        raise
    except GraphRecursionError:
        why = "It was stopped: it took as many turns as it may, and had not handed in a result."
    except Exception as error:
        if isinstance(error.__cause__, PASSED_ON):
            raise
        log.warning("a step broke off", step=step["id"], agent=step["agent"], exc_info=error)
        why = f"It broke off: {type(error).__name__}: {str(error)[:500]}"
    nested = step["agent"] == ORCHESTRATOR and not why
    result = _nested(end) if nested else result_of(end)
    if why:
        result = failed(why, files=result["files"])
    outcome = Outcome(
        step=step["id"],
        result=result,
        spent=_spent(end, limits.read(state["handed_down"].get("spent"))).noted,
        workspace=str(end.get("workspace") or ""),
        tainted=bool(end.get("tainted")),
        resolved_context=entries(end.get("resolved_context")),
    )
    return {"outcomes": [outcome]}


async def collect(state: OrchestratorState) -> Command[Literal["dispatch", "aggregate"]]:
    """Note in the plan, and in the sum of the run, what came of the steps that ran.

    One that a limit of the run stopped is not over: it begins anew when the plan goes on.
    """
    plan, total = state["plan"], limits.read(state.get("spent"))
    update: dict[str, Any] = {"outcomes": None}
    decided: dict[str, Resolved] = {}
    for outcome in state.get("outcomes") or []:
        step, used = step_of(plan, outcome["step"]), limits.read(outcome.get("spent"))
        total = total.plus(used)
        plan = charged(plan, step["id"], limits.read(step.get("spent")).plus(used).noted)
        by = outcome["result"].get("stopped")
        if is_of_run(by):
            update["stopped"] = {**(by or {}), "why": outcome["result"]["summary"]}
        elif step["status"] == "in_progress":
            plan = ended(plan, outcome["step"], outcome["result"])
        if outcome["tainted"]:
            update["tainted"] = True
        if outcome.get("resolved_context"):
            decided = {**decided, **outcome["resolved_context"]}
            update["resolved_context"] = decided
        if outcome["workspace"] and not state.get("workspace"):
            update["workspace"] = outcome["workspace"]
    if "stopped" in update:
        plan = taken_back(plan)
    if total != limits.read(state.get("spent")):
        update["spent"] = total.noted
    announce(plan)
    return Command(goto="aggregate" if "stopped" in update else "dispatch", update={**update, "plan": plan})


def _work(state: OrchestratorState, plan: Plan, step: Step, *, lanes: int) -> Work:
    known = {key: state[key] for key in HANDED_DOWN if state.get(key)}  # type: ignore[literal-required]
    repairs = step["id"] in (state.get("repairs") or [])
    told = brief(
        plan,
        step,
        failing=failing(state.get("checks") or []) if repairs else "",
        words=state.get("words", ""),
    )
    return Work(plan=plan, step=step["id"], told=told, lanes=lanes, handed_down=known)


def failing(checks: list[CheckReport]) -> str:
    """Return what the checks that failed said."""
    return "\n\n".join(f"$ {one['check']}\n{one['said']}" for one in checks if one["status"] == "failed")


def _graph(
    state: Work, step: Step, role: Role | None
) -> tuple[CompiledStateGraph[Any, Context, Any, Any], dict[str, Any], RunnableConfig]:
    handed_down = state["handed_down"]
    if step["agent"] == ORCHESTRATOR:
        inner = import_module("artel.graphs.orchestrator").build()  # which holds this node
        begins = {"depth": state["plan"]["depth"], "before": handed_down.get("spent") or {}}
        begins |= {"budget": more(step["budget"], step)} if step["budget"] else {}
        begins |= {"lanes": state["lanes"]} if state["lanes"] > 1 else {}
        asked = {**handed_down, **begins, "messages": [HumanMessage(state["told"])]}
        return inner, asked, {"metadata": _noted(step)}
    if role is None:
        raise LookupError(f"there is no agent {step['agent']!r} any more")
    asked = given(state["plan"], step, role, state["told"], lanes=state["lanes"], handed_down=handed_down)
    graph = child(role, step, beside=state["lanes"] > 1)
    return graph, asked, {"recursion_limit": most_turns(role, step), "metadata": _noted(step)}


def _noted(step: Step) -> dict[str, str]:
    """Return the mark of a step; what is done inside another has that one's."""
    around = get_config().get("metadata") or {}
    return {} if STEP in around else {STEP: step["id"]}


def _nested(end: dict[str, Any]) -> StepResult:
    """Return the result of a step that had a plan of its own."""
    came = end.get("result") or {}
    result = failed(
        str(came.get("summary") or "It made no plan."),
        files=[file for one in came.get("steps", ()) for file in one["files"]],
        evidence=[f"{one['check']}: {one['status']}" for one in came.get("checks", ())],
    )
    result["open_questions"] = list(came.get("open_questions", ()))
    result["status"] = "completed" if came.get("status") == "done" else "failed"
    if by := came.get("stopped"):
        result["stopped"] = by
    return result


def _spent(end: dict[str, Any], before: Spent) -> Spent:
    """Return what an agent used that stopped in this state: of one that broke off, what is known of it."""
    sums = (limits.read(end.get("spent")), limits.spent(end.get("messages") or (), before))
    return max(sums, key=lambda one: one.steps).plus(before, -1)
