"""An agent that does one step: what it is told, what it may touch, what came of it whatever became of it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langgraph.graph.state import CompiledStateGraph

from artel.graphs.agent_loop import loop
from artel.graphs.budget import Budget
from artel.graphs.context import Context
from artel.graphs.pausing import stopped
from artel.graphs.plan import Changed, Plan, Step, StepResult, step_of
from artel.graphs.roles import Role
from artel.graphs.state import Submission
from artel.graphs.submitting import Submitting
from artel.prompts import render
from artel.tools.registry import TOOLS
from artel.tools.submitting import NAME as SUBMIT
from artel.tools.todos import TOOL as TODOS
from artel.tools.tool import Risk

STEPS = 60
"""Calls of a model that a step may make where neither it nor its role says how many."""
MAX_SUMMARY = 2_000  # characters of one result, in the brief of another step
NEVER = "It stopped without handing in a result, also after it was told to."


def child(role: Role, step: Step, *, beside: bool) -> CompiledStateGraph[Any, Context, Any, Any]:
    """Return the loop of an agent in a role that does a step.

    `beside` others it has only tools that cannot leave its paths.
    """
    fitted = role.model_copy(
        update={
            "tools": tools_of_step(role, beside=beside),
            "prompt": f"{role.prompt.strip()}\n\n{render('shared/step')}",
            "budget": _less(role.budget, step["budget"]),
        }
    )
    return loop(fitted, more=[Submitting()])


def tools_of_step(role: Role, *, beside: bool) -> tuple[str, ...]:
    """Return the tools of a role that does a step.

    It keeps no todos: the plan is the list that people see, and one of its own would be taken for it.
    """
    kept = (name for name in role.tools if name != TODOS.name)
    return (*(name for name in kept if not beside or _keeps_to_paths(name)), SUBMIT)


def limits(role: Role, step: Step) -> dict[str, Any]:
    """Return the budget of a step; one who works on it stops there with words, and asks nobody.

    Each time that such a limit stopped it before adds as much again.
    """
    given = {"steps": STEPS, **_less(role.budget, step["budget"]).model_dump(exclude_none=True)}
    return more(given, step)


def more(budget: Mapping[str, Any], step: Step) -> dict[str, Any]:
    """Return a step's budget with as much again for each time that it was too little."""
    return {kind: most * (1 + step.get("stops", 0)) for kind, most in budget.items()}


def most_turns(role: Role, step: Step) -> int:
    """Return how many steps of its graph an agent may take: two for each call of a model, and some to end."""
    return 2 * int(limits(role, step)["steps"]) + 6


def brief(plan: Plan, step: Step, *, failing: str = "", words: str = "") -> str:
    """Return all that an agent is told of its step; never what was said in the thread."""
    before = [
        {
            "title": one["title"],
            "status": one["status"],
            "summary": result["summary"][:MAX_SUMMARY],
            "files": ", ".join(file["path"] for file in result["files"]),
        }
        for one in (step_of(plan, id_) for id_ in step["depends_on"])
        if (result := one["result"])
    ]
    told = {key: step[key] for key in ("title", "acceptance", "inputs", "paths")}
    more = {"failing": failing, "words": words}
    return render("orchestrator/brief", goal=plan["goal"], before=before, **told, **more)


def given(
    plan: Plan, step: Step, role: Role, told: str, *, lanes: int, handed_down: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the state in which an agent begins its step, one of so many that run at the same time."""
    scope: dict[str, Any] = {"paths": step["paths"]} if step["paths"] else {}
    return {
        **handed_down,
        "messages": [HumanMessage(told)],
        "plan": plan,
        "step": step["id"],
        "budget": limits(role, step),
        **scope,
        **({"beside": True, "lanes": lanes} if lanes > 1 else {}),
    }


def result_of(end: Mapping[str, Any]) -> StepResult:
    """Return what came of a step whose agent stopped: what it handed in, or that it did not."""
    messages = cast("Sequence[AnyMessage]", end.get("messages") or ())
    submission = cast("Submission | None", end.get("submission"))
    files = changed(messages)
    if not submission:
        said = next((m.text for m in reversed(messages) if isinstance(m, AIMessage) and m.text), "")
        evidence = [f"Its last words: {said[:500]}"] if said else []
        if by := stopped(messages):  # by a limit, or in a circle: its last words say so
            return {**failed(said, files=files), "stopped": by}
        return failed(NEVER, files=files, evidence=evidence)
    return StepResult(
        status=submission["status"],
        summary=submission["summary"],
        by="agent",
        files=files,
        evidence=submission["evidence"],
        open_questions=submission["open_questions"],
        notes=_notes(submission, files, messages),
    )


def failed(why: str, *, files: Sequence[Changed] = (), evidence: Sequence[str] = ()) -> StepResult:
    """Return the result that the runtime writes for an agent that has none."""
    return StepResult(
        status="failed",
        summary=why,
        by="runtime",
        files=list(files),
        evidence=list(evidence),
        open_questions=[],
        notes=[],
    )


def changed(messages: Sequence[AnyMessage]) -> list[Changed]:
    """Return the files that tools changed, in order, with the lines of all changes to each."""
    found: dict[str, Changed] = {}
    for said in messages:
        artifact = said.artifact if isinstance(said, ToolMessage) and said.status == "success" else None
        if not isinstance(artifact, dict) or artifact.get("kind") != "change":
            continue
        for file in artifact["files"]:
            one = found.setdefault(file["path"], Changed(path=file["path"]))
            if isinstance(added := file.get("added"), int) and isinstance(
                removed := file.get("removed"), int
            ):
                one["added"] = one.get("added", 0) + added
                one["removed"] = one.get("removed", 0) + removed
    return list(found.values())


def _notes(submission: Submission, files: Sequence[Changed], messages: Sequence[AnyMessage]) -> list[str]:
    made = {file["path"] for file in files}
    claimed = [path for path in submission["files_changed"] if path.removeprefix("./") not in made]
    if not claimed:
        return []
    ran = any(isinstance(m, ToolMessage) and m.name == "execute" for m in messages)
    unless = "; a command may have" if ran else ""
    return [f"It says that it changed {', '.join(claimed)}, and none of its edits did{unless}."]


def _keeps_to_paths(name: str) -> bool:
    """Whether a tool looks only, or changes the files that it names and nothing else."""
    return TOOLS[name].risk is Risk.READ or TOOLS[name].action == "fs.write"


def _less(role: Budget, step: Mapping[str, float]) -> Budget:
    """Return the smaller of two budgets, figure by figure."""
    own = role.model_dump(exclude_none=True)
    figures = {key: min(own.get(key, value), value) for key, value in step.items()}
    return Budget(**{**own, **figures})
