"""The machine of todos: which changes are legal, and that nothing is lost when two lists meet."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.errors import ToolRefused
from artel.tools.registry import TOOLS
from artel.tools.todos import MAX_ITEMS, NEXT, Item, Todo, cut, finished, joined, listed, written

STATUSES = list(NEXT)
NAMES = st.sampled_from([f"step {n}" for n in range(6)])
ITEMS = st.builds(Item, content=NAMES, status=st.sampled_from(STATUSES))
CALLS = st.lists(st.lists(ITEMS, min_size=1, max_size=5), max_size=8)


def item(content: str, status: str = "pending", **more: Any) -> Item:
    return Item.model_validate({"content": content, "status": status, **more})


def played(calls: list[list[Item]], now: list[Todo] | None = None) -> list[Todo]:
    """Return the list after calls of which the illegal ones changed nothing."""
    items = now or []
    for call in calls:
        try:
            items = written(items, call)
        except ToolRefused:
            continue
    return items


@given(CALLS, st.lists(ITEMS, min_size=1, max_size=5))
def test_every_change_that_is_made_is_legal(calls: list[list[Item]], more: list[Item]) -> None:
    before = played(calls)
    try:
        after = written(before, more)
    except ToolRefused:
        return
    known = {one["id"]: one for one in before}
    assert sum(one["status"] == "in_progress" for one in after) <= 1
    assert len({one["id"] for one in after}) == len(after) <= MAX_ITEMS
    for one in after:
        old = known.get(one["id"])
        legal = (*NEXT[old["status"]], old["status"]) if old else ("pending", "in_progress")
        assert one["status"] in legal
    gone = known.keys() - {one["id"] for one in after}
    assert all(finished(known[one]) for one in gone)


@given(CALLS, st.lists(ITEMS, min_size=1, max_size=5))
def test_the_state_takes_a_list_as_it_was_written(calls: list[list[Item]], more: list[Item]) -> None:
    before = played(calls)
    after = played([more], before)
    assert joined(before, after) == after


@given(CALLS, CALLS, CALLS)
def test_two_lists_made_of_one_lose_nothing_when_they_meet(
    calls: list[list[Item]], left: list[list[Item]], right: list[list[Item]]
) -> None:
    base = played(calls)
    one, other = played(left, base), played(right, base)
    both = {todo["id"]: todo for todo in joined(joined(base, one), other)}
    for todo in (*one, *other):
        if finished(todo):
            continue
        assert todo["id"] in both
    for todo in both.values():
        assert todo in (*base, *one, *other)


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_what_is_no_list_of_ours_is_passed_over(value: Any) -> None:
    assert listed(value) == []
    assert joined(value, [{"id": "a", "content": "b", "status": "pending"}])[0]["id"] == "a"


@pytest.mark.parametrize(
    ("first", "then", "says"),
    [
        (
            [item("a")],
            [item("a", "completed")],
            "“a” is pending, from where it goes to in_progress or cancelled, not to completed",
        ),
        (
            [item("a", "in_progress")],
            [item("a", "pending")],
            "goes to completed or failed or cancelled, not to pending",
        ),
        (
            [item("a", "in_progress")],
            [item("b", "in_progress")],
            "only one item may be in_progress, these would be: “a”, “b”",
        ),
        ([item("a")], [item("b", "failed")], "“b” is new and cannot begin as failed"),
        ([item("a")], [item("b"), item("B")], "“B” is there twice"),
        ([item("a")], [item(f"n{n}") for n in range(MAX_ITEMS)], "there may be 50 items, this makes 51"),
    ],
)
def test_what_is_not_legal_is_refused_with_what_would_be_right(
    first: list[Item], then: list[Item], says: str
) -> None:
    now = written([], first)
    with pytest.raises(ToolRefused) as refused:
        written(now, then)
    assert says in str(refused.value)
    assert str(refused.value).startswith("write_todos changed nothing: ")


def test_a_finished_one_does_not_come_back_and_a_new_one_is_made() -> None:
    now = played([[item("a", "in_progress"), item("b")], [item("a", "completed")]])
    with pytest.raises(ToolRefused, match="completed and does not come back"):
        written(now, [item("a")])
    after = written(now, [item("a", id="again")])
    assert [(one["content"], one["status"]) for one in after] == [
        ("a", "completed"),
        ("b", "pending"),
        ("a", "pending"),
    ]


def test_several_changes_in_one_call_hand_the_turn_on() -> None:
    now = written([], [item("a", "in_progress"), item("b")])
    after = written(now, [item("a", "completed"), item("b", "in_progress", activeForm="doing b")])
    assert [one["status"] for one in after] == ["completed", "in_progress"]
    assert after[1]["activeForm"] == "doing b"


def test_an_item_is_renamed_by_its_id_and_known_by_its_words() -> None:
    (old,) = written([], [item("Write  the\ntest")])
    assert old["content"] == "Write the test"
    (renamed,) = written([old], [item("Write two tests", "in_progress", id=old["id"])])
    assert (renamed["id"], renamed["content"]) == (old["id"], "Write two tests")
    (same,) = written([renamed], [item("write TWO tests", "completed")])
    assert same["id"] == old["id"]


def test_when_all_is_finished_a_new_item_begins_a_new_list() -> None:
    now = played([[item("a", "in_progress")], [item("a", "completed")]])
    after = written(now, [item("b")])
    assert [one["content"] for one in after] == ["b"]
    assert joined(now, after) == after


def test_above_the_limit_the_oldest_finished_ones_go() -> None:
    many = [Todo(id=str(n), content=f"n{n}", status="completed" if n < 5 else "pending") for n in range(52)]
    assert [one["id"] for one in cut(many)][:4] == ["2", "3", "4", "5"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"todos": []},
        {"todos": [{"content": " ", "status": "pending"}]},
        {"todos": [{"content": "a", "status": "done"}]},
    ],
)
def test_arguments_that_are_wrong_are_named(wrong: dict[str, Any]) -> None:
    with pytest.raises(ToolRefused, match="write_todos: todos"):
        TOOLS["write_todos"].parse(wrong)
