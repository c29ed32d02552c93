"""A plan as plain data, and all that may happen to it. Nothing here knows of models, files or people.

Every function returns a new plan and leaves the one it got as it was. What is not allowed raises, and says
what would be.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from artel.graphs.scopes import apart
from artel.storage.errors import Invalid

Status = Literal["pending", "in_progress", "completed", "failed", "cancelled"]
PlanStatus = Literal["proposed", "running", "done", "cancelled"]

MAX_STEPS = 20
MAX_DEPTH = 2
"""A plan's step may have a plan of its own; the steps of that may not."""
MAX_ATTEMPTS = 5
ORCHESTRATOR = "orchestrator"

LEGAL: Mapping[Status, tuple[Status, ...]] = {
    "pending": ("in_progress", "cancelled"),
    "in_progress": ("completed", "failed", "cancelled", "pending"),
    "failed": ("pending",),
    "cancelled": ("pending",),
    "completed": (),
}
OVER: tuple[Status, ...] = ("completed", "failed", "cancelled")


class PlanWrong(Invalid):
    """A plan, or what shall happen to it, breaks a rule; the message names the step and what would do."""

    code = "plan_wrong"


class Changed(TypedDict):
    """A file that a step changed, with the lines that its changes added and removed, as far as known."""

    path: str
    added: NotRequired[int]
    removed: NotRequired[int]


class StepResult(TypedDict):
    """What came of a step."""

    status: Literal["completed", "failed"]
    summary: str
    by: Literal["agent", "runtime"]
    "Whether the agent handed it in, or the runtime wrote it for one that did not."
    files: list[Changed]
    evidence: list[str]
    open_questions: list[str]
    notes: list[str]
    "What the runtime has to say of it: a claim that is not so."
    stopped: NotRequired[dict[str, Any]]
    "By what limit, or in what circle, if it was."


class Step(TypedDict):
    """One piece of work for one agent."""

    id: str
    title: str
    agent: str
    depends_on: list[str]
    acceptance: str
    checks: list[str]
    "Commands that must succeed in the end."
    inputs: list[str]
    "What to look at first: files, mostly."
    paths: list[str]
    "Globs of the files that it may change; empty: any."
    budget: dict[str, float]
    status: Status
    attempts: int
    result: StepResult | None
    spent: NotRequired[dict[str, Any]]
    "What models used for it in all attempts, as `limits.Spent.noted`."
    stops: NotRequired[int]
    "How often a limit of its own stopped it: tried again, it may use as much again for each."


class Plan(TypedDict):
    """What shall be done, by whom, in which order, and how far that is."""

    goal: str
    version: int
    depth: int
    "1 for a plan of the thread, 2 for that of a step."
    status: PlanStatus
    steps: list[Step]


def new(goal: str, steps: Sequence[Step], agents: Collection[str], *, depth: int = 1) -> Plan:
    """Return a plan to be approved.

    Raises:
        PlanWrong: it breaks a rule.
    """
    plan = Plan(goal=goal, version=1, depth=depth, status="proposed", steps=deepcopy(list(steps)))
    check(plan, agents)
    return plan


def check(plan: Plan, agents: Collection[str]) -> None:
    """Refuse a plan that could not be carried out.

    Raises:
        PlanWrong: too many steps or none, an id twice, an unknown agent or dependency, a cycle, too deep.
    """
    steps, ids = plan["steps"], [step["id"] for step in plan["steps"]]
    if not 1 <= len(steps) <= MAX_STEPS:
        raise PlanWrong(f"a plan has 1 to {MAX_STEPS} steps, got {len(steps)}")
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise PlanWrong(f"step ids must differ; {', '.join(twice)} stands twice")
    if plan["depth"] > MAX_DEPTH:
        raise PlanWrong(f"plans are at most {MAX_DEPTH} deep; do the work in steps of this plan")
    known = may(agents, plan["depth"])
    for step in steps:
        if step["agent"] not in known and step["status"] not in OVER:
            raise PlanWrong(
                f"step {step['id']}: there is no agent {step['agent']!r} for it; there are {', '.join(known)}"
            )
        if missing := [one for one in step["depends_on"] if one not in ids]:
            named, there = ", ".join(missing), ", ".join(ids)
            raise PlanWrong(f"step {step['id']} depends on {named}, which is no step; there are {there}")
    if around := _cycle(steps):
        raise PlanWrong(f"the steps {', '.join(around)} wait for each other; take one dependency out")


def may(agents: Collection[str], depth: int) -> list[str]:
    """Return the agents that steps of a plan at this depth may have, sorted."""
    return sorted(name for name in agents if name != ORCHESTRATOR or depth < MAX_DEPTH)


def approved(plan: Plan) -> Plan:
    """Let a proposed plan begin."""
    if plan["status"] != "proposed":
        raise PlanWrong(f"only a proposed plan is approved, this one is {plan['status']}")
    return _with(plan, status="running")


def ready(plan: Plan, lanes: int = 1) -> list[Step]:
    """Return the pending steps that may begin now, in the plan's order.

    Beside a step that is in progress, or another that begins, only one whose paths are provably apart from
    those of all others; at most `lanes` in all.
    """
    if plan["status"] != "running":
        return []
    taken = [step for step in plan["steps"] if step["status"] == "in_progress"]
    chosen: list[Step] = []
    for step in plan["steps"]:
        if len(taken) >= lanes:
            break
        if _may_begin(plan, step) and all(apart(step["paths"], other["paths"]) for other in taken):
            taken.append(step)
            chosen.append(step)
    return chosen


def begun(plan: Plan, ids: Collection[str], lanes: int = 1) -> Plan:
    """Put steps that are ready in progress; each beginning is an attempt.

    Raises:
        PlanWrong: one is not ready beside the others.
    """
    can = [step["id"] for step in ready(plan, lanes)]
    if wrong := [one for one in ids if one not in can]:
        raise PlanWrong(f"{', '.join(wrong)} may not begin now; ready: {', '.join(can) or 'none'}")
    for one in ids:
        plan = _moved(plan, one, "in_progress", attempts=step_of(plan, one)["attempts"] + 1, result=None)
    return plan


def ended(plan: Plan, id: str, result: StepResult) -> Plan:  # noqa: A002  as the field
    """Note what came of a step in progress."""
    stops = step_of(plan, id).get("stops", 0) + bool(result.get("stopped"))
    return _moved(plan, id, result["status"], result=result, **({"stops": stops} if stops else {}))


def charged(plan: Plan, id: str, spent: Mapping[str, Any]) -> Plan:  # noqa: A002  as the field
    """Note what models have used for a step in all; nothing is not noted."""
    steps = [{**one, "spent": dict(spent)} if one["id"] == id and spent else one for one in plan["steps"]]
    return _with(plan, steps=steps)


def blocked(plan: Plan) -> Plan:
    """Cancel the pending steps that can never begin: for one they wait for, or for lack of attempts."""
    while waiting := [step["id"] for step in plan["steps"] if _is_blocked(plan, step)]:
        for one in waiting:
            plan = _moved(plan, one, "cancelled")
    return plan


def taken_back(plan: Plan) -> Plan:
    """Put steps whose work was stopped back among the pending."""
    for step in plan["steps"]:
        if step["status"] == "in_progress":
            plan = _moved(plan, step["id"], "pending")
    return plan


def again(plan: Plan) -> Plan:
    """Let what failed or was cancelled be tried again, as far as its attempts allow.

    Raises:
        PlanWrong: the plan does not run and is not done.
    """
    if plan["status"] not in ("running", "done"):
        raise PlanWrong(f"a plan that is {plan['status']} is not tried again; make a new one")
    for step in plan["steps"]:
        if step["status"] in ("failed", "cancelled") and step["attempts"] < MAX_ATTEMPTS:
            plan = _moved(plan, step["id"], "pending")
    return blocked(_with(plan, status="running"))


def finished(plan: Plan) -> Plan:
    """Say that all is over.

    Raises:
        PlanWrong: it does not run, or a step is not over.
    """
    if plan["status"] != "running":
        raise PlanWrong(f"only a running plan is finished, this one is {plan['status']}")
    if left := [step["id"] for step in plan["steps"] if step["status"] not in OVER]:
        raise PlanWrong(f"{', '.join(left)} must be completed, failed or cancelled first")
    return _with(plan, status="done")


def cancelled(plan: Plan) -> Plan:
    """Give up all that is not over.

    Raises:
        PlanWrong: the plan itself is over.
    """
    if plan["status"] not in ("proposed", "running"):
        raise PlanWrong(f"this plan is {plan['status']}; there is nothing to cancel")
    for step in plan["steps"]:
        if step["status"] not in OVER:
            plan = _moved(plan, step["id"], "cancelled")
    return _with(plan, status="cancelled")


def extended(plan: Plan, step: Step, agents: Collection[str]) -> Plan:
    """Add a step to a plan that runs: a new version.

    Raises:
        PlanWrong: the plan breaks a rule with it, or does not run.
    """
    if plan["status"] != "running":
        raise PlanWrong(f"steps are added to a running plan, this one is {plan['status']}")
    longer = Plan(**{**plan, "steps": [*plan["steps"], step], "version": plan["version"] + 1})
    check(longer, agents)
    return longer


def edited(plan: Plan, goal: str, steps: Sequence[Step], agents: Collection[str]) -> Plan:
    """Return the plan as a person wants it: a new version, in which what is completed stays as it was.

    Raises:
        PlanWrong: it breaks a rule, or a step is in progress.
    """
    if busy := [step["id"] for step in plan["steps"] if step["status"] == "in_progress"]:
        raise PlanWrong(f"{', '.join(busy)} is in progress; stop it before the plan is changed")
    if plan["status"] not in ("proposed", "running"):
        raise PlanWrong(f"a plan that is {plan['status']} is not changed; make a new one")
    kept = [step for step in plan["steps"] if step["status"] == "completed"]
    done = {step["id"] for step in kept}
    tried = {step["id"]: _history(step) for step in plan["steps"]}
    fresh: list[Any] = [
        {**step, "status": "pending", "attempts": 0, "result": None, **tried.get(step["id"], {})}
        for step in steps
        if step["id"] not in done
    ]
    version = plan["version"] + 1
    changed = Plan(
        goal=goal,
        version=version,
        depth=plan["depth"],
        status=plan["status"],
        steps=deepcopy([*kept, *fresh]),
    )
    check(changed, agents)
    return changed


def step_of(plan: Plan, id: str) -> Step:  # noqa: A002  as the field
    """Return a step by its id.

    Raises:
        PlanWrong: there is none.
    """
    for step in plan["steps"]:
        if step["id"] == id:
            return step
    raise PlanWrong(f"there is no step {id!r}; there are {', '.join(one['id'] for one in plan['steps'])}")


def is_under_way(plan: Mapping[str, Any] | None) -> bool:
    """Say whether a plan was proposed or begun, and is not over."""
    return bool(plan) and plan["status"] in ("proposed", "running")  # type: ignore[index]


def can_be_tried_again(plan: Plan | None) -> bool:
    """Say whether a plan is over and something in it failed that may be tried again."""
    return (
        plan is not None
        and plan["status"] == "done"
        and any(step["status"] == "failed" and step["attempts"] < MAX_ATTEMPTS for step in plan["steps"])
    )


def count(plan: Plan, *statuses: Status) -> int:
    """Return how many steps have one of these statuses."""
    return sum(step["status"] in statuses for step in plan["steps"])


def _may_begin(plan: Plan, step: Step) -> bool:
    return (
        step["status"] == "pending"
        and step["attempts"] < MAX_ATTEMPTS
        and all(step_of(plan, one)["status"] == "completed" for one in step["depends_on"])
    )


def _is_blocked(plan: Plan, step: Step) -> bool:
    before = (step_of(plan, one)["status"] for one in step["depends_on"])
    can_never = step["attempts"] >= MAX_ATTEMPTS or any(one in ("failed", "cancelled") for one in before)
    return step["status"] == "pending" and can_never


def _moved(plan: Plan, id: str, status: Status, **more: Any) -> Plan:  # noqa: A002  as the field
    step = step_of(plan, id)
    if status not in LEGAL[step["status"]]:
        can = ", ".join(LEGAL[step["status"]]) or "nothing: it is over"
        raise PlanWrong(f"step {id} is {step['status']} and cannot become {status}; it can become {can}")
    if status in ("in_progress", "completed", "failed") and plan["status"] != "running":
        raise PlanWrong(f"step {id} cannot become {status} while the plan is {plan['status']}")
    steps = [{**one, "status": status, **more} if one["id"] == id else one for one in plan["steps"]]
    return _with(plan, steps=steps)


def _with(plan: Plan, **changes: Any) -> Plan:
    return Plan(**{**plan, **changes})  # type: ignore[typeddict-item]


def _history(step: Step) -> dict[str, Any]:
    """Return what stays true of a step when it is edited."""
    return {key: step[key] for key in ("attempts", "spent", "stops") if key in step}


def _cycle(steps: Iterable[Step]) -> list[str]:
    """Return the steps that can never begin because they wait for each other."""
    waiting = {step["id"]: set(step["depends_on"]) for step in steps}
    while free := [one for one, before in waiting.items() if not before & waiting.keys()]:
        for one in free:
            del waiting[one]
    return sorted(waiting)
