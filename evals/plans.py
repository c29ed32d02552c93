"""Marks of a plan: who does which step, after whom, where, and what came of it."""

from collections.abc import Iterator

from artel.graphs.plan import Plan, Step
from evals.cases import PlanShape
from evals.marks import Mark
from evals.running import Outcome


def marks(shape: PlanShape, outcome: Outcome) -> Iterator[Mark]:
    """Look at the plan that a case ended with; without one there is one mark, and it does not hold."""
    plan = outcome.plan
    yield Mark("there is a plan", plan is not None, outcome.agent or "nobody was chosen")
    if plan is None:
        return
    steps = plan["steps"]
    agents = [step["agent"] for step in steps]
    told = ", ".join(agents)
    for agent in shape.agents:
        yield Mark(f"{agent} has a step", agent in agents, told)
    if shape.others is not None:
        strange = sorted({*agents} - {*shape.agents, *shape.others})
        yield Mark("nobody else has a step", not strange, ", ".join(strange))
    yield Mark(f"at most {shape.max_steps} steps", len(steps) <= shape.max_steps, str(len(steps)))
    for agent, before in shape.after.items():
        late = [step["id"] for step in steps if step["agent"] == agent and not _follows(plan, step, before)]
        yield Mark(f"{agent} comes after {before}", not late, ", ".join(late))
    for agent in shape.scoped:
        wide = [step["id"] for step in steps if step["agent"] == agent and not step["paths"]]
        yield Mark(f"{agent} is told its paths", not wide, ", ".join(wide))
    if shape.checked:
        yield Mark("a command checks it", any(step["checks"] for step in steps))
    if shape.status:
        yield Mark(f"the plan is {shape.status}", outcome.status == shape.status, outcome.status)


def _follows(plan: Plan, step: Step, agent: str) -> bool:
    """Whether a step depends on one of `agent`, directly or by way of others."""
    by_id = {one["id"]: one for one in plan["steps"]}
    left, seen = list(step["depends_on"]), set[str]()
    while left:
        id_ = left.pop()
        if id_ in seen or id_ not in by_id:
            continue
        seen.add(id_)
        if by_id[id_]["agent"] == agent:
            return True
        left += by_id[id_]["depends_on"]
    return False
