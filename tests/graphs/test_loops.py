"""Whether an agent goes round in circles is seen in what it did, and only there."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage

from artel.graphs.loops import ERRORS, ROUNDS, WAITING, WORDS, Found, look

Did = tuple[str, dict[str, Any], str]

READ: Did = ("read_file", {"file_path": "a.py"}, "1: x")
GREP: Did = ("grep", {"pattern": "x"}, "a.py")
LIST: Did = ("ls", {}, "a.py")
TEST: Did = ("execute", {"command": "pytest"}, "[exit code 1]\n1 failed in 0.12 s")
MISS = {"code": "text_not_found"}


def step(*did: Did, code: str = "", kind: str = "failed", **metadata: Any) -> list[AnyMessage]:
    calls = [
        {"name": name, "args": args, "id": f"{name}{i}", "type": "tool_call"}
        for i, (name, args, _) in enumerate(did)
    ]
    artifact = {"kind": kind, **({"code": code} if code else {})}
    told = [
        ToolMessage(
            said,
            name=name,
            tool_call_id=f"{name}{i}",
            status="error" if code else "success",
            artifact=artifact if code else {"kind": "look"},
        )
        for i, (name, _, said) in enumerate(did)
    ]
    return [AIMessage("", tool_calls=calls, response_metadata=metadata), *told]


def thread(*steps: list[AnyMessage]) -> list[AnyMessage]:
    said: list[AnyMessage] = [HumanMessage("do it")]
    for place, messages in enumerate(steps):
        for message in messages:  # ids of calls are unique in a thread
            if isinstance(message, AIMessage):
                renamed = [{**one, "id": f"{place}.{one['id']}"} for one in message.tool_calls]
                said.append(message.model_copy(update={"tool_calls": renamed}))
            elif isinstance(message, ToolMessage):
                said.append(message.model_copy(update={"tool_call_id": f"{place}.{message.tool_call_id}"}))
            else:
                said.append(message)
    return said


def walked(*steps: list[AnyMessage]) -> str:
    found = look(thread(*steps))
    return f"{found.circle}{'!' if found.stuck else ''} x{found.times}" if found else "fine"


def edit(n: int) -> Did:
    return ("edit_file", {"file_path": "a.py", "old_string": f"{n}"}, f"Changed a.py {n}")


def missed(n: int) -> list[AnyMessage]:
    said = f"old_string {n} is not in a.py"
    return step(("edit_file", {"file_path": "a.py", "old_string": f"{n}"}, said), **MISS)


def polled(said: str, state: str = "running for 7 s") -> list[AnyMessage]:
    return step(("read_output", {"job": "j"}, f"[job j: {state}]\n{said}"))


RECORDED: dict[str, tuple[list[list[AnyMessage]], str]] = {
    "two readings of one file": ([step(READ)] * 2, "fine"),
    "three readings of an unchanged file": ([step(READ)] * 3, "repeat x3"),
    "five": ([step(READ)] * 5, "repeat! x5"),
    "a file read after each edit": (
        [one for n in range(9) for one in (step(edit(n)), step((READ[0], READ[1], f"1: x{n}")))],
        "fine",
    ),
    "tests after each edit, red in the same way": (
        [one for n in range(5) for one in (step(edit(n)), step(TEST))],
        "fine",
    ),
    "the same tests again and again, but for their time": (
        [step((TEST[0], TEST[1], f"1 failed in 0.{n} s")) for n in range(5)],
        "repeat! x5",
    ),
    "A-B-A-B": ([step(READ), step(GREP)] * 2, "alternation x2"),
    "A-B four times": ([step(READ), step(GREP)] * 4, "alternation! x4"),
    "A-B-C three times": ([step(READ), step(GREP), step(LIST)] * 3, "alternation x3"),
    "an edit and its opposite": ([step(edit(1)), step(edit(2))] * 4, "alternation! x4"),
    "A-B-A-B and then something new": ([step(READ), step(GREP)] * 4 + [step(LIST)], "fine"),
    "a job that says more each time": ([polled(f"{n} %") for n in range(20)], "fine"),
    "a job that is silent for a while": ([polled("")] * 5, "fine"),
    "a job that is silent for long": ([polled("")] * 6, "repeat x6"),
    "a job that has ended": ([polled("done", "exit code 0")] * 5, "repeat! x5"),
    "three edits that miss": ([missed(n) for n in range(3)], "error x3"),
    "edits that miss, with readings between": (
        [one for n in range(6) for one in (missed(n), step((READ[0], {"offset": n}, f"{n}")))],
        "fine",  # the reading came last: nothing is said before it misses again
    ),
    "and then it misses again": (
        [*(one for n in range(5) for one in (missed(n), step((READ[0], {"offset": n}, f"{n}")))), missed(9)],
        "error! x6",
    ),
    "edits that miss, and then one that fits": (
        [*(missed(n) for n in range(5)), step(edit(1)), missed(7)],
        "fine",
    ),
    "guesses side by side": (
        [step(*[("read_file", {"file_path": f"{n}"}, f"no {n}") for n in range(8)], code="no_such_file")],
        "fine",
    ),
    "different errors of one tool": (
        [step(("execute", {"command": "make"}, f"error {n}"), code="tool_failed") for n in range(6)],
        "fine",
    ),
    "rejections of different calls": (
        [step(edit(n), code="no", kind="refused") for n in range(6)],
        "fine",
    ),
    "only words": ([[AIMessage("I shall now begin.")]] * 3, "words x3"),
    "only words, and on": ([[AIMessage("I shall now begin.")]] * 5, "words! x5"),
    "a person said go on": ([step(READ)] * 5 + [step(READ, let_go_on=True)], "fine"),
    "and it went on as before": (
        [step(READ)] * 5 + [step(READ, let_go_on=True)] + [step(READ)] * 4,
        "repeat! x5",
    ),
    "a person said something": ([*[step(READ)] * 5, [HumanMessage("look at b.py")]], "fine"),
    "code spoke in their place": (
        [*[step(READ)] * 5, [HumanMessage("go on", name="artel_brief")]],
        "repeat! x5",
    ),
}


@pytest.mark.parametrize("case", RECORDED)
def test_circles_are_found_and_honest_work_is_not(case: str) -> None:
    steps, verdict = RECORDED[case]
    assert walked(*steps) == verdict


ACTS = st.sampled_from([READ, GREP, LIST, TEST])


@given(st.lists(ACTS, max_size=30), st.integers(1, 3), st.data())
def test_a_circle_is_found_whatever_was_before_it(
    before: list[Did], length: int, data: st.DataObject
) -> None:
    circle = data.draw(st.lists(ACTS, min_size=length, max_size=length, unique_by=lambda act: act[0]))
    did = [*before, *circle * ROUNDS[length][1]]
    found = look(thread(*(step(act) for act in did)))
    assert found is not None
    assert found.stuck


@given(st.lists(ACTS, max_size=40), st.integers(0, 40))
def test_what_is_new_is_no_circle(did: list[Did], place: int) -> None:
    fresh = ("read_file", {"file_path": "a.py", "offset": 7}, "7: something else")
    messages = thread(*(step(act) for act in did), step(fresh))
    assert look(messages) is None


@given(st.lists(st.text(max_size=20), min_size=1, max_size=60, unique=True))
def test_a_job_that_says_something_new_may_be_looked_at_for_ever(said: list[str]) -> None:
    shown = [f"{place}: {text}" for place, text in enumerate(said)]
    assert look(thread(*(polled(text.replace(" s", "")) for text in shown))) is None


@given(st.lists(st.tuples(st.sampled_from("ABC"), st.sampled_from(["ok", "same", "other"])), max_size=25))
def test_the_verdict_depends_on_nothing_but_the_thread(did: list[tuple[str, str]]) -> None:
    messages = thread(*(step((tool, {}, said), code="x" if said == "same" else "") for tool, said in did))
    first = look(messages)
    assert look(list(messages)) == first
    assert first is None or isinstance(first, Found)
    if first:
        assert first.times >= min(2, ERRORS[0], WAITING[0], WORDS[0])
