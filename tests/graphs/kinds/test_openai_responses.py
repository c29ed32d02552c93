"""Assistants over the Responses API, against a server on a socket that plays it."""

import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from tests.fakes.openai_server import OpenAIServer, openai_server

from artel.graphs.context import handles, use
from artel.graphs.kinds.connections import Connections, NotOffered, UnknownConnection
from artel.graphs.kinds.openai_responses import ResponsesContext, check_assistant, graph
from artel.graphs.models import Models, ModelSettings, NoModelAnswered
from artel.storage.errors import Invalid

SEARCH = {"type": "web_search_call", "id": "ws_1", "status": "completed"}
Play = Callable[..., Any]


@contextmanager
def connected(file: Path, **connection: Any) -> Iterator[None]:
    entry = {"type": "openai", "key": "${FAR_KEY}", "models": ["tiny*"], **connection}
    file.write_text(json.dumps({"connections": {"far": entry}}))
    known = Connections(file, {"FAR_KEY": "sk-secret-1"})
    models = Models(ModelSettings(model="offline", retries=0))
    with use(replace(handles(), connections=known, models=models)):
        yield


async def said(wish: dict[str, Any], *messages: Any) -> Any:
    state = await graph.ainvoke({"messages": [*messages]}, context=ResponsesContext.model_validate(wish))
    return state["messages"]


@pytest.fixture
async def far() -> AsyncIterator[OpenAIServer]:
    async with openai_server() as fake:
        yield fake


WISH = {"connection": "far", "model": "tiny-1"}


async def test_it_streams_and_keeps_thoughts_tools_and_citations_apart(
    far: OpenAIServer, tmp_path: Path
) -> None:
    far.turns = [{"items": [{"thought": "let me see"}, SEARCH, "It is four"]}]
    wish = {**WISH, "instructions": "Be brief.", "tools": ["web"], "reasoning": "low"}
    tools = {"web": {"type": "web_search"}}
    pieces = []
    with connected(tmp_path / "c.json", url=far.url, tools=tools):
        given = {"messages": [HumanMessage("2+2?")]}
        stream: Any = graph.astream(
            given, context=ResponsesContext.model_validate(wish), stream_mode=["messages", "values"]
        )
        async for mode, data in stream:
            if mode == "messages":
                pieces.append(data[0].content)
            else:
                last = data["messages"][-1]
    assert [piece for piece in pieces if piece] == ["It ", "is ", "four "]
    assert last.content == "It is four "
    assert last.additional_kwargs["reasoning_content"] == "let me see "
    assert last.additional_kwargs["hosted_tools"] == [SEARCH]
    assert last.usage_metadata["total_tokens"] == 18
    (asked,) = far.asked
    assert (asked["model"], asked["instructions"], asked["store"]) == ("tiny-1", "Be brief.", False)
    assert asked["tools"] == [{"type": "web_search"}]
    assert asked["reasoning"] == {"effort": "low", "summary": "auto"}


async def test_a_conversation_is_sent_each_time_or_kept_by_the_server(
    far: OpenAIServer, tmp_path: Path
) -> None:
    far.turns = ["one", "two", "three", {"status": 400, "says": "previous_response_not_found"}, "four"]
    theirs = {**WISH, "conversation": "previous_response"}
    with connected(tmp_path / "c.json", url=far.url):
        talk = await said(theirs, HumanMessage("a"))
        talk = await said(theirs, *talk, HumanMessage("b"))
        await said(WISH, *talk, HumanMessage("c"))
        talk = await said(theirs, *talk, HumanMessage("d"))
    told = [(one.get("previous_response_id"), len(one["input"])) for one in far.asked]
    assert told == [(None, 1), ("resp_1", 1), (None, 5), ("resp_2", 1), (None, 5)]
    assert talk[-1].content == "four "


async def test_what_fails_is_told_without_the_key(far: OpenAIServer, tmp_path: Path) -> None:
    wrong = {"status": 401, "says": "no such key sk-secret-1"}
    far.turns = [wrong, ["It is", "break"], {"items": ["It"], "fails": "overloaded"}]
    with connected(tmp_path / "c.json", url=far.url):
        for why in ("far:tiny-1.*no such key", "broke off", "overloaded"):
            with pytest.raises(NoModelAnswered, match=why) as failed:
                await said(WISH, HumanMessage("2+2?"))
            assert "sk-secret" not in str(failed.value)


def test_an_assistant_can_ask_only_for_what_the_operator_offers(tmp_path: Path) -> None:
    with connected(tmp_path / "c.json"):
        check_assistant(WISH)
        for wrong, error, words in (
            ({"connection": "near"}, UnknownConnection, "type openai, one of far; got 'near'"),
            ({"model": ""}, NotOffered, r"one like tiny\*"),
            ({"model": "huge"}, NotOffered, r"one of tiny\* at far, got 'huge'"),
            ({"tools": ["shell"]}, NotOffered, "may name none at far, got 'shell'"),
            ({"conversation": "both"}, Invalid, "context.conversation"),
        ):
            with pytest.raises(error, match=words):
                check_assistant({**WISH, **wrong})


async def test_answers_of_other_agents_are_sent_as_text(far: OpenAIServer, tmp_path: Path) -> None:
    far.turns = ["fine"]
    called = AIMessage("I look", tool_calls=[{"name": "look", "args": {}, "id": "c1"}])
    with connected(tmp_path / "c.json", url=far.url):
        await said(WISH, HumanMessage("a"), called, HumanMessage("b"))
    assert [one["role"] for one in far.asked[0]["input"]] == ["user", "assistant", "user"]
