"""Messages made and shown without pydantic, beside the same with it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as some
from langchain_core.messages import (
    AIMessage,
    AIMessageChunk,
    BaseMessage,
    ChatMessage,
    FunctionMessage,
    HumanMessage,
    RemoveMessage,
    SystemMessage,
    ToolMessage,
)
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from pydantic import BaseModel

from artel.storage import messages
from artel.storage.checkpoints.lists import ListSerializer
from artel.storage.encoding import dumps


class Own(HumanMessage):
    """A message of somebody else."""

    mood: str = "fine"


class Model(BaseModel):
    """A model inside a message."""

    n: int = 1


@dataclass
class Record:
    """A record inside a message."""

    _hidden: int = 2
    open: int = 3


CALL = {"name": "look", "args": {"at": [1, {"b": None}]}, "id": "c1", "type": "tool_call"}
USAGE = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
DETAILS = {"input_token_details": {"cache_read": 1}, "output_token_details": {"reasoning": 2}}
BLOCKS: list[str | dict[Any, Any]] = ["a", {"type": "text", "text": "b", 3: 4}]


def _assigned(**fields: Any) -> AIMessage:
    """Return a message that was changed behind pydantic's back."""
    message = AIMessage("said", id="i")
    for name, value in fields.items():
        setattr(message, name, value)
    return message


def _reordered() -> HumanMessage:
    message = HumanMessage("said", id="i")
    message.__dict__["content"] = message.__dict__.pop("content")
    return message


MAKERS: list[Callable[[], BaseMessage]] = [
    lambda: HumanMessage("said", id="i"),
    lambda: HumanMessage(BLOCKS, name="n"),
    lambda: HumanMessage("é\u2028\0", id="i", additional_kwargs={"a": {"b": (1, 2)}}),
    lambda: HumanMessage("said", other="more"),
    lambda: Own(content="said", mood="good"),
    lambda: SystemMessage("said", response_metadata={"a": 1}),
    lambda: AIMessage("said", id="i"),
    lambda: AIMessage("", tool_calls=[CALL, CALL], usage_metadata={**USAGE, **DETAILS}),
    lambda: AIMessage("", tool_calls=[{"name": "f", "args": {}, "id": None}], usage_metadata=USAGE),
    lambda: AIMessage("", invalid_tool_calls=[{"name": "f", "args": "{", "id": "1", "error": "no"}]),
    lambda: AIMessage(
        "", additional_kwargs={"tool_calls": [{"id": "1", "function": {"name": "f", "arguments": "{}"}}]}
    ),
    lambda: AIMessage(
        BLOCKS, response_metadata={"model_name": "m", "logprobs": None, "deep": [{"a": {"b": 1.5}}]}
    ),
    lambda: AIMessageChunk(content="tok", id="run-1"),
    lambda: AIMessageChunk(
        content="",
        tool_call_chunks=[{"name": "f", "args": "{", "id": "1", "index": 0}],
        chunk_position="last",
    ),
    lambda: AIMessageChunk(content="a", id="1") + AIMessageChunk(content="b", id="1"),
    lambda: ToolMessage("done", tool_call_id="t", id="i"),
    lambda: ToolMessage(BLOCKS, tool_call_id="t", artifact={"a": b"x"}, status="error"),
    lambda: ToolMessage("done", tool_call_id="t", artifact=Model()),
    lambda: ToolMessage("done", tool_call_id="t", artifact=Record()),
    lambda: ChatMessage(content="said", role="judge"),
    lambda: FunctionMessage(content="said", name="f"),
    lambda: RemoveMessage(id="i"),
    lambda: _assigned(tool_calls=[{**CALL, "more": 1}]),
    lambda: _assigned(tool_calls=[{"args": {}, "id": 1, "name": "f"}]),
    lambda: _assigned(usage_metadata={**USAGE, "cost": 1}),
    lambda: _assigned(usage_metadata={"total_tokens": 3, "output_tokens": 2, "input_tokens": 1}),
    lambda: _assigned(
        usage_metadata={**USAGE, "input_token_details": {"cache_read": 1, "audio": 2, "own": 3}}
    ),
    lambda: _assigned(content=None),
    lambda: _assigned(content=[b"x", 1]),
    lambda: _assigned(additional_kwargs=None, id=7),
    lambda: _assigned(response_metadata=Record()),
    _reordered,
]


def _whole(message: Any) -> tuple[object, ...]:
    assert isinstance(message, BaseMessage)
    return (
        type(message),
        repr(message.__dict__),
        message.__pydantic_fields_set__,
        message.__pydantic_extra__,
        message.__pydantic_private__,
    )


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("make", MAKERS)
def test_a_message_comes_back_as_langgraph_brings_it_back(make: Callable[[], BaseMessage]) -> None:
    typed = JsonPlusSerializer().dumps_typed(make())
    theirs = JsonPlusSerializer().loads_typed(typed)
    assert _whole(ListSerializer().loads_typed(typed)) == _whole(theirs)
    inside = JsonPlusSerializer().dumps_typed({"deep": [make(), {"er": make()}]})
    ours = ListSerializer().loads_typed(inside)["deep"]
    assert [_whole(ours[0]), _whole(ours[1]["er"])] == [_whole(theirs)] * 2


@pytest.mark.filterwarnings("ignore:Pydantic serializer warnings")
@pytest.mark.parametrize("make", MAKERS)
def test_a_message_is_shown_as_pydantic_shows_it(make: Callable[[], BaseMessage]) -> None:
    assert dumps(make()) == dumps(make().model_dump())
    assert dumps({"messages": [make()]}) == dumps({"messages": [make().model_dump()]})


PLAIN = some.recursive(
    some.none() | some.booleans() | some.integers(-(2**62), 2**62) | some.floats() | some.text(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(), inner, max_size=3),
    max_leaves=6,
)
DICTS = some.dictionaries(some.text(max_size=10) | some.just("tool_calls"), PLAIN, max_size=3)
FIELDS = some.fixed_dictionaries(
    {"content": some.text() | some.lists(some.text() | DICTS, max_size=3)},
    optional={
        "additional_kwargs": DICTS,
        "response_metadata": DICTS,
        "name": some.none() | some.text(),
        "id": some.none() | some.text() | some.integers(),
        "tool_calls": some.lists(
            some.fixed_dictionaries(
                {"name": some.text(), "args": DICTS, "id": some.none() | some.text()},
                optional={"type": some.just("tool_call")},
            ),
            max_size=2,
        ),
        "usage_metadata": some.none() | some.just(USAGE) | some.just({**USAGE, **DETAILS}),
    },
)


@given(FIELDS)
def test_whatever_a_model_says_comes_back_and_is_shown_the_same(fields: dict[str, Any]) -> None:
    try:
        message = AIMessage(**fields)
    except ValueError:
        return
    stock = JsonPlusSerializer()
    try:
        typed = stock.dumps_typed(message)
    except UnicodeEncodeError:
        return
    assert _whole(ListSerializer().loads_typed(typed)) == _whole(stock.loads_typed(typed))
    assert dumps(message) == dumps(message.model_dump())


def test_a_message_that_came_back_is_nobody_elses() -> None:
    typed = ListSerializer().dumps_typed(AIMessage("said", tool_calls=[CALL]))
    first, second = (ListSerializer().loads_typed(typed) for _ in range(2))
    first.tool_calls[0]["args"]["at"] = "changed"
    first.content = "changed"
    assert (second.content, second.tool_calls[0]["args"]["at"]) == ("said", [1, {"b": None}])
    assert first.model_copy(update={"id": "j"}).id == "j"


def test_ordinary_messages_need_no_pydantic(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[BaseMessage] = [
        HumanMessage("a", id="1"),
        AIMessage("b", id="2", tool_calls=[CALL], usage_metadata={**USAGE, **DETAILS}),
        ToolMessage("c", tool_call_id="c1", id="3"),
        SystemMessage("d", id="4"),
    ]
    serde = ListSerializer()
    typed = serde.dumps_typed(said)
    assert serde.loads_typed(typed) == said
    shown = [orjson.loads(dumps(message)) for message in said]

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr(BaseMessage, "__init__", refuse)
    back = serde.loads_typed(typed)
    assert back == said
    monkeypatch.setattr(BaseMessage, "model_dump", refuse)
    assert [messages.fields(message) for message in (back[0], back[2], back[3])] == [shown[0], *shown[2:]]
