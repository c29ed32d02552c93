"""From log events to the wire, without a server."""

from typing import Any

from artel.server.protocol.project import Projection
from artel.storage.encoding import dumps
from artel.storage.events import Event


def event(seq: int, type_: str, data: Any, ns: str = "") -> Event:
    return Event(seq, type_, ns, dumps(data))


def token(seq: int, text: str, **more: Any) -> Event:
    return event(seq, "messages", [{"type": "AIMessageChunk", "id": "m", "content": text, **more}, {"k": 1}])


def test_an_event_is_its_name_its_data_and_its_id() -> None:
    shown = Projection(["values"]).feed([event(7, "values", {"n": 1})])
    assert shown == b'event: values\r\ndata: {"n":1}\r\nid: 7\r\n\r\n'


def test_all_that_is_ready_is_one_piece() -> None:
    shown = Projection(["updates"]).feed([event(1, "updates", {}), event(2, "updates", {})])
    assert shown.count(b"\r\n\r\n") == 2


def test_what_was_not_asked_for_and_what_is_ours_alone_is_not_shown() -> None:
    events = [
        event(1, "updates", {}),
        event(2, "values", {}, ns="child:1"),
        event(3, "approval.asked", {}),
        event(4, "run.ended", {"status": "success"}),
        token(5, "hi"),
    ]
    assert Projection(["values"]).feed(events) == b""
    assert Projection(["values"], subgraphs=True).feed(events).startswith(b"event: values|child:1\r\n")


def test_a_message_so_far_is_put_together_from_its_pieces() -> None:
    call = {"name": "look", "args": '{"at"', "id": "c", "index": 0, "type": "tool_call_chunk"}
    rest = {"name": None, "args": ":1}", "id": None, "index": 0, "type": "tool_call_chunk"}
    shown = Projection(["messages"]).feed(
        [token(1, "a", tool_call_chunks=[call]), token(2, "b", tool_call_chunks=[rest])]
    )

    assert shown.count(b"event: messages/metadata\r\n") == 1
    assert shown.count(b"event: messages/partial\r\n") == 2
    assert b'"content":"ab"' in shown
    assert b'"tool_calls":[{"name":"look","args":{"at":1},"id":"c","type":"tool_call"}]' in shown


def test_the_id_stands_at_the_last_event_of_a_number() -> None:
    lines = Projection(["messages"]).feed([token(3, "a")]).split(b"\r\n")
    assert [line for line in lines if line.startswith((b"event", b"id"))] == [
        b"event: messages/metadata",
        b"event: messages/partial",
        b"id: 3",
    ]


def test_what_an_attempt_did_not_keep_is_not_in_the_messages_of_the_next() -> None:
    again = event(10_001, "metadata", {"run_id": "r", "attempt": 2})
    shown = Projection(["messages"]).feed([token(1, "lost "), again, token(10_002, "kept")])
    assert b'"content":"kept"' in shown
    assert b'"content":"lost kept"' not in shown


def test_a_reader_of_some_modes_learns_of_a_new_attempt_and_of_a_failure() -> None:
    events = [
        event(1, "metadata", {"run_id": "r", "attempt": 1}),
        event(2, "metadata", {"run_id": "r", "attempt": 2}),
        event(3, "error", {"error": "E", "message": "m"}),
    ]
    shown = Projection(["values"], framed=False).feed(events)
    assert b'"attempt":1' not in shown
    assert b'"attempt":2' in shown
    assert b"event: error\r\n" in shown


def test_nothing_is_shown_twice_to_one_who_comes_back() -> None:
    back = Projection(["messages"], after=2)
    assert back.looks_back
    shown = back.feed([token(1, "a"), token(2, "b"), token(3, "c")])
    assert shown.count(b"event:") == 1
    assert b'"content":"abc"' in shown


def test_tuples_win_over_messages_so_far() -> None:
    shown = Projection(["messages", "messages-tuple"]).feed([token(1, "a")])
    assert shown.startswith(b"event: messages\r\n")
