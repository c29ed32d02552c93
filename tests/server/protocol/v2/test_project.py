"""From the log of a run to protocol v2, without a server."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from artel.server.engine.translate import MOST_INPUT, Translator
from artel.server.protocol.v2.filters import Filter, WrongFilter
from artel.server.protocol.v2.project import CHANNELS, RunView, Said
from artel.storage.events import Event
from artel.storage.ids import new_id
from artel.storage.runs import Run

NODE = {"langgraph_node": "talk"}


def run(**kwargs: Any) -> Run:
    now = datetime.now(UTC)
    fixed: dict[str, Any] = dict.fromkeys(("worker_id", "cancel", "error", "started_at", "ended_at"))
    ids: dict[str, Any] = {name: new_id() for name in ("run_id", "thread_id", "assistant_id")}
    return Run(
        **ids,
        **fixed,
        graph_id="g",
        status="running",
        kwargs={"closely": True, **kwargs},
        metadata={},
        multitask_strategy="enqueue",
        priority=0,
        due_at=now,
        attempt=1,
        max_attempts=3,
        reserved_seq=0,
        temporary=False,
        owner="local",
        created_at=now,
        updated_at=now,
        event_base=100,
    )


def log(*events: tuple[str, Any] | tuple[str, Any, str]) -> list[Event]:
    return [
        Event(i, kind, ns[0] if ns else "", orjson.dumps(data))
        for i, (kind, data, *ns) in enumerate(events, 1)
    ]


def chunk(text: str = "", name: str = "m", **more: Any) -> tuple[str, Any]:
    return "messages", [{"type": "AIMessageChunk", "content": text, "id": name, **more}, NODE]


def said(events: list[Event], channels: Any = CHANNELS, **kwargs: Any) -> list[Said]:
    return list(RunView(run(**kwargs), channels).feed(events))


def spoken(*events: tuple[str, Any]) -> list[dict[str, Any]]:
    return [one.data for one in said(log(*events), {"messages"})]


def test_numbers_are_those_of_the_thread_and_grow() -> None:
    events = log(("metadata", {"attempt": 1}), chunk("a"), chunk("b", chunk_position="last"), ("values", {}))
    seqs = [one.seq for one in said(events, closely=False)]
    assert seqs == sorted(set(seqs))
    assert [seq // 1000 for seq in seqs] == [101, 102, 102, 102, 103, 103, 103, 104]


def test_a_take_over_takes_back_what_was_half_said_and_the_tools_that_ran() -> None:
    started = {"event": "tool-started", "tool_call_id": "c", "tool_name": "t"}
    events = log(
        ("metadata", {"attempt": 1}),
        chunk("half"),
        ("tools", started),
        ("metadata", {"attempt": 2}),
        chunk("a", "n"),
    )
    told = [(one.method, one.data.get("event"), one.data.get("code")) for one in said(events)]
    assert told[4:7] == [
        ("tools", "tool-started", None),
        ("messages", "error", "voided"),
        ("tools", "tool-error", "voided"),
    ]
    assert [event for method, event, _ in told if method == "lifecycle"] == ["running"]


def test_a_providers_id_and_langchains_are_one_message() -> None:
    told = spoken(chunk("a", "msg_1"), chunk("b", "lc_run--1"), chunk("", "lc_run--1", chunk_position="last"))
    assert {one["id"] for one in told} == {"msg_1"}
    assert told[-2]["content"] == {"type": "text", "text": "ab"}
    assert spoken(chunk("", "lc_run--2", chunk_position="last")) == []


def test_usage_adds_up_and_the_last_word_of_the_provider_counts() -> None:
    usage = {"input_tokens": 1, "output_tokens": 2, "input_token_details": {"cache_read": 3}}
    first = chunk("a", usage_metadata=usage, response_metadata={"model_name": "x"})
    last = chunk("", usage_metadata=usage, response_metadata={"finish_reason": "stop"}, chunk_position="last")
    end = spoken(first, last)[-1]
    assert end["usage"] == {"input_tokens": 2, "output_tokens": 4, "input_token_details": {"cache_read": 6}}
    assert end["metadata"] == {"model_name": "x", "finish_reason": "stop"}


def test_arguments_that_are_no_json_make_an_invalid_call() -> None:
    call = {"type": "tool_call_chunk", "name": "look", "args": "{oops", "id": "c", "index": 0}
    told = spoken(chunk("", tool_call_chunks=[call], chunk_position="last"))
    assert (told[-2]["content"]["type"], told[-2]["content"]["args"]) == ("invalid_tool_call", "{oops")


def test_media_comes_as_a_block() -> None:
    image = {"type": "image", "base64": "AAAA", "mime_type": "image/png"}
    message = {"type": "ai", "content": [image], "id": "i", "response_metadata": {"output_version": "v1"}}
    start, delta, end = spoken(("messages", [message, NODE]))[1:4]
    assert start["content"] == {"type": "image", "mime_type": "image/png"}
    assert delta["delta"] == {"type": "data-delta", "data": "AAAA"}
    assert end["content"]["base64"] == "AAAA"


def test_what_a_node_said_is_whole_when_it_returns() -> None:
    told = spoken(chunk("a"), ("updates", {"other": {}}), ("updates", {"talk": {}}))
    assert [one["event"] for one in told][-2:] == ["content-block-finish", "message-finish"]


def test_people_and_tools_are_told_apart() -> None:
    human = {"type": "human", "content": "hi", "id": "h"}
    tool = {"type": "tool", "content": "seen", "id": "t", "tool_call_id": "c"}
    told = spoken(("messages", [human, NODE]), ("messages", [tool, NODE]))
    assert {(one["id"], one.get("role", "human")) for one in told} == {("h", "human")}


def test_a_subagent_says_which_call_began_it() -> None:
    task = {"id": "t1", "name": "tools", "input": {"tool_call": {"id": "c1"}}, "triggers": []}
    inner = {"id": "t2", "name": "model", "input": {}, "metadata": {"lc_agent_name": "helper"}}
    result = {"id": "t1", "name": "tools", "error": "lost", "interrupts": [], "result": {}}
    events = log(("tasks", task), ("tasks", inner, "tools:t1"), ("tasks", result))
    begun, ended = [one.data for one in said(events, {"lifecycle"})]
    assert begun["cause"] == {"type": "toolCall", "tool_call_id": "c1"}
    assert begun["graph_name"] == "helper"
    assert (ended["event"], ended["error"]) == ("failed", "lost")


def test_large_inputs_of_tasks_are_not_stored_but_the_call_is() -> None:
    state = {"messages": ["x" * MOST_INPUT]}
    part = Translator(closely=True).part
    for given, kept in (
        (state, None),
        ({"tool_call": {"id": "c"}, "state": state}, {"tool_call": {"id": "c"}}),
    ):
        *_, data = part(((), "tasks", {"id": "t", "input": given}))
        assert orjson.loads(data) == {"id": "t", "input": kept}


@pytest.mark.parametrize(
    ("wish", "hears"),
    [
        ({"channels": ["custom"]}, True),
        ({"channels": ["custom:a"]}, True),
        ({"channels": ["custom:b"]}, False),
        ({"channels": ["values"]}, False),
        ({"channels": ["custom"], "since": 5}, False),
        ({"channels": ["custom"], "since": 4}, True),
        ({"channels": ["custom"], "namespaces": [["sub"]]}, True),
        ({"channels": ["custom"], "namespaces": [["sub:1"]]}, True),
        ({"channels": ["custom"], "namespaces": [["sub:2"], ["other"]]}, False),
        ({"channels": ["custom"], "namespaces": [[]], "depth": 1}, False),
        ({"channels": ["custom"], "namespaces": [[]], "depth": 2}, True),
        ({"channels": ["custom"], "namespaces": [["sub", "in", "deeper"]]}, False),
    ],
)
def test_a_filter_hears_what_was_asked_for(wish: dict[str, Any], hears: bool) -> None:
    event = Said(5, "x", "custom", ("sub:1", "in:2"), {"name": "a", "payload": 1})
    assert Filter.of(wish).lets_through(event) is hears


def test_a_wish_of_the_wrong_kind_is_named() -> None:
    for wrong in (None, 1, {"channels": [1]}, {"channels": ["values"], "depth": True}):
        with pytest.raises(WrongFilter):
            Filter.of(wrong)


def test_ids_are_of_the_run() -> None:
    view = RunView(run())
    (one,) = view.feed(log(("metadata", {"attempt": 1})))
    assert one.event_id == f"synth:{view.run_id}:101-10"
