"""Our own agents over HTTP: a change is asked for and shown, and the first answer decides, crash or not."""

import asyncio
import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest

from .conftest import Server

pytestmark = pytest.mark.journey
EDIT = {"file_path": "notes.txt", "old_string": "hello", "new_string": "bye"}


def script(folder: Path, replies: Sequence[Any]) -> dict[str, str]:
    """Write what the model will say; the environment of a server that hears it."""
    path = folder / "script.json"
    path.write_text(json.dumps(replies))
    return {"ARTEL_MODEL": f"scripted:{path}", "ARTEL_WORKSPACE_ROOTS": str(folder)}


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """Return a folder with one file in it."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "notes.txt").write_text("hello world\n")
    return folder


@pytest.fixture
def asking(make_server: type[Server], tmp_path: Path, workspace: Path) -> Server:
    """Return a server whose model reads a file, edits it, and reports."""
    replies = [
        {"tool_calls": [{"name": "read_file", "args": {"file_path": "notes.txt"}, "id": "call_0"}]},
        {"tool_calls": [{"name": "edit_file", "args": EDIT, "id": "call_1"}]},
        "done",
    ]
    env = script(tmp_path, {"per_turn": True, "replies": replies})  # type: ignore[arg-type]
    return make_server(data=tmp_path / "data", config=None, env=env).start()


async def ask(server: Server, workspace: Path) -> tuple[str, dict[str, Any]]:
    """Ask for the change; the thread and the question."""
    thread = (await server.client.threads.create())["thread_id"]
    said: dict[str, Any] = {"messages": [{"role": "user", "content": "Change hello to bye in notes.txt"}]}
    await server.client.runs.wait(thread, "coder", input=said, context={"workspace": str(workspace)})
    asked = pending(server, thread)
    assert len(asked) == 1, server.log
    return thread, asked[0]


def pending(server: Server, thread: str) -> list[dict[str, Any]]:
    """Return the open questions of a thread."""
    found = httpx.get(f"{server.url}/api/v1/approvals?status=pending&thread_id={thread}", timeout=10)
    answer: list[dict[str, Any]] = found.json()
    return answer


async def decide(server: Server, approval: dict[str, Any], decision: dict[str, Any]) -> httpx.Response:
    """Answer a question over the product's API."""
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        return await client.post(f"/api/v1/approvals/{approval['approval_id']}", json={"decision": decision})


async def test_an_approved_change_is_made_and_a_shown_diff_was_true(asking: Server, workspace: Path) -> None:
    thread, asked = await ask(asking, workspace)
    assert "-hello world\n+bye world" in asked["value"]["artel"]["diff"]
    assert (workspace / "notes.txt").read_text() == "hello world\n"

    answered = await decide(asking, asked, {"type": "approve"})
    await asking.client.runs.join(thread, answered.json()["run_id"])

    assert answered.status_code == 202
    assert (workspace / "notes.txt").read_text() == "bye world\n"
    assert (await asking.client.threads.get(thread))["status"] == "idle"


async def test_of_two_answers_at_once_one_counts(asking: Server, workspace: Path) -> None:
    thread, asked = await ask(asking, workspace)

    answers = await asyncio.gather(*(decide(asking, asked, {"type": "approve"}) for _ in range(8)))

    assert sorted(answer.status_code for answer in answers) == [202] + [409] * 7
    started = next(answer for answer in answers if answer.status_code == 202)
    await asking.client.runs.join(thread, started.json()["run_id"])
    assert (workspace / "notes.txt").read_text() == "bye world\n"
    assert len(await asking.client.runs.list(thread)) == 2


async def test_a_malformed_decision_is_refused_and_the_question_stays(
    asking: Server, workspace: Path
) -> None:
    thread, asked = await ask(asking, workspace)

    refused = await decide(asking, asked, {"type": "perhaps"})

    assert refused.status_code == 422
    assert "perhaps" in refused.json()["detail"]
    assert [one["approval_id"] for one in pending(asking, thread)] == [asked["approval_id"]]


async def test_a_rejected_change_is_not_made(asking: Server, workspace: Path) -> None:
    thread, asked = await ask(asking, workspace)

    answered = await decide(asking, asked, {"type": "reject", "message": "not now"})
    await asking.client.runs.join(thread, answered.json()["run_id"])

    assert (workspace / "notes.txt").read_text() == "hello world\n"
    late = await decide(asking, asked, {"type": "approve"})
    assert late.status_code == 409


async def test_an_answer_by_the_sdk_counts_like_a_click(asking: Server, workspace: Path) -> None:
    thread, asked = await ask(asking, workspace)

    resume = {asked["interrupt_id"]: {"type": "approve"}}
    await asking.client.runs.wait(thread, "coder", command={"resume": resume})

    assert (workspace / "notes.txt").read_text() == "bye world\n"
    assert (await decide(asking, asked, {"type": "approve"})).status_code == 409


async def test_a_question_of_ours_outlives_a_crash(asking: Server, workspace: Path) -> None:
    thread, asked = await ask(asking, workspace)

    asking.kill()
    asking.start()
    assert [one["approval_id"] for one in pending(asking, thread)] == [asked["approval_id"]]
    answered = await decide(asking, asked, {"type": "approve"})
    await asking.client.runs.join(thread, answered.json()["run_id"])

    assert (workspace / "notes.txt").read_text() == "bye world\n"


# After the yes: before, within or after the change. One in each run of the tests, the others with the faults.
MOMENTS_S = [0.03, *(pytest.param(delay_s, marks=pytest.mark.fault) for delay_s in (0.0, 0.01, 0.06, 0.1))]


@pytest.mark.parametrize("delay_s", MOMENTS_S)
async def test_an_approved_change_is_made_once_when_its_worker_is_killed_around_it(
    asking: Server, workspace: Path, delay_s: float
) -> None:
    thread, asked = await ask(asking, workspace)
    answered = await decide(asking, asked, {"type": "approve"})
    await asyncio.sleep(delay_s)
    asking.kill()
    asking.start()
    await asking.client.runs.join(thread, answered.json()["run_id"])

    assert (workspace / "notes.txt").read_text() == "bye world\n"
    assert pending(asking, thread) == []
    assert (await asking.client.threads.get(thread))["status"] == "idle"


FIVE = [f"part{number}.txt" for number in range(5)]
LINES = "one\n" + "same\n" * 20 + "two\n"
PATCH = "\n".join(
    [
        "*** Begin Patch",
        *(
            line
            for name in FIVE
            for line in (f"*** Update File: {name}", "-one", "+ONE", "@@", "-two", "+TWO")
        ),
        "*** End Patch",
    ]
)


def names(folder: Path) -> list[str]:
    """Return what is in a folder."""
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("delay_s", MOMENTS_S)
async def test_the_parts_taken_of_a_change_of_five_files_are_made_once_when_its_worker_is_killed(
    make_server: type[Server], tmp_path: Path, workspace: Path, delay_s: float
) -> None:
    """Every part that was taken is there then, no other."""
    call = {"name": "apply_patch", "args": {"input": PATCH}, "id": "call_0"}
    env = script(tmp_path, {"per_turn": True, "replies": [{"tool_calls": [call]}, "done"]})  # type: ignore[arg-type]
    server = make_server(data=tmp_path / "data", config=None, env=env).start()
    for name in FIVE:
        (workspace / name).write_text(LINES)
    thread, asked = await ask(server, workspace)
    files = asked["value"]["artel"]["files"]
    first = [file["hunks"][0]["id"] for file in files]
    strange = await decide(server, asked, {"type": "approve", "hunks": [*first, "strange"]})
    answered = await decide(server, asked, {"type": "approve", "hunks": first[:4]})
    await asyncio.sleep(delay_s)
    server.kill()
    server.start()
    await server.client.runs.join(thread, answered.json()["run_id"])

    texts = [(workspace / name).read_text() for name in FIVE]
    assert strange.status_code == 422
    assert texts == [LINES.replace("one", "ONE")] * 4 + [LINES]
    assert names(workspace) == ["notes.txt", *FIVE]
    state: Any = await server.client.threads.get_state(thread)
    (told,) = [one for one in state["values"]["messages"] if one["type"] == "tool"]
    assert re.search("The user left out these parts|Only the parts that the user chose", told["content"])


async def test_a_new_message_to_a_waiting_thread_withdraws_the_question(
    asking: Server, workspace: Path
) -> None:
    thread, asked = await ask(asking, workspace)

    said: dict[str, Any] = {"messages": [{"role": "user", "content": "Forget it"}]}
    await asking.client.runs.wait(thread, "coder", input=said)

    late = await decide(asking, asked, {"type": "approve"})
    assert late.status_code == 409
    assert (workspace / "notes.txt").read_text() == "hello world\n"
