"""The orchestrator: says who should work on a request and why, hands it over, says what came of it.

Work for several agents gets a plan: proposed, approved by a person, carried out step by step, verified.
"""

from asyncio import to_thread
from functools import lru_cache
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.config import get_config, get_stream_writer
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from artel.graphs.agent_loop import loop
from artel.graphs.answering import answered
from artel.graphs.clarifying import decided, run_of
from artel.graphs.context import Context
from artel.graphs.delegating import collect, dispatch, work
from artel.graphs.halting import pause
from artel.graphs.inbox import decision_of
from artel.graphs.limits import Spent
from artel.graphs.models.tally import tallied
from artel.graphs.plan import again, can_be_tried_again, is_under_way
from artel.graphs.planning import wants_plan
from artel.graphs.proposing import GO_ON, approve_plan, make_plan, underway
from artel.graphs.questions import clarification
from artel.graphs.reporting import aggregate
from artel.graphs.resolved import entries, find
from artel.graphs.roles import built_in
from artel.graphs.routing import Choice, choose, is_russian, nearest
from artel.graphs.showing import announce
from artel.graphs.state import OrchestratorState, Request, Result, Route
from artel.graphs.thinking import NAME, think
from artel.graphs.verifying import settle, verify
from artel.prompts import render
from artel.storage.errors import Invalid

SUMMARY_CHARS = 200
MAX_QUOTED = 120  # characters of a request in a question about it

PLAN = "plan"  # who works on it: a plan's agents


async def route(state: OrchestratorState, runtime: Runtime[Context]) -> Command[str]:
    """Choose who works: by rules; by the model where they are silent; as before in this thread; else ask."""
    request, plan = _request(state["messages"]), state.get("plan")
    if state.get("depth"):
        return Command(goto="make_plan", update={"task": request})
    anew: dict[str, Any] = {
        key: None if key == "stopped" else {} for key in ("spent", "stopped") if state.get(key)
    }
    if is_under_way(plan):
        return Command(goto="underway", update=anew)
    if plan is not None and can_be_tried_again(plan) and GO_ON.fullmatch(request):
        plan = again(plan)
        announce(plan)
        return Command(goto="dispatch", update={**anew, "plan": plan, "checks": [], "words": ""})
    previous = _agent(state)
    chosen = _by_rules(request)
    if chosen is None and request:
        with tallied() as calls:
            chosen = await _by_model(request, previous, (runtime.context or Context()).model)
        anew |= {"spent": Spent().and_for(calls).noted} if calls else {}
    chosen = chosen or _as_before(request, previous)
    if chosen is None:
        return Command(goto="clarify", update=anew)
    _announce(chosen)
    return _to(chosen, request, **anew)


async def clarify(state: OrchestratorState, runtime: Runtime[Context]) -> Command[str]:
    """Ask what is wanted as the tool `question` asks, and nothing else before it.

    A resumed node restarts from its first line.
    """
    request, last = _request(state["messages"]), state["messages"][-1:]
    russian = is_russian(request)
    asked, call = _what_is_wanted(request, russian=russian), f"clarify_{last[0].id if last else ''}"
    kept: dict[str, Any] = {}
    if known := find(entries(state.get("resolved_context")), asked):
        answer = known["answer"]
    else:
        inbox = (runtime.context or Context()).approvals == "agent_inbox"
        heard = decision_of(interrupt(clarification([asked], agent=NAME, tool_call_id=call, inbox=inbox)))
        try:
            answers = answered([asked], heard)
        except Invalid:  # rejected or anything unknown: nothing is done
            words = "Хорошо, ничего не делаю." if russian else "All right, I do nothing."
            nobody = Route(agent="", reason="", by="person")
            return Command(goto="report", update={"route": nobody, "messages": [AIMessage(words, name=NAME)]})
        answer, run_id = answers[asked["id"]], run_of(get_config())
        kept["resolved_context"] = await decided([asked], answers, agent=NAME, call=call, run_id=run_id)
    said = "; ".join(answer)
    offered = next((agent for agent, labels in OPTIONS.items() if said in labels), "")
    reason = "так ответили" if russian else "as you answered"
    chosen = Route(agent=offered or _understood(said), reason=reason, by="person")
    _announce(chosen)
    told = [] if offered or said in OPTIONS else [HumanMessage(said)]
    return _to(chosen, f"{request}\n\n{said}", messages=told, **kept)


async def report(state: OrchestratorState) -> dict[str, Result]:
    """Say what came of the request: who worked, what changed, the first words of the answer."""
    turn = _this_turn(state["messages"])
    said = next((m.text for m in reversed(turn) if isinstance(m, AIMessage)), "")
    changes = [m.artifact for m in turn if isinstance(m, ToolMessage) and m.status == "success"]
    made = [a for a in changes if isinstance(a, dict) and a.get("kind") == "change"]
    changed = [file["path"] for artifact in made for file in artifact["files"]]
    summary = said.strip().split("\n")[0][:SUMMARY_CHARS]
    return {"result": Result(agent=_agent(state), summary=summary, changed=list(dict.fromkeys(changed)))}


@lru_cache(maxsize=1)
def build() -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the graph: route → (clarify →) one of the roles → report.

    Or: route → make_plan → approve_plan → dispatch ⇄ work, collect → verify (→ settle) → aggregate.
    """
    builder = StateGraph(OrchestratorState, context_schema=Context, input_schema=Request)
    roles = built_in()
    builder.add_node(route, destinations=(*roles, "clarify", "make_plan", "underway", "dispatch"))
    builder.add_node(clarify, destinations=(*roles, "make_plan", "report"))
    for name, role in roles.items():
        builder.add_node(name, loop(role))
        builder.add_edge(name, "report")
    builder.add_node(report)
    planned = (make_plan, approve_plan, underway, dispatch, work, collect, pause, verify, settle, aggregate)
    for node in planned:
        builder.add_node(node)
    builder.add_edge("work", "collect")
    builder.add_edge("aggregate", END)
    builder.add_edge(START, "route")
    builder.add_edge("report", END)
    return builder.compile(name=NAME)


async def graph() -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the graph, made when it is first used: the loops of all roles are in it."""
    return await to_thread(build)


OPTIONS: dict[str, tuple[str, str]] = {
    "ask": ("Answer or explain; change nothing", "Ответить или объяснить, ничего не менять"),
    "coder": ("Change files", "Изменить файлы"),
}


REASONS: dict[str, tuple[str, str]] = {
    "ask": ("a question, nothing shall change", "это вопрос, менять ничего не нужно"),
    "coder": ("files shall change", "просят изменить файлы"),
    "architect": ("a decision on how it is built", "нужно решить, как это устроить"),
    "debug": ("something does not work", "что-то не работает"),
    "document_writer": ("a document shall be written", "просят написать документ"),
    "profiler": ("it shall be measured", "просят измерить скорость"),
    "reviewer": ("work shall be reviewed", "просят проверить сделанное"),
    "security": ("a matter of security", "речь о безопасности"),
    "test_writer": ("tests shall be written", "просят написать тесты"),
    PLAN: ("work of several kinds", "это работа нескольких видов"),
}


def _to(chosen: Route, request: str, **more: Any) -> Command[str]:
    """Hand a request over to whom it was given."""
    if chosen["agent"] == PLAN:
        return Command(goto="make_plan", update={"route": chosen, "task": request, "words": "", **more})
    return Command(goto=chosen["agent"], update={"route": chosen, **more})


def _by_rules(request: str) -> Route | None:
    if wants_plan(request):
        reason = "работы на несколько шагов" if is_russian(request) else "work of several steps"
        return Route(agent=PLAN, reason=reason, by="rules")
    choice = choose(request)
    return Route(agent=_there(choice.agent), reason=_reason(choice, request), by="rules") if choice else None


def _as_before(request: str, previous: str) -> Route | None:
    if not request or previous not in built_in():
        return None
    reason = "продолжение разговора" if is_russian(request) else "it goes on from before"
    return Route(agent=previous, reason=reason, by="thread")


async def _by_model(request: str, previous: str, wish: str) -> Route | None:
    """Ask the model for one word; its tokens are nobody's answer and are not streamed."""
    agents = {name: role.description for name, role in built_in().items()}
    prompt = render("orchestrator/route", request=request, previous=previous, agents=agents)
    said = await think("route", prompt, wish)
    if said is None:
        return None  # the offline model has the same rules
    word = next(iter(said.lower().replace("`", " ").split()), "").strip(".,:;!\"'*")
    reason = "так решила модель" if is_russian(request) else "the model decided so"
    return Route(agent=word, reason=reason, by="model") if word in (*agents, PLAN) else None


def _there(agent: str) -> str:
    """Return the role that works on what is for `agent`."""
    return agent if agent == PLAN else nearest(agent, built_in()) or "ask"


def _reason(choice: Choice, request: str) -> str:
    russian = is_russian(request)
    wanted = REASONS.get(choice.agent, REASONS["ask"])[russian]
    return f"{wanted} («{choice.word}»)" if russian else f"{wanted} (“{choice.word}”)"


def _what_is_wanted(request: str, *, russian: bool) -> dict[str, Any]:
    words = " ".join(request.split())
    about = f"«{words[:MAX_QUOTED]}»" if russian else f"“{words[:MAX_QUOTED]}”"
    text = "Что нужно сделать" if russian else "What shall be done"
    return {
        "id": "wanted",
        "question": f"{text}: {about}?" if words else f"{text}?",
        "options": [labels[russian] for labels in OPTIONS.values()],
        "multiple": False,
        "required": True,
    }


def _understood(said: str) -> str:
    """Free words are read by the rules; where they are silent, the one who changes nothing gets it."""
    if said.strip().lower() in built_in():
        return said.strip().lower()
    chosen = _by_rules(said)
    return chosen["agent"] if chosen else "ask"


def _agent(state: OrchestratorState) -> str:
    chosen = state.get("route")
    return chosen["agent"] if chosen else ""


def _announce(chosen: Route) -> None:
    get_stream_writer()({"type": "route", **chosen})


def _request(messages: list[AnyMessage]) -> str:
    return next((m.text for m in reversed(messages) if isinstance(m, HumanMessage)), "")


def _this_turn(messages: list[AnyMessage]) -> list[AnyMessage]:
    start = max((i for i, m in enumerate(messages) if isinstance(m, HumanMessage)), default=-1)
    return messages[start + 1 :]
