"""Several files in one call: asked about once, made once, in the parts that a person took."""

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.driver import Driver, call, calls, edit
from tests.graphs.conftest import Start

from artel.graphs.ledgers import EffectCall, LocalEffects
from artel.tools.policy import Policy, Rule
from artel.tools.workspace import changeset, writing

FREE = Policy(rules=(Rule(id="free", effect="allow", action="fs.*"),))
FILES = ("one.txt", "two.txt", "three.txt", "four.txt", "five.txt")
LINES = "".join(f"line {number}\n" for number in range(30))
YES = {"type": "approve"}


@pytest.fixture(autouse=True)
def five(folder: Path) -> None:
    for name in FILES:
        (folder / name).write_text(LINES)


def five_files() -> dict[str, Any]:
    """A patch of five files, two places in each."""
    lines = ["*** Begin Patch"]
    for name in FILES:
        lines += [f"*** Update File: {name}", "@@", "-line 3", "+LINE 3", "@@", "-line 25", "+LINE 25"]
    return call("apply_patch", input="\n".join([*lines, "*** End Patch"]))


def made(folder: Path) -> dict[str, list[str]]:
    """Return the lines in capitals of each file."""
    texts = {name: (folder / name).read_text() for name in FILES}
    return {name: [line for line in text.splitlines() if line.isupper()] for name, text in texts.items()}


WHOLE = {name: ["LINE 3", "LINE 25"] for name in FILES}
NOTHING: dict[str, list[str]] = {name: [] for name in FILES}


async def test_a_question_shows_every_file_with_its_hunks(start: Start, folder: Path) -> None:
    run = await start("coder", calls(five_files()), "done").say("go")
    (asked,) = run.open
    artel = asked.value["artel"]
    assert [file["path"] for file in artel["files"]] == list(FILES)
    assert artel["diff"] == "".join(file["diff"] for file in artel["files"])
    assert "path" not in artel
    for file in artel["files"]:
        assert [hunk["header"] for hunk in file["hunks"]] == ["@@ -1,7 +1,7 @@", "@@ -23,7 +23,7 @@"]
    await run.answer(YES)
    assert made(folder) == WHOLE
    artifact: Any = next(m for m in run.messages if m.type == "tool").artifact
    assert [file["path"] for file in artifact["files"]] == list(FILES)


async def test_one_file_is_shown_as_ever_and_with_its_hunks(start: Start) -> None:
    run = await start("coder", calls(edit("one.txt", "line 3\n", "x\n")), "done").say("go")
    artel = run.open[0].value["artel"]
    (file,) = artel["files"]
    assert (artel["path"], artel["before_sha"], artel["diff"]) == (
        "one.txt",
        file["before_sha"],
        file["diff"],
    )
    assert len(file["hunks"]) == 1


async def test_only_the_hunks_a_person_took_are_made_and_the_model_is_told(
    start: Start, folder: Path
) -> None:
    run = await start("coder", calls(five_files()), "done").say("go")
    files = run.open[0].value["artel"]["files"]
    chosen = [files[0]["hunks"][1]["id"], files[3]["hunks"][0]["id"], files[3]["hunks"][1]["id"]]
    await run.answer({**YES, "hunks": chosen})
    assert made(folder) == {**NOTHING, "one.txt": ["LINE 25"], "four.txt": ["LINE 3", "LINE 25"]}
    assert "Changed one.txt (exact, line 4; exact, line 26; 1 of 2 hunks)." in run.told[0]
    assert "The user left out these parts" in run.told[0]
    assert "--- one.txt\n@@ -1,7 +1,7 @@" in run.told[0]
    assert "--- two.txt" in run.told[0]


async def test_hunks_are_taken_in_a_batched_answer_too(start: Start, folder: Path) -> None:
    run = start("coder", calls(five_files(), edit("notes.txt", "hello", "bye")), "done")
    run.context = {"approvals": "batched"}
    await run.say("go")
    shown = run.open[0].value["artel"]["calls"]
    first = shown[0]["files"][2]["hunks"][0]["id"]
    await run.answer({"decisions": [{**YES, "hunks": [first]}, {"type": "reject"}]})
    assert made(folder) == {**NOTHING, "three.txt": ["LINE 3"]}
    assert (folder / "notes.txt").read_text() == "hello\nworld\n"


async def test_a_call_on_any_file_of_an_earlier_one_waits(start: Start, folder: Path) -> None:
    run = await start("coder", calls(five_files(), edit("four.txt", "line 9\n", "x\n")), "ok").say("go")
    assert len(run.open) == 1
    await run.answer(YES)
    assert "four.txt: one change to a file at a time" in run.told[1]
    assert made(folder) == WHOLE


async def test_a_file_that_changed_since_the_question_stops_all_of_it(start: Start, folder: Path) -> None:
    run = await start("coder", calls(five_files()), "I see").say("go")
    (folder / "four.txt").write_text(LINES + "more\n")
    await run.answer(YES)
    assert made(folder) == NOTHING
    assert "four.txt has changed since the user was asked" in run.told[0]


async def test_a_yes_does_not_lead_to_a_file_that_was_not_shown(start: Start, folder: Path) -> None:
    (folder / "link").symlink_to("one.txt")
    run = await start("coder", calls(edit("link", "line 3\n", "LINE 3\n")), "I see").say("go")
    (folder / "link").unlink()
    (folder / "link").symlink_to("two.txt")
    await run.answer(YES)
    assert made(folder) == NOTHING
    assert "now leads to two.txt, and the user was shown one.txt" in run.told[0]


class Killed(ConnectionError):
    """Stands for a kill: what was landed stays, and nobody puts it back."""


def killing(monkeypatch: pytest.MonkeyPatch, after: int) -> None:
    """Let the process die after so many files have landed."""
    real = writing.land
    landed: list[Any] = []

    def land(*args: Any, **more: Any) -> None:
        if len(landed) == after:
            raise Killed
        real(*args, **more)
        landed.append(args)

    monkeypatch.setattr(writing, "land", land)
    monkeypatch.setattr(changeset, "_undone", lambda *_: "")


async def killed(run: Driver, monkeypatch: pytest.MonkeyPatch, after: int, *answers: Any) -> None:
    with monkeypatch.context() as patched:
        killing(patched, after)
        with pytest.raises(Killed):
            await (run.answer(*answers) if answers else run.say("go"))


@pytest.mark.parametrize("after", range(6))
async def test_a_change_of_five_files_that_was_killed_between_any_two_is_completed(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    run = start("coder", calls(five_files()), "done", policy=FREE, effects=Dies(after == 5))
    if after < 5:
        await killed(run, monkeypatch, after)
    else:
        with pytest.raises(ConnectionError):
            await run.say("go")
    assert sum(bool(lines) for lines in made(folder).values()) == after
    old = {name: (folder / name).stat().st_ino for name, lines in made(folder).items() if lines}
    await run.go(None)
    assert made(folder) == WHOLE
    assert {name: (folder / name).stat().st_ino for name in old} == old
    assert (run.said, len(run.told), len(run.model.asked)) == ("done", 1, 2)
    assert all(name in run.told[0] for name in FILES)
    artifact: Any = next(m for m in run.messages if m.type == "tool").artifact
    assert [file["path"] for file in artifact["files"]] == list(FILES)


class Dies(LocalEffects):
    """Loses the first result."""

    def __init__(self, now: bool) -> None:
        super().__init__()
        self.now = now

    async def finish(self, call: EffectCall, result: str) -> None:
        if self.now:
            self.now = False
            raise ConnectionError("died before the result was noted")
        await super().finish(call, result)


@pytest.mark.parametrize("after", [0, 1, 2])
async def test_the_hunks_taken_are_made_again_after_a_kill_and_no_others(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    run = await start("coder", calls(five_files()), "done").say("go")
    files = run.open[0].value["artel"]["files"]
    yes = {**YES, "hunks": [files[place]["hunks"][0]["id"] for place in (1, 2, 4)]}
    await killed(run, monkeypatch, after, yes)
    await (run.answer(yes) if run.open else run.go(None))
    wanted = {name: ["LINE 3"] for name in ("two.txt", "three.txt", "five.txt")}
    assert made(folder) == {**NOTHING, **wanted}
    assert run.said == "done"


async def test_a_file_that_somebody_changed_after_the_kill_is_named_and_left_to_them(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = start("coder", calls(five_files()), "done", policy=FREE)
    await killed(run, monkeypatch, 2)
    (folder / "four.txt").write_text("mine\n")
    await run.go(None)
    assert (folder / "four.txt").read_text() == "mine\n"
    assert made(folder) == {**NOTHING, "one.txt": WHOLE["one.txt"], "two.txt": WHOLE["two.txt"]}
    assert "The outcome is unknown" in run.told[0]
    assert "four.txt" in run.told[0]


async def test_an_intent_of_one_file_as_it_was_once_noted_is_understood(start: Start, folder: Path) -> None:
    class Earlier(LocalEffects):
        async def begin(self, call: EffectCall, intent: Any) -> Any:
            return await super().begin(call, intent.get("files", [{}])[0])

    run = start(
        "coder", calls(edit("one.txt", "line 3\n", "LINE 3\n")), "done", policy=FREE, effects=Earlier()
    )
    run.handles.effects.finish = _die_once(run.handles.effects.finish)  # type: ignore[method-assign]
    with pytest.raises(ConnectionError):
        await run.say("go")
    await run.go(None)
    assert made(folder) == {**NOTHING, "one.txt": ["LINE 3"]}
    assert run.told == ["one.txt was changed as asked."]


def _die_once(finish: Any) -> Any:
    alive: list[EffectCall] = []

    async def dying(call: EffectCall, result: str) -> None:
        if not alive:
            alive.append(call)
            raise ConnectionError("died before the result was noted")
        await finish(call, result)

    return dying


async def test_files_that_go_and_move_are_asked_about_made_and_told(start: Start, folder: Path) -> None:
    goes = calls(call("delete_file", file_path="one.txt"), call("move_file", src="two.txt", dst="sub/2.txt"))
    run = await start("coder", goes, "done").say("go")
    first, second = (question.value for question in run.open)
    assert first["description"] == "Delete one.txt"
    assert "-line 0" in first["artel"]["diff"]
    assert second["description"] == "Move two.txt to sub/2.txt"
    assert "rename from two.txt\nrename to sub/2.txt" in second["artel"]["diff"]
    await run.answer(YES, YES)
    assert not (folder / "one.txt").exists()
    assert not (folder / "two.txt").exists()
    assert (folder / "sub/2.txt").read_text() == LINES
    assert run.told[0].startswith("Deleted one.txt.")
    assert "Moved two.txt to sub/2.txt." in run.told[1]


async def test_the_hunks_of_a_call_are_part_of_what_tells_it_from_others() -> None:
    whole = EffectCall("t", "", "", "c", "edit_file", {"a": 1})
    some = EffectCall("t", "", "", "c", "edit_file", {"a": 1}, hunks=("h1", "h2"))
    turned = EffectCall("t", "", "", "c", "edit_file", {"a": 1}, hunks=("h2", "h1"))
    assert whole.args_sha != some.args_sha == turned.args_sha


async def test_hunks_that_are_not_of_the_change_make_nothing(start: Start, folder: Path) -> None:
    run = await start("coder", calls(five_files()), "done").say("go")
    hunk = run.open[0].value["artel"]["files"][0]["hunks"][0]["id"]
    await run.answer({**YES, "hunks": [hunk, "strange"]})
    assert made(folder) == NOTHING
    assert "the change has no hunk strange" in run.told[0]
