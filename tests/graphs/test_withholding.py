"""No tool shows, by whatever way, a file that reading would have asked a person about."""

from pathlib import Path
from typing import Any

import pytest
from tests.fakes.driver import call, calls
from tests.graphs.conftest import Start

from artel.tools.policy import DEFAULT, Effect, Policy, Rule, judge_all
from artel.tools.registry import TOOLS

SECRET = "PASSWORD=hunter2\nPASSWORD_OLD=hunter1\n"
YES = {"type": "approve"}
HUNK = "*** Begin Patch\n*** Update File: .env\n@@\n-{old}\n+x\n*** End Patch"
MISSES = [
    call("edit_file", file_path=".env", old_string="PASSWORD=\n", new_string="x"),
    call("edit_file", file_path=".env", old_string="hunter", new_string="x"),
    call("edit_file", file_path=".env", old_string="hunter3", new_string="x", replace_all=True),
    call("multi_edit", file_path=".env", edits=[{"old_string": "PASSWORD=?", "new_string": "x"}]),
    call("apply_patch", input=HUNK.format(old="PASSWORD=")),
    call("apply_patch", input=HUNK.format(old="PASSWORD=hunter2").replace("@@", "@@ PASSWORD")),
]


@pytest.fixture
def folder(folder: Path) -> Path:
    (folder / ".env").write_text(SECRET)
    return folder


@pytest.mark.parametrize("missing", MISSES)
async def test_a_change_that_misses_tells_nothing_of_a_file_that_was_not_read(
    start: Start, folder: Path, missing: dict[str, Any]
) -> None:
    run = await start("coder", calls(missing), "I see").say("go")
    (told,) = run.told
    assert "hunter" not in told
    assert "line" not in told
    assert ".env: the change cannot be made as it is" in told
    assert "read_file" in told
    assert (folder / ".env").read_text() == SECRET


async def test_once_it_was_read_with_a_yes_a_miss_is_explained(start: Start, folder: Path) -> None:
    run = start(
        "coder", calls(call("read_file", file_path=".env")), calls(MISSES[0]), calls(MISSES[0]), "done"
    )
    await (await run.say("go")).answer(YES)
    assert "nearest at line 1" in run.told[1]


async def test_what_changed_since_it_was_read_is_not_told(start: Start, folder: Path) -> None:
    run = start("coder", calls(call("read_file", file_path=".env")), "read", calls(MISSES[0]), "I see")
    await (await run.say("go")).answer(YES)
    (folder / ".env").write_text("PASSWORD=newer\n")
    await run.say("and now")
    assert "the change cannot be made as it is" in run.told[-1]
    assert "newer" not in run.told[-1]


async def test_a_file_that_is_not_there_is_said_to_be_missing(start: Start) -> None:
    wrong = call("edit_file", file_path=".env.local", old_string="a", new_string="b")
    run = await start("coder", calls(wrong), "I see").say("go")
    assert "there is no .env.local" in run.told[0]


CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("move_file", {"src": ".env", "dst": "plain.txt"}),
    ("edit_file", {"file_path": ".env", "old_string": "hunter2", "new_string": "x"}),
    ("multi_edit", {"file_path": ".env", "edits": [{"old_string": "hunter2", "new_string": "x"}]}),
    ("delete_file", {"file_path": ".env"}),
    ("apply_patch", {"input": HUNK.format(old="PASSWORD=hunter2")}),
    (
        "apply_patch",
        {"input": "*** Begin Patch\n*** Update File: .env\n*** Move to: plain.txt\n*** End Patch"},
    ),
    ("apply_patch", {"input": "*** Begin Patch\n*** Delete File: .env\n*** End Patch"}),
    ("execute", {"command": "cp .env plain.txt"}),
    ("execute", {"command": "cat .env > plain.txt"}),
    ("execute", {"command": "cat < .env"}),
]
WRITING = Policy(
    floor=DEFAULT.floor,
    rules=(
        *(rule for rule in DEFAULT.rules if rule.action != "fs.write"),
        Rule(id="free", effect="allow", action="fs.write"),
    ),
)


@pytest.mark.parametrize(("name", "args"), CHANGES)
@pytest.mark.parametrize(("linked", "path"), [(False, ".env"), (True, "link")])
def test_what_shows_a_secret_is_judged_as_reading_it(
    folder: Path, name: str, args: dict[str, Any], linked: bool, path: str
) -> None:
    if linked:
        (folder / "link").symlink_to(".env")
        args = {
            key: value.replace(".env", path) if isinstance(value, str) else value
            for key, value in args.items()
        }
    verdict = judge_all(WRITING, "coder", TOOLS[name].calls(args, folder))
    assert verdict.effect == "ask", verdict
    assert verdict.rule in ("secrets", "default")


def test_a_new_file_and_any_other_change_ask_no_more_than_before(folder: Path) -> None:
    def effect(name: str, **args: Any) -> Effect:
        return judge_all(WRITING, "coder", TOOLS[name].calls(args, folder)).effect

    assert effect("edit_file", file_path="notes.txt", old_string="hello", new_string="x") == "allow"
    assert effect("move_file", src="notes.txt", dst=".env.new") == "allow"
    assert effect("write_file", file_path=".env.new", content="x") == "allow"
    assert (
        effect("apply_patch", input="*** Begin Patch\n*** Add File: .env.new\n+x\n*** End Patch") == "allow"
    )


async def test_a_secret_moves_only_after_a_yes_that_says_what_it_is(start: Start, folder: Path) -> None:
    moving = call("move_file", src=".env", dst="plain.txt")
    run = await start("coder", calls(moving), "done", policy=WRITING).say("go")
    (asked,) = run.open
    assert asked.value["artel"]["reason"] == "may hold passwords or keys"
    await run.answer({"type": "reject"})
    assert (folder / ".env").exists()
