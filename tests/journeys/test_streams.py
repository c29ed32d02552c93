"""A stream can be dropped and taken up at any point: nothing is missed, nothing comes twice."""

import asyncio
import random
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from langgraph_sdk.schema import StreamMode, StreamPart

from .conftest import Server

pytestmark = pytest.mark.journey
MODES: list[StreamMode] = ["values", "messages-tuple", "updates"]


async def talk(server: Server, words: int, pause_s: float) -> tuple[str, str]:
    """Start a run that says words; its thread and id."""
    thread = (await server.client.threads.create())["thread_id"]
    said: dict[str, Any] = {"messages": [{"role": "user", "content": f"{words} {pause_s}"}]}
    run = await server.client.runs.create(
        thread, "talk", input=said, stream_mode=MODES, stream_resumable=True
    )
    return thread, run["run_id"]


async def read(
    server: Server, thread: str, run: str, *, after: str, at_most: int = 10_000
) -> list[StreamPart]:
    """Return up to `at_most` events after an id, then hang up."""
    parts: list[StreamPart] = []
    stream = server.client.runs.join_stream(thread, run, last_event_id=after, stream_mode=MODES)
    async for part in stream:
        parts.append(part)
        if len(parts) == at_most:
            break
    if isinstance(stream, AsyncGenerator):
        await stream.aclose()
    return parts


async def test_a_client_that_drops_and_resumes_at_random_points_reads_the_same_bytes(server: Server) -> None:
    dice = random.Random(7)
    thread, run = await talk(server, 120, 0.01)
    pieces: list[StreamPart] = []
    while not pieces or not piece_ended(pieces):
        after = pieces[-1].id if pieces else "-1"
        piece = await read(server, thread, run, after=after or "-1", at_most=dice.randint(1, 25))
        pieces += piece
        if not piece:
            break
        await asyncio.sleep(dice.random() * 0.05)

    undisturbed = await read(server, thread, run, after="-1")

    assert pieces == undisturbed
    words = [part.data[0]["content"] for part in pieces if part.event == "messages"]
    assert "".join(words) == "".join(f"word{i} " for i in range(120))


def piece_ended(pieces: list[StreamPart]) -> bool:
    """Say whether the last state was read."""
    return pieces[-1].event == "values" and len(pieces[-1].data["messages"]) == 2


async def test_three_readers_of_one_run_all_read_all_of_it(server: Server) -> None:
    thread, run = await talk(server, 60, 0.01)

    one, two, three = await asyncio.gather(*(read(server, thread, run, after="-1") for _ in range(3)))

    assert one == two == three
    assert len([part for part in one if part.event == "messages"]) >= 60


async def test_a_finished_run_replays_also_after_a_restart(server: Server) -> None:
    thread, run = await talk(server, 40, 0.0)
    await server.client.runs.join(thread, run)
    before = await read(server, thread, run, after="-1")

    server.kill()
    server.start()

    assert await read(server, thread, run, after="-1") == before
    middle = before[len(before) // 2]
    assert await read(server, thread, run, after=middle.id or "") == before[len(before) // 2 + 1 :]
