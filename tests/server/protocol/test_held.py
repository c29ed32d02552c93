"""Responses that stay open show signs of life, and notice when nobody listens."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from starlette.types import Message

from artel.server.protocol.held import CUT, BrokenOff, Held

SCOPE: dict[str, Any] = {"type": "http"}


class Line:
    """A connection in memory, whose client may hang up."""

    def __init__(self) -> None:
        self.sent: list[Message] = []
        self.gone = asyncio.Event()

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    @property
    def bodies(self) -> list[bytes]:
        return [message["body"] for message in self.sent[1:]]


def held(pieces: AsyncIterator[bytes], **options: Any) -> Held:
    return Held(pieces, alive=b"\n", media_type="application/json", headers={"Location": "/x"}, **options)


async def test_pieces_are_sent_as_they_come_and_then_the_end() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        yield b""
        yield b"b"

    line = Line()
    await held(pieces())(SCOPE, line.receive, line.send)

    assert line.sent[0]["status"] == 200
    assert (b"location", b"/x") in line.sent[0]["headers"]
    assert line.bodies == [b"a", b"b", b""]
    assert [message["more_body"] for message in line.sent[1:]] == [True, True, False]


async def test_a_sign_of_life_is_sent_while_nothing_happens() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        await asyncio.sleep(0.1)
        yield b"{}"

    line = Line()
    await held(pieces(), beat_s=0.02)(SCOPE, line.receive, line.send)

    assert line.bodies[0] == b"\n"
    assert line.bodies.count(b"\n") >= 3
    assert line.bodies[-2:] == [b"{}", b""]


async def test_a_hang_up_ends_the_work_and_is_told() -> None:
    ended, told = [], []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"a"
            await asyncio.sleep(60)
        finally:
            ended.append(True)

    async def hangup() -> None:
        told.append(True)

    line = Line()
    asyncio.get_running_loop().call_later(0.05, line.gone.set)
    async with asyncio.timeout(5):
        await held(pieces(), on_hangup=hangup)(SCOPE, line.receive, line.send)
    assert (ended, told) == ([True], [True])


async def test_a_server_that_stops_is_no_hang_up() -> None:
    told = []

    async def pieces() -> AsyncIterator[bytes]:
        await asyncio.sleep(60)
        yield b""

    async def hangup() -> None:
        told.append(True)

    line = Line()
    serving = asyncio.create_task(held(pieces(), on_hangup=hangup)(SCOPE, line.receive, line.send))
    await asyncio.sleep(0.02)
    serving.cancel()
    with pytest.raises(asyncio.CancelledError):
        await serving
    assert told == []


async def test_a_failure_in_the_middle_cuts_the_answer_off() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        raise OSError("gone")

    line = Line()
    with pytest.raises(OSError, match="gone"):
        await held(pieces())(SCOPE, line.receive, line.send)
    assert line.sent[-1]["more_body"] is True


async def test_pieces_that_are_broken_off_are_no_whole_answer() -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        raise BrokenOff

    line = Line()
    await held(pieces())({**SCOPE, CUT: line.gone.set}, line.receive, line.send)

    assert line.gone.is_set()
    assert [message["more_body"] for message in line.sent[1:]] == [True]
