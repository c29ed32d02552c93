"""Grants and policies of one's own on the real engine: remembered by a new process, for whoever gave them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from tests.fakes.driver import OneModel, calls, edit
from tests.fakes.engines import FAST, Driver
from tests.graphs.test_on_the_engine import Agents, asked

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.engine import EngineSettings, dispatch, open_engine
from artel.server.engine import answers as recording
from artel.storage import audit, grants, policies
from artel.storage.approvals import AlreadyDecided
from artel.storage.broker import open_broker
from artel.storage.grants import Granted
from artel.storage.postgres import open_database
from artel.tools.policy import DEFAULT, Policy, Rule

YES = {"type": "approve"}
TO_BYE = edit("notes.txt", "hello", "bye")
SHUT = Rule(id="not-guests", effect="deny", action="fs.write", users=("guest",))

Serve = Callable[..., Awaitable[Driver]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "work"
    home.mkdir()
    (home / "notes.txt").write_text("hello\nworld\n")
    return home


@pytest.fixture
async def serve(fresh_dsn: str, folder: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def serving(*replies: Any, policy: Policy = DEFAULT) -> Driver:
            handles = Handles(
                OneModel(scripted(*replies)),
                (folder.parent,),
                folder,
                policy=policy,
                snapshot_home=folder.parent / "snapshots",
            )
            db = await stack.enter_async_context(open_database(fresh_dsn, pool_size=8))
            broker = await stack.enter_async_context(open_broker(fresh_dsn))
            chosen = EngineSettings(**{**FAST, "lease_s": 30.0})
            opened = open_engine(db, broker, Agents(), settings=chosen, handles=handles)
            return Driver(await stack.enter_async_context(opened))

        yield serving


def granting(scope: str, **more: Any) -> dict[str, Any]:
    return {**YES, "grant": {"scope": scope, "covers": "exact", **more}}


async def answer(driver: Driver, thread_id: UUID, decision: Any, by: str = "local") -> None:
    (row,) = (await asked(driver, thread_id)).values()
    run = await dispatch.answer(driver.engine, row.approval_id, decision, by=by, owner="local")
    assert (await driver.end(run)).status == "success"


async def granted(driver: Driver, scope: str, folder: Path, **more: Any) -> UUID:
    """Let a change be asked about, and grant it; the thread."""
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    await answer(driver, thread_id, granting(scope, **more))
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    (folder / "notes.txt").write_text("hello\nworld\n")
    return thread_id


async def standing(driver: Driver, *, ended: bool = False) -> list[Granted]:
    async with driver.db.connection() as conn:
        return await grants.search(conn, owner="local", user_id="local", ended=ended)


async def is_asked(driver: Driver, thread_id: UUID | None = None, **order: Any) -> bool:
    """Run the change on a thread; whether it waits for somebody."""
    thread_id = thread_id or await driver.thread()
    made = driver.order("coder", thread_id)
    run = await dispatch.start(driver.engine, replace(made, **order), fast=True)
    await driver.end(run)
    return bool(await asked(driver, thread_id))


@pytest.mark.parametrize("scope", ["thread", "project", "always"])
async def test_a_new_process_does_not_ask_again(serve: Serve, folder: Path, scope: str) -> None:
    script = [calls(TO_BYE), "done"] * 2
    first = await serve(*script)
    thread_id = await granted(first, scope, folder)
    second = await serve(*script)
    assert not await is_asked(second, thread_id)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    (grant,) = await standing(second)
    assert (grant.scope, grant.agent, grant.used, grant.approval_id is not None) == (scope, "coder", 1, True)
    async with second.db.connection() as conn:
        entries = [link.body async for link in audit.walk(conn, "local")]
    rules = [one["rule"] for one in entries if one["kind"] == "result"]
    assert rules == ["write", f"grant:{grant.grant_id}"]
    (given,) = (one for one in entries if one["kind"] == "grant")
    assert (given["status"], given["scope"], given["said"]["summary"]) == (
        "granted",
        scope,
        "edit_file: notes.txt",
    )


async def test_over_the_wire_a_grant_comes_with_the_resume(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE), "done", calls(TO_BYE), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    await driver.run("coder", thread_id, command={"resume": granting("thread")})
    (folder / "notes.txt").write_text("hello\nworld\n")
    assert not await is_asked(driver, thread_id)


async def test_each_call_of_a_batched_answer_may_be_granted(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id, context={"approvals": "batched"})
    await driver.run("coder", thread_id, command={"resume": {"decisions": [granting("always")]}})
    (grant,) = await standing(driver)
    assert grant.covers == {"calls": [{"action": "fs.write", "path": "notes.txt"}]}
    del folder


async def test_a_grant_ends_when_its_time_is_over_or_it_is_revoked(serve: Serve, folder: Path) -> None:
    driver = await serve(*[calls(TO_BYE), "done"] * 4)
    await granted(driver, "always", folder, expires_in_s=1)
    await asyncio.sleep(1.1)
    assert await standing(driver) == []
    assert await is_asked(driver)
    await granted(driver, "always", folder)
    (grant,) = await standing(driver)
    async with driver.db.transaction() as conn:
        await grants.revoke(conn, grant.grant_id, owner="local", user_id="local")
    assert await is_asked(driver)
    assert len(await standing(driver, ended=True)) == 2


async def test_a_grant_of_another_thread_person_owner_or_project_does_nothing(
    serve: Serve, folder: Path
) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (other / "notes.txt").write_text("hello\n")
    driver = await serve(*[calls(TO_BYE), "done"] * 6)
    await granted(driver, "thread", folder)
    assert await is_asked(driver)
    (thread_grant,) = await standing(driver)
    async with driver.db.transaction() as conn:
        same = {"scope": "always", "tool": "edit_file", "covers": thread_grant.covers["calls"]}
        await grants.add(conn, owner="local", user_id="ada", **same)
        await grants.add(conn, owner="ada", user_id="local", **same)
        project = {**same, "scope": "project", "workspace": str(other)}
        await grants.add(conn, owner="local", user_id="local", **project)
        await grants.add(conn, owner="local", user_id="local", agent="ask", **same)
    assert await is_asked(driver)
    assert not await is_asked(driver, user_id="ada")
    (folder / "notes.txt").write_text("hello\nworld\n")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id, context={"workspace": str(other)})
    assert not await asked(driver, thread_id)
    assert (other / "notes.txt").read_text() == "bye\n"


async def test_a_grant_holds_for_who_gave_it_though_others_wait_for_the_answer(
    serve: Serve, folder: Path
) -> None:
    driver = await serve(*[calls(TO_BYE), "done"] * 3)
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    await answer(driver, thread_id, granting("always"), by="ada")
    (folder / "notes.txt").write_text("hello\nworld\n")
    assert await is_asked(driver)
    assert not await is_asked(driver, user_id="ada")


async def test_an_answer_that_is_not_recorded_grants_nothing(
    serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)

    async def dies(*_: Any) -> None:
        raise ConnectionError("killed between the decision and its run")

    monkeypatch.setattr(recording, "record_run", dies)
    with pytest.raises(ConnectionError):
        await answer(driver, thread_id, granting("always"))
    monkeypatch.undo()
    assert await standing(driver) == []
    await answer(driver, thread_id, granting("always"))
    (grant,) = await standing(driver)
    assert grant.approval_id
    with pytest.raises(AlreadyDecided):
        await dispatch.answer(driver.engine, grant.approval_id, granting("always"), by="local", owner="local")
    assert len(await standing(driver)) == 1
    del folder


async def test_a_crash_after_the_yes_leaves_the_grant_and_makes_the_change_once(
    serve: Serve, folder: Path
) -> None:
    first = await serve(calls(TO_BYE), "done")
    thread_id = await first.thread()
    await first.run("coder", thread_id)
    (row,) = (await asked(first, thread_id)).values()
    run = await dispatch.answer(first.engine, row.approval_id, granting("thread"), by="local", owner="local")
    if run.run_id in first.engine.live:
        first.engine.live[run.run_id].lose()
    assert (await first.end(run)).status == "success"
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    assert len(await standing(first)) == 1


async def test_rules_about_users_mean_in_whose_name_a_run_goes(serve: Serve, folder: Path) -> None:
    allow = Rule(id="free", effect="allow", action="fs.*")
    driver = await serve(*[calls(TO_BYE), "done"] * 2, policy=Policy(rules=(allow, SHUT)))
    assert not await is_asked(driver, user_id="guest")
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    assert not await is_asked(driver)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"


async def own(driver: Driver, document: dict[str, Any] | None, user_id: str = "local") -> None:
    async with driver.db.transaction() as conn:
        await policies.add(conn, document, owner="local", user_id=user_id, author=user_id)


async def test_a_policy_of_one_s_own_holds_for_one_s_own_runs_from_the_next_one_on(
    serve: Serve, folder: Path
) -> None:
    driver = await serve(*[calls(TO_BYE), "done"] * 4)
    other = await serve()
    assert await is_asked(driver)
    await own(other, {"rules": [{"id": "mine", "effect": "allow", "action": "fs.*"}]})
    assert await is_asked(driver, user_id="ada")
    assert not await is_asked(driver)
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"
    await own(other, None)
    (folder / "notes.txt").write_text("hello\nworld\n")
    assert await is_asked(driver)


async def test_a_policy_of_one_s_own_softens_nothing_of_the_floor(serve: Serve, folder: Path) -> None:
    (folder / ".git").mkdir()
    (folder / ".git/config").write_text("hello\n")
    driver = await serve(calls(edit(".git/config", "hello", "bye")), "done")
    await own(driver, {"default": "allow", "rules": [{"id": "all", "effect": "allow"}]})
    assert not await is_asked(driver)
    assert (folder / ".git/config").read_text() == "hello\n"


async def test_a_policy_that_cannot_be_read_stops_the_run(serve: Serve) -> None:
    driver = await serve(calls(TO_BYE), "done")
    await own(driver, {"rules": [{"id": "x", "effect": "maybe"}]})
    run = await driver.run("coder")
    assert run.status == "error"
    assert "rule 'x'" in str(run.error)


async def test_a_run_costs_one_query_for_its_policy_and_free_calls_none(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    counted: dict[str, int] = {}

    def counting(module: Any, name: str) -> None:
        real = getattr(module, name)

        async def counted_one(*given: Any, **named: Any) -> Any:
            counted[name] = counted.get(name, 0) + 1
            return await real(*given, **named)

        monkeypatch.setattr(module, name, counted_one)

    for module, name in ((policies, "newest"), (grants, "standing"), (grants, "used")):
        counting(module, name)
    driver = await serve(calls(*[{"name": "ls", "args": {}}] * 5), "done", calls(TO_BYE), "done")
    await own(driver, {"rules": [{"id": "look", "effect": "allow", "action": "fs.list"}]})
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    assert counted == {"newest": 1}
    await driver.run("coder", thread_id)
    assert counted == {"newest": 2, "standing": 1}


async def test_a_grant_of_a_thread_goes_with_it(serve: Serve, folder: Path) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await granted(driver, "thread", folder)
    await dispatch.delete_thread(driver.engine, thread_id)
    assert await standing(driver, ended=True) == []
