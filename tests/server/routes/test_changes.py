"""What agents did to the files is told and taken back over the product's own API."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.driver import BUILDERS, OneModel, call, calls, edit
from tests.fakes.served import calling, graphs, serving

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.server.catalog import Catalog, Entry
from artel.server.engine import undo
from artel.storage import snapshots
from artel.tools.policy import Policy, Rule

FREE = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
THREE = (
    calls(edit("a.txt", "one", "ONE")),
    calls(call("write_file", file_path="new.txt", content="new\n")),
    calls(edit("a.txt", "two", "TWO")),
    "done",
)
ORIGINAL = {"a.txt": "one\ntwo\n", "b.txt": "b\n"}
MADE = {"a.txt": "ONE\nTWO\n", "b.txt": "b\n", "new.txt": "new\n"}


@dataclass
class Bench:
    """A served coder with a folder of its own."""

    app: Any
    http: httpx.AsyncClient
    folder: Path
    runs: list[str] = field(default_factory=list)
    thread: str = field(default_factory=lambda: str(uuid4()))
    agent: str = "coder"

    @property
    def files(self) -> dict[str, str]:
        return {path.name: path.read_text() for path in sorted(self.folder.iterdir())}

    async def run(self, *replies: Any, **body: Any) -> str:
        """Let the coder make these replies; the run's id."""
        handles = Handles(
            models=OneModel(scripted(*replies)),
            roots=(self.folder.parent,),
            default_workspace=self.folder,
            policy=FREE,
            snapshot_home=self.folder.parent / "snapshots",
        )
        self.app.state.engine.handles = handles
        words = [{"role": "user", "content": "change the greeting"}]
        asked = {"assistant_id": self.agent, "input": {"messages": words}}
        path = f"/threads/{self.thread}/runs"
        made = await self.http.post(path, json={**asked, "if_not_exists": "create", **body})
        assert made.is_success, made.text
        run_id = str(made.json()["run_id"])
        await self.http.get(f"{path}/{run_id}/join")
        self.runs.append(run_id)
        return run_id

    async def changes(self) -> list[dict[str, Any]]:
        told = await self.http.get(f"/api/v1/threads/{self.thread}/changes")
        assert told.status_code == 200, told.text
        return list(told.json())

    async def undo(self, **body: Any) -> dict[str, Any]:
        told = await self.http.post(f"/api/v1/threads/{self.thread}/undo", json=body)
        assert told.status_code == 200, told.text
        return dict(told.json())


@pytest.fixture
async def bench(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Bench]:
    folder = tmp_path / "work"
    folder.mkdir()
    for name, content in ORIGINAL.items():
        (folder / name).write_text(content)
    entries = {name: Entry(name, BUILDERS[name]()) for name in ("coder", "orchestrator")}
    entries |= {name: Entry(name, graph) for name, graph in graphs().items()}
    async with serving(fresh_dsn, catalog=Catalog(entries)) as app, calling(app) as http:
        yield Bench(app, http, folder)


async def test_three_edits_one_undone_then_the_run_then_all_done_again(bench: Bench) -> None:
    run = await bench.run(*THREE)
    assert bench.files == MADE
    third, second, first = await bench.changes()
    assert [one["paths"][0] for one in (first, second, third)] == [
        {"path": "a.txt", "kind": "changed"},
        {"path": "new.txt", "kind": "added"},
        {"path": "a.txt", "kind": "changed"},
    ]
    assert {one["run_id"] for one in (first, second, third)} == {run}
    assert (first["tool"], second["tool"]) == ("edit_file", "write_file")

    one = await bench.undo(change=second["change_id"])
    assert (one["changed"], one["conflicts"]) == ([{"path": "new.txt", "kind": "deleted"}], [])
    assert bench.files == {name: text for name, text in MADE.items() if name != "new.txt"}

    whole = await bench.undo(run=run)
    assert (whole["changed"], whole["conflicts"]) == ([{"path": "a.txt", "kind": "changed"}], [])
    assert bench.files == ORIGINAL
    told = await bench.changes()
    assert [(each["tool"], each["undone"]) for each in told] == [
        ("undo", False),
        ("undo", True),
        ("edit_file", True),
        ("write_file", True),
        ("edit_file", True),
    ]

    await bench.undo(change=whole["change_id"])
    await bench.undo(change=one["change_id"])
    assert bench.files == MADE
    assert not any(each["undone"] for each in await bench.changes() if each["tool"] != "undo")


async def test_to_a_change_takes_back_all_after_it_too(bench: Bench) -> None:
    begun = (calls(edit("a.txt", "one", "1")), "done")
    await bench.run(*begun)
    await bench.run(*begun, calls(edit("a.txt", "two", "2")), calls(edit("b.txt", "b", "B")), "done")
    (_, second, first) = await bench.changes()
    await bench.undo(to=second["change_id"])
    assert bench.files == {"a.txt": "1\ntwo\n", "b.txt": "b\n"}
    await bench.undo(to=first["change_id"])
    assert bench.files == ORIGINAL


async def test_one_change_under_a_later_one_and_work_of_others_are_conflicts(bench: Bench) -> None:
    await bench.run(*THREE)
    (bench.folder / "new.txt").write_text("mine\n")
    _, second, first = await bench.changes()
    for change in (first, second):
        told = await bench.undo(change=change["change_id"])
        assert (told["change_id"], told["changed"]) == (None, [])
        assert [one["path"] for one in told["conflicts"]] == [change["paths"][0]["path"]]
    assert bench.files == {**MADE, "new.txt": "mine\n"}
    forced = await bench.undo(change=second["change_id"], force=True)
    assert forced["changed"] == [{"path": "new.txt", "kind": "deleted"}]
    await bench.undo(change=forced["change_id"])
    assert bench.files["new.txt"] == "mine\n"


async def test_one_file_of_a_change_is_taken_back_and_the_others_stay(bench: Bench) -> None:
    two = calls(edit("a.txt", "one", "ONE"), call("write_file", file_path="new.txt", content="new\n"))
    run = await bench.run(two, "done")

    strange = await bench.http.post(
        f"/api/v1/threads/{bench.thread}/undo", json={"run": run, "paths": ["b.txt"]}
    )
    undone = await bench.undo(run=run, paths=["a.txt"])

    assert strange.status_code == 422
    assert "did not touch 'b.txt'; they touched a.txt, new.txt" in strange.text
    assert [one["path"] for one in undone["changed"]] == ["a.txt"]
    assert bench.files == {**ORIGINAL, "new.txt": "new\n"}
    assert not any(change["undone"] for change in await bench.changes())
    edited = next(change["tool_call_id"] for change in await bench.changes() if change["tool"] == "edit_file")
    told = await bench.http.get(f"/api/v1/threads/{bench.thread}/changes?tool_call_id={edited}")
    assert [one["tool"] for one in told.json()] == ["edit_file"]
    assert (await bench.undo(change=undone["change_id"]))["conflicts"] == []
    assert bench.files == {**ORIGINAL, "a.txt": "ONE\ntwo\n", "new.txt": "new\n"}


async def test_a_change_is_shown_with_its_diff(bench: Bench) -> None:
    await bench.run(*THREE)
    first = (await bench.changes())[-1]
    path = f"/api/v1/threads/{bench.thread}/changes"
    told = (await bench.http.get(f"{path}/{first['change_id']}")).json()
    assert "-one\n+ONE\n" in told["diff"]
    assert told["paths"] == first["paths"]
    assert len((await bench.http.get(f"{path}?limit=1&offset=1")).json()) == 1


async def test_the_files_of_a_checkpoint_come_back_for_a_fork(bench: Bench) -> None:
    await bench.run(*THREE)
    history = (await bench.http.post(f"/threads/{bench.thread}/history", json={"limit": 50})).json()
    states = [one for one in reversed(history) if one["next"]]
    path = f"/api/v1/threads/{bench.thread}/files"
    seen: list[dict[str, str]] = []
    for state in states:
        told = await bench.http.post(path, json={"checkpoint_id": state["checkpoint"]["checkpoint_id"]})
        assert (told.status_code, told.json().get("conflicts")) == (200, [])
        if not seen or seen[-1] != bench.files:
            seen.append(bench.files)
    one, two = {**ORIGINAL, "a.txt": "ONE\ntwo\n"}, {**MADE, "a.txt": "ONE\ntwo\n"}
    assert seen == [ORIGINAL, one, two, MADE]
    begun = states[0]["checkpoint"]["checkpoint_id"]
    await bench.http.post(path, json={"checkpoint_id": begun})
    assert bench.files == ORIGINAL
    again = {"checkpoint_id": begun, "input": None}
    await bench.run(calls(edit("b.txt", "b", "fork")), "done", **again)
    assert bench.files == {**ORIGINAL, "b.txt": "fork\n"}


async def test_the_changes_of_a_sub_agent_belong_to_the_thread_s_checkpoints(bench: Bench) -> None:
    bench.agent = "orchestrator"
    await bench.run(*THREE)
    assert bench.files == MADE
    history = (await bench.http.post(f"/threads/{bench.thread}/history", json={"limit": 50})).json()
    path = f"/api/v1/threads/{bench.thread}/files"
    for state, wanted in ((history[-1], ORIGINAL), (history[0], MADE)):
        told = await bench.http.post(path, json={"checkpoint_id": state["checkpoint"]["checkpoint_id"]})
        assert (told.status_code, bench.files) == (200, wanted)


async def test_what_others_made_since_a_checkpoint_stays(bench: Bench) -> None:
    await bench.run(*THREE)
    (bench.folder / "mine.txt").write_text("mine")
    history = (await bench.http.post(f"/threads/{bench.thread}/history", json={"limit": 50})).json()
    begun = next(one for one in reversed(history) if one["next"])["checkpoint"]["checkpoint_id"]
    path = f"/api/v1/threads/{bench.thread}/files"
    told = (await bench.http.post(path, json={"checkpoint_id": begun})).json()
    assert [one["path"] for one in told["conflicts"]] == ["mine.txt"]
    assert bench.files == {**ORIGINAL, "mine.txt": "mine"}


async def test_nothing_is_undone_while_a_run_is_busy_on_the_thread(bench: Bench) -> None:
    await bench.run(*THREE)
    change = (await bench.changes())[0]
    body = {"assistant_id": "slow", "input": {"n": 20}}
    run = (await bench.http.post(f"/threads/{bench.thread}/runs", json=body)).json()["run_id"]
    for path, asked in (
        ("undo", {"change": change["change_id"]}),
        ("files", {"checkpoint_id": change["checkpoint_id"]}),
    ):
        told = await bench.http.post(f"/api/v1/threads/{bench.thread}/{path}", json=asked)
        assert (told.status_code, told.json()["code"]) == (409, "thread_busy")
    assert bench.files == MADE
    await bench.http.post(f"/threads/{bench.thread}/runs/{run}/cancel?wait=true")
    assert (await bench.undo(change=change["change_id"]))["changed"]


async def test_of_two_undos_at_once_one_changes_something(bench: Bench) -> None:
    run = await bench.run(*THREE)
    both = await asyncio.gather(bench.undo(run=run), bench.undo(run=run))
    assert sorted(len(told["changed"]) for told in both) == [0, 2]
    assert bench.files == ORIGINAL


async def test_threads_of_others_are_not_there(bench: Bench) -> None:
    ann = called_by(bench.app, "ann", OwnOnly())
    bob = called_by(bench.app, "bob", OwnOnly())
    async with ann, bob:
        mine = Bench(bench.app, ann, bench.folder)
        await mine.run(*THREE)
        change = (await mine.changes())[0]
        path = f"/api/v1/threads/{mine.thread}"
        asked: list[tuple[str, str, Any]] = [
            ("GET", f"{path}/changes", None),
            ("GET", f"{path}/changes/{change['change_id']}", None),
            ("POST", f"{path}/undo", {"change": change["change_id"]}),
            ("POST", f"{path}/undo", {"run": change["run_id"], "force": True}),
            ("POST", f"{path}/files", {"checkpoint_id": change["checkpoint_id"]}),
        ]
        for method, where, body in asked:
            told = await bob.request(method, where, json=body)
            assert (where, told.status_code) == (where, 404)
        assert bench.files == MADE
        assert (await mine.undo(change=change["change_id"]))["changed"]


async def test_what_cannot_be_undone_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    run = await bench.run(*THREE)
    change = (await bench.changes())[0]["change_id"]
    path = f"/api/v1/threads/{bench.thread}/undo"
    wrong: list[tuple[dict[str, Any], int, str]] = [
        ({}, 422, "one of to, change and run"),
        ({"to": change, "run": run}, 422, "one of to, change and run"),
        ({"change": "x"}, 422, "change"),
        ({"change": str(uuid4())}, 404, "no change"),
        ({"to": str(uuid4())}, 404, "no change"),
        ({"run": str(uuid4())}, 404, "changed no files"),
    ]
    for body, status, said in wrong:
        told = await bench.http.post(path, json=body)
        assert (told.status_code, said in told.json()["detail"]) == (status, True), told.text
    nowhere = await bench.http.post(
        f"/api/v1/threads/{bench.thread}/files", json={"checkpoint_id": "nowhere"}
    )
    assert nowhere.status_code == 404

    home = bench.folder.parent / "snapshots"
    home.rename(home.with_name("elsewhere"))
    told = await bench.http.post(path, json={"change": change})
    assert (told.status_code, told.json()["code"]) == (410, "snapshot_gone")
    home.with_name("elsewhere").rename(bench.folder.parent / "gone")
    assert bench.files == MADE


async def test_what_could_not_be_kept_is_said(bench: Bench) -> None:
    ignored = call("write_file", file_path="build/x", content="1")
    run = await bench.run(calls(ignored), calls(edit("a.txt", "one", "1")), "done")
    edited, made = await bench.changes()
    assert ("ignored" in made["problem"], edited["problem"]) == (True, None)
    told = await bench.undo(run=run)
    assert (len(told["changed"]), told["problems"]) == (1, [made["problem"]])
    assert (bench.folder / "build/x").read_text() == "1"

    engine = bench.app.state.engine
    async with engine.db.connection() as conn:
        await conn.execute("update snapshots set before = null, problem = 'no room'")
    refused = await bench.http.post(
        f"/api/v1/threads/{bench.thread}/undo", json={"change": edited["change_id"]}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "not_kept")
    assert "no room" in refused.json()["detail"]


async def test_a_folder_that_is_no_workspace_any_more_is_left_alone(bench: Bench) -> None:
    await bench.run(*THREE)
    change = (await bench.changes())[0]["change_id"]
    engine = bench.app.state.engine
    engine.handles = replace(engine.handles, roots=(bench.folder / "elsewhere",))
    told = await bench.http.post(f"/api/v1/threads/{bench.thread}/undo", json={"change": change})
    assert (told.status_code, told.json()["code"]) == (403, "outside_workspace")
    assert bench.files == MADE


async def test_old_changes_are_let_go(bench: Bench) -> None:
    await bench.run(*THREE)
    engine = bench.app.state.engine
    async with engine.db.connection() as conn:
        await conn.execute("update snapshots set begun_at = now() - interval '40 days'")
        assert await snapshots.prune(conn, engine.settings.snapshot_ttl_h * 3600) == 3
    assert await bench.changes() == []
    assert undo._prune(engine, 3600) == 0
