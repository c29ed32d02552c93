"""Effects: a call done twice changes the world once."""

from dataclasses import replace
from typing import Any

import pytest
from tests.fakes.begun import begin, take_over

from artel.storage import effects, threads
from artel.storage.effects import Done, EffectKey, New, Unknown
from artel.storage.errors import NotFound, StaleAttempt
from artel.storage.ids import new_id
from artel.storage.postgres import Connection, Database

INTENT = {"path": "a.py", "after_sha": "00"}


async def key(conn: Connection) -> EffectKey:
    thread = await threads.create(conn, new_id(), owner="local")
    return EffectKey(thread.thread_id, "agent:1", "1f0", "call_0", "ab" * 32)


async def test_a_call_that_never_began_is_new_and_its_intent_is_kept(conn: Connection) -> None:
    call = await key(conn)
    assert await effects.begin(conn, call, INTENT, tool="write_file") == New()
    assert await effects.begin(conn, call, {"path": "b.py"}, tool="write_file") == Unknown(INTENT)


async def test_a_call_that_ended_gives_its_first_result_again(conn: Connection) -> None:
    call = await key(conn)
    await effects.begin(conn, call, INTENT)
    await effects.finish(conn, call, "written")
    await effects.finish(conn, call, "written again")
    assert await effects.begin(conn, call, INTENT) == Done("written")


async def test_a_result_that_is_nothing_is_a_result(conn: Connection) -> None:
    call = await key(conn)
    await effects.begin(conn, call, INTENT)
    await effects.finish(conn, call, None)
    assert await effects.begin(conn, call, INTENT) == Done(None)


@pytest.mark.parametrize(
    "other",
    [
        {"checkpoint_ns": "agent:2"},
        {"parent_checkpoint_id": "1f1"},
        {"tool_call_id": "call_1"},
        {"args_sha": "cd" * 32},
        {"checkpoint_ns": "agent:11", "parent_checkpoint_id": "f0"},  # the same letters, cut elsewhere
    ],
)
async def test_a_call_that_differs_in_one_part_is_another_call(
    conn: Connection, other: dict[str, Any]
) -> None:
    call = await key(conn)
    await effects.begin(conn, call, INTENT)
    assert await effects.begin(conn, replace(call, **other), INTENT) == New()


async def test_the_same_id_on_another_thread_is_another_call(conn: Connection) -> None:
    await effects.begin(conn, await key(conn), INTENT)
    assert await effects.begin(conn, await key(conn), INTENT) == New()


async def test_a_worker_that_lost_its_run_begins_nothing(db: Database) -> None:
    async with db.connection() as conn:
        run = await begin(conn)
        call = replace(await key(conn), thread_id=run.thread_id)
        await take_over(conn, run)
        with pytest.raises(StaleAttempt):
            async with db.transaction() as late:
                await effects.begin(late, call, INTENT, run_id=run.run_id, attempt=1)
        assert await effects.begin(conn, call, INTENT, run_id=run.run_id, attempt=2) == New()


async def test_a_result_needs_an_intent(conn: Connection) -> None:
    with pytest.raises(NotFound):
        await effects.finish(conn, await key(conn), "written")


async def test_effects_go_with_their_thread(conn: Connection) -> None:
    call = await key(conn)
    await effects.begin(conn, call, INTENT)
    await threads.delete(conn, call.thread_id)
    row = await (await conn.execute("select count(*) as n from effects")).fetchone()
    assert row == {"n": 0}
