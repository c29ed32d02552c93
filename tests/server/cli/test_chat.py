import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from typing import IO, Any

import pytest
from tests.fakes.wire import Events, FakeWire

from artel.server.cli import chat, paint
from artel.server.cli.talk import begin

DIFF = "--- a/x\n+++ b/x\n@@ -1 +1 @@\n-old\n+new\n"
QUESTION = {
    "type": "tool_approval",
    "name": "write_file",
    "args": {"path": "x", "content": "new"},
    "description": "write x",
    "artel": {"diff": DIFF},
}
CALL = {"id": "c1", "name": "write_file", "args": {"path": "x", "content": "n" * 100}}


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[IO[str]]:
    """What is written here is typed at the terminal."""
    read, write = os.pipe()
    with os.fdopen(read) as typed, os.fdopen(write, "w") as keys:
        monkeypatch.setattr(sys, "stdin", typed)
        yield keys


def words(*texts: str) -> Events:
    said: Events = [("messages", [{"type": "AIMessageChunk", "content": text}, {}]) for text in texts]
    return [("metadata", {"run_id": "r"}), *said]


async def chatted(keyboard: IO[str], typed: str, wire: FakeWire) -> int:
    keyboard.write(typed)
    keyboard.close()
    async with asyncio.timeout(10):
        return await chat._chat(await begin(wire.client, context={}))


def asking(body: dict[str, Any]) -> tuple[Events, dict[str, Any]]:
    """Ask before the first answer, then say it was done."""
    if body.get("command"):
        return words("Done."), {}
    update = {"agent": {"messages": [{"type": "ai", "id": "m1", "tool_calls": [CALL]}]}}
    calls: Events = [("updates|agent:1", update), ("updates", update)]
    return [*words("I will "), *calls], {"task": [{"id": "i1", "value": QUESTION}]}


async def test_words_are_shown_as_they_come(keyboard: IO[str], capsys: pytest.CaptureFixture[str]) -> None:
    wire = FakeWire(lambda body: (words("Hel", "lo"), {}))
    assert await chatted(keyboard, "hi\n\n/quit\n", wire) == 0
    assert "Hello\n" in capsys.readouterr().out
    assert [body["input"]["messages"][0]["content"] for body in wire.bodies] == ["hi"]


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("a\n", {"type": "approve"}),
        ("what\nyes\n", {"type": "approve"}),
        ("r\nnot now\n", {"type": "reject", "message": "not now"}),
        ("r\n\n", {"type": "reject"}),
        (
            'e\n{"path": "y"}\n',
            {"type": "edit", "edited_action": {"name": "write_file", "args": {"path": "y"}}},
        ),
        ("e\nnonsense\na\n", {"type": "approve"}),
    ],
)
async def test_a_question_shows_its_diff_and_is_answered_by_its_id(
    keyboard: IO[str], capsys: pytest.CaptureFixture[str], typed: str, decision: dict[str, Any]
) -> None:
    wire = FakeWire(asking)
    await chatted(keyboard, f"change x\n{typed}", wire)
    assert wire.bodies[1]["command"] == {"resume": {"i1": decision}}
    shown = capsys.readouterr().out
    assert "? write x" in shown
    assert "    -old\n    +new\n" in shown
    assert shown.count('· write_file(path="x", content="nnn') == 1
    assert "Done." in shown
    assert "\x1b" not in shown


LASTING = {
    **QUESTION,
    "artel": {
        "diff": DIFF,
        "grants": [
            {"id": "exact", "label": "write_file: x", "scopes": ["thread", "always"]},
            {"id": "wide", "label": "write_file: any file", "scopes": ["thread"]},
        ],
    },
}


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("g\n2\n", {"type": "approve", "grant": {"scope": "always", "covers": "exact"}}),
        ("grant\n3\n", {"type": "approve", "grant": {"scope": "thread", "covers": "wide"}}),
        ("g\n4\na\n", {"type": "approve"}),
        ("g\nall\nr\n\n", {"type": "reject"}),
    ],
)
async def test_a_yes_from_now_on_is_chosen_by_its_number(
    keyboard: IO[str], capsys: pytest.CaptureFixture[str], typed: str, decision: dict[str, Any]
) -> None:
    def asking_so(body: dict[str, Any]) -> tuple[Events, dict[str, Any]]:
        events, asked = asking(body)
        return events, {"task": [{"id": "i1", "value": LASTING}]} if asked else {}

    wire = FakeWire(asking_so)
    await chatted(keyboard, f"change x\n{typed}", wire)
    assert wire.bodies[1]["command"] == {"resume": {"i1": decision}}
    shown = capsys.readouterr().out
    assert "approve [a], approve from now on [g], edit [e], reject [r]: " in shown
    assert "   2 write_file: x, always\n   3 write_file: any file, in this thread\n" in shown


async def test_a_command_is_shown_line_by_line(keyboard: IO[str], capsys: pytest.CaptureFixture[str]) -> None:
    wire = FakeWire(lambda body: (words("Done."), {}))
    asked = {**QUESTION, "artel": {"command": "make\necho \\u202e"}, "description": "Run make"}
    wire.interrupts = {"task": [{"id": "i1", "value": asked}]}
    await chatted(keyboard, "a\n", wire)
    assert "? Run make\n    make\n    echo \\u202e\n" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "hunks"), [("p\n2\n", ["h2"]), ("p\n0\np\n3, 1\n", ["h3", "h1"]), ("p\n\np\n4\na\n", None)]
)
async def test_parts_of_a_change_are_chosen_by_their_numbers(
    keyboard: IO[str], capsys: pytest.CaptureFixture[str], typed: str, hunks: list[str] | None
) -> None:
    files = [
        {
            "path": "x",
            "hunks": [{"id": "h1", "header": "@@ -1 +1 @@"}, {"id": "h2", "header": "@@ -9 +9 @@"}],
        },
        {"path": "y", "hunks": [{"id": "h3", "header": "new file"}]},
    ]
    wire = FakeWire(lambda body: ([], {}))
    wire.interrupts = {"task": [{"id": "i1", "value": {**QUESTION, "artel": {"diff": DIFF, "files": files}}}]}
    await chatted(keyboard, typed, wire)
    chosen = {"type": "approve", "hunks": hunks} if hunks else {"type": "approve"}
    assert wire.bodies[0]["command"] == {"resume": {"i1": chosen}}
    assert "   2 x @@ -9 +9 @@\n   3 y new file\n" in capsys.readouterr().out


async def test_a_foreign_question_takes_any_answer(keyboard: IO[str]) -> None:
    wire = FakeWire(
        lambda body: ([], {}) if body.get("command") else ([], {"task": [{"id": "q", "value": {"ask": 1}}]})
    )
    await chatted(keyboard, 'go\n{"n": 2}\n', wire)
    assert wire.bodies[1]["command"] == {"resume": {"q": {"n": 2}}}


async def test_a_thread_that_waits_is_asked_about_first(keyboard: IO[str]) -> None:
    wire = FakeWire(lambda body: ([], {}))
    wire.interrupts = {"task": [{"id": "i1", "value": QUESTION}]}
    await chatted(keyboard, "a\n", wire)
    assert wire.bodies[0]["command"] == {"resume": {"i1": {"type": "approve"}}}


async def test_an_error_is_shown_and_the_talk_goes_on(
    keyboard: IO[str], capsys: pytest.CaptureFixture[str]
) -> None:
    wire = FakeWire(lambda body: ([("error", {"error": "ValueError", "message": "bad"})], {}))
    await chatted(keyboard, "one\ntwo\n", wire)
    assert capsys.readouterr().out.count("ValueError: bad") == 2


async def test_ctrl_c_at_the_prompt_leaves(keyboard: IO[str]) -> None:
    talking = asyncio.create_task(chat._chat(await begin(FakeWire(lambda body: ([], {})).client, context={})))
    await asyncio.sleep(0.1)
    os.kill(os.getpid(), signal.SIGINT)
    async with asyncio.timeout(5):
        assert await talking == 0


async def test_ctrl_c_while_it_answers_stops_the_run_and_not_the_talk(
    keyboard: IO[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    started = asyncio.Event()

    async def endless(events: object, told: object) -> None:
        started.set()
        await asyncio.Event().wait()

    monkeypatch.setattr(chat, "_show", endless)
    wire = FakeWire(lambda body: ([], {}))
    talk = await begin(wire.client, context={})
    talk.run_id = "r"
    talking = asyncio.create_task(chat._chat(talk))
    keyboard.write("go\n")
    keyboard.flush()
    async with asyncio.timeout(5):
        await started.wait()
        os.kill(os.getpid(), signal.SIGINT)
        keyboard.write("/quit\n")
        keyboard.flush()
        assert await talking == 0
    assert wire.cancelled == ["/threads/t/runs/r/cancel"]
    assert "(stopped)" in capsys.readouterr().out


def test_what_a_model_says_cannot_drive_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    paint.write("\x1b]0;title\x07\x9bA\r ok\n")
    assert capsys.readouterr().out == "␛]0;title␇\N{REPLACEMENT CHARACTER}A␍ ok\n"


def test_a_terminal_gets_colours(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    paint.write_diff("+new")
    assert capsys.readouterr().out == "\x1b[32m    +new\n\x1b[0m"


async def test_a_question_in_the_form_of_agent_inbox_is_shown_and_answered_like_any_other(
    keyboard: IO[str], capsys: pytest.CaptureFixture[str]
) -> None:
    request = {
        "action_request": {"action": "send_mail", "args": {"to": "eve"}},
        "config": {"allow_accept": True, "allow_edit": True, "allow_respond": True, "allow_ignore": True},
        "description": "Send a mail to eve",
    }

    def asking_so(body: dict[str, Any]) -> tuple[Events, dict[str, Any]]:
        return words("ok"), {} if body.get("command") else {"task": [{"id": "i1", "value": [request]}]}

    wire = FakeWire(asking_so)
    assert await chatted(keyboard, "hi\na\n/quit\n", wire) == 0
    assert "Send a mail to eve" in capsys.readouterr().out
    assert wire.bodies[-1]["command"] == {"resume": {"i1": {"type": "approve"}}}


ASKS = {
    "type": "question",
    "questions": [
        {"id": "db", "question": "Which one?", "options": ["A", "B"], "multiple": False, "required": True},
        {"id": "more", "question": "What else?", "options": [], "multiple": False, "required": False},
    ],
    "artel": {"kind": "question"},
}


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("2\n\n", {"type": "respond", "answers": {"db": ["B"], "more": None}}),
        ("\n3 of them\nlogs\n", {"type": "respond", "answers": {"db": "3 of them", "more": "logs"}}),
        ("1 2\na\n\n", {"type": "respond", "answers": {"db": "a", "more": None}}),
        ("/no\n", {"type": "reject"}),
    ],
)
async def test_the_questions_of_an_agent_are_asked_one_by_one_until_the_answer_fits(
    keyboard: IO[str], capsys: pytest.CaptureFixture[str], typed: str, decision: dict[str, Any]
) -> None:
    def asks(body: dict[str, Any]) -> tuple[Events, dict[str, Any]]:
        return (words("Done."), {}) if body.get("command") else ([], {"task": [{"id": "i1", "value": ASKS}]})

    wire = FakeWire(asks)
    await chatted(keyboard, f"go\n{typed}", wire)
    assert wire.bodies[1]["command"] == {"resume": {"i1": decision}}
    assert "? Which one?\n   1 A\n   2 B\n" in capsys.readouterr().out


async def test_todos_are_shown_as_they_change(keyboard: IO[str], capsys: pytest.CaptureFixture[str]) -> None:
    items = [{"content": "look", "status": "completed"}, {"content": "write", "status": "in_progress"}]
    event: Events = [("custom|coder:1", {"type": "todos", "todos": items})]
    await chatted(keyboard, "go\n", FakeWire(lambda body: ([*words("Well"), *event], {})))
    assert "Well\n  [x] look\n  [~] write\n" in capsys.readouterr().out


async def test_what_was_decided_is_listed(keyboard: IO[str], capsys: pytest.CaptureFixture[str]) -> None:
    wire = FakeWire(lambda body: (words("Hi"), {}))
    one = {
        "id": "db-1",
        "question": "Which one?",
        "answer": ["B"],
        "status": "active",
        "by": "ann",
        "at": "now",
    }
    wire.decisions = [one]
    await chatted(keyboard, "/decisions\n", wire)
    assert "· Which one? → B\n  db-1 · ann · now\n" in capsys.readouterr().out
    assert wire.bodies == []
