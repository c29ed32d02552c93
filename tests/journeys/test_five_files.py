"""A change of five files in a real repository, from the question to the pull request."""

import asyncio
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Server

pytestmark = pytest.mark.journey
CRASHING = Path(__file__).parent / "crashing"

BETWEEN = "".join(f"STEP_{number} = {number}\n" for number in range(8))
FILES = {
    path: f'{text}\n\n{BETWEEN}NAME = "{path}"\n'
    for path, text in {
        "shop/money.py": "def price(amount):\n    return amount * 2\n",
        "shop/stock.py": "def left(sold):\n    return 3 - sold\n",
        "shop/orders.py": "def order(what):\n    return [what]\n",
        "shop/report.py": 'TITLE = "r"\n\n\ndef report():\n    return TITLE\n',
        "shop/mail.py": "def send(to):\n    return [to]\n",
    }.items()
}
NEW = {
    "shop/money.py": ("def price(amount):", "def price(amount: int) -> int:"),
    "shop/stock.py": ("def left(sold):", "def left(sold: int) -> int:"),
    "shop/orders.py": ("def order(what):", "def order(what: str) -> list[str]:"),
    "shop/report.py": ("    return TITLE", "    return eval(repr(TITLE))"),
    "shop/mail.py": ("def send(to):", "def send(to: str) -> list[str]:"),
}
TEST = """import unittest

from shop.money import price
from shop.report import report


class Shop(unittest.TestCase):
    def test_it(self) -> None:
        self.assertEqual((price(2), report()), (4, "r"))
"""


def renamed(path: str) -> tuple[str, str]:
    """Return the last line of a file, and the one that the model wants instead."""
    old = FILES[path].splitlines()[-1]
    return old, old.upper()


PATCH = "\n".join(
    [
        "*** Begin Patch",
        *(
            line
            for path, (old, new) in NEW.items()
            for line in (
                f"*** Update File: {path}",
                f"-{old}",
                f"+{new}",
                "@@",
                f"-{renamed(path)[0]}",
                f"+{renamed(path)[1]}",
            )
        ),
        "*** End Patch",
    ]
)
MENDED = {"file_path": "shop/report.py", "old_string": "eval(repr(TITLE))", "new_string": "str(TITLE)"}
TESTS = {"command": "python3 -m unittest -q test_shop"}
REPLIES = [
    {"tool_calls": [{"name": "apply_patch", "args": {"input": PATCH}, "id": "call_0"}]},
    {"tool_calls": [{"name": "execute", "args": TESTS, "id": "call_1"}]},
    "The five files are changed and the tests pass.",
    {"tool_calls": [{"name": "read_file", "args": {"file_path": "shop/report.py"}, "id": "call_2"}]},
    {"tool_calls": [{"name": "edit_file", "args": MENDED, "id": "call_3"}]},
    "Without eval now.",
]


def changed(*paths: str) -> dict[str, str]:
    """Return the files with the first part of the change made in those of `paths`."""
    return {path: text.replace(*NEW[path]) if path in paths else text for path, text in FILES.items()}


@dataclass
class Person:
    """Who asks and answers."""

    server: Server
    project: Path
    thread: str = ""

    @property
    def files(self) -> dict[str, str]:
        return {path: (self.project / path).read_text() for path in FILES}

    async def call(self, method: str, path: str, **body: Any) -> Any:
        async with httpx.AsyncClient(base_url=f"{self.server.url}/api/v1", timeout=30) as client:
            answer = await client.request(method, path, json=body or None)
        assert answer.is_success, f"{answer.text}\n{self.server.log}"
        return answer.json()

    async def say(self, words: str, **more: Any) -> None:
        said: dict[str, Any] = {"messages": [{"role": "user", "content": words}]}
        context = {"workspace": str(self.project)}
        await self.server.client.runs.wait(self.thread, "coder", input=said, context=context, **more)

    def path(self, what: str) -> str:
        return f"/threads/{self.thread}/{what}"

    async def changes(self) -> list[dict[str, Any]]:
        return list(await self.call("GET", self.path("changes")))

    async def asked(self) -> dict[str, Any]:
        (one,) = await self.call("GET", f"/approvals?status=pending&thread_id={self.thread}")
        return dict(one)

    async def answer(self, **decision: Any) -> str:
        asked = await self.asked()
        run = await self.call("POST", f"/approvals/{asked['approval_id']}", decision=decision)
        return str(run["run_id"])

    async def approve(self, **more: Any) -> None:
        run = await self.answer(type="approve", **more)
        await self.server.client.runs.join(self.thread, run)

    async def publish(self, *, approve: bool = False) -> dict[str, Any]:
        """Publish the thread's folder; the state of publishing when that has ended."""
        words = {"title": "Type the shop", "description": "All functions say what they take."}
        run = await self.call("POST", self.path("publish"), **words)
        await self.server.client.runs.join(run["thread_id"], run["run_id"])
        if approve:
            thread, self.thread = self.thread, run["thread_id"]
            await self.approve()
            self.thread = thread
        state: Any = await self.server.client.threads.get_state(run["thread_id"])
        return dict(state["values"])

    async def told(self) -> str:
        """Return what the newest tool result says."""
        state: Any = await self.server.client.threads.get_state(self.thread)
        return str([one for one in state["values"]["messages"] if one["type"] == "tool"][-1]["content"])


def findings(report: dict[str, Any]) -> list[dict[str, Any]]:
    """Return what the gate found of those checks that failed."""
    failed = [check for check in report["checks"] if check["status"] != "passed"]
    return [finding for check in failed for finding in check["findings"]]


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a repository of five files and a test, with a remote."""
    folder = tmp_path / "project"
    (folder / "shop").mkdir(parents=True)
    for path, text in {
        **FILES,
        "test_shop.py": TEST,
        "shop/__init__.py": "",
        ".gitignore": "__pycache__/\n",
    }.items():
        (folder / path).write_text(text)
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "push", "--quiet", "origin", "main")
    return folder


@pytest.fixture
async def person(make_server: type[Server], tmp_path: Path, project: Path) -> Person:
    """Return somebody with a server that dies once, between the second file of the change and the third."""
    (tmp_path / "script.json").write_text(json.dumps(REPLIES))
    env = {
        "ARTEL_MODEL": f"scripted:{tmp_path / 'script.json'}",
        "ARTEL_WORKSPACE_ROOTS": str(tmp_path),
        "PYTHONPATH": str(CRASHING),
        "CRASH_BEFORE": "orders.py",
        "CRASHED": str(tmp_path / "crashed"),
    }
    server = make_server(data=tmp_path / "data", config=None, env=env).start()
    thread = await server.client.threads.create()
    return Person(server, project, str(thread["thread_id"]))


async def test_five_files_from_the_question_to_the_pull_request(person: Person, tmp_path: Path) -> None:
    server = person.server
    mended = changed(*FILES)
    mended["shop/report.py"] = mended["shop/report.py"].replace("eval(repr(TITLE))", "str(TITLE)")
    await person.say("Type the functions of the shop")

    shown = (await person.asked())["value"]["artel"]["files"]
    assert [file["path"] for file in shown] == list(FILES)
    assert [len(file["hunks"]) for file in shown] == [2] * 5
    run = await person.answer(type="approve", hunks=[file["hunks"][0]["id"] for file in shown])
    await asyncio.to_thread(died, server)
    assert person.files == changed("shop/money.py", "shop/stock.py")
    server.start()
    await server.client.runs.join(person.thread, run)
    assert person.files == changed(*FILES)
    told = await person.told()
    assert all(path in told for path in FILES)

    assert (await person.asked())["args"]["command"] == TESTS["command"]
    server.kill()
    server.start()
    await person.approve()
    assert "OK" in await person.told()

    red = await person.publish()
    assert red["publication"]["status"] == "red"
    assert [(one["path"], one["rule"]) for one in findings(red["report"])] == [("shop/report.py", "eval")]
    assert git(tmp_path / "remote.git", "for-each-ref", "--format=%(refname)").split() == ["refs/heads/main"]

    await person.say("Do it without eval")
    await person.approve()
    assert person.files == mended
    green = await person.publish(approve=True)
    published, remote = green["publication"], tmp_path / "remote.git"
    assert published["status"] == "published", published
    assert published["branch"].startswith("user/local/feature-")
    assert git(remote, "rev-parse", published["branch"]).strip() == published["commit"]
    changed_there = git(remote, "diff", "--name-only", "main", published["branch"]).split()
    assert changed_there == sorted(FILES)
    for path, text in mended.items():
        assert git(remote, "show", f"{published['branch']}:{path}") == text
    (request,) = git(remote, "for-each-ref", "--format=%(refname)", "refs/artel/pulls").split()
    assert published["branch"] in git(remote, "cat-file", "-p", request)

    made = [one for one in await person.changes() if one["tool"] == "apply_patch"]
    (patched,) = made
    undone = await person.call(
        "POST", person.path("undo"), change=patched["change_id"], paths=["shop/mail.py"]
    )
    assert [one["path"] for one in undone["changed"]] == ["shop/mail.py"]
    assert undone["conflicts"] == []
    assert person.files == {**mended, "shop/mail.py": FILES["shop/mail.py"]}

    await person.call("POST", person.path("files"), checkpoint_id=patched["checkpoint_id"])
    assert person.files == FILES
    context = {"workspace": str(person.project)}
    await server.client.runs.wait(
        person.thread, "coder", input=None, context=context, checkpoint_id=patched["checkpoint_id"]
    )
    await person.approve()
    assert person.files == {
        path: text.replace(*NEW[path]).replace(*renamed(path)) for path, text in FILES.items()
    }
    assert "holds up to entry" in await asyncio.to_thread(verified, server)


def verified(server: Server) -> str:
    """Return what the command says of the audit log; it fails when the log is not whole."""
    command = [sys.executable, "-m", "artel.server", "audit", "verify", "--data", str(server.data)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def died(server: Server) -> None:
    """Wait until the server has died by itself."""
    assert server.process is not None
    server.process.wait(timeout=30)
