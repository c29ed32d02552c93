"""Lists stored item by item: the same lists, whatever is done to them."""

import random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from artel.storage.checkpoints.lists import (
    CHUNK,
    LIST,
    NAME,
    EncodedList,
    Encoder,
    Item,
    ListSerializer,
    assembled,
    cut,
    shown_as,
)
from artel.storage.encoding import dumps

SERDE = ListSerializer()
LONG = "a text long enough to be worth an own row in the database, as messages are " * 2


def read(encoded: EncodedList, rows: dict[bytes, Item]) -> list[Any]:
    return assembled(SERDE.loads_typed((LIST, encoded.blob)), rows, SERDE.loads_typed)


def message(n: int) -> AIMessage:
    return AIMessage(
        f"{n} {LONG}", id=str(n), tool_calls=[{"name": "f", "args": {"n": n}, "id": f"call_{n}"}]
    )


class Conversation(RuleBasedStateMachine):
    """A list of messages that is stored after each step, and its store."""

    @initialize(count=st.integers(0, 400))
    def begin(self, count: int) -> None:
        self.values: list[Any] = [message(n) for n in range(count)]
        self.encoder = Encoder()
        self.rows: dict[bytes, Item] = {}
        self.next = count

    def new(self) -> AIMessage:
        self.next += 1
        return message(self.next)

    @rule(count=st.integers(1, 5))
    def append(self, count: int) -> None:
        self.values = [*self.values, *(self.new() for _ in range(count))]

    @rule(at=st.integers(0, 10_000))
    def insert(self, at: int) -> None:
        self.values = list(self.values)
        self.values.insert(at % (len(self.values) + 1), self.new())

    @precondition(lambda self: self.values)
    @rule(at=st.integers(0, 10_000))
    def remove(self, at: int) -> None:
        self.values = list(self.values)
        del self.values[at % len(self.values)]

    @rule(count=st.integers(1, 50))
    def forget_the_oldest(self, count: int) -> None:
        self.values = self.values[count:]

    @precondition(lambda self: self.values)
    @rule(at=st.integers(0, 10_000))
    def replace(self, at: int) -> None:
        self.values = list(self.values)
        self.values[at % len(self.values)] = self.new()

    @precondition(lambda self: self.values)
    @rule(at=st.integers(0, 10_000))
    def change_a_message_in_place(self, at: int) -> None:
        self.values[at % len(self.values)].content += "!"

    @precondition(lambda self: self.values)
    @rule(at=st.integers(0, 10_000))
    def change_deep_inside_in_place(self, at: int) -> None:
        self.next += 1
        self.values[at % len(self.values)].tool_calls[0]["args"]["n"] = self.next

    @precondition(lambda self: self.values)
    @rule(at=st.integers(0, 10_000))
    def append_in_place(self, at: int) -> None:
        self.values.append(self.values[at % len(self.values)])

    @rule()
    def go_on_elsewhere(self) -> None:
        """Another worker loads the list and stores it from then on."""
        encoded = self.encoder.encode(SERDE, self.values)
        if encoded:
            self.rows |= encoded.items
            self.values = read(encoded, self.rows)
            self.encoder = Encoder()
            self.encoder.learn(SERDE.loads_typed((LIST, encoded.blob)), self.values, self.rows)

    @invariant()
    def what_is_stored_is_what_there_is(self) -> None:
        encoded = self.encoder.encode(SERDE, self.values)
        if encoded is None:
            assert sum(len(SERDE.dumps_typed(v)[1]) for v in self.values) < 2048
            return
        self.rows |= encoded.items
        assert read(encoded, self.rows) == self.values
        assert list(encoded.shown) == [shown_as(dumps(value)) for value in self.values]


Conversation.TestCase.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)
TestAnyConversation = Conversation.TestCase


def grown(values: list[Any]) -> tuple[Encoder, dict[bytes, Item], EncodedList]:
    encoder = Encoder()
    encoded = encoder.encode(SERDE, values)
    assert encoded
    return encoder, dict(encoded.items), encoded


def test_one_more_message_on_a_thousand_costs_one_row_and_a_short_list() -> None:
    values: list[Any] = [message(n) for n in range(1000)]
    encoder, _, _ = grown(values)
    costs = []
    for n in range(1000, 1100):
        values = [*values, message(n)]
        encoded = encoder.encode(SERDE, values)
        assert encoded
        new = [item for item in encoded.items.values() if item[0] != CHUNK]
        assert len(new) == 1
        costs.append(
            len(encoded.blob) + sum(len(item[1]) for item in encoded.items.values()) - len(new[0][1])
        )
    assert sum(costs) / len(costs) < 2048


def test_an_insertion_in_the_middle_writes_few_chunks_again() -> None:
    values: list[Any] = [message(n) for n in range(2000)]
    encoder, _, _ = grown(values)
    encoded = encoder.encode(SERDE, [*values[:700], message(5000), *values[700:]])
    assert encoded
    assert sum(item[0] == CHUNK for item in encoded.items.values()) <= 4


def test_what_is_the_same_is_stored_once() -> None:
    twin = HumanMessage(LONG, id="1")
    _, rows, encoded = grown([twin, *[HumanMessage(LONG, id="1") for _ in range(600)]])
    assert sum(item[0] != CHUNK for item in rows.values()) == 1
    assert read(encoded, rows) == [twin] * 601


def test_equal_items_come_back_as_objects_of_their_own() -> None:
    _, rows, encoded = grown([HumanMessage(LONG, id="1")] * 20)
    found = read(encoded, rows)
    found[0].content = "changed"
    assert found[1].content == LONG


def test_items_of_all_kinds_come_back() -> None:
    values = [
        LONG,
        {"text": LONG, "n": [1, 2.5, None]},
        LONG.encode(),
        None,
        7,
        ToolMessage(LONG, tool_call_id="1"),
    ]
    _, rows, encoded = grown(values * 10)
    assert read(encoded, rows) == values * 10


def test_a_set_or_an_object_in_an_item_is_looked_at_each_time() -> None:
    odd: dict[str, Any] = {"text": LONG, "tags": {"a"}, "message": HumanMessage("in a dict")}
    values: list[Any] = [odd, *[message(n) for n in range(20)]]
    encoder, rows, _ = grown(values)
    odd["message"].content = "changed"
    encoded = encoder.encode(SERDE, values)
    assert encoded
    assert read(encoded, rows | dict(encoded.items)) == values


def test_small_things_are_written_whole() -> None:
    encoder = Encoder()
    for values in (
        [],
        [message(1)],
        list(range(100_000)),
        ["short"] * 1000,
        [HumanMessage("hi")] * 2,
        [None] * 9,
    ):
        assert encoder.encode(SERDE, values) is None


names = st.integers(0, 2**32).map(lambda seed: random.Random(seed).randbytes(NAME))


@given(st.lists(names, max_size=1000))
def test_a_cut_list_put_together_is_the_list(given_names: list[bytes]) -> None:
    runs = list(cut(given_names))
    assert [name for run, _ in runs for name in run] == given_names
    assert all(8 <= len(run) <= 256 for run, whole in runs if whole)
    assert all(whole for _, whole in runs[:-1])
