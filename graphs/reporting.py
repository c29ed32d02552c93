"""What came of a plan: a table made by code, and a model's words above it where there is a model."""

from typing import Any, Literal

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from artel.graphs.context import Context
from artel.graphs.models import NoModelAnswered
from artel.graphs.plan import OVER, Plan, count, finished, is_under_way
from artel.graphs.routing import is_russian
from artel.graphs.showing import announce, sizes
from artel.graphs.state import CheckReport, OrchestratorState, Result, StepReport
from artel.graphs.thinking import NAME, think
from artel.graphs.verifying import files
from artel.prompts import render

MAX_CELL = 300  # characters

RUSSIAN = {
    "completed": "готово",
    "failed": "не вышло",
    "cancelled": "не начато",
    "passed": "проходит",
    "not run": "не запускалось",
}


async def aggregate(state: OrchestratorState, runtime: Runtime[Context]) -> dict[str, Any]:
    """Say what came of the plan: the table in the state, and as the orchestrator's last message."""
    plan, checks, request = state["plan"], state.get("checks") or [], state.get("task", "")
    russian = is_russian(request)
    if plan["status"] == "running" and all(step["status"] in OVER for step in plan["steps"]):
        plan = finished(plan)
        announce(plan)
    if plan["status"] == "cancelled" and not any(step["attempts"] for step in plan["steps"]):
        said = "Хорошо, ничего не делаю." if russian else "All right, I do nothing."
        result = result_of(plan, checks, said)
        return {"plan": plan, "result": result, "messages": [AIMessage(said, name=NAME)]}
    shown = table(plan, checks, russian=russian)
    prose = await _prose(request, shown, (runtime.context or Context()).model)
    summary = prose.split("\n")[0][:200] or _in_short(plan, checks, russian=russian)
    said = f"{prose or summary}\n\n{shown}"
    result = result_of(plan, checks, summary)
    return {"plan": plan, "result": result, "messages": [AIMessage(said, name=NAME)]}


def result_of(plan: Plan, checks: list[CheckReport], summary: str) -> Result:
    """Return what came of a plan as data; made of the plan and the checks alone."""
    results = [step["result"] for step in plan["steps"] if step["result"]]
    used = [one.get("tokens", {}) for one in results]
    return Result(
        agent=NAME,
        summary=summary,
        changed=files(plan),
        status=_status(plan, checks),
        steps=[
            StepReport(
                id=step["id"],
                title=step["title"],
                agent=step["agent"],
                status=step["status"],
                attempts=step["attempts"],
                summary=step["result"]["summary"] if step["result"] else "",
                files=step["result"]["files"] if step["result"] else [],
                notes=step["result"]["notes"] if step["result"] else [],
            )
            for step in plan["steps"]
        ],
        checks=checks,
        open_questions=list(dict.fromkeys(each for one in results for each in one["open_questions"])),
        tokens={kind: sum(one.get(kind, 0) for one in used) for kind in ("input", "output")},
    )


def table(plan: Plan, checks: list[CheckReport], *, russian: bool) -> str:
    """Return steps, checks and open questions as Markdown."""
    result = result_of(plan, checks, "")
    head = "| Шаг | Агент | Итог | Файлы |" if russian else "| Step | Agent | Outcome | Files |"
    lines = [head, "|---|---|---|---|"]
    for step in result["steps"]:
        came = _word(step["status"], russian=russian)
        notes = " ".join(
            [came, *([f"({step['summary']})"] if step["status"] == "failed" else []), *step["notes"]]
        )
        cells = (step["title"], step["agent"], notes, sizes(step["files"]))
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells)} |")
    if checks:
        lines += ["", "Проверки:" if russian else "Checks:", ""]
        lines += [
            f"- `{_cell(one['check'])}`: {_word(one['status'], russian=russian)}{_why(one)}" for one in checks
        ]
    if asked := result["open_questions"]:
        lines += [
            "",
            "Открытые вопросы:" if russian else "Open questions:",
            "",
            *(f"- {each}" for each in asked),
        ]
    if any(result["tokens"].values()):
        taken, given = result["tokens"]["input"], result["tokens"]["output"]
        lines += ["", f"Токены: {taken} + {given}" if russian else f"Tokens: {taken} in, {given} out"]
    return "\n".join(lines)


async def _prose(request: str, shown: str, wish: str) -> str:
    try:
        said = await think("summary", render("orchestrator/summary", request=request, table=shown), wish)
    except NoModelAnswered:  # the table says it all
        return ""
    return (said or "").strip()


def _status(plan: Plan, checks: list[CheckReport]) -> Literal["done", "failed", "rejected", "cancelled"]:
    if plan["status"] == "cancelled":
        return "cancelled" if any(step["attempts"] for step in plan["steps"]) else "rejected"
    red = any(one["status"] == "failed" for one in checks)
    whole = all(step["status"] == "completed" for step in plan["steps"] if not _is_repair(step["id"], plan))
    return "done" if whole and not red and not is_under_way(plan) else "failed"


def _is_repair(id_: str, plan: Plan) -> bool:
    """A repair that failed is no failure of the plan: the checks after it tell."""
    return id_.startswith("debug-") and plan["version"] > 1


def _in_short(plan: Plan, checks: list[CheckReport], *, russian: bool) -> str:
    done, all_ = count(plan, "completed"), len(plan["steps"])
    red = sum(one["status"] == "failed" for one in checks)
    if russian:
        return f"Выполнено шагов: {done} из {all_}." + (f" Не проходит проверок: {red}." if red else "")
    return f"{done} of {all_} steps are completed." + (f" Checks that fail: {red}." if red else "")


def _word(status: str, *, russian: bool) -> str:
    return RUSSIAN.get(status, status) if russian else status


def _why(one: CheckReport) -> str:
    said = next((line for line in reversed(one["said"].splitlines()) if line.strip()), "")
    return f" ({_cell(said)})" if said and one["status"] != "passed" else ""


def _cell(text: str) -> str:
    flat = " ".join(text.split()).replace("|", "\\|")
    return flat if len(flat) <= MAX_CELL else f"{flat[:MAX_CELL]}…"
