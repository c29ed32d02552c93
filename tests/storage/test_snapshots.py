"""Changes are noted once, told newest first, and go with their thread or when they are old."""

from dataclasses import replace
from uuid import UUID

import pytest

from artel.storage import snapshots, threads
from artel.storage.effects import EffectKey
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.snapshots import UNDO, UnknownChange
from artel.storage.threads import UnknownThread

A, B, C = "a" * 40, "b" * 40, "c" * 40
PATHS = [{"path": "a.py", "kind": "changed"}]


async def key(conn: Connection, checkpoint: str = "1f0", call: str = "call_0") -> EffectKey:
    thread = await threads.create(conn, new_id(), owner="local")
    return EffectKey(thread.thread_id, "", checkpoint, call, "ab" * 32)


async def change(conn: Connection, key: EffectKey, before: str | None = A, after: str | None = B) -> UUID:
    change_id, _ = await snapshots.begin(conn, key, tool="edit_file", workspace="/w", before=before)
    if after:
        await snapshots.finish(conn, change_id, after, PATHS)
    return change_id


async def test_a_repeat_finds_its_row_with_what_the_first_attempt_found(conn: Connection) -> None:
    call = await key(conn)
    first = await snapshots.begin(conn, call, tool="edit_file", workspace="/w", before=A)
    assert await snapshots.begin(conn, call, tool="edit_file", workspace="/w", before=B) == first
    assert first[1] == A


async def test_changes_are_told_newest_first(conn: Connection) -> None:
    call = await key(conn)
    one = await change(conn, call)
    two = await change(conn, replace(call, tool_call_id="call_1"), B, C)
    found = await snapshots.of_thread(conn, call.thread_id)
    assert [each.change_id for each in found] == [two, one]
    assert (found[1].paths, found[1].files, found[1].after) == (PATHS, 1, B)
    assert [each.change_id for each in await snapshots.of_thread(conn, call.thread_id, since=two)] == [two]


async def test_a_change_with_many_files_lists_the_first_and_counts_all(conn: Connection) -> None:
    call = await key(conn)
    change_id = await change(conn, call, after=None)
    many = [{"path": str(n), "kind": "added"} for n in range(snapshots.MOST_PATHS + 1)]
    await snapshots.finish(conn, change_id, B, many)
    found = await snapshots.get(conn, call.thread_id, change_id)
    assert (len(found.paths), found.files) == (snapshots.MOST_PATHS, snapshots.MOST_PATHS + 1)


async def test_a_change_of_another_thread_is_unknown(conn: Connection) -> None:
    change_id = await change(conn, await key(conn))
    other = await threads.create(conn, new_id(), owner="local")
    with pytest.raises(UnknownChange):
        await snapshots.get(conn, other.thread_id, change_id)


async def test_a_thread_that_went_away_takes_no_note(conn: Connection) -> None:
    call = await key(conn)
    await threads.delete(conn, call.thread_id)
    with pytest.raises(UnknownThread):
        await change(conn, call)


async def test_the_files_of_a_checkpoint_are_what_the_next_step_found(conn: Connection) -> None:
    call = await key(conn, "2")
    assert await snapshots.at(conn, call.thread_id, "1") is None
    await change(conn, call, A, B)
    await change(conn, replace(call, parent_checkpoint_id="4", tool_call_id="call_1"), B, C)

    async def at(checkpoint: str) -> str | None:
        found = await snapshots.at(conn, call.thread_id, checkpoint)
        return found[1] if found else None

    assert [await at(checkpoint) for checkpoint in ("1", "2", "3", "4", "5")] == [A, A, B, B, C]


async def test_changes_to_a_folder_are_found_over_all_threads_of_an_owner(conn: Connection) -> None:
    one = await change(conn, await key(conn))
    two = await change(conn, await key(conn))
    assert [each.change_id for each in await snapshots.since(conn, "/w", one, owner="local")] == [one, two]
    assert await snapshots.since(conn, "/w", one, owner="other") == []
    assert await snapshots.since(conn, "/v", one, owner="local") == []


async def test_an_undo_is_a_change_without_a_call(conn: Connection) -> None:
    call = await key(conn)
    one = await change(conn, call)
    undo = await snapshots.add(conn, call.thread_id, tool=UNDO, workspace="/w", before=B, undoes=[one])
    found = await snapshots.get(conn, call.thread_id, undo)
    assert (found.is_ours, found.undoes, found.before, found.after) == (True, [one], B, None)


async def test_old_changes_go_and_changes_go_with_their_thread(conn: Connection) -> None:
    call = await key(conn)
    old = await change(conn, call)
    await conn.execute("update snapshots set begun_at = now() - interval '2 days'")
    young = await change(conn, replace(call, tool_call_id="call_1"))
    assert await snapshots.prune(conn, 86_400) == 1
    assert [each.change_id for each in await snapshots.of_thread(conn, call.thread_id)] == [young]
    assert old != young
    await threads.delete(conn, call.thread_id)
    assert await snapshots.of_thread(conn, call.thread_id) == []
