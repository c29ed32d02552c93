"""How often what many runs say is stored."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from uuid import UUID

import pytest
from tests.fakes.engines import Open, Stage
from tests.fakes.waiting import eventually

from artel.server.engine import storing
from artel.storage import events
from artel.storage.events import Chunk
from artel.storage.postgres import Connection

WORDS = 80


async def test_runs_that_speak_in_a_crowd_are_stored_less_often_and_lose_no_word(
    opened: Open, stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: Counter[UUID] = Counter()
    append_many = events.append_many

    async def counting(conn: Connection, chunks: Sequence[Chunk]) -> None:
        written.update(chunk.run_id for chunk in chunks)
        await append_many(conn, chunks)

    monkeypatch.setattr(events, "append_many", counting)
    monkeypatch.setattr(storing, "FEW", 1)
    driver = await opened(chunk_ms=10)
    runs = [await driver.start("slow") for _ in range(8)]
    await eventually(lambda: stage.did.count("wait") == len(runs))
    logs = [driver.engine.live[run.run_id].log for run in runs]
    await eventually(lambda: all(log.stored == log.last for log in logs))

    written.clear()
    begun = time.monotonic()
    for n in range(WORDS):
        for log in logs:
            log.add("custom", "", b"%d" % n)
        await asyncio.sleep(0.005)
    took_s = time.monotonic() - begun

    assert max(written.values()) <= 1 + took_s / 0.08, "each waits eight times as long as it would alone"
    assert min(written.values()) >= 2
    stage.gate.set()
    for run in runs:
        await driver.end(run)
        said = [event.data for event in await driver.events(run) if event.type == "custom"]
        assert said == [b"%d" % n for n in range(WORDS)]
