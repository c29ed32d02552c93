"""What a turn has used is read from its messages, and limits hold as whoever may say so says."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, ToolMessage
from langchain_core.messages.ai import UsageMetadata

from artel.graphs.budget import AgentSettings, Budget
from artel.graphs.limits import SPENT, TOOK, Spent, budget_of, of_step, reached, spent
from artel.graphs.models.tally import Used

ME = HumanMessage("do it", id="h1")
STEER = HumanMessage("rather so", id="steer-1")


def used(tokens: int) -> UsageMetadata:
    return UsageMetadata(input_tokens=tokens - 1, output_tokens=1, total_tokens=tokens)


def said(tokens: int = 10, /, **noted: Any) -> AIMessage:
    metadata = {SPENT: noted} if noted else {}
    return AIMessage("x", usage_metadata=used(tokens), response_metadata=metadata)


def tool(ms: int) -> ToolMessage:
    return ToolMessage("y", tool_call_id="c", response_metadata={TOOK: ms})


def test_each_answer_carries_the_sum_of_its_turn() -> None:
    total = spent([ME, said(steps=4, tokens=700, ms=60_000)])
    assert (total.steps, total.tokens, total.of("minutes")) == (4, 700, 1.0)
    more = total.and_for([Used(30, 20, None), Used(70, 1, 0.5)], 30_000)
    assert more.noted == {"steps": 6, "tokens": 800, "output": 21, "priced": 70, "usd": 0.5, "ms": 90_000}


def test_answers_that_carry_nothing_are_counted_one_by_one() -> None:
    assert spent([ME, said(10), tool(5), said(20)]).noted == {"steps": 2, "tokens": 30, "output": 2, "ms": 5}


def test_tools_side_by_side_work_as_long_as_the_slowest() -> None:
    assert spent([ME, said(steps=1, ms=1_000), tool(200), tool(500)]).ms == 1_500


def test_a_request_is_counted_anew_but_a_word_in_between_is_not() -> None:
    before: list[AnyMessage] = [ME, said(steps=9)]
    assert spent([*before, STEER]).steps == 9
    assert spent([*before, HumanMessage("nudged", name="artel_nudge")]).steps == 9
    assert spent([*before, HumanMessage("and now", id="h2")]) == Spent()


def test_a_sum_outlives_the_messages_before_it() -> None:
    whole: list[AnyMessage] = [ME, said(steps=1), said(steps=2), said(steps=50, tokens=9)]
    assert spent([ME, whole[-1]]) == spent(whole)


@pytest.mark.parametrize(
    "noted", ["x", {"steps": "many"}, {"steps": 1, "tokens": "x", "more": 7, "ms": -5, "usd": float("nan")}]
)
def test_sums_that_others_have_put_there_break_nothing(noted: Any) -> None:
    total = spent([ME, AIMessage("x", response_metadata={SPENT: noted}, usage_metadata=used(3))])
    assert total.steps == 1
    assert total.ms == total.usd == 0


def test_a_model_that_does_not_count_is_counted_by_letters() -> None:
    answer = AIMessage("word " * 80)
    assert 90 < Used.of(answer, [HumanMessage("word " * 8)]).tokens < 160


def test_the_run_says_more_than_the_role_and_the_role_more_than_the_server() -> None:
    server = AgentSettings(steps=100, most_steps=40, minutes=9)
    role, wish = Budget(steps=30, tokens=500), Budget(steps=20)
    assert budget_of(server, role, wish) == Budget(steps=20, tokens=500, minutes=9)
    assert budget_of(server, role, Budget()).steps == 30
    assert budget_of(server, Budget(), Budget()).steps == 40  # nobody gets more than the most
    assert budget_of(server, role, Budget(steps=10**9)).steps == 40


def test_a_limit_is_reached_when_it_is_used_up_and_moves_by_as_much_again() -> None:
    budget = Budget(steps=3)
    assert reached(budget, Budget(), Spent(steps=2)) is None
    now = Spent(steps=3)
    found = reached(budget, Budget(), now)
    assert found
    assert (found.kind, found.used, found.most, found.final) == ("steps", 3, 3, False)
    assert reached(budget, Budget(), now.again("steps")) is None
    assert reached(budget, Budget(), Spent(steps=6, more={"steps": 1}))


def test_nobody_lets_a_run_go_past_the_most() -> None:
    budget, most = Budget(steps=3), Budget(steps=4)
    allowed = Spent(steps=3, more={"steps": 9})
    assert reached(budget, most, allowed) is None
    found = reached(budget, most, Spent(steps=4, more={"steps": 9}))
    assert found
    assert (found.most, found.final) == (4, True)


AMOUNT = st.integers(1, 10**6)


@given(AMOUNT, AMOUNT, st.integers(0, 5), st.integers(0, 10**7))
def test_no_sum_above_the_most_goes_on(steps: int, most: int, more: int, used_up: int) -> None:
    total = Spent(steps=used_up, more={"steps": more})
    found = reached(Budget(steps=steps), Budget(steps=most), total)
    assert (found is not None) == (used_up >= min(steps * (1 + more), most))


SUMS = st.builds(Spent, steps=AMOUNT, tokens=AMOUNT, more=st.dictionaries(st.just("steps"), AMOUNT))


@given(SUMS, SUMS)
def test_what_a_step_used_is_the_whole_without_what_was_before(before: Spent, own: Spent) -> None:
    assert before.plus(own).plus(before, -1) == own


def test_a_step_has_a_limit_of_its_own_beside_that_of_its_run() -> None:
    before = Spent(steps=40, more={"steps": 2})
    assert of_step(Budget(steps=3), before, Spent(steps=42, more={"steps": 2})) is None
    found = of_step(Budget(steps=3), before, Spent(steps=43, more={"steps": 9}))
    assert found
    assert (found.used, found.most, found.of_step) == (3, 3, True)  # nobody may give it more meanwhile
