"""What came of a plan: a table made by code, and a model's words above it where there is a model."""

from collections.abc import Mapping
from typing import Any, Literal

from langchain_core.messages import AIMessage
from langgraph.runtime import Runtime

from artel.graphs import limits
from artel.graphs.context import Context
from artel.graphs.halting import limit_of
from artel.graphs.limits import Spent
from artel.graphs.models import NoModelAnswered
from artel.graphs.models.tally import tallied
from artel.graphs.pausing import STOPPED
from artel.graphs.plan import MAX_ATTEMPTS, OVER, Plan, count, finished, is_under_way
from artel.graphs.routing import is_russian
from artel.graphs.showing import announce, sizes
from artel.graphs.state import CheckReport, Cost, OrchestratorState, Result, StepReport
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
    wishes, stopped, used = (
        runtime.context or Context(),
        state.get("stopped"),
        limits.read(state.get("spent")),
    )
    prose = ""
    if not stopped and not limit_of(state, wishes):
        with tallied() as calls:
            prose = await _prose(request, table(plan, checks, russian=russian), wishes.model)
        used = used.and_for(calls)
    summary = prose.split("\n")[0][:200] or _in_short(plan, checks, russian=russian)
    why = _why_stopped(plan, stopped, russian=russian)
    before = limits.read(state.get("before"))
    shown = table(plan, checks, used.plus(before, -1), russian=russian)
    result = result_of(plan, checks, summary, used.plus(before, -1))
    said = "\n\n".join(part for part in (prose or summary, why, shown) if part)
    metadata: dict[str, Any] = {limits.SPENT: used.noted} if used.steps else {}
    if stopped:
        result["stopped"] = {key: value for key, value in stopped.items() if key != "why"}
        metadata[STOPPED] = result["stopped"]
    message = AIMessage(said, name=NAME, response_metadata=metadata)
    spent = {"spent": used.noted} if used != limits.read(state.get("spent")) else {}
    return {"plan": plan, "result": result, "messages": [message], **spent}


def result_of(plan: Plan, checks: list[CheckReport], summary: str, used: Spent | None = None) -> Result:
    """Return what came of a plan as data; `used` is what all calls for it used, those of its steps too."""
    results = [step["result"] for step in plan["steps"] if step["result"]]
    cost = cost_of(used or Spent())
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
                cost=cost_of(limits.read(step.get("spent"))),
            )
            for step in plan["steps"]
        ],
        checks=checks,
        open_questions=list(dict.fromkeys(each for one in results for each in one["open_questions"])),
        tokens={"input": cost["input"], "output": cost["output"]},
        cost=cost,
    )


def cost_of(used: Spent) -> Cost:
    """Return a sum as clients read it."""
    return Cost(
        calls=used.steps,
        input=used.tokens - used.output,
        output=used.output,
        usd=used.usd if used.priced else None,
        unpriced=used.tokens - used.priced,
    )


def money(cost: Cost, *, russian: bool) -> str:
    """Return a cost in words: money where the price is known, tokens otherwise, both where it is of some.

    >>> known = {"calls": 2, "input": 900, "output": 100, "usd": 0.0125, "unpriced": 0}
    >>> money(known, russian=False), money({**known, "unpriced": 400}, russian=True)
    ('$0.0125', '$0.0125 + 400 токенов')
    """
    tokens = f"{cost['unpriced']:,} {'токенов' if russian else 'tokens'}" if cost["unpriced"] else ""
    return " + ".join(filter(None, (f"${cost['usd']:.4f}" if cost["usd"] is not None else "", tokens)))


def table(plan: Plan, checks: list[CheckReport], used: Spent | None = None, *, russian: bool) -> str:
    """Return steps, checks and open questions as Markdown; with what they cost where anything was `used`."""
    result = result_of(plan, checks, "", used)
    heads = ["Шаг", "Агент", "Итог", "Файлы"] if russian else ["Step", "Agent", "Outcome", "Files"]
    if used and used.tokens:
        heads.append("Цена" if russian else "Cost")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for step in result["steps"]:
        came = _word(step["status"], russian=russian)
        notes = " ".join(
            [came, *([f"({step['summary']})"] if step["status"] == "failed" else []), *step["notes"]]
        )
        cost = money(step["cost"], russian=russian)
        cells = (step["title"], step["agent"], notes, sizes(step["files"]), cost)
        lines.append(f"| {' | '.join(_cell(cell) for cell in cells[: len(heads)])} |")
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
    if used and used.tokens:
        lines += ["", _in_all(result["cost"], russian=russian)]
    return "\n".join(lines)


async def _prose(request: str, shown: str, wish: str) -> str:
    try:
        said = await think("summary", render("orchestrator/summary", request=request, table=shown), wish)
    except NoModelAnswered:  # the table says it all
        return ""
    return (said or "").strip()


def _in_all(cost: Cost, *, russian: bool) -> str:
    taken, given, whole = f"{cost['input']:,}", f"{cost['output']:,}", money(cost, russian=russian)
    tokens = f"Токены: {taken} + {given}" if russian else f"Tokens: {taken} in, {given} out"
    return tokens if cost["usd"] is None else f"{'Всего' if russian else 'In all'}: {whole}. {tokens}"


def _why_stopped(plan: Plan, stopped: Mapping[str, Any] | None, *, russian: bool) -> str:
    """Say why a plan stops before its end, or which step did, and what goes on with more."""
    if stopped:
        on = "Скажите «продолжай», чтобы продолжить." if russian else "Say “continue” to go on."
        return f"{stopped['why']} {on}"
    short = [
        step["title"]
        for step in plan["steps"]
        if step["status"] == "failed"
        and step["attempts"] < MAX_ATTEMPTS
        and step["result"]
        and "most" in step["result"].get("stopped", {})
    ]
    if not short or plan["status"] != "done":
        return ""
    named = ", ".join(f"«{one}»" if russian else f"“{one}”" for one in short)
    if russian:
        return f"Не хватило бюджета: {named}. Скажите «ещё раз», и шаг получит ещё столько же."
    return f"Too little budget: {named}. Say “try again”, and it may use as much again."


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
