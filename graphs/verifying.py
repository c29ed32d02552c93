"""After the steps: checks that code can make, one repair if they fail, then a person decides."""

from asyncio import to_thread
from pathlib import Path
from typing import Any, Literal

from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from artel.graphs import checking
from artel.graphs.context import Context, workspace
from artel.graphs.crew import crew, debugger
from artel.graphs.plan import Plan, PlanWrong, Step, extended
from artel.graphs.questions import question
from artel.graphs.routing import is_russian
from artel.graphs.showing import announce
from artel.graphs.state import CheckReport, OrchestratorState
from artel.graphs.thinking import NAME

MAX_SHOWN = 1_500  # characters of failing output in a question


async def verify(
    state: OrchestratorState, runtime: Runtime[Context]
) -> Command[Literal["aggregate", "dispatch", "settle"]]:
    """Run the checks of the plan, and the gate over what it changed; a first failure gets a Debug step.

    Where a step failed there is nothing to verify yet.
    """
    plan, repairs = state["plan"], state.get("repairs") or []
    if any(step["status"] != "completed" for step in plan["steps"] if step["id"] not in repairs):
        return Command(goto="aggregate", update={"checks": []})
    wish = (runtime.context or Context()).workspace or state.get("workspace") or ""
    root = await to_thread(workspace, wish)
    wanted = list(dict.fromkeys(each for step in plan["steps"] for each in step["checks"]))
    reports: list[CheckReport] = []
    update: dict[str, Any] = {}
    if wanted:
        asked = {"messages": [], "commands": wanted, "workspace": str(root)}
        tainted = {"tainted": True} if state.get("tainted") else {}
        end = await checking.commands().ainvoke({**asked, **tainted})
        reports += checking.reports(wanted, end["messages"])
        update |= {"tainted": True} if end.get("tainted") else {}
    if paths := files(plan):
        reports.append(await checking.gate(root, paths))
    update["checks"] = reports
    if not any(one["status"] == "failed" for one in reports):
        return Command(goto="aggregate", update=update)
    if not repairs and (repaired := await _with_repair(plan, root, words="")):
        announce(repaired)
        return Command(
            goto="dispatch", update={**update, "plan": repaired, "repairs": [repaired["steps"][-1]["id"]]}
        )
    return Command(goto="settle", update=update)


async def settle(
    state: OrchestratorState, runtime: Runtime[Context]
) -> Command[Literal["verify", "dispatch", "aggregate"]]:
    """Ask what shall become of checks that still fail; nobody's words make them green."""
    plan, repairs = state["plan"], state.get("repairs") or []
    wish = (runtime.context or Context()).workspace or state.get("workspace") or ""
    root = await to_thread(workspace, wish)
    match interrupt(_what_now(state.get("checks") or [], russian=is_russian(state.get("task", "")))):
        case {"type": "respond", "message": str(said)} | str(said) if said.strip():
            word = said.strip()
        case _:
            word = "finish"
    if word == "again":
        return Command(goto="verify")
    if word != "finish" and (repaired := await _with_repair(plan, root, words=word)):
        announce(repaired)
        added = repaired["steps"][-1]["id"]
        return Command(
            goto="dispatch", update={"plan": repaired, "repairs": [*repairs, added], "words": word}
        )
    return Command(goto="aggregate")


def files(plan: Plan) -> list[str]:
    """Return the files that the steps of a plan changed."""
    found = (file["path"] for step in plan["steps"] if step["result"] for file in step["result"]["files"])
    return list(dict.fromkeys(found))


async def _with_repair(plan: Plan, root: Path, *, words: str) -> Plan | None:
    """Return the plan with one step more that repairs what failed; None: no more steps fit."""
    agents = await to_thread(crew, root)
    taken = {step["id"] for step in plan["steps"]}
    id_ = next(name for n in range(1, len(taken) + 2) if (name := f"debug-{n}") not in taken)
    step = Step(
        id=id_,
        title=words or "Find out why the checks fail, and repair it",
        agent=await to_thread(debugger, root),
        depends_on=[one["id"] for one in plan["steps"] if one["status"] == "completed"],
        acceptance="The checks that failed pass, unchanged.",
        checks=[],
        inputs=files(plan)[:20],
        paths=[],
        budget={},
        status="pending",
        attempts=0,
        result=None,
    )
    try:
        return extended(plan, step, agents)
    except PlanWrong:
        return None


def _what_now(checks: list[CheckReport], *, russian: bool) -> dict[str, Any]:
    failed = [one for one in checks if one["status"] == "failed"]
    names = ", ".join(one["check"][:100] for one in failed)
    said = "\n\n".join(f"$ {one['check']}\n{one['said'][-MAX_SHOWN:]}" for one in failed)
    if russian:
        text = f"После исправления проверки всё ещё не проходят: {names}. Что дальше?"
        options = {"again": "Проверить ещё раз", "finish": "Закончить и сказать, что не проходит"}
    else:
        text = f"After a repair these checks still fail: {names}. What now?"
        options = {"again": "Check once more", "finish": "Finish, and say what fails"}
    return {**question(text, options, agent=NAME), "description": f"{text}\n\n{said}"}
