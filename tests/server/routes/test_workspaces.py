"""Registered workspaces: each thread gets what was said, works there alone, and leaves nothing behind."""

import asyncio
import json
import os
import subprocess
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from threading import Event
from typing import Any
from uuid import uuid4
from zipfile import ZipFile

import httpx
import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.driver import BUILDERS, OneModel, call, calls, edit
from tests.fakes.served import calling, serving

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.catalog import Catalog, Entry
from artel.server.engine import tidying
from artel.tools.policy import Policy, Rule
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.workspaces import copying
from artel.tools.workspaces.settings import WorkspaceSettings

FREE = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
ORIGINAL = {"a.txt": "one\n", "b.txt": "b\n"}
GIT = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
ONE = (calls(edit("a.txt", "one", "ONE")), "done")
TALK = ["hi"] * 9  # on a thread where some was said already


def git(folder: Path, *args: str) -> str:
    named = ("-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main")
    ran = subprocess.run(
        ["git", *named, *args], cwd=folder, env=GIT, capture_output=True, text=True, check=True
    )
    return ran.stdout


def files(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text() for path in sorted(folder.iterdir()) if path.is_file()}


def unzipped(content: bytes) -> dict[str, bytes]:
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


@dataclass
class Yard:
    """A served coder, and a folder below an allowed root."""

    app: Any
    http: httpx.AsyncClient
    home: Path
    threads: list[str] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        return self.home / "roots/shop"

    @property
    def own(self) -> list[Path]:
        """Every folder that was made for a thread."""
        return sorted((self.home / "data/threads").glob("*/*"))

    def handles(self, *replies: Any, **more: Any) -> Handles:
        made: dict[str, Any] = {
            "models": OneModel(scripted(*replies)),
            "roots": (self.home / "roots",),
            "default_workspace": self.home / "roots",
            "policy": FREE,
            "snapshot_home": self.home / "data/snapshots",
            "thread_home": self.home / "data/threads",
        }
        return Handles(**{**made, **more})

    def repository(self) -> None:
        git(self.folder, "init", "-q")
        git(self.folder, "remote", "add", "origin", "https://who:word@git.example/shop.git")
        git(self.folder, "add", ".")
        git(self.folder, "commit", "-qm", "first")

    async def register(self, **body: Any) -> dict[str, Any]:
        told = await self.http.post(
            "/api/v1/workspaces", json={"name": "shop", "source": str(self.folder), **body}
        )
        assert told.status_code == 201, told.text
        return dict(told.json())

    async def run(
        self, *replies: Any, thread: str = "", workspace: str | None = "shop", more: Any = None, **body: Any
    ) -> dict[str, Any]:
        """Let the coder make these replies on a thread; how the run ended."""
        self.app.state.engine.handles = self.handles(*replies, **(more or {}))
        thread = thread or str(uuid4())
        self.threads.append(thread)
        asked = {"assistant_id": "coder", "input": {"messages": [{"role": "user", "content": "change it"}]}}
        context = {} if workspace is None else {"context": {"workspace": workspace}}
        path = f"/threads/{thread}/runs"
        made = await self.http.post(path, json={**asked, **context, "if_not_exists": "create", **body})
        assert made.is_success, made.text
        await self.http.get(f"{path}/{made.json()['run_id']}/join")
        return dict((await self.http.get(f"{path}/{made.json()['run_id']}")).json())

    async def path(self, thread: str = "") -> Path:
        """Where a thread works, as its state says."""
        state = (await self.http.get(f"/threads/{thread or self.threads[-1]}/state")).json()
        return Path(state["values"]["workspace"])

    async def problem(self, thread: str = "") -> str:
        async with self.app.state.engine.db.connection() as conn:
            row = await (
                await conn.execute(
                    "select error ->> 'message' as said from threads where thread_id = %s",
                    (thread or self.threads[-1],),
                )
            ).fetchone()
        return str(row["said"])


@pytest.fixture
async def yard(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Yard]:
    (tmp_path / "roots/shop").mkdir(parents=True)
    for name, content in ORIGINAL.items():
        (tmp_path / "roots/shop" / name).write_text(content)
    entries = {name: Entry(name, BUILDERS[name]()) for name in ("coder", "orchestrator")}
    async with serving(fresh_dsn, catalog=Catalog(entries)) as app, calling(app) as http:
        opened = Yard(app, http, tmp_path)
        app.state.engine.handles = opened.handles()
        yield opened


async def test_a_workspace_is_registered_told_changed_and_forgotten(yard: Yard) -> None:
    made = await yard.register()
    path = f"/api/v1/workspaces/{made['workspace_id']}"
    assert (made["kind"], made["mode"], made["source"]) == ("folder", "shared", str(yard.folder))
    assert (await yard.http.get(path)).json() == made
    changed = await yard.http.patch(path, json={"name": "store", "mode": "copy", "max_mb": 5})
    assert (changed.status_code, changed.json()) == (
        200,
        {**made, "name": "store", "mode": "copy", "max_mb": 5},
    )
    assert [one["name"] for one in (await yard.http.get("/api/v1/workspaces")).json()] == ["store"]
    assert (await yard.http.delete(path)).status_code == 204
    for method in ("GET", "PATCH", "DELETE"):
        assert (await yard.http.request(method, path, json={})).json()["code"] == "unknown_workspace"
    assert files(yard.folder) == ORIGINAL


async def test_what_no_thread_could_get_is_refused(yard: Yard) -> None:
    await yard.register()
    (yard.home / "outside").mkdir()
    (yard.home / "roots/link").symlink_to(yard.home / "outside")
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({}, 409, "name_taken"),
        ({"name": "a/b"}, 422, "invalid"),
        ({"name": str(uuid4())}, 422, "invalid"),
        ({"name": ".."}, 422, "invalid"),
        ({"source": str(yard.home)}, 403, "outside_workspace"),
        ({"source": str(yard.home / "roots/link")}, 403, "outside_workspace"),
        ({"source": "shop"}, 422, "bad_path"),
        ({"source": str(yard.folder / "a.txt")}, 422, "wrong_kind"),
        ({"mode": "worktree"}, 409, "no_repository"),
        ({"mode": "else"}, 422, "invalid"),
        ({"max_mb": 0}, 422, "invalid"),
    ]
    for body, status, code in wrong:
        asked = {"name": "other" if body else "shop", "source": str(yard.folder), **body}
        told = await yard.http.post("/api/v1/workspaces", json=asked)
        assert (body, told.status_code, told.json()["code"]) == (body, status, code)


async def test_a_shared_workspace_is_the_folder_itself(yard: Yard) -> None:
    await yard.register()
    assert (await yard.run(*ONE))["status"] == "success"
    assert (await yard.path(), files(yard.folder)) == (yard.folder, {**ORIGINAL, "a.txt": "ONE\n"})
    assert yard.own == []


@pytest.mark.parametrize("mode", ["copy", "worktree"])
async def test_two_threads_change_one_file_at_once_and_do_not_see_each_other(yard: Yard, mode: str) -> None:
    yard.repository()
    await yard.register(mode=mode)
    both = (calls(edit("a.txt", "one", "mine")), "done")
    yard.app.state.engine.handles = yard.handles(*both)
    ended = await asyncio.gather(*(yard.run(*both) for _ in range(2)))
    assert [one["status"] for one in ended] == ["success", "success"]
    paths = [await yard.path(thread) for thread in yard.threads]
    assert len({*paths, yard.folder}) == 3
    assert [files(path)["a.txt"] for path in paths] == ["mine\n", "mine\n"]
    assert files(yard.folder) == ORIGINAL
    for thread, path in zip(yard.threads, paths, strict=True):
        assert git(path, "branch", "--show-current").strip() == f"artel/{thread}"
        assert git(path, "status", "--porcelain") == " M a.txt\n"
        assert git(path, "remote", "-v").split()[1] == "https://git.example/shop.git"
        git(path, "fsck", "--strict")
    assert git(yard.folder, "branch").split() == ["*", git(yard.folder, "branch", "--show-current").strip()]


async def test_a_thread_keeps_its_folder_and_takes_no_other(yard: Yard) -> None:
    await yard.register(mode="copy")
    await yard.register(name="else")
    await yard.run(*ONE)
    thread, path = yard.threads[0], await yard.path()
    for workspace in (None, "shop"):
        assert (await yard.run(*TALK, thread=thread, workspace=workspace))["status"] == "success"
        assert await yard.path() == path
    for workspace in ("else", str(yard.folder)):
        assert (await yard.run("hi", thread=thread, workspace=workspace))["status"] == "error"
        assert "begin another thread" in await yard.problem()


async def test_the_folder_of_one_thread_is_open_to_no_other(yard: Yard) -> None:
    await yard.register(mode="copy")
    await yard.run(*ONE)
    path = await yard.path()
    for asked in (path, path.parent, path.parent.parent):
        assert (await yard.run("hi", workspace=str(asked)))["status"] == "error"
        assert "not below an allowed workspace root" in await yard.problem()


async def test_workspaces_of_others_are_not_there(yard: Yard) -> None:
    ann, bob = called_by(yard.app, "ann", OwnOnly()), called_by(yard.app, "bob", OwnOnly())
    async with ann, bob:
        made = await Yard(yard.app, ann, yard.home).register(mode="copy")
        assert (await bob.get("/api/v1/workspaces")).json() == []
        for method in ("GET", "PATCH", "DELETE"):
            told = await bob.request(method, f"/api/v1/workspaces/{made['workspace_id']}", json={})
            assert (method, told.status_code) == (method, 404)
        his = Yard(yard.app, bob, yard.home)
        for named in ("shop", made["workspace_id"]):
            assert (await his.run("hi", workspace=named))["status"] == "error"
            assert "is registered" in await his.problem()
        assert (await Yard(yard.app, ann, yard.home).run(*ONE))["status"] == "success"


async def test_too_large_a_folder_is_refused_and_nothing_stays_of_it(yard: Yard) -> None:
    (yard.folder / "big").write_bytes(b"x" * 2_000_000)
    made = await yard.register(mode="copy", max_mb=1)
    assert (await yard.run("hi"))["status"] == "error"
    assert "has more than 1 MB" in await yard.problem()
    assert yard.own == []
    await yard.http.patch(f"/api/v1/workspaces/{made['workspace_id']}", json={"max_mb": 10})
    assert (await yard.run(*ONE, thread=yard.threads[0]))["status"] == "success"


async def test_an_attempt_that_died_halfway_leaves_nothing_that_counts(yard: Yard) -> None:
    await yard.register(mode="copy")
    await yard.run(*ONE)
    path, thread = await yard.path(), yard.threads[0]
    await yard.http.post(f"/api/v1/threads/{thread}/undo", json={"change": (await changes(yard, thread))[0]})
    path.rename(path.with_name(f".draft-{path.name}-dead"))
    async with yard.app.state.engine.db.connection() as conn:
        await conn.execute("update thread_workspaces set state = 'preparing'")
    assert (await yard.run(*ONE, *ONE, thread=thread))["status"] == "success"
    assert (await yard.path(), files(path)["a.txt"]) == (path, "ONE\n")


async def test_a_folder_that_was_whole_when_its_maker_died_is_taken_as_it_is(yard: Yard) -> None:
    yard.repository()
    await yard.register(mode="worktree")
    await yard.run("hi")
    thread, path = yard.threads[0], await yard.path()
    async with yard.app.state.engine.db.connection() as conn:
        await conn.execute(
            "update thread_workspaces set state = 'preparing', base_tree = null, base_commit = null"
        )
    assert (await yard.run("hi", *ONE, thread=thread))["status"] == "success"
    assert (await yard.path(), yard.own) == (path, [path])
    assert "+ONE" in (await yard.http.get(f"/api/v1/threads/{thread}/patch")).text
    (made,) = (await yard.http.get("/api/v1/workspaces")).json()
    (told,) = (await yard.http.get(f"/api/v1/workspaces/{made['workspace_id']}/threads")).json()
    assert (told["thread_id"], told["state"], told["path"]) == (thread, "ready", str(path))
    assert told["base_commit"] == git(yard.folder, "rev-parse", "HEAD").strip()


async def test_a_run_that_is_stopped_while_its_folder_is_made_leaves_nothing(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(50):
        (yard.folder / f"{number}.bin").write_bytes(b"x")
    begun, really = Event(), copying._fill

    def slowly(source: int, target: int, size: int) -> None:
        begun.set()
        time.sleep(0.1)
        really(source, target, size)

    monkeypatch.setattr(copying, "_fill", slowly)
    await yard.register(mode="copy")
    running = asyncio.create_task(yard.run(*ONE))
    assert await asyncio.to_thread(begun.wait, 10)
    path = f"/threads/{yard.threads[0]}/runs"
    (run,) = (await yard.http.get(path)).json()
    await yard.http.post(f"{path}/{run['run_id']}/cancel?wait=true")
    assert (await running)["status"] == "interrupted"
    async with asyncio.timeout(10):
        while yard.own:
            await asyncio.sleep(0.05)
            await tidying.tidy(yard.app.state.engine)
    assert (await yard.run(*ONE, *ONE, thread=yard.threads[0]))["status"] == "success"


@pytest.mark.needs("bwrap")
async def test_commands_run_in_a_thread_s_own_folder_and_see_no_other(yard: Yard) -> None:
    yard.repository()
    await yard.register(mode="worktree")
    free = {
        "policy": Policy(rules=(Rule(id="free", effect="ask", action="exec"),)),
        "sandbox": Sandbox(data=yard.home / "data", roots=(yard.home / "roots",)),
    }
    await yard.run("hi")
    other = await yard.path()
    look = f"git log --format=%s; echo x > a.txt; cat {other}/b.txt; ls {other.parent}"
    await yard.run(calls(call("execute", command=look)), "done", more=free)
    for asked in (await yard.http.get("/api/v1/approvals?status=pending")).json():
        yes = {"decision": {"type": "approve"}}
        told = await yard.http.post(f"/api/v1/approvals/{asked['approval_id']}", json=yes)
        await yard.http.get(f"/threads/{yard.threads[1]}/runs/{told.json()['run_id']}/join")
    state = (await yard.http.get(f"/threads/{yard.threads[1]}/state")).json()
    said = next(one["content"] for one in state["values"]["messages"] if one["type"] == "tool")
    assert ("first" in said, "No such file" in said, other.name in said.replace(str(other), "")) == (
        *(True, True, False),
    ), said
    assert files(await yard.path()) == {**ORIGINAL, "a.txt": "x\n"}
    assert files(other) == ORIGINAL


async def changes(yard: Yard, thread: str) -> list[str]:
    told = (await yard.http.get(f"/api/v1/threads/{thread}/changes")).json()
    return [one["change_id"] for one in told]


async def test_a_folder_goes_with_its_thread_or_its_workspace(yard: Yard) -> None:
    made = await yard.register(mode="copy")
    await yard.run(*ONE)
    await yard.run(*ONE)
    (yard.folder / "link").symlink_to(yard.home / "roots")
    first = await yard.path(yard.threads[0])
    (first / "out").symlink_to(yard.folder)
    (first / "closed/in").mkdir(parents=True)
    (first / "closed").chmod(0)
    assert await tidying.tidy(yard.app.state.engine) == 0
    await yard.http.delete(f"/threads/{yard.threads[0]}")
    assert await tidying.tidy(yard.app.state.engine) == 1
    assert yard.own == [await yard.path(yard.threads[1])]
    path = f"/api/v1/workspaces/{made['workspace_id']}"
    assert (await yard.http.delete(path)).json()["code"] == "workspace_in_use"
    assert (await yard.http.delete(f"{path}?force=true")).status_code == 204
    assert await tidying.tidy(yard.app.state.engine) == 1
    assert (yard.own, files(yard.folder)) == ([], ORIGINAL)


async def test_an_unused_folder_is_removed_and_comes_back_with_its_files(yard: Yard) -> None:
    yard.repository()
    await yard.register(mode="worktree")
    await yard.run(*ONE)
    path, thread = await yard.path(), yard.threads[0]
    engine = yard.app.state.engine
    assert await tidying.tidy(engine) == 0
    engine.handles = yard.handles(workspaces=WorkspaceSettings(ttl_h=1e-9))
    assert (await tidying.tidy(engine), yard.own) == (1, [])
    (yard.folder / "b.txt").write_text("later\n")
    git(yard.folder, "commit", "-qam", "later")
    assert (await yard.run(*TALK, thread=thread, workspace=None))["status"] == "success"
    assert (await yard.path(), files(path)) == (path, {**ORIGINAL, "a.txt": "ONE\n"})


@pytest.mark.parametrize("mode", ["copy", "worktree"])
async def test_the_copy_of_a_thread_has_files_and_changes_of_its_own(yard: Yard, mode: str) -> None:
    yard.repository()
    await yard.register(mode=mode)
    await yard.run(
        calls(edit("a.txt", "one", "1")), calls(call("write_file", file_path="c.txt", content="c")), "ok"
    )
    source = await yard.path()
    (source / "ignored.o").write_text("built")
    copy = (await yard.http.post(f"/threads/{yard.threads[0]}/copy")).json()["thread_id"]
    assert len(await changes(yard, copy)) == 2
    history = (await yard.http.post(f"/threads/{copy}/history", json={"limit": 50})).json()
    begun = next(one for one in reversed(history) if one["next"])["checkpoint"]["checkpoint_id"]
    assert (await yard.run(*TALK, thread=copy, workspace=None))["status"] == "success"
    target = await yard.path(copy)
    assert target not in (source, yard.folder)
    assert (
        files(target) == files(source) == {"a.txt": "1\n", "b.txt": "b\n", "c.txt": "c", "ignored.o": "built"}
    )
    told = await yard.http.post(f"/api/v1/threads/{copy}/files", json={"checkpoint_id": begun})
    assert (told.status_code, told.json()["conflicts"]) == (200, []), told.text
    assert files(target) == {**ORIGINAL, "ignored.o": "built"}
    assert files(source)["a.txt"] == "1\n"
    again = (calls(edit("b.txt", "b", "fork")), "done")
    await yard.run(*again, thread=copy, workspace=None, checkpoint_id=begun, input=None)
    assert (files(target)["b.txt"], files(source)["b.txt"]) == ("fork\n", "b\n")
    first = (await changes(yard, yard.threads[0]))[-1]
    undone = await yard.http.post(f"/api/v1/threads/{yard.threads[0]}/undo", json={"to": first})
    assert (undone.status_code, files(source)["a.txt"], files(yard.folder)) == (200, "one\n", ORIGINAL)


async def test_a_thread_is_copied_as_it_was_saved_while_a_run_waits_on_it(yard: Yard) -> None:
    await yard.register(mode="copy")
    await yard.run(*ONE)
    source, thread = await yard.path(), yard.threads[0]
    later = {"assistant_id": "coder", "input": {"messages": []}, "after_seconds": 3_600}
    assert (await yard.http.post(f"/threads/{thread}/runs", json=later)).is_success
    (source / "b.txt").write_text("half a step")
    copy = (await yard.http.post(f"/threads/{thread}/copy")).json()["thread_id"]
    (target,) = set(yard.own) - {source}
    assert (files(target), len(await changes(yard, copy))) == ({**ORIGINAL, "a.txt": "ONE\n"}, 1)


async def test_a_folder_that_was_given_up_stays_when_a_run_is_about_to_take_it(yard: Yard) -> None:
    await yard.register(mode="copy")
    await yard.run(*ONE)
    (path,), thread, engine = yard.own, yard.threads[0], yard.app.state.engine
    later = {"assistant_id": "coder", "input": {"messages": []}, "after_seconds": 3_600}
    await yard.http.post(f"/threads/{thread}/runs", json=later)
    engine.handles = yard.handles(workspaces=WorkspaceSettings(ttl_h=1e-9))
    assert await tidying.tidy(engine) == 0
    async with engine.db.connection() as conn:
        await conn.execute("update thread_workspaces set state = 'gone'")
    assert (await tidying.tidy(engine), yard.own) == (0, [path])
    async with engine.db.connection() as conn:
        await conn.execute("delete from runs where status = 'pending'")
    assert (await tidying.tidy(engine), yard.own) == (1, [])


async def test_a_question_asked_before_the_copy_is_answered_in_the_copy(yard: Yard) -> None:
    await yard.register(mode="copy")
    ask = {"policy": Policy(rules=(Rule(id="ask", effect="ask", action="fs.write"),))}
    await yard.run(*ONE, more=ask)
    copy = (await yard.http.post(f"/threads/{yard.threads[0]}/copy")).json()["thread_id"]
    asked = (await yard.http.get(f"/api/v1/approvals?thread_id={copy}")).json()
    yard.app.state.engine.handles = yard.handles(*ONE, **ask)
    told = await yard.http.post(
        f"/api/v1/approvals/{asked[0]['approval_id']}", json={"decision": {"type": "approve"}}
    )
    assert told.status_code == 202, told.text
    await yard.http.get(f"/threads/{copy}/runs/{told.json()['run_id']}/join")
    source, target = await yard.path(), await yard.path(copy)
    assert [files(path)["a.txt"] for path in (source, target)] == ["one\n", "ONE\n"]


async def test_a_checkout_has_what_is_not_committed_when_that_is_wanted(yard: Yard) -> None:
    yard.repository()
    (yard.folder / "a.txt").write_text("one\nmore\n")
    (yard.folder / "new.txt").write_text("new\n")
    (yard.folder / "b.txt").unlink()
    await yard.register(mode="worktree")
    await yard.register(name="dirty", mode="worktree", uncommitted=True)
    await yard.run("hi")
    assert files(await yard.path()) == ORIGINAL
    await yard.run("hi", workspace="dirty")
    assert files(await yard.path()) == {"a.txt": "one\nmore\n", "new.txt": "new\n"}


CHANGES = (
    calls(edit("a.txt", "one", "ONE")),
    calls(call("write_file", file_path="deep/new.txt", content="new\n")),
    calls(call("write_file", file_path=".env", content="KEY=1\n")),
    calls(call("delete_file", file_path="b.txt")),
    "done",
)


@pytest.mark.parametrize("mode", ["shared", "copy"])
async def test_the_result_of_a_thread_is_taken_away_as_archive_and_patch(yard: Yard, mode: str) -> None:
    yard.repository()
    base = yard.home / "base"
    git(yard.home, "clone", "-q", str(yard.folder), str(base))
    await yard.register(mode=mode)
    await yard.run(*CHANGES)
    path = f"/api/v1/threads/{yard.threads[0]}"
    told = await yard.http.get(f"{path}/export")
    assert (told.status_code, told.headers["content-type"]) == (200, "application/zip"), told.text
    found = unzipped(told.content)
    assert {name: found[name] for name in found if name.startswith("files/")} == {
        "files/a.txt": b"ONE\n",
        "files/deep/new.txt": b"new\n",
    }
    (yard.home / "it.patch").write_bytes(found["changes.patch"])
    git(base, "apply", str(yard.home / "it.patch"))
    assert files(base) == {"a.txt": "ONE\n"}
    assert (base / "deep/new.txt").read_text() == "new\n"
    manifest = json.loads(found["manifest.json"])
    assert [(one["path"], one["kind"]) for one in manifest["changes"]] == [
        ("a.txt", "changed"),
        ("b.txt", "deleted"),
        ("deep/new.txt", "added"),
    ]
    assert manifest["changes"][0]["after"] == git(base, "hash-object", "a.txt").strip()
    assert [one["path"] for one in manifest["left_out"]] == [".env"]
    assert [one["tool"] for one in manifest["steps"]] == [
        "edit_file",
        "write_file",
        "write_file",
        "delete_file",
    ]
    assert "change it" in found["conversation.md"].decode()
    assert len(json.loads(found["conversation.json"])) == 10
    whole = unzipped((await yard.http.get(f"{path}/export?all=true")).content)
    assert {name for name in whole if name.startswith("files/")} == {"files/a.txt", "files/deep/new.txt"}
    patch = await yard.http.get(f"{path}/patch")
    assert patch.content == found["changes.patch"]


async def test_what_others_changed_is_no_result_of_a_thread(yard: Yard) -> None:
    await yard.register()
    await yard.run(*ONE)
    (yard.folder / "b.txt").write_text("mine\n")
    await yard.run(calls(call("write_file", file_path="c.txt", content="c\n")), "done")
    (yard.folder / "a.txt").write_text("mine too\n")
    told = [await yard.http.get(f"/api/v1/threads/{thread}/patch") for thread in yard.threads]
    assert ["+ONE" in one.text for one in told] == [True, False]
    assert ["+c" in one.text for one in told] == [False, True]
    assert not any("mine" in one.text for one in told)


async def test_who_approved_a_step_is_told(yard: Yard) -> None:
    await yard.register()
    ask = {"policy": Policy(rules=(Rule(id="ask", effect="ask", action="fs.write"),))}
    await yard.run(*ONE, more=ask)
    asked = (await yard.http.get("/api/v1/approvals")).json()[0]["approval_id"]
    yes = {"decision": {"type": "approve"}}
    run = (await yard.http.post(f"/api/v1/approvals/{asked}", json=yes)).json()["run_id"]
    await yard.http.get(f"/threads/{yard.threads[0]}/runs/{run}/join")
    copy = (await yard.http.post(f"/threads/{yard.threads[0]}/copy")).json()["thread_id"]
    for thread in (yard.threads[0], copy):
        told = await yard.http.get(f"/api/v1/threads/{thread}/export")
        (step,) = json.loads(unzipped(told.content)["manifest.json"])["steps"]
        assert (step["tool"], step["approved_by"]) == ("edit_file", "local")


async def test_a_thread_that_changed_nothing_has_an_empty_result(yard: Yard) -> None:
    await yard.run("hi", workspace=None)
    path = f"/api/v1/threads/{yard.threads[0]}"
    assert (await yard.http.get(f"{path}/patch")).content == b""
    found = unzipped((await yard.http.get(f"{path}/export")).content)
    assert sorted(found) == ["changes.patch", "conversation.json", "conversation.md", "manifest.json"]
    assert (await yard.http.get(f"/api/v1/threads/{uuid4()}/patch")).status_code == 404


async def test_the_result_of_others_is_not_there(yard: Yard) -> None:
    ann, bob = called_by(yard.app, "ann", OwnOnly()), called_by(yard.app, "bob", OwnOnly())
    async with ann, bob:
        hers = Yard(yard.app, ann, yard.home)
        await hers.register(mode="copy")
        await hers.run(*ONE)
        for what in ("export", "patch"):
            path = f"/api/v1/threads/{hers.threads[0]}/{what}"
            assert [(await one.get(path)).status_code for one in (bob, ann)] == [404, 200]


async def test_a_thread_that_worked_in_two_folders_is_asked_which(yard: Yard) -> None:
    (yard.home / "roots/else").mkdir()
    (yard.home / "roots/else/a.txt").write_text("one\n")
    await yard.run(*ONE, workspace=str(yard.folder))
    await yard.run(*ONE, *ONE, thread=yard.threads[0], workspace=str(yard.home / "roots/else"))
    path = f"/api/v1/threads/{yard.threads[0]}/patch"
    refused = await yard.http.get(path)
    assert (refused.status_code, refused.json()["code"]) == (409, "several_folders")
    nowhere = await yard.http.get(path, params={"workspace": "/etc"})
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "unknown_workspace")
    told = await yard.http.get(path, params={"workspace": str(yard.folder)})
    assert (told.status_code, "+ONE" in told.text) == (200, True)


async def test_a_removed_folder_still_has_its_result(yard: Yard) -> None:
    await yard.register(mode="copy")
    await yard.run(*ONE)
    engine = yard.app.state.engine
    engine.handles = yard.handles(workspaces=WorkspaceSettings(ttl_h=1e-9))
    assert (await tidying.tidy(engine), yard.own) == (1, [])
    assert "+ONE" in (await yard.http.get(f"/api/v1/threads/{yard.threads[0]}/patch")).text


async def test_a_repository_elsewhere_is_fetched_once_and_each_thread_has_its_own(yard: Yard) -> None:
    yard.repository()
    git(yard.folder, "branch", "-m", "main")
    git(yard.folder, "tag", "v1")
    remote = yard.home / "roots/remote.git"
    git(yard.home, "clone", "-q", "--bare", str(yard.folder), str(remote))
    made = await yard.register(source=f"file://{remote}")
    assert (made["kind"], made["mode"]) == ("git", "worktree")
    await yard.run(*ONE)
    path = await yard.path()
    assert files(path) == {**ORIGINAL, "a.txt": "ONE\n"}
    assert git(path, "branch", "-a").split() == ["*", f"artel/{yard.threads[0]}", "remotes/origin/main"]
    git(path, "commit", "-qam", "mine")
    assert git(path, "push", "-q", "origin", "HEAD") == ""
    git(yard.folder, "remote", "set-url", "origin", str(remote))
    (yard.folder / "b.txt").write_text("later\n")
    git(yard.folder, "commit", "-qam", "later")
    git(yard.folder, "push", "-q", "origin", "main")
    await yard.run("hi")
    assert files(await yard.path()) == {**ORIGINAL, "b.txt": "later\n"}
    await yard.http.patch(f"/api/v1/workspaces/{made['workspace_id']}", json={"ref": "v1"})
    await yard.run("hi")
    assert files(await yard.path()) == ORIGINAL
    await yard.http.patch(f"/api/v1/workspaces/{made['workspace_id']}", json={"ref": "nowhere"})
    assert (await yard.run("hi"))["status"] == "error"
    assert "there is no commit 'nowhere'" in await yard.problem()
    mirrors = yard.home / "data/mirrors"
    assert len([one for one in mirrors.iterdir() if one.is_dir()]) == 1
    await yard.http.delete(f"/api/v1/workspaces/{made['workspace_id']}?force=true")
    assert await tidying.tidy(yard.app.state.engine) == 4
    assert not [one for one in mirrors.iterdir() if one.is_dir()]
    assert remote.is_dir()


async def test_addresses_where_git_may_not_go_are_refused(yard: Yard) -> None:
    wrong = {
        "https://git.example/shop.git": "ARTEL_GIT__HOSTS",
        "https://127.0.0.1/shop.git": "ARTEL_GIT__HOSTS",
        "http://github.com/a/b": "not encrypted",
        "git@github.com:a/b.git": "ARTEL_GIT__SSH",
        "https://who:s3cret@github.com/a/b": "ARTEL_GIT__GITHUB_TOKEN",
        "ext::sh -c id": "https, ssh and folders",
        f"file://{yard.home}": "ARTEL_GIT__LOCAL_REMOTES",
        f"file://{yard.folder}": "no bare repository",
    }
    for source, said in wrong.items():
        told = await yard.http.post("/api/v1/workspaces", json={"name": "far", "source": source})
        assert (source, told.is_error, said in told.text) == (source, True, True), told.text
        assert "s3cret" not in told.text
    body = {"name": "far", "source": "https://github.com/a/b", "mode": "shared"}
    assert "worktree" in (await yard.http.post("/api/v1/workspaces", json=body)).json()["detail"]


async def test_too_large_a_repository_is_not_kept(yard: Yard) -> None:
    (yard.folder / "big").write_bytes(os.urandom(2_000_000))
    yard.repository()
    remote = yard.home / "roots/remote.git"
    git(yard.home, "clone", "-q", "--bare", str(yard.folder), str(remote))
    await yard.register(source=f"file://{remote}", max_mb=1)
    assert (await yard.run("hi"))["status"] == "error"
    assert "more than 1 MB" in await yard.problem()
    assert not [one for one in (yard.home / "data/mirrors").iterdir() if one.is_dir()]
