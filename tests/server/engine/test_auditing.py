"""The audit log of runs on the real engine: who, what, verdict, answer, outcome; and what it costs."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from tests.fakes.ciphers import BLOBS, leaks
from tests.fakes.driver import OneModel, call, calls, edit
from tests.fakes.engines import FAST, Driver
from tests.graphs.test_on_the_engine import Agents, answered, asked, decide

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.engine import EngineSettings, auditing, open_engine
from artel.server.engine.auditing import Auditor
from artel.server.engine.handles import StoredEffects
from artel.storage import audit, runs
from artel.storage.broker import open_broker
from artel.storage.errors import Unavailable
from artel.storage.postgres import Database, open_database
from artel.storage.sealing import agree
from artel.tools.policy import DEFAULT, Policy, Rule

YES = {"type": "approve"}
FREE = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
TO_BYE = edit("notes.txt", "hello", "bye")
TO_TWO = edit("other.txt", "two", "2")
NEEDLE = "needle-under-glass"

Serve = Callable[..., Awaitable[Driver]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "work"
    home.mkdir()
    (home / "notes.txt").write_text("hello\nworld\n")
    (home / "other.txt").write_text("one\ntwo\n")
    return home


@pytest.fixture
async def serve(fresh_dsn: str, folder: Path) -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def serving(
            *replies: Any, policy: Policy = DEFAULT, sealer: Any = None, timeout_s: int = 300, **settings: Any
        ) -> Driver:
            handles = Handles(
                OneModel(scripted(*replies)),
                (folder.parent,),
                folder,
                policy=policy,
                approval_timeout_s=timeout_s,
            )
            db = await stack.enter_async_context(open_database(fresh_dsn, pool_size=8, sealer=sealer))
            broker = await stack.enter_async_context(open_broker(fresh_dsn))
            chosen = EngineSettings(**{**FAST, "lease_s": 30.0, **settings})
            opened = open_engine(db, broker, Agents(), settings=chosen, handles=handles)
            return Driver(await stack.enter_async_context(opened))

        yield serving


async def log(db: Database) -> list[dict[str, Any]]:
    """Return what is on record, oldest first; the chain holds."""
    async with db.connection() as conn:
        found = [link async for link in audit.walk(conn, "local")]
        _, broken = await audit.verify(conn, "local")
    assert broken is None
    return [await audit.opened(db.sealer, link) for link in found]


def kinds(found: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(one["kind"], one.get("status", one.get("decision", ""))) for one in found]


async def test_a_turn_that_only_looks_is_on_record_when_it_has_ended(serve: Serve) -> None:
    driver = await serve(calls(call("ls"), call("read_file", file_path="notes.txt")), "done")
    run = await driver.run("coder")
    found = sorted(await log(driver.db), key=lambda one: str(one["tool"]))
    assert kinds(found) == [("call", "ok"), ("call", "ok")]
    ls, read = found
    assert (ls["rule"], read["effect"], read["said"]["summary"]) == ("look", "allow", "Read notes.txt")
    assert read["said"]["args"] == {"file_path": "notes.txt"}
    known = ("owner", "user", "agent", "thread_id", "run_id", "attempt")
    assert [read[name] for name in known] == [
        "local",
        "local",
        "coder",
        str(run.thread_id),
        str(run.run_id),
        1,
    ]
    assert {"at", "checkpoint_id", "tool_call_id", "took_s", "id"} <= read.keys()


async def test_question_answer_intent_and_result_are_on_record_in_that_order(serve: Serve) -> None:
    driver = await serve(calls(TO_BYE), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    assert kinds(await log(driver.db)) == [("verdict", "asked")]
    row = (await asked(driver, thread_id))["notes.txt"]
    await decide(driver, row, YES)
    found = await log(driver.db)
    assert kinds(found) == [
        ("verdict", "asked"),
        ("decision", "approve"),
        ("intent", "approve"),
        ("result", "ok"),
    ]
    decision = found[1]
    assert (decision["user"], decision["by"], decision["agent"]) == ("test", "test", "coder")
    assert decision["approval_id"] == str(row.approval_id)
    assert 0 <= decision["response_s"] < 10
    assert found[3]["said"]["path"] == "notes.txt"
    assert len({one["said"]["args_sha"] for one in found}) == 1
    assert "hello" not in json.dumps(found)


async def test_a_question_that_stays_open_while_another_is_answered_is_on_record_once(serve: Serve) -> None:
    driver = await serve(calls(TO_BYE, TO_TWO), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    rows = await asked(driver, thread_id)
    await decide(driver, rows["other.txt"], YES)
    await decide(driver, rows["notes.txt"], {"type": "reject", "message": "no, password=hunter2x"})
    found = await log(driver.db)
    assert [one["status"] for one in found if one["kind"] == "verdict"] == ["asked", "asked", "refused"]
    assert found[-1]["by"] == "user"
    (no,) = (one for one in found if one.get("decision") == "reject" and one["kind"] == "decision")
    assert no["said"]["message"] == "no, password=(hidden)"


async def test_each_call_of_a_batched_answer_is_on_record(serve: Serve) -> None:
    driver = await serve(calls(TO_BYE, TO_TWO), "done")
    thread_id = await driver.thread()
    await driver.run("coder", thread_id, context={"approvals": "batched"})
    await driver.run("coder", thread_id, command={"resume": {"decisions": [YES, {"type": "reject"}]}})
    decisions = [one for one in await log(driver.db) if one["kind"] == "decision"]
    said = [(one["said"]["args"]["file_path"], one["decision"], one["by"]) for one in decisions]
    assert said == [("notes.txt", "approve", "wire"), ("other.txt", "reject", "wire")]


async def test_silence_is_on_record_as_the_clock_s_answer(serve: Serve) -> None:
    driver = await serve(calls(TO_BYE), "I stop", timeout_s=1)
    thread_id = await driver.thread()
    await driver.run("coder", thread_id)
    row = await answered(driver, thread_id)
    async with driver.db.connection() as conn:
        run = await runs.find(conn, row["answer_run_id"])
    assert run is not None
    await driver.end(run)
    (decision,) = (one for one in await log(driver.db) if one["kind"] == "decision")
    assert (decision["by"], decision["surface"], decision["decision"]) == ("timeout", "clock", "reject")
    assert "user" not in decision
    assert decision["response_s"] >= 1


async def test_a_crash_between_intent_and_result_leaves_both_to_be_read(
    serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish, stuck = StoredEffects.finish, asyncio.Event()

    async def hang(self: StoredEffects, *given: Any) -> None:
        stuck.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(StoredEffects, "finish", hang)
    driver = await serve(calls(TO_BYE), "done", policy=FREE)
    run = await driver.start("coder")
    await stuck.wait()
    (intent,) = await log(driver.db)
    assert (intent["kind"], intent["attempt"], intent["said"]["summary"]) == ("intent", 1, "Edit notes.txt")
    monkeypatch.setattr(StoredEffects, "finish", finish)
    monkeypatch.setattr(Auditor, "note", lambda *_: None)  # nobody is left to say that it broke off
    driver.engine.live[run.run_id].lose()
    assert (await driver.end(run)).status == "success"
    monkeypatch.undo()
    assert kinds(await log(driver.db)) == [("intent", ""), ("intent", ""), ("result", "ok")]
    assert (folder / "notes.txt").read_text() == "bye\nworld\n"


async def test_what_was_noted_while_the_database_was_away_is_written_when_it_is_back(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(auditing, "LINGER_S", 0.05)
    add, tries = audit.add_sealed, 0

    async def away(*given: Any) -> None:
        nonlocal tries
        tries += 1
        if tries < 3:
            raise Unavailable("away")
        await add(*given)

    monkeypatch.setattr(audit, "add_sealed", away)
    driver = await serve(calls(call("ls")), "done")
    await driver.run("coder")
    async with asyncio.timeout(10):
        while not await log(driver.db):  # noqa: ASYNC110 - another task writes it
            await asyncio.sleep(0.02)
    assert kinds(await log(driver.db)) == [("call", "ok")]


async def test_an_intent_that_cannot_be_written_lets_nothing_happen(
    serve: Serve, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(audit, "add_sealed", away)
    driver = await serve(calls(TO_BYE), "done", policy=FREE, max_attempts=1)
    run = await driver.run("coder")
    assert run.status == "error"
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"
    monkeypatch.undo()


async def test_what_is_left_at_the_end_of_a_process_is_written_or_said(
    db: Database, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entry = {"id": "1", "owner": "local", "kind": "call", "run_id": "r"}
    one, two = Auditor(db), Auditor(db)
    one.note(entry, {})
    await one.close()
    assert [found["id"] for found in await log(db)] == ["1"]

    async def away(*_: Any) -> None:
        raise Unavailable("away")

    monkeypatch.setattr(audit, "add_sealed", away)
    two.note({**entry, "id": "2"}, {})
    await two.close()
    assert '"id":"2"' in capsys.readouterr().err


async def test_many_runs_share_statements(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    add, sent = audit.add_sealed, list[int]()

    async def counting(conn: Any, entries: Any) -> None:
        sent.append(len(entries))
        await add(conn, entries)

    monkeypatch.setattr(audit, "add_sealed", counting)
    auditor = Auditor(db)
    entries = [{"id": str(n), "owner": "local", "kind": "intent", "run_id": "r"} for n in range(40)]
    await asyncio.gather(*(auditor.write(entry, {}) for entry in entries))
    assert (sum(sent), len(sent) < 5) == (40, True)
    assert [found["id"] for found in await log(db)] == [entry["id"] for entry in entries]


async def test_two_engines_that_write_at_once_make_one_chain(serve: Serve) -> None:
    one, two = [await serve(*[calls(call("ls")), "done"] * 4) for _ in range(2)]
    await asyncio.gather(*(each.run("coder") for each in (one, two) for _ in range(4)))
    found = await log(one.db)
    assert len({one["run_id"] for one in found if kinds([one]) == [("call", "ok")]}) == 8


async def test_a_turn_that_only_looks_costs_one_more_statement(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    execute = psycopg.AsyncCursor.execute

    async def counting(self: Any, query: Any, *given: Any, **options: Any) -> Any:
        sent.append(str(query))
        return await execute(self, query, *given, **options)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", counting)
    looks = [calls(call("ls"), call("read_file", file_path="notes.txt")), calls(call("glob", pattern="*"))]
    driver = await serve(*looks, "done")
    await driver.run("coder")
    assert len([query for query in sent if "audit" in query]) == 1
    sent.clear()
    quiet = await serve("done")
    await quiet.run("coder")
    assert not [query for query in sent if "audit" in query]


async def test_what_people_wrote_is_sealed_and_the_chain_holds_without_the_key(
    serve: Serve, fresh_dsn: str
) -> None:
    made: dict[str, Any] = {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        exec(BLOBS, made)
    sealer = await agree(fresh_dsn, made["encryption"])
    driver = await serve(calls(call("grep", pattern=NEEDLE)), "done", sealer=sealer)
    await driver.run("coder", input={"messages": [{"role": "user", "content": "look"}]})
    (one,) = await log(driver.db)
    assert NEEDLE in one["said"]["summary"]
    assert "audit.entry" not in leaks(fresh_dsn, NEEDLE)
    async with open_database(fresh_dsn) as keyless, keyless.connection() as conn:
        way, broken = await audit.verify(conn, "local")
    assert (way.seq, broken) == (1, None)
