"""Everything is sealed for whom it is: a request says it, a run and a schedule keep it."""

import asyncio
import json

import psycopg
from tests.fakes.ciphers import BLOBS, CONTEXT, KEYS, leaks
from tests.fakes.receiver import Receiver
from tests.fakes.waiting import eventually
from tests.server.encryption.conftest import BLUE, FROM_THE_START, NEEDLE, WITHIN, Folder, told


async def test_each_tenant_has_its_own_key_and_reading_needs_no_header(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS + KEYS + CONTEXT) as wire:
        thread = (await wire.ok("POST", "/threads", {"metadata": {"secret": NEEDLE}}, headers=BLUE))[
            "thread_id"
        ]
        wish = {"assistant_id": "works", "input": {"word": NEEDLE}}
        run = await wire.ok("POST", f"/threads/{thread}/runs", wish, headers=BLUE)
        values = await wire.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")
        assert values["word"] == NEEDLE
        assert (await wire.ok("GET", f"/threads/{thread}"))["metadata"]["secret"] == NEEDLE
        await wire.ok("POST", "/runs/wait", wish)
        odd = {"X-Encryption-Context": "{}"}
        status, sentence = await wire.refused("POST", "/threads", {}, headers=odd)
        assert (status, sentence.startswith("X-Encryption-Context must be")) == (422, True)
    with psycopg.connect(served.dsn) as conn:
        query = "select chunk from run_events where run_id = %s"
        heads = [json.loads(row[0][1:].partition(b"\n")[0]) for row in conn.execute(query, (run["run_id"],))]
        blobs = conn.execute("select blob from checkpoint_blobs where thread_id = %s", (thread,))
        heads += [json.loads(row[0].partition(b"\n")[0]) for row in blobs]
    assert {json.dumps(head[2], sort_keys=True) for head in heads} == {'{"seen": true, "tenant": "blue"}'}


async def test_a_run_that_is_handed_over_goes_on_from_its_sealed_checkpoint(served: Folder) -> None:
    async with served(BLOBS + KEYS, grace_s=0.1) as first:
        thread = await first.thread()
        wish = {"assistant_id": "naps", "input": {"word": NEEDLE, "n": 0}, "durability": "sync"}
        run = await first.ok("POST", f"/threads/{thread}/runs", wish, headers=BLUE)
        await asyncio.sleep(0.6)
    async with served(BLOBS + KEYS) as second:
        values = await second.ok("GET", f"/threads/{thread}/runs/{run['run_id']}/join")
        assert (values["n"], values["word"]) == (3, NEEDLE)
        path = f"/threads/{thread}/runs/{run['run_id']}/stream"
        replayed = await second("GET", path, headers=FROM_THE_START)
        assert "event: metadata" in replayed.text
    assert leaks(served.dsn, WITHIN) == set()


async def test_a_sealed_question_is_answered_by_the_clock_for_whom_it_was_asked(served: Folder) -> None:
    async with served(BLOBS + KEYS) as wire:
        thread = (await wire.ok("POST", "/threads", {}, headers=BLUE))["thread_id"]
        wish = {"assistant_id": "permits", "input": {"word": NEEDLE, "n": 0.1}}
        await wire.ok("POST", f"/threads/{thread}/runs/wait", wish, headers=BLUE)
        await eventually(lambda: told(served.dsn, "select decided_by from approvals") == ["timeout"])
        await eventually(lambda: told(served.dsn, "select distinct status from runs") == ["success"])
        state = await wire.ok("GET", f"/threads/{thread}/state")
        assert state["values"]["answer"]["timeout"] is True
    contexts = {
        json.dumps(json.loads(chunk[1:].partition(b"\n")[0])[2])
        for chunk in told(served.dsn, "select chunk from run_events")
    }
    assert contexts == {'{"tenant": "blue"}'}


async def test_a_schedule_makes_sealed_runs_for_whom_it_was_made(served: Folder) -> None:
    async with served(BLOBS + KEYS) as wire:
        cron = {"assistant_id": "naps", "schedule": "* * * * * *", "input": {"word": NEEDLE}}
        made = await wire.ok("POST", "/runs/crons", cron | {"on_run_completed": "keep"}, headers=BLUE)
        await eventually(lambda: "success" in told(served.dsn, "select status from runs"))
        await wire.ok("DELETE", f"/runs/crons/{made['cron_id']}")
        (run, *_) = told(served.dsn, "select run_id || '/' || thread_id from runs where status = 'success'")
        run_id, thread = run.split("/")
        found = await wire.ok("GET", f"/threads/{thread}/runs/{run_id}")
        assert found["kwargs"]["input"] == {"word": NEEDLE}
        chunk = told(served.dsn, f"select chunk from run_events where run_id = '{run_id}'")[0]
        assert json.loads(chunk[1:].partition(b"\n")[0]) == ["run", "events", {"tenant": "blue"}]
    assert leaks(served.dsn, WITHIN) == set()
