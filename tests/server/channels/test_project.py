"""From the log of a run to messages of the gateway, without a server."""

from typing import Any

from tests.server.protocol.v2.test_project import chunk, log, run

from artel.server.channels.websocket.project import Place, View
from artel.storage.events import Event


def told(*events: Any, numbered: list[Event] | None = None, **kwargs: Any) -> list[tuple[str, Any]]:
    view = View(run(**kwargs))
    return [(one.type, getattr(one, "data", None)) for _, one in view.feed(numbered or log(*events))]  # type: ignore[attr-defined]


def test_what_an_attempt_said_and_no_step_holds_is_retracted() -> None:
    kept = ("updates", {"talk": {"messages": [{"type": "ai", "id": "kept"}]}})
    events = told(
        ("metadata", {"attempt": 1}),
        chunk("a", "kept", chunk_position="last"),
        kept,
        chunk("b", "whole", chunk_position="last"),
        chunk("c", "half"),
        ("metadata", {"attempt": 2}),
        chunk("d", "again", chunk_position="last"),
    )
    (gone,) = [data for kind, data in events if kind == "retracted"]
    assert (gone.message_ids, gone.attempt) == (["whole", "half"], 2)


def test_a_log_that_begins_in_the_middle_says_that_something_is_missing() -> None:
    events = [Event(seq=7, type=one.type, ns=one.ns, data=one.data) for one in log(chunk("b"))]
    (first, *_) = told(numbered=events)
    assert (first[0], first[1].before) == ("gap", "107-0")


def test_places_are_the_same_whoever_listens_and_grow() -> None:
    events = log(("metadata", {"attempt": 1}), chunk("a"), chunk("b", chunk_position="last"))
    known = run(input={"messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]})
    whole = [place for place, _ in View(known).feed(events)]
    view = View(known)
    by_one = [place for event in events for place, _ in view.feed([event])]
    assert whole == by_one == sorted(set(whole))
    assert [Place.of(place.name) for place in whole] == whole


def test_what_a_tool_answers_in_blocks_is_told_as_text() -> None:
    blocks = [{"type": "text", "text": "seen"}, {"type": "image", "data": "x"}]
    answer = {"type": "tool", "id": "t", "tool_call_id": "c", "name": "look", "content": blocks}
    (result,) = [data for kind, data in told(("messages", [answer, {}])) if kind == "tool_result"]
    assert (result.content, result.status) == ("seen", "success")
