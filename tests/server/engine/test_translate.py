"""LangGraph's stream becomes events."""

import json

from langchain_core.messages import AIMessageChunk
from langgraph.types import Interrupt

from artel.server.engine import translate
from artel.server.engine.translate import Translator


def test_what_we_always_store_is_streamed_and_what_a_run_asks_for() -> None:
    assert translate.modes(None) == ["messages", "updates", "values", "custom"]
    assert translate.modes("debug") == [*translate.ALWAYS, "debug"]
    asked = ["tasks", "messages-tuple", "values", "tasks", "events", "nonsense"]
    assert translate.modes(asked) == [*translate.ALWAYS, "tasks"]
    assert translate.wants_events(asked)
    assert not translate.wants_events("values")


def test_the_constant_part_of_a_message_is_encoded_once_a_call() -> None:
    part = Translator().part
    one, two = {"langgraph_node": "a"}, {"langgraph_node": "b"}
    said = [
        json.loads(part(((), "messages", (AIMessageChunk(content=word), metadata)))[2])
        for word, metadata in (("x", one), ("y", two), ("z", one))
    ]
    assert [(chunk["content"], meta) for chunk, meta in said] == [("x", one), ("y", two), ("z", one)]


def test_many_calls_at_once_keep_their_metadata_apart() -> None:
    part = Translator().part
    for n in range(3 * translate.MEMO):
        type_, ns, data = part((("sub:1",), "messages", (AIMessageChunk(content=""), {"n": n})))
        assert (type_, ns, json.loads(data)[1]) == ("messages", "sub:1", {"n": n})


def test_a_stop_of_the_root_graph_is_noticed_and_only_that() -> None:
    asked = {"__interrupt__": (Interrupt("why?", id="i1"),)}
    assert translate.stops(((), "updates", asked))
    assert translate.stops(((), "updates", {"__interrupt__": ()}))
    assert not translate.stops((("sub:1",), "updates", asked))
    assert not translate.stops(((), "updates", {"a": None}))
    assert not translate.stops(((), "values", asked))
    assert translate.questions((("sub:1",), "updates", asked)) == ["i1"]
    assert translate.questions(((), "updates", {"a": 1})) == []


def test_an_error_is_said_by_its_name() -> None:
    assert translate.failure(ValueError("no")) == {"error": "ValueError", "message": "no"}
