"""Bytes become messages however they are cut, and nonsense is noticed before it fills the memory."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.lsp.messages import MAX_BODY, MAX_HEAD, Garbled, Incoming, written

MANY: list[dict[str, Any]] = [
    {"id": 1},
    {"method": "a", "params": {"text": "ж\r\n\r\n"}},
    {"id": 2, "result": None},
]


@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_messages_are_whole_however_they_come(sizes: list[int]) -> None:
    sent = b"".join(map(written, MANY))
    incoming, got, at = Incoming(), [], 0
    for size in [*sizes, len(sent)]:
        got += list(incoming.feed(sent[at : at + size]))
        at += size
    assert [{key: one[key] for key in one if key != "jsonrpc"} for one in got] == MANY


@pytest.mark.parametrize(
    ("said", "why"),
    [
        (b"x" * MAX_HEAD, "no header ends"),
        (b"Hello: you\r\n\r\n", "names no length"),
        (b"Content-Length: -1\r\n\r\n", "names no length"),
        (f"Content-Length: {MAX_BODY + 1}\r\n\r\n".encode(), "over the limit"),
        (b"Content-Length: " + b"9" * 3_000 + b"\r\n\r\n", "over the limit"),
        (b"Content-Length: 3\r\n\r\n{]}", "no JSON"),
        (b"Content-Length: 2\r\n\r\n\xff\xff", "no JSON"),
        (b"Content-Length: 2\r\n\r\n[]", "no object"),
        (b"Content-Length: 100000\r\n\r\n" + b"[" * 100_000, "no JSON"),
    ],
)
def test_what_is_no_message_is_said_to_be_none(said: bytes, why: str) -> None:
    with pytest.raises(Garbled, match=why):
        list(Incoming().feed(said))
