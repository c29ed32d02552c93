"""A program publishes the folder of a thread over the product's own API, and a person says yes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.callers import OwnOnly, called_by
from tests.fakes.driver import BUILDERS, OneModel
from tests.fakes.gates import FORBIDDEN, put_up
from tests.fakes.served import calling, graphs, serving
from tests.graphs.workflows.conftest import git

from artel.graphs.context import Handles
from artel.graphs.models.scripted import scripted
from artel.graphs.workflows import publish
from artel.server.catalog import Catalog, Entry

ASKED = {"title": "Say bye", "description": "It is late."}
YES = {"decision": {"type": "approve"}}


@dataclass
class Bench:
    """A served folder that is a repository, and a thread that works in it."""

    app: Any
    http: httpx.AsyncClient
    folder: Path
    bare: Path
    thread: str

    async def publish(self, *, thread: str = "", **body: Any) -> dict[str, Any]:
        told = await self.http.post(
            f"/api/v1/threads/{thread or self.thread}/publish", json={**ASKED, **body}
        )
        assert told.status_code == 202, told.text
        began = dict(told.json())
        await self.join(began)
        return began

    async def join(self, run: dict[str, Any]) -> None:
        await self.http.get(f"/threads/{run['thread_id']}/runs/{run['run_id']}/join")

    async def asked(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        query = {"thread_id": run["thread_id"], "status": "pending"}
        return list((await self.http.get("/api/v1/approvals", params=query)).json())

    async def answer(self, run: dict[str, Any], answer: dict[str, Any] = YES) -> dict[str, Any]:
        (question,) = await self.asked(run)
        told = await self.http.post(f"/api/v1/approvals/{question['approval_id']}", json=answer)
        assert told.status_code == 202, told.text
        await self.join(told.json())
        return await self.result(run)

    async def result(self, run: dict[str, Any]) -> dict[str, Any]:
        state = (await self.http.get(f"/threads/{run['thread_id']}/state")).json()
        return dict(state["values"]["publication"])

    @property
    def sent(self) -> list[str]:
        return git(self.bare, "for-each-ref", "--format=%(refname)").splitlines()


@pytest.fixture
async def bench(fresh_dsn: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    put_up(monkeypatch)
    folder, bare = tmp_path / "work", tmp_path / "remote.git"
    folder.mkdir()
    (folder / "a.py").write_text("hello = 1\n")
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "First")
    git(folder, "clone", "-q", "--bare", str(folder), str(bare))
    git(folder, "remote", "add", "origin", str(bare))
    (folder / "a.py").write_text("bye = 1\n")
    handles = Handles(
        models=OneModel(scripted()),
        roots=(tmp_path,),
        default_workspace=tmp_path,
        snapshot_home=tmp_path / "snapshots",
        thread_home=tmp_path / "data/threads",
    )
    entries = {"coder": Entry("coder", BUILDERS["coder"]()), "publish": Entry("publish", publish.build())}
    async with (
        serving(fresh_dsn, catalog=Catalog(entries), handles=handles) as app,
        calling(app) as http,
    ):
        made = await http.post("/threads", json={"metadata": {"workspace": str(folder)}})
        yield Bench(app, http, folder, bare, made.json()["thread_id"])


async def test_what_a_thread_did_in_a_checkout_of_its_own_is_published(bench: Bench, tmp_path: Path) -> None:
    git(bench.folder, "commit", "-qam", "Bye")
    git(bench.folder, "push", "-q", "origin", "main")
    named = {"name": "shop", "kind": "folder", "source": str(bench.folder), "mode": "worktree"}
    registered = (await bench.http.post("/api/v1/workspaces", json=named)).json()
    engine = bench.app.state.engine
    engine.handles = replace(
        engine.handles, models=OneModel(scripted("hi")), roots=(bench.folder, bench.bare)
    )
    said = {"messages": [{"role": "user", "content": "hi"}]}
    body = {"assistant_id": "coder", "input": said, "context": {"workspace": "shop"}}
    await bench.http.post(f"/threads/{bench.thread}/runs/wait", json=body)
    (own,) = (await bench.http.get(f"/api/v1/workspaces/{registered['workspace_id']}/threads")).json()
    (Path(own["path"]) / "a.py").write_text("bye = 2\n")

    assert (await bench.http.get(f"/api/v1/threads/{bench.thread}/gate")).json()["passed"]
    run = await bench.publish()
    assert (await bench.answer(run))["status"] == "published"
    (branch,) = [ref for ref in bench.sent if ref.startswith("refs/heads/user/")]
    assert git(bench.bare, "show", f"{branch}:a.py") == "bye = 2"
    assert (bench.folder / "a.py").read_text() == "bye = 1\n"

    words = {
        "assistant_id": "publish",
        "input": {**ASKED, "workspace": own["path"]},
        "if_not_exists": "create",
    }
    stolen = str(uuid4())
    await bench.http.post(f"/threads/{stolen}/runs/wait", json=words)
    assert (await bench.result({"thread_id": stolen}))["status"] == "failed"


async def test_a_thread_is_published_after_a_yes_and_the_audit_log_tells_of_it(bench: Bench) -> None:
    run = await bench.publish()
    (question,) = await bench.asked(run)
    assert (question["tool"], question["kind"], question["args"]["title"]) == (
        "publish",
        "tool_call",
        "Say bye",
    )
    artel = question["value"]["artel"]
    assert (artel["address"], "+bye = 1" in artel["diff"]) == (str(bench.bare), True)
    result = await bench.answer(run)
    assert result["status"] == "published"
    assert bench.sent == ["refs/artel/pulls/1", "refs/heads/main", f"refs/heads/{result['branch']}"]
    thread = (await bench.http.get(f"/threads/{run['thread_id']}")).json()
    assert thread["metadata"]["published_from"] == bench.thread
    found = (await bench.http.get("/api/v1/audit", params={"thread_id": run["thread_id"]})).json()
    assert {one["kind"] for one in found} == {"verdict", "decision", "intent", "result"}
    assert {one["tool"] for one in found} == {"publish"}
    effects = [one["said"]["summary"] for one in reversed(found) if one["kind"] == "result"]
    commit = result["commit"][:10]
    assert [each.split(",")[0].split(" user/")[0] for each in effects] == [
        "Commit 1 files",
        f"Push {commit} as",
        "Ask to merge",
    ]


async def test_a_second_time_is_the_same_thread_and_branch_and_makes_nothing_twice(bench: Bench) -> None:
    first = await bench.publish()
    one = await bench.answer(first)
    second = await bench.publish()
    two = await bench.answer(second)
    assert (second["thread_id"], two) == (first["thread_id"], one)
    assert len(bench.sent) == 3


async def test_of_two_at_once_one_is_told_to_wait_and_a_later_one_takes_the_place_of_a_question(
    bench: Bench,
) -> None:
    path = f"/api/v1/threads/{bench.thread}/publish"
    both = await asyncio.gather(*(bench.http.post(path, json=ASKED) for _ in range(2)))
    begun, refused = sorted(both, key=lambda told: told.status_code)
    assert (begun.status_code, refused.status_code) == (202, 409)
    assert refused.json()["code"] == "thread_busy"
    await bench.join(begun.json())
    (first,) = await bench.asked(begun.json())
    later = await bench.publish(title="Better words")
    stale = await bench.http.post(f"/api/v1/approvals/{first['approval_id']}", json=YES)
    assert (stale.status_code, stale.json()["code"]) == (409, "superseded")
    result = await bench.answer(later)
    assert git(bench.bare, "log", "-1", "--format=%s", result["branch"]) == "Better words"
    assert git(bench.bare, "rev-list", "--count", result["branch"]) == "2"


async def test_the_same_key_again_is_the_same_run(bench: Bench) -> None:
    path, key = f"/api/v1/threads/{bench.thread}/publish", {"Idempotency-Key": "once"}
    first, again = [await bench.http.post(path, json=ASKED, headers=key) for _ in range(2)]
    assert first.json() == again.json()
    other = await bench.http.post(path, json={"title": "Other"}, headers=key)
    assert other.json()["code"] == "idempotency_mismatch"
    await bench.join(first.json())


async def test_a_red_gate_is_told_before_and_by_the_run(bench: Bench) -> None:
    (bench.folder / "a.py").write_text(f"{FORBIDDEN} = 1\n")
    run = await bench.publish(paths=["a.py"])
    assert await bench.asked(run) == []
    assert (await bench.result(run))["status"] == "red"
    told = await bench.http.get(f"/api/v1/threads/{bench.thread}/gate")
    assert (told.status_code, set(told.json())) == (
        200,
        {"passed", "checks", "files", "base", "tree", "config"},
    )
    assert bench.sent == ["refs/heads/main"]


async def test_a_thread_of_nobody_and_a_folder_outside_are_refused(bench: Bench) -> None:
    for method, path, body in (("POST", "publish", ASKED), ("GET", "gate", None)):
        told = await bench.http.request(method, f"/api/v1/threads/{uuid4()}/{path}", json=body)
        assert told.status_code == 404
    made = await bench.http.post("/threads", json={"metadata": {"workspace": "/etc"}})
    told = await bench.http.get(f"/api/v1/threads/{made.json()['thread_id']}/gate")
    assert (told.status_code, told.json()["code"]) == (403, "outside_workspace")
    run = await bench.publish(thread=made.json()["thread_id"])
    assert "is not below an allowed workspace root" in (await bench.result(run))["reason"]


@pytest.mark.parametrize(
    "body", [{}, {"title": ""}, {"title": "x" * 256}, {"title": "a\0"}, {"title": "x", "paths": "a"}]
)
async def test_a_body_that_says_nothing_is_refused(bench: Bench, body: dict[str, Any]) -> None:
    told = await bench.http.post(f"/api/v1/threads/{bench.thread}/publish", json=body)
    assert told.status_code == 422


async def test_a_server_without_our_agents_has_neither(fresh_dsn: str) -> None:
    entries = {name: Entry(name, graph) for name, graph in graphs().items()}
    async with serving(fresh_dsn, catalog=Catalog(entries)) as app, calling(app) as http:
        path = f"/api/v1/threads/{uuid4()}"
        assert (await http.post(f"{path}/publish", json=ASKED)).json()["code"] == "no_agents"
        assert (await http.get(f"{path}/gate")).json()["code"] == "no_agents"


async def test_what_somebody_publishes_bears_their_name_and_others_cannot(bench: Bench) -> None:
    ann = called_by(bench.app, "ann", OwnOnly())
    bob = called_by(bench.app, "bob", OwnOnly())
    async with ann, bob:
        made = await ann.post("/threads", json={"metadata": {"workspace": str(bench.folder)}})
        bench.thread, bench.http = made.json()["thread_id"], ann
        run = await bench.publish()
        (question,) = await bench.asked(run)
        assert question["value"]["artel"]["branch"].startswith("user/ann/feature-")
        path = f"/api/v1/threads/{bench.thread}"
        assert (await bob.get(f"{path}/gate")).status_code == 404
        assert (await bob.post(f"{path}/publish", json=ASKED)).status_code == 404
        refused = await bob.post(f"/api/v1/approvals/{question['approval_id']}", json=YES)
        assert refused.status_code == 404
        assert (await bench.answer(run))["status"] == "published"


async def test_it_is_listed_as_a_workflow_so_that_the_page_offers_it_to_nobody(bench: Bench) -> None:
    found = (await bench.http.post("/assistants/search", json={"limit": 10})).json()
    kinds = {one["graph_id"]: one["metadata"].get("kind") for one in found}
    assert kinds == {"coder": None, "publish": "workflow"}
