"""The plan as a machine: nothing that may happen to it breaks a rule."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from artel.graphs import plan as plans
from artel.graphs.plan import Plan, PlanWrong, Step, StepResult
from artel.graphs.scopes import apart, inside

AGENTS = ("coder", "ask", "orchestrator")
PATHS = st.lists(st.sampled_from(["src/a/**", "src/b/**", "src/a/x.py", "docs", "**/*.py"]), max_size=2)


def step(id_: str, **more: Any) -> Step:
    usual = {"title": id_, "agent": "coder", "depends_on": [], "acceptance": "", "checks": [], "inputs": []}
    rest = {"paths": [], "budget": {}, "status": "pending", "attempts": 0, "result": None}
    return Step(**{"id": id_, **usual, **rest, **more})  # type: ignore[typeddict-item]


def result(status: str = "completed") -> StepResult:
    return StepResult(
        status=status,  # type: ignore[typeddict-item]
        summary="so",
        by="agent",
        files=[],
        evidence=[],
        open_questions=[],
        notes=[],
    )


def running(*steps: Step) -> Plan:
    return plans.approved(plans.new("goal", steps, AGENTS))


@pytest.mark.parametrize(
    ("steps", "said"),
    [
        ([], "1 to 20 steps, got 0"),
        ([step(str(n)) for n in range(21)], "1 to 20 steps, got 21"),
        ([step("a"), step("a")], "a stands twice"),
        (
            [step("a", agent="nobody")],
            "there is no agent 'nobody' for it; there are ask, coder, orchestrator",
        ),
        ([step("a", depends_on=["b"])], "depends on b, which is no step; there are a"),
        ([step("a", depends_on=["a"])], "the steps a wait for each other"),
        ([step("a", depends_on=["b"]), step("b", depends_on=["a"]), step("c")], "the steps a, b wait"),
    ],
)
def test_a_plan_that_cannot_be_carried_out_is_refused(steps: list[Step], said: str) -> None:
    with pytest.raises(PlanWrong, match=said.replace("(", r"\(")):
        plans.new("goal", steps, AGENTS)


def test_a_plan_within_a_plan_has_no_plan_within() -> None:
    with pytest.raises(PlanWrong, match="no agent 'orchestrator' for it; there are ask, coder"):
        plans.new("goal", [step("a", agent="orchestrator")], AGENTS, depth=2)
    with pytest.raises(PlanWrong, match="at most 2 deep"):
        plans.new("goal", [step("a")], AGENTS, depth=3)


def test_nothing_begins_before_a_yes() -> None:
    proposed = plans.new("goal", [step("a")], AGENTS)
    assert plans.ready(proposed) == []
    with pytest.raises(PlanWrong, match="a may not begin now; ready: none"):
        plans.begun(proposed, ["a"])


def test_a_step_waits_for_those_it_depends_on() -> None:
    plan = plans.begun(running(step("a"), step("b", depends_on=["a"])), ["a"])
    assert plans.ready(plan) == []
    plan = plans.ended(plan, "a", result())
    assert [one["id"] for one in plans.ready(plan)] == ["b"]


def test_what_waits_for_a_failed_step_is_cancelled_and_can_be_tried_again() -> None:
    plan = running(step("a"), step("b", depends_on=["a"]), step("c", depends_on=["b"]), step("d"))
    plan = plans.blocked(plans.ended(plans.begun(plan, ["a"]), "a", result("failed")))
    assert [one["status"] for one in plan["steps"]] == ["failed", "cancelled", "cancelled", "pending"]
    plan = plans.again(plan)
    assert [one["status"] for one in plan["steps"]] == ["pending"] * 4


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        (["src/a"], ["src/b"], True),
        (["src/a/**"], ["src/b/x.py", "docs/*.md"], True),
        (["src/a"], ["src/a/b.py"], False),
        (["src/*.py"], ["src/*.md"], False),
        (["SRC/a"], ["src/A"], False),
        (["./src/a"], ["src/a"], False),
        (["src/a"], [], False),
        ([], [], False),
    ],
)
def test_steps_run_side_by_side_only_when_their_files_are_surely_apart(
    one: list[str], other: list[str], together: bool
) -> None:
    plan = running(step("a", paths=one), step("b", paths=other))
    assert (len(plans.ready(plan, 2)) == 2) is together
    assert len(plans.ready(plan, 1)) == 1


@given(PATHS, PATHS, st.sampled_from(["src/a/x.py", "src/b/y.py", "docs/d.md", "z.py", "src/a/b/c.py"]))
def test_no_file_is_in_two_scopes_that_are_apart(one: list[str], other: list[str], path: str) -> None:
    assert not (apart(one, other) and inside(path, one) and inside(path, other))


def test_an_edit_keeps_what_is_completed_and_makes_a_version() -> None:
    plan = running(step("a"), step("b", depends_on=["a"]))
    plan = plans.ended(plans.begun(plan, ["a"]), "a", result())
    changed = plans.edited(plan, "other", [step("a", title="no"), step("c", depends_on=["a"])], AGENTS)
    assert (changed["version"], changed["goal"]) == (2, "other")
    assert [(one["id"], one["title"], one["status"]) for one in changed["steps"]] == [
        ("a", "a", "completed"),
        ("c", "c", "pending"),
    ]
    with pytest.raises(PlanWrong, match="is in progress; stop it"):
        plans.edited(plans.begun(changed, ["c"]), "x", [step("d")], AGENTS)


def test_a_step_that_is_over_says_what_it_can_become() -> None:
    plan = plans.ended(plans.begun(running(step("a")), ["a"]), "a", result())
    with pytest.raises(PlanWrong, match="a is completed and cannot become failed; it can become nothing"):
        plans.ended(plan, "a", result("failed"))


class Machine(RuleBasedStateMachine):
    """Does anything to a plan in any order: what is refused changes nothing, what is not breaks nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.plan: Plan | None = None
        self.lanes = 1
        self.completed: dict[str, Step] = {}
        self.version = 0

    def do(self, act: Callable[..., Plan], *args: Any) -> None:
        before = deepcopy(self.plan)
        try:
            after = act(self.plan, *args)
        except PlanWrong:
            after = before  # type: ignore[assignment]
        assert self.plan == before  # nothing is changed in place
        self.plan = after

    @rule(
        links=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=8),
        paths=st.lists(PATHS, min_size=6, max_size=6),
        size=st.integers(1, 6),
        lanes=st.integers(1, 3),
    )
    def propose(self, links: list[tuple[int, int]], paths: list[list[str]], size: int, lanes: int) -> None:
        steps = [
            step(str(n), paths=paths[n], depends_on=[str(b) for a, b in links if a == n and b < size])
            for n in range(size)
        ]
        try:
            self.plan = plans.new("goal", steps, AGENTS)
        except PlanWrong:
            return
        self.lanes, self.completed, self.version = lanes, {}, 1

    @precondition(lambda self: self.plan)
    @rule()
    def approve(self) -> None:
        self.do(plans.approved)

    @precondition(lambda self: self.plan)
    @rule(ids=st.lists(st.sampled_from("012345"), unique=True, max_size=3))
    def begin_any(self, ids: list[str]) -> None:
        self.do(plans.begun, ids, self.lanes)

    @precondition(lambda self: self.plan)
    @rule()
    def begin(self) -> None:
        assert self.plan
        self.do(plans.begun, [one["id"] for one in plans.ready(self.plan, self.lanes)], self.lanes)

    @precondition(lambda self: self.plan)
    @rule(id_=st.sampled_from("012345"), status=st.sampled_from(["completed", "failed"]))
    def end(self, id_: str, status: str) -> None:
        self.do(plans.ended, id_, result(status))

    @precondition(lambda self: self.plan)
    @rule(
        act=st.sampled_from([plans.blocked, plans.taken_back, plans.again, plans.finished, plans.cancelled])
    )
    def for_all_steps(self, act: Callable[..., Plan]) -> None:
        self.do(act)

    @precondition(lambda self: self.plan)
    @rule(id_=st.sampled_from("0123456"), after=st.sampled_from("012345"))
    def extend(self, id_: str, after: str) -> None:
        self.do(plans.extended, step(id_, depends_on=[after]), AGENTS)

    @precondition(lambda self: self.plan)
    @rule(ids=st.lists(st.sampled_from("012345"), max_size=4), after=st.sampled_from("012345"))
    def edit(self, ids: list[str], after: str) -> None:
        self.do(plans.edited, "new", [step(one, depends_on=[after]) for one in ids], AGENTS)

    @invariant()
    def nothing_is_broken(self) -> None:
        plan = self.plan
        if plan is None:
            return
        by_id = {one["id"]: one for one in plan["steps"]}
        plans.check(plan, AGENTS)  # ids, dependencies, no cycle, size
        busy = [one for one in plan["steps"] if one["status"] == "in_progress"]
        assert len(busy) <= self.lanes
        assert all(apart(a["paths"], b["paths"]) for a in busy for b in busy if a is not b)
        for one in plan["steps"]:
            assert one["attempts"] <= plans.MAX_ATTEMPTS
            if one["status"] in ("in_progress", "completed"):
                assert all(by_id[id_]["status"] == "completed" for id_ in one["depends_on"])
                assert one["attempts"] >= 1
            if one["status"] in ("completed", "failed"):
                assert one["result"]
                assert one["result"]["status"] == one["status"]
        if plan["status"] != "running":
            assert not busy
        if plan["status"] == "done":
            assert all(one["status"] in plans.OVER for one in plan["steps"])
        assert all(by_id[id_] == one for id_, one in self.completed.items())  # what is completed stays
        self.completed = {id_: one for id_, one in by_id.items() if one["status"] == "completed"}
        assert plan["version"] >= self.version
        self.version = plan["version"]

    @invariant()
    def something_can_always_be_done(self) -> None:
        """A running plan has a step that may begin or is in progress; else what is left waits in vain."""
        if self.plan and self.plan["status"] == "running":
            plan = plans.blocked(self.plan)
            busy = plans.count(plan, "in_progress")
            assert busy or plans.ready(plan, self.lanes) or not plans.count(plan, "pending")


Machine.TestCase.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)
TestMachine = Machine.TestCase
