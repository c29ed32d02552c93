import asyncio
import json
from argparse import Namespace
from collections.abc import AsyncIterator
from typing import Any

import pytest
from langgraph_sdk.schema import StreamPart
from tests.fakes.wire import Events, FakeWire

from artel.server.cli import reach
from artel.server.cli import run as command
from artel.server.cli.talk import NoServer, begin

ASKED = {"task": [{"id": "i1", "value": {"type": "tool_approval", "description": "write a.py", "args": {}}}]}
SAID = [("metadata", {"run_id": "r"}), ("messages", [{"type": "AIMessageChunk", "content": "hi"}, {}])]


async def once(events: Events, interrupts: dict[str, Any], *, as_json: bool) -> tuple[int, FakeWire]:
    wire = FakeWire(lambda body: (events, interrupts))
    wire.messages = [
        {"type": "human", "content": "do"},
        {"type": "ai", "content": [{"type": "text", "text": "hi"}]},
    ]
    talk = await begin(wire.client, context={"workspace": "/w"})
    return await command._once(Namespace(message="do", json=as_json), talk), wire


@pytest.mark.parametrize(
    ("more", "interrupts", "code", "status"),
    [
        ([], {}, 0, "done"),
        ([], ASKED, 2, "needs_approval"),
        ([("error", {"error": "GraphRecursionError", "message": "25 steps"})], {}, 3, "budget"),
        ([("error", {"error": "ValueError", "message": "bad"})], {}, 4, "failed"),
    ],
)
async def test_the_end_is_told_by_the_exit_status_and_by_the_last_line(
    more: Events, interrupts: dict[str, Any], code: int, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ended, _ = await once(SAID + more, interrupts, as_json=True)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ended == code
    assert [line["event"] for line in lines] == ["metadata", "messages", *(name for name, _ in more), "end"]
    assert (lines[-1]["status"], lines[-1]["thread_id"], lines[-1]["run_id"]) == (status, "t", "r")
    assert lines[-1]["answer"] == "hi"
    assert len(lines[-1]["questions"]) == len(interrupts)


async def test_without_json_the_answer_is_printed_and_what_is_missing_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, _ = await once(SAID, ASKED, as_json=False)
    shown = capsys.readouterr()
    assert (code, shown.out) == (2, "hi\n")
    assert "it waits for an answer: write a.py" in shown.err
    assert "artel chat --thread t" in shown.err


async def test_it_speaks_to_the_orchestrator_unless_told_and_names_the_workspace() -> None:
    _, wire = await once(SAID, {}, as_json=False)
    assert (wire.bodies[0]["assistant_id"], wire.bodies[0]["context"]) == (
        "orchestrator",
        {"workspace": "/w"},
    )
    other = await begin(FakeWire(lambda body: ([], {}), graphs=("talk",)).client, context={})
    assert other.agent == "talk"


async def test_an_agent_or_thread_that_the_server_has_not_is_said() -> None:
    wire = FakeWire(lambda body: ([], {}))
    with pytest.raises(NoServer, match='no agent "x"; it has: coder, orchestrator'):
        await begin(wire.client, agent="x", context={})
    with pytest.raises(NoServer, match="cannot be talked to"):
        await begin(wire.client, thread="missing", context={})


def test_a_server_that_is_not_there_is_said() -> None:
    asked = Namespace(url="http://127.0.0.1:9", agent="", thread=None, workspace=None, message="x", json=True)
    with pytest.raises(NoServer, match=r"no Artel answers at http://127\.0\.0\.1:9"):
        command.run(asked)


def test_a_workspace_that_is_no_folder_is_said() -> None:
    with pytest.raises(NoServer, match="is not a folder"):
        reach._context(Namespace(workspace="/dev/null"))


async def test_ctrl_c_stops_the_run_that_nobody_waits_for_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = FakeWire(lambda body: (SAID, {}))
    talk = await begin(wire.client, context={})
    heard = asyncio.Event()

    async def forever(text: str) -> AsyncIterator[StreamPart]:
        talk.run_id = "r"
        heard.set()
        await asyncio.Event().wait()
        yield StreamPart("end", {})

    monkeypatch.setattr(talk, "say", forever)
    running = asyncio.create_task(command._once(Namespace(message="do", json=True), talk))
    await heard.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert wire.cancelled == ["/threads/t/runs/r/cancel"]


LIMIT = {
    "type": "question",
    "question": "The limit of 2 model calls is reached.",
    "description": "The limit of 2 model calls is reached.",
    "options": [],
    "artel": {"kind": "question", "agent": "coder", "stopped": {"by": "steps", "used": 2, "most": 2}},
}
CIRCLE = {**LIMIT, "artel": {"kind": "question", "stopped": {"by": "repeat", "times": 5}}}


@pytest.mark.parametrize(
    ("events", "value", "code", "status"),
    [
        ([], LIMIT, 3, "budget"),
        ([], CIRCLE, 2, "needs_approval"),
        ([("custom|coder:1", {"type": "limit", "by": "steps", "final": True})], None, 3, "budget"),
        ([("custom", {"type": "route", "agent": "coder"})], None, 0, "done"),
    ],
)
async def test_a_budget_that_is_spent_is_no_question_that_somebody_must_allow(
    events: Events, value: Any, code: int, status: str, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = {"task": [{"id": "i1", "value": value}]} if value else {}
    ended, _ = await once(SAID + events, asked, as_json=True)
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert (ended, last["status"]) == (code, status)
