"""A plan of four steps on a real server that is killed after each of them."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.fakes.driver import calls, edit
from tests.fakes.plans import SILENT, on, plan, step, submits

from .conftest import Server

pytestmark = pytest.mark.journey

FILES = {"a.txt": "one\n", "b.txt": "two\n", "c.txt": "three\n"}
NEW = {"a.txt": "ONE\n", "b.txt": "TWO\n", "c.txt": "THREE\n"}
WORDS = {"a.txt": "first", "b.txt": "second", "c.txt": "third"}
MADE = plan(
    step("a", "Raise the first word", checks=["grep -q ONE a.txt"]),
    step("b", "Raise the second word", depends_on=["a"]),
    step("look", "Look at both", agent="ask", depends_on=["b"]),
    step("c", "Raise the third word", depends_on=["look"]),
    goal="All words are raised",
)


def raised(path: str) -> dict[str, Any]:
    change = calls(edit(path, FILES[path].strip(), NEW[path].strip()))
    return on(f"Raise the {WORDS[path]}", change)


SCRIPT = [
    MADE,
    SILENT,
    raised("c.txt"),  # from the last: a brief names the steps before its own, too
    on("Look at both", submits("both are raised", open_questions=["And the others?"])),
    raised("b.txt"),
    raised("a.txt"),
    "unused",
    submits("raised"),
]


class Person:
    """Says yes to everything, to a server that is killed before some of the answers."""

    def __init__(self, server: Server, project: Path) -> None:
        self.server, self.project, self.thread = server, project, ""

    async def call(self, method: str, path: str, **body: Any) -> Any:
        async with httpx.AsyncClient(base_url=f"{self.server.url}/api/v1", timeout=30) as client:
            answer = await client.request(method, path, json=body or None)
        assert answer.is_success, f"{answer.text}\n{self.server.log}"
        return answer.json()

    async def asks(self) -> None:
        self.thread = (await self.server.client.threads.create())["thread_id"]
        said: dict[str, Any] = {"messages": [{"role": "user", "content": "Составь план и подними слова"}]}
        context = {"workspace": str(self.project)}
        await self.server.client.runs.wait(self.thread, "orchestrator", input=said, context=context)

    async def yes(self, *, dies: str) -> bool:
        """Approve what is asked; whether something was. The server dies before, or while it works on it."""
        open_ = await self.call("GET", f"/approvals?status=pending&thread_id={self.thread}")
        if not open_:
            return False
        if dies == "before":
            self.again()
        run = await self.call("POST", f"/approvals/{open_[0]['approval_id']}", decision={"type": "approve"})
        if dies == "while":
            await asyncio.sleep(0.15)
            self.again()
        await self.server.client.runs.join(self.thread, str(run["run_id"]))
        return True

    def again(self) -> None:
        self.server.kill()
        self.server.start()

    async def came(self) -> dict[str, Any]:
        state: Any = await self.server.client.threads.get_state(self.thread)
        return {key: state["values"][key] for key in ("plan", "result")}


async def carried_out(person: Person, *dies: str) -> dict[str, Any]:
    for path, text in FILES.items():
        (person.project / path).write_text(text)
    await person.asks()
    for number in range(20):
        if not await person.yes(dies=dies[number % len(dies)]):
            break
    assert {path: (person.project / path).read_text() for path in FILES} == NEW
    return await person.came()


@pytest.mark.fault
async def test_a_server_killed_after_each_step_leaves_plan_and_result_as_they_would_be(
    make_server: type[Server], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "script.json").write_text(json.dumps(SCRIPT))
    env = {
        "ARTEL_MODEL": f"scripted:{tmp_path / 'script.json'}",
        "ARTEL_WORKSPACE_ROOTS": str(tmp_path),
    }
    server = make_server(data=tmp_path / "data", config=None, env=env).start()
    person = Person(server, project)
    expected = await carried_out(person, "not")
    assert expected["plan"]["status"] == "done"
    assert expected["result"]["status"] == "done", expected["result"]["checks"]
    assert [one["status"] for one in expected["plan"]["steps"]] == ["completed"] * 4
    assert expected["result"]["changed"] == list(FILES)
    assert expected["result"]["open_questions"] == ["And the others?"]
    assert await carried_out(person, "before", "while") == expected
