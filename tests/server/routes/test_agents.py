"""Anybody may see the roles that there are, try a text as one, and have an agent work in it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import pytest
from tests.fakes.driver import OneModel, calls, edit
from tests.fakes.served import calling, serving

from artel.graphs.context import Handles
from artel.graphs.models.scripted import Scripted, scripted
from artel.graphs.roles import built_in
from artel.server.catalog import Catalog

TEXT = "---\ntitle: Scribe\ndescription: Writes notes.\ntools: [read, write]\nwrites: ['*.txt']\n---\n{say}\n"
YES = {"type": "approve"}


class Shop:
    """A server of our own agents, and two folders for them."""

    def __init__(self, http: httpx.AsyncClient, app: Any, home: Path) -> None:
        self.http, self.app, self.home = http, app, home
        self.model: Scripted = scripted()

    def put(self, folder: str, name: str, text: str) -> Path:
        agents = self.home / folder / ".artel/agents"
        agents.mkdir(parents=True, exist_ok=True)
        (agents / f"{name}.md").write_text(text)
        (self.home / folder / "notes.txt").write_text("hello\n")
        return self.home / folder

    def plays(self, *replies: Any) -> None:
        self.model = scripted(*replies)
        home = (self.home / "one").resolve()
        self.app.state.engine.handles = Handles(
            OneModel(self.model), (self.home.resolve(),), home, snapshot_home=self.home / "kept"
        )

    async def run(self, thread: str = "", **body: Any) -> dict[str, Any]:
        """A run of the graph `agent`, joined."""
        path = f"/threads/{thread or uuid4()}/runs"
        asked = {"assistant_id": "agent", "input": {"messages": [{"role": "user", "content": "go"}]}, **body}
        made = await self.http.post(path, json={**asked, "if_not_exists": "create"})
        assert made.is_success, made.text
        run = f"{path}/{made.json()['run_id']}"
        await self.http.get(f"{run}/join")
        return dict((await self.http.get(run)).json())

    async def state(self, thread: str) -> Any:
        told = await self.http.get(f"/threads/{thread}/state")
        assert told.status_code == 200, told.text
        return told.json()

    async def problem(self, thread: str) -> str:
        async with self.app.state.engine.db.connection() as conn:
            asked = "select error ->> 'message' as said from threads where thread_id = %s"
            row = await (await conn.execute(asked, (thread,))).fetchone()
        return str(row["said"])

    @property
    def heard(self) -> str:
        """The prompt of the agent that worked."""
        return str(self.model.asked[-1][0].content)


@pytest.fixture
async def shop(fresh_dsn: str, tmp_path: Path) -> AsyncIterator[Shop]:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    async with serving(fresh_dsn, catalog=Catalog.built_in()) as app, calling(app) as http:
        opened = Shop(http, app, tmp_path)
        opened.plays("hello")
        yield opened


async def listed(shop: Shop, workspace: str = "") -> dict[str, Any]:
    told = await shop.http.get("/api/v1/agents", params={"workspace": workspace})
    assert told.status_code == 200, told.text
    return {one["name"]: one for one in told.json()}


async def test_roles_that_are_built_in_and_those_of_a_folder_are_listed_wrong_ones_too(shop: Shop) -> None:
    two = shop.put("two", "scribe", TEXT.format(say="You write."))
    shop.put("two", "broken", "none")
    assert list(await listed(shop)) == list(built_in())
    found = await listed(shop, str(two))
    assert list(found) == [*built_in(), "broken", "scribe"]
    assert found["reviewer"] | {"output": []} == {
        "name": "reviewer",
        "source": "built-in",
        "error": "",
        "title": "Reviewer",
        "description": built_in()["reviewer"].description,
        "tools": list(built_in()["reviewer"].tools),
        "writes": [],
        "output": [],
        "model": "",
        "budget": {},
    }
    assert (found["scribe"]["source"], found["scribe"]["writes"]) == ("workspace", ["*.txt"])
    assert found["broken"]["error"].startswith(".artel/agents/broken.md must begin")


async def test_a_registered_workspace_is_looked_at_by_its_name(shop: Shop) -> None:
    two = shop.put("two", "scribe", TEXT.format(say="You write."))
    made = await shop.http.post("/api/v1/workspaces", json={"name": "shop", "source": str(two)})
    assert made.status_code == 201
    assert "scribe" in await listed(shop, "shop")


@pytest.mark.parametrize(
    ("workspace", "status", "code"),
    [
        ("/etc", 403, "outside_workspace"),
        ("nowhere", 404, "unknown_workspace"),
        ("\0", 422, "invalid"),
        ("/" + "x" * 3_000, 422, "invalid"),
        ("/\n", 422, "bad_path"),
        ("~/x", 422, "bad_path"),
    ],
)
async def test_a_folder_that_nobody_may_see_is_refused(
    shop: Shop, workspace: str, status: int, code: str
) -> None:
    told = await shop.http.get("/api/v1/agents", params={"workspace": workspace})
    assert (told.status_code, told.json()["code"]) == (status, code)


async def test_a_text_is_tried_and_nothing_is_kept(shop: Shop) -> None:
    body = {"text": TEXT.format(say="You write."), "name": "scribe"}
    told = await shop.http.post("/api/v1/agents/check", json=body)
    assert told.status_code == 200
    assert (told.json()["name"], told.json()["title"], told.json()["source"]) == ("scribe", "Scribe", "given")
    assert "scribe" not in await listed(shop)


@pytest.mark.parametrize(
    ("body", "code", "says"),
    [
        ({"text": "x"}, "role_wrong", "text must begin with its front matter"),
        ({"text": TEXT, "name": "coder"}, "role_wrong", "coder is the name of an agent"),
        ({"text": TEXT, "name": "../x"}, "role_wrong", "name: String should match"),
        ({"text": TEXT.replace("read, write", "raed")}, "role_wrong", "there is no tool 'raed'; there are"),
        ({"text": "a\0b"}, "invalid", "text"),
        ({"text": "x" * 70_000}, "invalid", "text"),
        ({"text": "---\ntitle: " + "[" * 7_000 + "\n---\nx"}, "role_wrong", "is no YAML"),
        ({}, "invalid", "text is required"),
    ],
)
async def test_what_is_no_role_is_said(shop: Shop, body: Any, code: str, says: str) -> None:
    told = await shop.http.post("/api/v1/agents/check", json=body)
    assert (told.status_code, told.json()["code"]) == (422, code)
    assert says in told.json()["detail"]


async def test_without_agents_of_ours_there_are_none(fresh_dsn: str) -> None:
    async with serving(fresh_dsn) as app, calling(app) as http:
        for told in (
            await http.get("/api/v1/agents"),
            await http.post("/api/v1/agents/check", json={"text": TEXT}),
        ):
            assert (told.status_code, told.json()["code"]) == (404, "no_agents")


async def test_the_policy_explains_a_call_of_a_held_agent(shop: Shop) -> None:
    two = shop.put("two", "scribe", TEXT.format(say="You write."))
    told = {}
    for agent in ("coder", "architect", "scribe"):
        write = {"tool": "write_file", "args": {"file_path": "a.py", "content": ""}, "workspace": str(two)}
        answer = await shop.http.post("/api/v1/policy/explain", json={"agent": agent, **write})
        told[agent] = answer.json()["rule"]
    assert told == {"coder": "write", "architect": "role:writes", "scribe": "role:writes"}


async def test_an_agent_of_a_workspace_works_and_its_folder_is_remembered(shop: Shop) -> None:
    """Both folders have a role of that name: a later run that names none means the thread's own."""
    shop.put("one", "scribe", TEXT.format(say="You are the first."))
    two = shop.put("two", "scribe", TEXT.format(say="You are the second."))
    thread = str(uuid4())
    shop.plays(calls(edit("notes.txt", "hello", "bye")), "done", "again")
    await shop.run(thread, context={"role": "scribe", "workspace": str(two)})
    assert len((await shop.state(thread))["interrupts"]) == 1
    assert shop.heard.startswith("You are the second.")
    done = await shop.run(thread, input=None, command={"resume": YES}, context={"role": "scribe"})
    assert done["status"] == "success", await shop.problem(thread)
    assert (two / "notes.txt").read_text() == "bye\n"
    assert (await shop.run(thread, context={"role": "scribe"}))["status"] == "success"
    assert shop.heard.startswith("You are the second.")
    assert (await shop.run(context={"role": "scribe"}))["status"] == "success"
    assert shop.heard.startswith("You are the first.")


async def test_a_registered_copy_has_the_role_that_was_there(shop: Shop) -> None:
    two = shop.put("two", "scribe", TEXT.format(say="You are the second."))
    await shop.http.post("/api/v1/workspaces", json={"name": "shop", "source": str(two)})
    thread = str(uuid4())
    done = await shop.run(thread, context={"role": "scribe", "workspace": "shop"})
    assert done["status"] == "success", await shop.problem(thread)
    assert shop.heard.startswith("You are the second.")


async def test_an_assistant_carries_a_role_and_its_versions_too(shop: Shop) -> None:
    made = await shop.http.post(
        "/assistants",
        json={
            "graph_id": "agent",
            "name": "scribe",
            "context": {"role_text": TEXT.format(say="You are v1.")},
        },
    )
    name = made.json()["assistant_id"]
    assert (await shop.run(assistant_id=name))["status"] == "success"
    assert shop.heard.startswith("You are v1.")
    await shop.http.patch(
        f"/assistants/{name}", json={"context": {"role_text": TEXT.format(say="You are v2.")}}
    )
    await shop.run(assistant_id=name)
    assert shop.heard.startswith("You are v2.")
    await shop.http.post(f"/assistants/{name}/latest", json={"version": 1})
    await shop.run(assistant_id=name)
    assert shop.heard.startswith("You are v1.")
    schemas = (await shop.http.get(f"/assistants/{name}/schemas")).json()
    assert {"role", "role_text", "workspace"} <= set(schemas["context_schema"]["properties"])


@pytest.mark.parametrize(
    ("context", "says"),
    [
        ({"role": "scrib"}, "there is no role 'scrib' in"),
        ({}, "context.role must name a role: one of architect"),
        ({"role_text": "x"}, "context.role_text must begin with its front matter"),
        ({"role": ["x"]}, "context.role: Input should be a valid string"),
        ({"role": "a", "role_text": "b"}, "context has both role and role_text"),
        ({"role": "../x", "workspace": "shop"}, "there is no role '../x'; there are architect"),
    ],
)
async def test_a_wrong_role_is_refused_with_what_would_be_right_and_there_is_no_run(
    shop: Shop, context: dict[str, Any], says: str
) -> None:
    body = {"assistant_id": "agent", "input": {}, "context": context}
    thread = str((await shop.http.post("/threads", json={})).json()["thread_id"])
    for path in (f"/threads/{thread}/runs", "/runs", "/runs/wait"):
        told = await shop.http.post(path, json=body)
        assert (told.status_code, told.json()["code"]) == (422, "role_wrong")
        assert says in told.json()["detail"]
    assert (await shop.http.get(f"/threads/{thread}/runs")).json() == []
    made = await shop.http.post("/assistants", json={"graph_id": "agent", "context": context})
    assert made.status_code == (422 if context else 200)


async def test_an_assistant_is_not_changed_to_a_wrong_role(shop: Shop) -> None:
    made = (await shop.http.post("/assistants", json={"graph_id": "agent"})).json()["assistant_id"]
    told = await shop.http.patch(f"/assistants/{made}", json={"context": {"role": "scrib"}})
    assert (told.status_code, told.json()["code"]) == (422, "role_wrong")
    assert (await shop.http.patch(f"/assistants/{made}", json={"context": {"role": "ask"}})).is_success


async def test_a_role_whose_folder_is_not_known_before_is_looked_for_by_the_run(shop: Shop) -> None:
    for context, says in (
        ({"role": "scribe", "workspace": "/etc"}, "not below an allowed workspace root"),
        ({"role": "scrib", "workspace": "shop"}, "shop"),
    ):
        thread = str(uuid4())
        assert (await shop.run(thread, context=context))["status"] == "error"
        assert says in await shop.problem(thread)
    assert shop.model.asked == []


async def test_a_thread_can_be_read_when_its_role_is_gone(shop: Shop) -> None:
    two = shop.put("two", "scribe", TEXT.format(say="You write."))
    thread = str(uuid4())
    context = {"role": "scribe", "workspace": str(two)}
    shop.plays(calls(edit("notes.txt", "hello", "bye")), "done")
    await shop.run(thread, context=context)
    (two / ".artel/agents/scribe.md").unlink()
    state = await shop.state(thread)
    assert len(state["interrupts"]) == 1
    assert state["next"] == ["tools"]
    assert (await shop.http.post(f"/threads/{thread}/history", json={"limit": 5})).status_code == 200
    told = await shop.http.post(
        f"/threads/{thread}/runs", json={"assistant_id": "agent", "input": {}, "context": context}
    )
    assert told.status_code == 422
    assert "there is no role 'scribe'" in told.text


@pytest.mark.parametrize("name", built_in())
async def test_every_role_is_an_assistant(shop: Shop, name: str) -> None:
    (found,) = (await shop.http.post("/assistants/search", json={"graph_id": name})).json()
    assert found["description"] == built_in()[name].description
    shop.plays("hello")
    assert (await shop.run(assistant_id=name))["status"] == "success"
    assert shop.heard.startswith(built_in()[name].prompt)
