"""Making a plan and having it approved; what becomes of one when its person says something new."""

import re
from asyncio import to_thread
from typing import Any, Literal

from langchain_core.messages import AIMessage, HumanMessage
from langgraph.config import get_stream_writer
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from artel.graphs import limits
from artel.graphs.context import Context, workspace
from artel.graphs.crew import crew
from artel.graphs.drafts import EDITED, revised, shown
from artel.graphs.halting import limit_of
from artel.graphs.models.tally import tallied
from artel.graphs.plan import Plan, PlanWrong, approved, cancelled, count, may, taken_back
from artel.graphs.planning import planned
from artel.graphs.questions import plan_question, question
from artel.graphs.routing import is_russian
from artel.graphs.showing import announce
from artel.graphs.state import OrchestratorState, Route
from artel.graphs.thinking import NAME

GO_ON = re.compile(
    r"\s*(?:please |ok,? |да,? )?(?:go on|continue|proceed|resume|carry on|keep going|try again|retry"
    r"|продолж\w+|дальше|поехали|ещё раз|еще раз|повтори\w*|попробуй\w* (?:ещё|еще) раз)"
    r"[\s.!,]*(?:please|пожалуйста)?[\s.!]*",
    re.IGNORECASE,
)
GIVE_UP = re.compile(
    r"\s*(?:stop|cancel|abort|drop|forget)(?: it| (?:the )?plan)?[\s.!]*"
    r"|\s*(?:стоп|отмен\w+|хватит|прекрат\w+|брось|забудь|не надо)(?: план| его| это)?[\s.!]*",
    re.IGNORECASE,
)


async def make_plan(
    state: OrchestratorState, runtime: Runtime[Context]
) -> Command[Literal["approve_plan", "coder", "ask", "pause"]]:
    """Make a plan of the task; what one agent can do goes to that agent at once."""
    wishes = runtime.context or Context()
    if limit_of(state, wishes):
        return Command(goto="pause")
    request, depth = state.get("task", ""), state.get("depth", 0) + 1
    root = await to_thread(workspace, wishes.workspace or state.get("workspace") or "")
    agents = await to_thread(crew, root)
    able = {name: agents[name] for name in may(agents, depth)}
    words = state.get("words", "")
    before = state.get("plan") if words else None
    with tallied() as calls:
        plan = await planned(request, able, wish=wishes.model, depth=depth, before=before, words=words)
    fresh: dict[str, Any] = {"outcomes": None, "checks": [], "repairs": [], "words": ""}
    fresh |= {"spent": limits.read(state.get("spent")).and_for(calls).noted} if calls else {}
    if plan is None or (
        depth == 1 and len(plan["steps"]) == 1 and plan["steps"][0]["agent"] in ("coder", "ask")
    ):
        agent: Literal["coder", "ask"] = "ask" if plan and plan["steps"][0]["agent"] == "ask" else "coder"
        told = Route(
            agent=agent, reason=_alone(request, could=plan is not None), by="model" if plan else "rules"
        )
        get_stream_writer()({"type": "route", **told})
        return Command(goto=agent, update={**fresh, "route": told})
    announce(plan)
    return Command(goto="approve_plan", update={**fresh, "plan": plan})


async def approve_plan(
    state: OrchestratorState, runtime: Runtime[Context]
) -> Command[Literal["dispatch", "make_plan", "approve_plan", "aggregate"]]:
    """Wait for a person's word on the plan, and nothing else: a resumed node restarts from its first line."""
    plan = state["plan"]
    wishes = runtime.context or Context()
    root = await to_thread(workspace, wishes.workspace or state.get("workspace") or "")
    agents = may(await to_thread(crew, root), plan["depth"])
    russian = is_russian(state.get("task", ""))
    match interrupt(plan_question(plan, shown(plan), agents, agent=NAME, russian=russian)):
        case {"type": "approve"}:
            plan = approved(plan)
        case {"type": "edit", "edited_action": {"name": name, "args": dict(args)}} if name == EDITED:
            try:
                plan = approved(revised(plan, args, agents))
            except PlanWrong:  # from where answers are not checked: asked again
                return Command(goto="approve_plan")
        case {"type": "respond", "message": str(said)} if said.strip():
            return Command(goto="make_plan", update={"words": said})
        case _:  # rejected or anything unknown: nothing is done
            plan = cancelled(plan)
            announce(plan)
            return Command(goto="aggregate", update={"plan": plan})
    announce(plan)
    return Command(goto="dispatch", update={"plan": plan})


async def underway(
    state: OrchestratorState,
) -> Command[Literal["dispatch", "approve_plan", "make_plan", "route", "aggregate", "__end__"]]:
    """Settle what a new message means for a plan that is not over: by clear words, else by asking."""
    plan, request = state["plan"], _said(state)
    russian = is_russian(request)
    if GO_ON.fullmatch(request):
        return _on(plan, "")
    if GIVE_UP.fullmatch(request):
        return _given_up(plan)
    match interrupt(_which(plan, russian=russian)):
        case {"type": "respond", "message": str(said)} | str(said) if said.strip():
            word = said.strip()
        case _:
            told = "План остаётся как есть." if russian else "The plan stays as it is."
            return Command(goto="__end__", update={"messages": [AIMessage(told, name=NAME)]})
    if word == "go_on":
        return _on(plan, request)
    if GO_ON.fullmatch(word):
        return _on(plan, "")
    if word == "drop" or GIVE_UP.fullmatch(word):
        return _given_up(plan)
    update: dict[str, Any] = {"plan": cancelled(plan)}
    if word != "replace":
        update["messages"] = [HumanMessage(said)]
    announce(update["plan"])
    return Command(goto="route", update=update)


def _on(plan: Plan, words: str) -> Command[Any]:
    """Go on: what was in progress when it was stopped begins anew, and hears the new words."""
    if plan["status"] == "proposed":
        return Command(goto="make_plan", update={"words": words}) if words else Command(goto="approve_plan")
    plan = taken_back(plan)
    announce(plan)
    return Command(goto="dispatch", update={"plan": plan, "words": words, "outcomes": None})


def _given_up(plan: Plan) -> Command[Any]:
    plan = cancelled(plan)
    announce(plan)
    return Command(goto="aggregate", update={"plan": plan})


def _which(plan: Plan, *, russian: bool) -> dict[str, Any]:
    done, all_ = count(plan, "completed"), len(plan["steps"])
    if russian:
        text = f"Есть незаконченный план ({done} из {all_}): {plan['goal']} Что с ним делать?"
        options = {
            "go_on": "Продолжить с учётом сказанного",
            "replace": "Бросить его и сделать то, что сказано",
            "drop": "Бросить его и ничего не делать",
        }
    else:
        text = f"A plan is under way ({done} of {all_}): {plan['goal']} What shall become of it?"
        options = {
            "go_on": "Go on with it, minding what I said",
            "replace": "Drop it and do what I said",
            "drop": "Drop it and do nothing",
        }
    return question(text, options, agent=NAME)


def _alone(request: str, *, could: bool) -> str:
    if is_russian(request):
        return "одному агенту по силам" if could else "плана составить не удалось"
    return "one agent can do all of it" if could else "no plan could be made"


def _said(state: OrchestratorState) -> str:
    return next((m.text for m in reversed(state["messages"]) if isinstance(m, HumanMessage)), "")
