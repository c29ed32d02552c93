"""A feature of four steps, from a Russian sentence to the pull request, on a server that dies three times."""

import asyncio
import json
import os
import random
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from langgraph_sdk.schema import StreamPart
from tests.fakes.driver import call, calls
from tests.fakes.plans import SUMS_UP, on, plan, step, submits

from .conftest import Server
from .fleet import open_fleet

pytestmark = pytest.mark.journey

SENTENCE = "Магазину нужны скидки"
MEANT = "Составь план и сделай: заметка, код, тесты, проверка"
HOW = "В процентах"
ANSWERS = {"wanted": MEANT, "discount": HOW}
QUESTION = {"id": "discount", "question": "Как считать скидку?", "options": [HOW, "В рублях"]}
TESTS = "python3 -m unittest -q tests.test_discount"
CHECK = f"{TESTS} && echo passed >> ran.txt"

FILES = {
    "shop/__init__.py": "",
    "shop/prices.py": "def price(amount: int) -> int:\n    return amount * 2\n",
    "shop/cart.py": "from shop.prices import price\n\n\n"
    "def total(amounts: list[int]) -> int:\n    return sum(price(one) for one in amounts)\n",
    "shop/report.py": "from shop.cart import total\n\n\n"
    'def report(amounts: list[int]) -> str:\n    return f"total {total(amounts)}"\n',
    "tests/__init__.py": "",
    ".gitignore": "__pycache__/\nran.txt\n",
}
NOTE = "# Скидки\n\nСкидка вычитается из цены, а не из суммы: так её видно в каждой строке.\n"
TEST = """import unittest

from shop.report import report


class Discount(unittest.TestCase):
    def test_ten_percent_are_taken_off_each_price(self) -> None:
        self.assertEqual(report([50, 100], 10), "total 270")
        self.assertEqual(report([50, 100]), "total 300")
"""
PATCH = """*** Begin Patch
*** Update File: shop/prices.py
-def price(amount: int) -> int:
-    return amount * 2
+def price(amount: int, percent: int = 0) -> int:
+    return amount * 2 * (100 - percent) // 100
*** Update File: shop/cart.py
-def total(amounts: list[int]) -> int:
-    return sum(price(one) for one in amounts)
+def total(amounts: list[int], percent: int = 0) -> int:
+    return sum(price(one, percent) for one in amounts)
*** Update File: shop/report.py
-def report(amounts: list[int]) -> str:
-    return f"total {total(amounts)}"
+def report(amounts: list[int], percent: int = 0) -> str:
+    return f"total {total(amounts, percent)}"
*** End Patch"""
NEW = {
    "docs/discount.md": NOTE,
    "shop/cart.py": "from shop.prices import price\n\n\n"
    "def total(amounts: list[int], percent: int = 0) -> int:\n"
    "    return sum(price(one, percent) for one in amounts)\n",
    "shop/prices.py": "def price(amount: int, percent: int = 0) -> int:\n"
    "    return amount * 2 * (100 - percent) // 100\n",
    "shop/report.py": "from shop.cart import total\n\n\n"
    "def report(amounts: list[int], percent: int = 0) -> str:\n"
    '    return f"total {total(amounts, percent)}"\n',
    "tests/test_discount.py": TEST,
}
STEPS = [
    step("note", "Записать решение", agent="architect", paths=["docs/**"]),
    step("code", "Считать скидку", agent="coder", depends_on=["note"], paths=["shop/**"]),
    step("tests", "Проверить тестами", agent="test_writer", depends_on=["code"], checks=[CHECK]),
    step("review", "Посмотреть сделанное", agent="reviewer", depends_on=["tests"]),
]
RUN = calls(call("execute", command=TESTS))
MODELS: dict[str, list[Any]] = {
    "orchestrator": [
        on("You decide who works", {"text": "unclear"}),
        plan(*STEPS, goal="В магазине есть скидки"),
        on(SUMS_UP, {"text": "Скидки работают."}),
    ],
    "architect": [
        calls(call("write_file", file_path="docs/discount.md", content=NOTE)),
        submits("заметка есть"),
    ],
    "coder": [
        calls(call("question", questions=[QUESTION])),
        calls(call("apply_patch", input=PATCH)),
        submits("считается"),
    ],
    "test_writer": [
        on("The outcome is unknown", RUN),
        on("exit code 0", submits("тесты проходят")),
        calls(call("write_file", file_path="tests/test_discount.py", content=TEST)),
        RUN,
    ],
    "reviewer": [calls(call("git_diff")), submits("замечаний нет", open_questions=["А купоны?"])],
}
ASKED = ["question", "plan", "write_file", "question", "apply_patch", "write_file", TESTS, CHECK]
"""What a person is asked until the plan is done, in order: commands by themselves, all else by its kind."""


WRITES = ("write_file", "apply_patch")


@dataclass
class Deaths:
    """When the server dies: while it waits for an answer, and after so many events of a run that goes on."""

    seed: int
    waiting: int
    working: tuple[int, int]
    publishing: tuple[str, int]

    @classmethod
    def drawn(cls, seed: int) -> "Deaths":
        draw = random.Random(seed)
        return cls(
            seed,
            waiting=draw.randrange(len(ASKED)),
            working=(draw.randrange(1, len(ASKED)), draw.randint(1, 12)),
            publishing=(draw.choice(["gate", "effects"]), draw.randint(1, 6)),
        )


@dataclass
class Person:
    """Asks, answers all that comes, and goes on when the server was gone."""

    server: Server
    project: Path
    deaths: Deaths
    dsn: str
    thread: str = ""
    asked: list[str] = field(default_factory=list)
    died: list[str] = field(default_factory=list)

    async def call(self, method: str, path: str, **body: Any) -> Any:
        async with httpx.AsyncClient(base_url=f"{self.server.url}/api/v1", timeout=30) as client:
            answer = await client.request(method, path, json=body or None)
        assert answer.is_success, f"{answer.text}\n{self.server.log}"
        return answer.json()

    async def ask(self, words: str) -> None:
        self.thread = (await self.server.client.threads.create())["thread_id"]
        said: dict[str, Any] = {"messages": [{"role": "user", "content": words}]}
        context = {"workspace": str(self.project)}
        await self.server.client.runs.wait(self.thread, "orchestrator", input=said, context=context)

    async def open(self, thread: str) -> dict[str, Any] | None:
        found = await self.call("GET", f"/approvals?status=pending&thread_id={thread}")
        assert len(found) <= 1, found
        return dict(found[0]) if found else None

    async def answer_all(self) -> None:
        """Answer what is asked until nothing is."""
        while asked := await self.open(self.thread):
            place = len(self.asked)
            self.asked.append(named(asked))
            if place == self.deaths.waiting:
                await self.dies(f"while {self.asked[-1]} waited for an answer")
                again = await self.open(self.thread)
                assert again is not None
                assert again["approval_id"] == asked["approval_id"]
            after = self.deaths.working[1] if place == self.deaths.working[0] else 0
            await self.answer(self.thread, asked, self.decision(asked), after)

    async def answer(self, thread: str, asked: dict[str, Any], decision: Any, dies_after: int = 0) -> None:
        run = await self.call("POST", f"/approvals/{asked['approval_id']}", decision=decision)
        await self.see(thread, str(run["run_id"]), dies_after)

    def decision(self, asked: dict[str, Any]) -> dict[str, Any]:
        if asked["kind"] != "question":
            return {"type": "approve"}
        (question,) = asked["value"]["questions"]  # else some check fails, and it is asked what now
        return {"type": "respond", "answers": {question["id"]: ANSWERS[question["id"]]}}

    async def see(self, thread: str, run: str, dies_after: int) -> None:
        """Wait for the end of a run, of which the server dies after so many events, or after the last."""
        if dies_after:
            seen: list[StreamPart] = []
            async for part in self.server.client.runs.join_stream(thread, run, last_event_id="-1"):
                seen.append(part)
                if len(seen) == dies_after:
                    break
            await self.dies(f"after {len(seen)} events of what followed {self.asked[-1]}")
        await self.server.client.runs.join(thread, run)

    async def publish(self) -> dict[str, Any]:
        """Publish what was made; the state of publishing at its end."""
        where, after = self.deaths.publishing
        run = await self.call("POST", f"/threads/{self.thread}/publish", title="Скидки")
        thread = str(run["thread_id"])
        self.asked.append("publish")
        await self.see(thread, run["run_id"], after if where == "gate" else 0)
        asked = await self.open(thread)
        state: Any = await self.server.client.threads.get_state(thread)
        assert asked is not None, state["values"]
        await self.answer(thread, asked, {"type": "approve"}, after if where == "effects" else 0)
        state = await self.server.client.threads.get_state(thread)
        return dict(state["values"]["publication"])

    async def dies(self, when: str) -> None:
        self.died.append(when)
        self.server.kill()
        await asyncio.to_thread(self.server.start)


def named(asked: dict[str, Any]) -> str:
    """Return a command by itself, a call by its tool, anything else by its kind."""
    return str((asked["args"] or {}).get("command") or asked["tool"] or asked["kind"])


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=A", "-c", "user.email=a@example.com")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A shop without discounts in a repository with a remote."""
    folder = tmp_path / "project"
    for path, text in FILES.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git(tmp_path, "init", "--quiet", "--bare", "--initial-branch=main", "remote.git")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "--message=first")
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    git(folder, "push", "--quiet", "origin", "main")
    return folder


@pytest.fixture
def person(
    make_server: type[Server], postgres: str, dsn: str, tmp_path: Path, project: Path
) -> Iterator[Person]:
    """Somebody with a server of a model of its own for each agent, which dies where the seed says."""
    for agent, replies in MODELS.items():
        (tmp_path / f"{agent}.json").write_text(json.dumps(replies))
    models = {agent: f"scripted:{tmp_path / f'{agent}.json'}" for agent in MODELS}
    seed = int(os.environ.get("ARTEL_TEST_SEED", "0")) or random.randrange(1, 2**31)
    with open_fleet("postgres", postgres, dsn, tmp_path) as fleet:
        env = fleet.env | {
            "ARTEL_MODEL": models["orchestrator"],
            "ARTEL_MODELS__PER_AGENT": json.dumps(models),
            "ARTEL_WORKSPACE_ROOTS": str(tmp_path),
        }
        server = make_server(data=tmp_path / "data", config=None, env=env).start()
        yield Person(server, project, Deaths.drawn(seed), fleet.dsn)
        server.stop()


@contextmanager
def told(person: Person) -> Iterator[None]:
    """Say with any failure when the server died, and how to have it die so again."""
    try:
        yield
    except BaseException as error:
        error.add_note(f"ARTEL_TEST_SEED={person.deaths.seed}: it died {', then '.join(person.died)}")
        raise


async def test_four_steps_from_a_russian_sentence_to_the_pull_request_come_out_right_once(
    person: Person, tmp_path: Path
) -> None:
    with told(person):
        await person.ask(SENTENCE)
        await person.answer_all()
        await right_once(person)
        await published_once(person, tmp_path / "remote.git")
        assert len(person.died) == 3


async def right_once(person: Person) -> None:
    """Each step is done once, each file is changed once, each question was asked once."""
    state: Any = await person.server.client.threads.get_state(person.thread)
    planned, result = state["values"]["plan"], state["values"]["result"]
    assert result["status"] == "done", result
    assert [name for name, _ in groupby(person.asked)] == ASKED
    assert len(person.asked) <= len(ASKED) + 1, "only a command whose end nobody saw is asked about again"
    assert [(one["id"], one["status"], one["attempts"]) for one in planned["steps"]] == [
        (one["id"], "completed", 1) for one in STEPS
    ]
    made = [file["path"] for one in result["steps"] for file in one["files"]]
    assert sorted(made) == sorted(NEW)
    assert {path: (person.project / path).read_text() for path in NEW} == NEW
    assert [one["status"] for one in result["checks"]] == ["passed", "passed"]
    assert result["open_questions"] == ["А купоны?"]
    said = str(state["values"]["messages"][-1]["content"])
    assert said.startswith("Скидки работают.\n\n| Шаг | Агент | Итог | Файлы |")
    assert "| Записать решение | architect | готово | `docs/discount.md` +3 −0 |" in said
    decided = await person.call("GET", f"/threads/{person.thread}/decisions")
    assert {one["question_id"]: (one["agent"], one["answer"], one["by"]) for one in decided} == {
        "wanted": ("orchestrator", [MEANT], "local"),
        "discount": ("coder", [HOW], "local"),
    }
    changes = await person.call("GET", f"/threads/{person.thread}/changes")
    assert [one["tool"] for one in reversed(changes)] == ["write_file", "apply_patch", "write_file"], changes
    passed = (person.project / "ran.txt").read_text().split()
    assert 1 <= passed.count("passed") == len(passed) <= person.asked.count(CHECK)
    acted = [one if one in WRITES else "execute" for one in person.asked if one not in ("question", "plan")]
    assert effects(person.dsn) == acted


async def published_once(person: Person, remote: Path) -> None:
    published = await person.publish()
    assert published["status"] == "published", published
    branch = published["branch"]
    heads = git(remote, "for-each-ref", "--format=%(refname:short)", "refs/heads").split()
    assert sorted(heads) == sorted(["main", branch])
    assert git(remote, "rev-list", f"main..{branch}").split() == [published["commit"]]
    assert git(remote, "diff", "--name-only", "main", branch).split() == sorted(NEW)
    for path, text in NEW.items():
        assert git(remote, "show", f"{branch}:{path}") == text
    assert len(git(remote, "for-each-ref", "refs/artel/pulls").splitlines()) == 1


def effects(dsn: str) -> list[str]:
    """Return the tools that acted, each call once, in order; none of them is left open."""
    with psycopg.connect(dsn) as conn:
        rows = conn.execute("select tool, done_at from effects order by done_at nulls last").fetchall()
    assert all(done_at for _, done_at in rows)
    return [str(tool) for tool, _ in rows]
