"""A plan at the end of its run's budget: its person is asked before another model is."""

from typing import Any, Literal

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.graph import END
from langgraph.runtime import Runtime
from langgraph.types import Command

from artel.graphs import limits, pausing
from artel.graphs.budget import Budget
from artel.graphs.context import Context, handles
from artel.graphs.limits import Reached
from artel.graphs.routing import is_russian
from artel.graphs.state import OrchestratorState
from artel.graphs.thinking import NAME


def limit_of(state: OrchestratorState, wishes: Context) -> Reached | None:
    """Return the limit that an orchestrator has come to: of the step that it does, or of its run."""
    used, step = limits.read(state.get("spent")), state.get("budget")
    own = (
        limits.of_step(Budget.model_validate(step), limits.read(state.get("before")), used) if step else None
    )
    return own or limits.of_run(handles().agents, wishes.budget, used)


async def pause(
    state: OrchestratorState, runtime: Runtime[Context]
) -> Command[Literal["dispatch", "make_plan", "aggregate", "__end__"]]:
    """Ask whether to go on, and nothing else: a resumed node restarts from its first line."""
    wishes = runtime.context or Context()
    used, about = limits.read(state.get("spent")), limit_of(state, wishes)
    if about is None:  # allowed more meanwhile, by other settings
        return Command(goto=_back(state))
    own = used.plus(limits.read(state.get("before")), -1) if about.of_step else used
    if about.of_step or about.final:
        pausing.tell(about, own)
        return _stopped(state, about, own)
    answer = pausing.ask(about, own, state["messages"], agent=NAME)
    if answer is False:
        return _stopped(state, about, own)
    if answer is True:
        return Command(goto=_back(state), update={"spent": used.again(about.kind).noted})
    new = {"messages": [HumanMessage(answer)], "words": answer, "spent": {}}  # it is asked for something new
    return Command(goto=_back(state), update=new)


def _back(state: OrchestratorState) -> Literal["dispatch", "make_plan"]:
    plan = state.get("plan")
    return "dispatch" if plan is not None and plan["status"] == "running" else "make_plan"


def _stopped(
    state: OrchestratorState, about: Reached, own: limits.Spent
) -> Command[Literal["dispatch", "make_plan", "aggregate", "__end__"]]:
    if _back(state) == "dispatch":
        why = pausing.said(about, own, (), russian=is_russian(state.get("task", "")))
        stopped: dict[str, Any] = {**pausing.reason(about, own), "why": why}
        return Command(goto="aggregate", update={"stopped": stopped})
    last: AIMessage = pausing.last_words(about, own, state["messages"], agent=NAME)
    return Command(goto=END, update={"messages": [last]})  # type: ignore[arg-type]
