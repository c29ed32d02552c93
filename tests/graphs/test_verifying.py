"""After the steps: commands, one repair, a person; under way: resumed, replaced, killed anywhere."""

from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command
from tests.fakes.driver import Driver, call, calls, edit
from tests.fakes.plans import SILENT, YES, on, plan, step, submits
from tests.graphs.conftest import Start
from tests.graphs.test_planned_work import ASK, TO_BYE, TO_TWO, statuses

from artel.graphs import orchestrator
from artel.graphs.context import use

BYE, TWO = "grep -q bye notes.txt", "grep -q 2 other.txt"


def checked() -> dict[str, Any]:
    return plan(
        step("notes", "Change the greeting", checks=[BYE]),
        step("other", "Change the number", depends_on=["notes"], checks=[TWO, BYE]),
    )


@pytest.fixture
def run(start: Start) -> Driver:
    """The second step changes nothing, which the checks find."""
    return start(
        "orchestrator",
        checked(),
        SILENT,
        on("Find out why", TO_TWO),
        on("Change the number", submits("I think it is so")),
        on("Change the greeting", TO_BYE),
        "unused",
        submits("it is so"),
    )


async def to_the_checks(run: Driver) -> None:
    await run.say(ASK)
    await run.answer(YES)
    await run.answer(YES)


async def test_commands_of_the_plan_are_asked_about_like_any_call(run: Driver) -> None:
    await to_the_checks(run)
    (asked,) = run.open
    assert (asked.value["name"], asked.value["args"]["command"]) == ("execute", "grep -q bye notes.txt")
    assert asked.value["artel"]["agent"] == "orchestrator"


async def test_a_check_that_fails_gets_one_repair_and_is_run_again(run: Driver, folder: Path) -> None:
    await to_the_checks(run)
    await run.answer(YES)  # each command once, though two steps name it
    await run.answer(YES)
    assert statuses(run) == ["completed", "completed", "in_progress"]
    brief = next(a[1].text for a in run.model.asked if len(a) > 1 and "Find out why" in a[1].text)
    assert "$ grep -q 2 other.txt\n[exit code 1" in brief
    await run.answer(YES)  # its edit
    await run.answer(YES)
    await run.answer(YES)
    result = run.state.values["result"]
    assert (result["status"], [one["status"] for one in result["checks"]]) == ("done", ["passed"] * 3)
    assert (folder / "other.txt").read_text() == "one\n2\n"


async def test_after_one_repair_in_vain_a_person_is_asked_and_cannot_talk_it_green(start: Start) -> None:
    replies = [checked(), SILENT, on("Find out why", submits("repaired")), on("Change the number", submits())]
    run = start("orchestrator", *replies, on("Change the greeting", TO_BYE), "unused", submits())
    await to_the_checks(run)
    for _ in range(4):
        await run.answer(YES)
    (asked,) = run.open
    assert [one["id"] for one in asked.value["options"]] == ["again", "finish"]
    assert "grep -q 2 other.txt" in asked.value["question"]
    await run.answer({"type": "respond", "message": "finish"})
    result = run.state.values["result"]
    assert result["status"] == "failed"
    assert "- `grep -q 2 other.txt`: failed" in run.said
    assert statuses(run) == ["completed"] * 3


async def test_words_to_failing_checks_are_another_repair(start: Start, folder: Path) -> None:
    replies = [checked(), SILENT, on("put 2 there", TO_TWO), on("Find out why", submits("repaired"))]
    more = [on("Change the number", submits()), on("Change the greeting", TO_BYE), "unused", submits()]
    run = start("orchestrator", *replies, *more)
    await to_the_checks(run)
    for _ in range(4):
        await run.answer(YES)
    await run.answer({"type": "respond", "message": "put 2 there"})
    for _ in range(3):
        await run.answer(YES)
    assert run.state.values["result"]["status"] == "done"
    assert [one["id"] for one in run.state.values["plan"]["steps"]] == [
        "notes",
        "other",
        "debug-1",
        "debug-2",
    ]


async def test_a_check_that_the_user_rejects_was_not_run(run: Driver) -> None:
    await to_the_checks(run)
    await run.answer({"type": "reject"})
    await run.answer({"type": "reject"})
    result = run.state.values["result"]
    assert [one["status"] for one in result["checks"]] == ["not run", "not run", "passed"]
    assert result["status"] == "done"
    assert "- `grep -q 2 other.txt`: not run" in run.said


async def test_a_red_gate_is_a_failed_check(start: Start, folder: Path) -> None:
    bad = calls(call("write_file", file_path="bad.py", content="def broken(:\n"))
    made = plan(step("a", "Write a file"), step("b", "Look at it", agent="ask", depends_on=["a"]))
    run = start(
        "orchestrator",
        made,
        SILENT,
        on("Find out why", submits("cannot")),
        on("Look at it", submits()),
        on("Write a file", bad),
        "unused",
        submits(),
    )
    await run.say(ASK)
    await run.answer(YES)
    await run.answer(YES)
    assert "gate" in run.open[0].value["question"]
    await run.answer({"type": "reject"})
    assert run.state.values["result"]["status"] == "failed"


# --- a message while a plan is under way


@pytest.fixture
async def stopped(start: Start) -> Driver:
    """The first step is done, the second waits for its yes; then the person says something."""
    run = start(
        "orchestrator",
        plan(step("notes", "Change the greeting"), step("other", "Change the number", depends_on=["notes"])),
        SILENT,
        on("Change the number", TO_TWO),
        on("Change the greeting", TO_BYE),
        "unused",
        submits("it is so"),
    )
    await run.say(ASK)
    await run.answer(YES)
    return await run.answer(YES)


@pytest.mark.parametrize("words", ["continue", "Продолжай, пожалуйста.", "go on"])
async def test_a_plan_that_was_stopped_goes_on_where_it_stood(
    stopped: Driver, folder: Path, words: str
) -> None:
    await stopped.say(words)
    assert statuses(stopped) == ["completed", "in_progress"]
    await stopped.answer(YES)
    assert stopped.state.values["result"]["status"] == "done"
    assert [one["attempts"] for one in stopped.state.values["plan"]["steps"]] == [1, 2]
    assert (folder / "other.txt").read_text() == "one\n2\n"


@pytest.mark.parametrize("words", ["stop", "отмени план"])
async def test_a_plan_can_be_given_up(stopped: Driver, words: str) -> None:
    await stopped.say(words)
    assert stopped.state.values["result"]["status"] == "cancelled"
    assert statuses(stopped) == ["completed", "cancelled"]
    assert stopped.state.values["result"]["changed"] == ["notes.txt"]


async def test_other_words_are_asked_about(stopped: Driver) -> None:
    await stopped.say("where is the number?")
    (asked,) = stopped.open
    assert [one["id"] for one in asked.value["options"]] == ["go_on", "replace", "drop"]
    assert "(1 of 2)" in asked.value["question"]


async def test_words_that_shall_be_minded_reach_the_steps_that_are_left(stopped: Driver) -> None:
    await stopped.say("use a small 2")
    await stopped.answer({"type": "respond", "message": "go_on"})
    assert "The user says to this: use a small 2" in stopped.model.asked[-1][1].text


async def test_a_plan_is_replaced_by_what_was_said(stopped: Driver) -> None:
    await stopped.say("where is the number?")
    await stopped.answer({"type": "respond", "message": "replace"})
    assert stopped.state.values["plan"]["status"] == "cancelled"
    assert stopped.state.values["route"]["agent"] == "ask"


async def test_what_failed_is_tried_again_when_the_person_says_so(start: Start) -> None:
    run = start(
        "orchestrator",
        plan(step("a", "Look here", agent="ask"), step("b", "Look there", agent="ask", depends_on=["a"])),
        SILENT,
        on("Look here", submits("not found", "failed")),
        on("Look there", submits("found")),
    )
    await run.say(ASK)
    await run.answer(YES)
    assert statuses(run) == ["failed", "cancelled"]
    run.model.replies[2] = run.model.replies[3].model_copy(update={"match": "Look here"})
    await run.say("Try again")
    assert statuses(run) == ["completed", "completed"]
    assert run.state.values["result"]["status"] == "done"


# --- killed


class Killed(BaseException):
    """The process is gone."""


class Dying(InMemorySaver):
    """Dies before or after the n-th thing that is written, once."""

    written = 0
    dies_at = 0
    after = False

    def _count(self) -> bool:
        self.written += 1
        return self.written == self.dies_at

    async def aput(self, *args: Any) -> Any:
        dies = self._count()
        if dies and not self.after:
            raise Killed
        done = super().put(*args)
        if dies:
            raise Killed
        return done

    async def aput_writes(self, *args: Any, **more: Any) -> None:
        dies = self._count()
        if dies and not self.after:
            raise Killed
        super().put_writes(*args, **more)
        if dies:
            raise Killed


class DyingAfterStep(Dying):
    """Dies once it is saved that so many steps of a plan are completed."""

    steps = 0
    died = False

    async def aput(self, *args: Any) -> Any:
        saved = await super().aput(*args)
        planned = args[1]["channel_values"].get("plan")
        done = planned and [one["status"] for one in planned["steps"]].count("completed")
        if done == self.steps and not self.died:
            self.died = True
            raise Killed
        return saved


FOUR = plan(
    step("a", "Change the greeting", checks=["grep -q bye notes.txt"]),
    step("b", "Change the number", depends_on=["a"]),
    step("c", "Look at both", agent="ask", depends_on=["a", "b"]),
    step("d", "Add a line", depends_on=["c"]),
)


def dying(dies_at: int, *, after: bool) -> Dying:
    saver = Dying()
    saver.dies_at, saver.after = dies_at, after
    return saver


async def carried_out(start: Start, folder: Path, saver: Dying) -> Any:
    """Carry a plan of four steps out, with the process gone once; return plan, result and files."""
    (folder / "notes.txt").write_text("hello\nworld\n")
    (folder / "other.txt").write_text("one\ntwo\n")
    run = start(
        "orchestrator",
        FOUR,
        SILENT,
        on("Add a line", calls(edit("notes.txt", "world", "world\nmore"))),
        on("Look at both", submits("both are so", open_questions=["Why?"])),
        on("Change the number", TO_TWO),
        on("Change the greeting", TO_BYE),
        "unused",
        submits("it is so"),
    )
    run.graph = orchestrator.build().copy(update={"checkpointer": saver})

    async def go(given: Any) -> None:
        config: Any = {"configurable": {"thread_id": run.thread}}
        with use(run.handles):
            await run.graph.ainvoke(given, config, durability="sync")
            run.state = await run.graph.aget_state(config, subgraphs=True)

    async def survive(given: Any) -> None:
        try:
            await go(given)
        except Killed:
            run.graph = orchestrator.build().copy(update={"checkpointer": saver})
            state = await run.graph.aget_state({"configurable": {"thread_id": run.thread}})
            begun = bool(state.values) and not (state.interrupts and isinstance(given, Command))
            await go(None if begun else given)

    await survive({"messages": [HumanMessage(ASK, id="1")]})
    while run.open:
        await survive(Command(resume={one.id: YES for one in run.open}))
    values = run.state.values
    read = {path: (folder / path).read_text() for path in ("notes.txt", "other.txt")}
    said = [m.text for m in run.messages if m.type == "ai"]
    assert not run.state.next
    return values["plan"], values["result"], read, said


@pytest.mark.parametrize(
    ("after", "place", "stride"),
    [
        (False, 3, 29),
        (True, 8, 29),
        *(pytest.param(after, 1, 1, marks=pytest.mark.soak) for after in (False, True)),
    ],
)
async def test_a_kill_anywhere_leaves_plan_and_result_as_they_would_be(
    start: Start, folder: Path, after: bool, place: int, stride: int
) -> None:
    never = dying(0, after=after)
    expected = await carried_out(start, folder, never)
    assert expected[1]["status"] == "done"
    assert expected[2] == {"notes.txt": "bye\nworld\nmore\n", "other.txt": "one\n2\n"}
    for dies_at in range(place, never.written + 1, stride):
        came = await carried_out(start, folder, dying(dies_at, after=after))
        assert came == expected, dies_at


async def test_a_kill_after_each_step_leaves_plan_and_result_as_they_would_be(
    start: Start, folder: Path
) -> None:
    expected = await carried_out(start, folder, Dying())
    for steps in (1, 2, 3, 4):
        saver = DyingAfterStep()
        saver.steps = steps
        assert await carried_out(start, folder, saver) == expected, steps
        assert saver.died, steps
