"""Threads taken away as archives and brought as new threads: with equal state, and nothing to answer."""

import io
import json
from argparse import Namespace
from collections.abc import AsyncIterator, Callable
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from tests.fakes.archived import decide, say, taken, wired
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.driver import call, calls, edit
from tests.server.protocol.conftest import Wire

from artel.server.cli.thread import NotDone, bring, take
from artel.storage.errors import Invalid

QUESTION = {"id": "db", "question": "Which database?", "options": ["PostgreSQL", "SQLite"]}
TODOS = calls(call("write_todos", todos=[{"content": "edit a", "status": "in_progress"}]))
EDIT = calls(edit("a.txt", "one", "two"))
KEY = "ghp_" + "a1B2" * 10


@pytest.fixture
async def wire(fresh_dsn: str) -> AsyncIterator[Wire]:
    async with wired(fresh_dsn) as opened:
        yield opened


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "work").mkdir()
    (tmp_path / "work/a.txt").write_text("one\n")
    return tmp_path / "work"


async def brought(wire: Wire, archive: bytes) -> dict[str, Any]:
    told = await wire.http.post("/api/v1/threads/import", content=archive)
    assert told.status_code == 200, told.text
    return dict(told.json())


def members(archive: bytes) -> dict[str, bytes]:
    with ZipFile(io.BytesIO(archive)) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def zipped(found: dict[str, bytes], *, honest: bool = True) -> bytes:
    """Return a zip of these files; an honest one has their hashes in its manifest."""
    if honest:
        told = json.loads(found["manifest.json"])
        told["members"] = {
            name: {"sha256": sha256(data).hexdigest(), "bytes": len(data)}
            for name, data in found.items()
            if name != "manifest.json"
        }
        found = {**found, "manifest.json": json.dumps(told).encode()}
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as opened:
        for name, data in found.items():
            opened.writestr(name, data)
    return made.getvalue()


def states(history: list[dict[str, Any]]) -> list[Any]:
    return [(one["values"], one["next"], one["checkpoint_id"], one["created_at"]) for one in history]


async def test_a_thread_comes_back_with_equal_state_history_and_record(wire: Wire, folder: Path) -> None:
    thread = await wire.thread()
    ask = calls(call("question", questions=[QUESTION]))
    await say(wire, folder, thread, ask, TODOS, EDIT, f"done with {KEY}")
    await decide(wire, thread, {"type": "respond", "answers": {"db": "SQLite"}})
    await decide(wire, thread, {"type": "approve"})
    archive = await taken(wire, thread)
    found = members(archive)
    assert KEY.encode() not in b"".join(found.values())
    assert json.loads(found["manifest.json"])["hidden"] > 0
    assert [one["answer"] for one in json.loads(found["decisions.json"]).values()] == [["SQLite"]]
    assert [one["status"] for one in json.loads(found["approvals.json"])] == ["approved", "approved"]
    assert [one["status"] for one in json.loads(found["runs.json"])] == ["success"] * 3
    assert {one["kind"] for one in json.loads(found["audit.json"])} >= {"verdict", "result", "decision"}
    assert "+two" in found["changes.patch"].decode()
    assert "change a.txt" in found["conversation.md"].decode()
    made = await brought(wire, archive)
    copy = made["thread_id"]
    assert copy != thread
    assert made["metadata"]["imported_from"] == thread
    theirs, ours = [await wire.ok("GET", f"/threads/{each}/history?limit=100") for each in (thread, copy)]
    hidden = json.loads(json.dumps(states(theirs)).replace(KEY, "(hidden)"))
    assert json.loads(json.dumps(states(ours))) == hidden
    kept = await wire.ok("GET", f"/api/v1/threads/{copy}/imported")
    assert [one["decision"]["type"] for one in kept["history"]["approvals"]] == ["respond", "approve"]
    again = members(await taken(wire, copy))
    assert json.loads(again["earlier.json"])["source"] == thread
    await say(wire, folder, copy, *[""] * 4, "and on", words="go on")
    state = await wire.ok("GET", f"/threads/{copy}/state")
    assert state["values"]["messages"][-1]["content"] == "and on"


async def test_an_open_question_is_brought_as_history_and_asked_anew_when_the_thread_goes_on(
    wire: Wire, folder: Path
) -> None:
    thread = await wire.thread()
    await say(wire, folder, thread, EDIT, "done")
    archive = await taken(wire, thread)
    made = await brought(wire, archive)
    copy = made["thread_id"]
    assert (made["status"], made["interrupts"]) == ("interrupted", {})
    assert await wire.ok("GET", f"/api/v1/approvals?thread_id={copy}") == []
    state = await wire.ok("GET", f"/threads/{copy}/state")
    assert ([task["interrupts"] for task in state["tasks"]], state["next"]) == ([[]], ["tools"])
    (asked,) = await wire.ok("GET", f"/api/v1/approvals?thread_id={thread}")
    answer = {"command": {"resume": {asked["interrupt_id"]: {"type": "approve"}}}, "assistant_id": "coder"}
    await wire("POST", f"/threads/{copy}/runs/wait", answer)
    assert (folder / "a.txt").read_text() == "one\n"
    await wire.ok("POST", f"/threads/{copy}/runs/wait", {"assistant_id": "coder", "input": None})
    await decide(wire, copy, {"type": "approve"})
    assert (folder / "a.txt").read_text() == "two\n"


async def test_a_thread_of_anybodys_graph_travels_too_by_the_command_line(wire: Wire, tmp_path: Path) -> None:
    thread = await wire.thread()
    asked = {"messages": [{"role": "user", "content": "hi"}]}
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": asked})
    copy = (await brought(wire, await taken(wire, thread)))["thread_id"]
    theirs, ours = [await wire.ok("GET", f"/threads/{each}/history") for each in (thread, copy)]
    assert states(ours) == states(theirs)
    empty = await wire.thread()
    file = tmp_path / "it.zip"
    assert await take(wire.http, Namespace(thread=empty, file=file)) == 0
    with pytest.raises(Invalid, match="is there already"):
        await take(wire.http, Namespace(thread=empty, file=file))
    assert await bring(wire.http, Namespace(file=file)) == 0
    with pytest.raises(NotDone, match="no thread"):
        await take(wire.http, Namespace(thread=str(uuid4()), file=tmp_path / "other.zip"))
    assert (await brought(wire, await taken(wire, empty)))["values"] is None


def _manifest(**more: Any) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def changed(found: dict[str, bytes]) -> dict[str, bytes]:
        told = json.loads(found["manifest.json"]) | more
        return {**found, "manifest.json": json.dumps(told).encode()}

    return changed


def _line(old: str, new: str) -> Callable[[dict[str, bytes]], dict[str, bytes]]:
    def changed(found: dict[str, bytes]) -> dict[str, bytes]:
        text = found["checkpoints.jsonl"].decode()
        assert old in text
        return {**found, "checkpoints.jsonl": text.replace(old, new).encode()}

    return changed


HOSTILE: dict[str, tuple[Callable[[dict[str, bytes]], dict[str, bytes]], str]] = {
    "a name that leads out": (lambda found: {**found, "../../etc/passwd": b""}, "no file of an archive"),
    "a later version": (_manifest(version=2), "this release reads 1"),
    "another format": (_manifest(format="other"), "format"),
    "a graph that is not there": (_manifest(graph_id="nobody"), "not served here"),
    "code instead of a value": (_line('"class":"HumanMessage"', '"class":"Popen"'), "is none"),
    "a kind there is not": (_line('{"$":"message"', '{"$":"pickle"'), "pickle"),
    "a part there is not": (_line('"values":{', '"values":{"x":99999,'), "no part 99999"),
    "a version of nonsense": (_line('"channel_versions":{"', '"channel_versions":{"x\\u0000":"1","'), "NUL"),
    "a state no graph can read": (_line('"source":"loop"', '"source":"loop","parents":7'), "parents"),
    "no lines at all": (lambda found: {**found, "checkpoints.jsonl": b"[" * 100_000}, "no JSON"),
}


async def test_archives_of_enemies_are_refused_and_leave_nothing(wire: Wire) -> None:
    thread = await wire.thread()
    asked = {"messages": [{"role": "user", "content": "hi"}]}
    await wire.ok("POST", f"/threads/{thread}/runs/wait", {"assistant_id": "flow", "input": asked})
    found = members(await taken(wire, thread))
    before = await wire.ok("POST", "/threads/count", {})
    for name, (change, why) in HOSTILE.items():
        told = await wire.http.post("/api/v1/threads/import", content=zipped(change(dict(found))))
        assert told.status_code in (404, 422), f"{name}: {told.text}"
        assert why in told.json()["detail"], name
    changed = {**found, "runs.json": found["runs.json"].replace(b"success", b"failure")}
    bomb = {**found, "conversation.md": b"0" * 200_000_000}
    for archive, why in (
        (zipped(changed, honest=False), "not what its hash"),
        (zipped(bomb), "less than or equal"),
        (b"PK" + bytes(100), "no zip"),
        (b"", "no zip"),
        (zipped({"thread.json": b"{}"}, honest=False), "no manifest.json"),
    ):
        told = await wire.http.post("/api/v1/threads/import", content=archive)
        assert (told.status_code, why in told.json()["detail"]) == (422, True), told.text
    assert await wire.ok("POST", "/threads/count", {}) == before
    async with wire.app.state.engine.db.connection() as conn:
        rows = await conn.execute("select count(distinct thread_id) as n from checkpoints")
        assert (await rows.fetchone())["n"] == 1


async def test_only_who_may_see_a_thread_takes_it_away_and_who_brings_one_owns_it(wire: Wire) -> None:
    ann, bob = called_by(wire.app, "ann", OwnOnly()), called_by(wire.app, "bob", OwnOnly())
    async with ann, bob:
        hers = Wire(wire.app, ann)
        thread = await hers.thread()
        assert (await bob.get(f"/api/v1/threads/{thread}/archive")).status_code == 404
        archive = await taken(hers, thread)
        copy = (await brought(Wire(wire.app, bob), archive))["thread_id"]
        assert [(await one.get(f"/threads/{copy}")).status_code for one in (ann, bob)] == [404, 200]
        assert (await ann.get(f"/api/v1/threads/{copy}/imported")).status_code == 404
        assert (await ann.get(f"/api/v1/threads/{thread}/imported")).json()["code"] == "not_imported"
