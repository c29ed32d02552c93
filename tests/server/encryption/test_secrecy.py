"""What people say lies in the database encrypted, and is read by those who have the key."""

from typing import Any

import psycopg
import pytest
from tests.fakes.ciphers import BLOBS, KEYS, leaks
from tests.fakes.receiver import Receiver
from tests.fakes.waiting import eventually
from tests.server.encryption.conftest import MANY, NEEDLE, WITHIN, Folder, live

from artel.storage.sealing import NoKey


async def test_nothing_that_was_said_lies_in_clear_in_any_column(served: Folder, receiver: Receiver) -> None:
    async with served(BLOBS + KEYS) as wire:
        await live(wire, receiver)
    assert leaks(served.dsn, WITHIN) == set()


async def test_without_encryption_the_same_would_be_found_in_all_these_columns(
    served: Folder, receiver: Receiver
) -> None:
    async with served(None) as wire:
        await live(wire, receiver)
    assert leaks(served.dsn, WITHIN) == {
        "approvals.args",
        "approvals.decision",
        "approvals.value",
        "assistant_versions.config",
        "assistant_versions.context",
        "assistant_versions.metadata",
        "assistants.config",
        "assistants.context",
        "assistants.metadata",
        "audit.entry",
        "checkpoint_blobs.blob",
        "checkpoint_items.blob",
        "checkpoint_writes.blob",
        "checkpoints.checkpoint",
        "checkpoints.metadata",
        "crons.metadata",
        "crons.payload",
        "run_events.chunk",
        "runs.error",
        "runs.kwargs",
        "runs.metadata",
        "store.value",
        "threads.error",
        "threads.interrupts",
        "threads.metadata",
        "webhook_deliveries.body",
        "webhook_deliveries.url",
    }


async def test_metadata_are_found_by_what_is_left_in_clear_and_refused_by_what_is_not(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS + KEYS) as wire:
        made = await live(wire, receiver)
        threads = await wire.ok(
            "POST", "/threads/search", {"metadata": {"team": "blue", "graph_id": "works"}}
        )
        assert made["flow"] in {one["thread_id"] for one in threads}
        for path in ("/threads/search", "/threads/count", "/assistants/search", "/runs/crons/search"):
            status, sentence = await wire.refused("POST", path, {"metadata": {"secret": NEEDLE}})
            assert (status, sentence.partition(":")[0]) == (400, "metadata.secret cannot be searched"), path
        items = {"namespace_prefix": ["a"], "filter": {"team": "blue"}}
        assert len((await wire.ok("POST", "/store/items/search", items))["items"]) == 1
        status, _ = await wire.refused(
            "POST", "/store/items/search", {"namespace_prefix": ["a"], "filter": {"secret": {"$gt": "a"}}}
        )
        assert status == 400
        odd = {"namespace_prefix": ["a"], "filter": {"a\0": 1}}
        assert (await wire.refused("POST", "/store/items/search", odd))[0] == 400
        wish = {"metadata": {"x": NEEDLE}}
        assert (await wire.refused("POST", f"/threads/{made['flow']}/history", wish))[0] == 400


async def test_states_are_found_by_their_values_though_the_database_cannot_read_them(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS) as wire:
        made = await live(wire, receiver)
        found = await wire.ok("POST", "/threads/search", {"values": {"word": NEEDLE}})
        assert [one["thread_id"] for one in found] == [made["asked"]] or len(found) >= 1
        assert all(one["values"]["word"] == NEEDLE for one in found)
        assert await wire.ok("POST", "/threads/count", {"values": {"word": "else"}}) == 0


async def test_handlers_of_blobs_alone_leave_metadata_in_clear_and_nothing_else(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS) as wire:
        await live(wire, receiver)
        status, sentence = await wire.refused(
            "POST", "/store/items/search", {"namespace_prefix": ["a"], "filter": {"team": "blue"}}
        )
        assert (status, "encrypted whole" in sentence) == (400, True)
    assert {place.partition(".")[2] for place in leaks(served.dsn, WITHIN)} == {"metadata"}


async def test_what_was_there_before_encryption_stays_readable_beside_what_comes(
    served: Folder, receiver: Receiver
) -> None:
    async with served(None) as wire:
        made = await live(wire, receiver)
    async with served(BLOBS + KEYS) as wire:
        state = await wire.ok("GET", f"/threads/{made['flow']}/state")
        assert state["values"]["word"] == f"{NEEDLE}!"
        more = {"assistant_id": "works", "input": {"word": "after"}}
        values = await wire.ok("POST", f"/threads/{made['flow']}/runs/wait", more)
        assert [one["content"] for one in values["messages"]][:40] == [one["content"] for one in MANY]
        thread = await wire.ok("PATCH", f"/threads/{made['flow']}", {"metadata": {"new": NEEDLE}})
        assert (thread["metadata"]["secret"], thread["metadata"]["new"]) == (NEEDLE, NEEDLE)
        assert len(await wire.ok("POST", f"/threads/{made['flow']}/history", {"limit": 100})) > 7
        assert (await wire.ok("GET", "/store/items?namespace=a&key=k"))["value"]["secret"] == NEEDLE


async def test_a_process_without_the_key_does_not_start_on_what_is_sealed(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS) as wire:
        await live(wire, receiver)
    with pytest.raises(NoKey, match=r"`encryption` of a langgraph\.json has sealed"):
        async with served(None):
            pass


async def test_another_key_is_an_error_that_names_the_handler_and_no_other_thread_suffers(
    served: Folder, receiver: Receiver
) -> None:
    async with served(BLOBS + KEYS, worker=False) as wire:
        thread = await wire.thread(metadata={"secret": NEEDLE})
        wish = {"assistant_id": "works", "input": {"word": NEEDLE}}
        run = await wire.ok("POST", f"/threads/{thread}/runs", wish)
    other = (BLOBS + KEYS).replace("c2VjcmV0", "b3RoZXJz")
    async with served(other) as wire:
        status, sentence = await wire.refused("GET", f"/threads/{thread}")
        assert (status, "decrypt.json of encryption failed" in sentence) == (500, True)
        assert (await wire.ok("POST", "/runs/wait", wish))["word"] == NEEDLE
        with psycopg.connect(served.dsn, autocommit=True) as conn:
            query = "select status from runs where run_id = %s"

            def status_of() -> Any:
                row = conn.execute(query, (run["run_id"],)).fetchone()
                return row and row[0]

            await eventually(lambda: status_of() == "error")
        status, sentence = await wire.refused("GET", f"/threads/{thread}/runs/{run['run_id']}")
        assert (status, "decrypt.blob of encryption failed" in sentence) == (500, True)
