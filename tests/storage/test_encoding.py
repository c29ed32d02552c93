import re
from collections import deque, namedtuple
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from ipaddress import ip_address
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.types import Interrupt, Send
from pydantic import BaseModel

from artel.storage.encoding import dumps, dumps_jsonb, loads

Pair = namedtuple("Pair", "left right")

text = st.text(st.characters(codec=None))
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | text | st.binary(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(text | st.integers() | st.none(), inner) | st.tuples(inner)
    ),
    max_leaves=8,
)


class Point(BaseModel):
    x: int


@dataclass
class Plain:
    inside: object


class Stubborn:
    def __repr__(self) -> str:
        raise ValueError("no name")

    def model_dump(self) -> object:
        raise TypeError("no fields")


def nested(depth: int) -> object:
    value: object = "deep"
    for _ in range(depth):
        value = [value]
    return value


def test_a_message_is_written_as_the_wire_wants_it() -> None:
    call = {"name": "read", "args": {"path": "a"}, "id": "1", "type": "tool_call"}
    message = AIMessage(content="hi", id="m", tool_calls=[call])
    written = loads(dumps({"messages": [HumanMessage(content="hello", id="h"), message]}))
    assert isinstance(written, dict)
    human, ai = written["messages"]
    assert (human["type"], human["content"], human["id"]) == ("human", "hello", "h")
    assert (ai["type"], ai["tool_calls"], ai["additional_kwargs"]) == ("ai", [call], {})


@pytest.mark.parametrize(
    ("value", "json"),
    [
        (Interrupt(value={"q": 1}, id="i"), '{"value":{"q":1},"id":"i","response_schema":null}'),
        (Send("node", {"a": 1}), '{"node":"node","args":{"a":1}}'),
        (ValueError("bad"), '{"error":"ValueError","message":"bad"}'),
        (Point(x=1), '{"x":1}'),
        (Plain(Plain(1)), '{"inside":{"inside":1}}'),
        (Pair(1, 2), '{"left":1,"right":2}'),
        ({1, }, "[1]"),
        (deque([1, 2]), "[1,2]"),
        (b"\x00\xff", '"AP8="'),
        (timedelta(minutes=2), "120.0"),
        (datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC), '"2026-01-02T03:04:05+00:00"'),
        (ZoneInfo("Europe/Berlin"), '"Europe/Berlin"'),
        (Decimal("1.50"), "1.5"),
        (Decimal("3"), "3"),
        (UUID(int=1), '"00000000-0000-0000-0000-000000000001"'),
        (Path("/a/b"), '"/a/b"'),
        (ip_address("127.0.0.1"), '"127.0.0.1"'),
        (re.compile("a+"), '"a+"'),
        (Point, '"Point"'),
        (float("nan"), "null"),
        ({2: "a", None: "b", True: "c"}, '{"2":"a","null":"b","true":"c"}'),
        ("half \ud800", '"half ?"'),
        ({"\ud800": float("inf"), "n": [2**70, Pair("\udfff", 1), Plain("\udfff")]},
         f'{{"?":null,"n":["{2**70}",{{"left":"?","right":1}},{{"inside":"?"}}]}}'),
    ],
)  # fmt: skip
def test_each_kind_of_value_has_one_form(value: object, json: str) -> None:
    assert dumps(value).decode() == json


@pytest.mark.parametrize(
    "make", [lambda: object(), Stubborn, lambda: nested(1000), lambda: Plain(nested(300)), lambda: lambda: 1]
)
def test_odd_objects_are_shown_rather_than_refused(make: Callable[[], object]) -> None:
    loads(dumps({"value": make()}))


def test_a_value_that_holds_itself_ends() -> None:
    loop: list[object] = []
    loop.append(loop)
    loads(dumps(loop))


@given(anything)
def test_whatever_it_is_json_comes_out_and_a_jsonb_column_takes_it(value: object) -> None:
    loads(dumps(value))
    stored = dumps_jsonb(value)
    assert not re.search(rb"(?<!\\)(\\\\)*\\u0000", stored)
    loads(stored)


def test_nul_goes_from_jsonb_but_a_written_backslash_u0000_stays() -> None:
    assert loads(dumps_jsonb({"a\x00b": "\\u0000 \x00\x00."})) == {"ab": "\\u0000 ."}
