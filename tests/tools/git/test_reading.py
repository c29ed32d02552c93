"""What git tells, and what it keeps to itself."""

import asyncio
import os
from pathlib import Path

import pytest
from tests.tools.git.conftest import Hands

from artel.tools.git import reading
from artel.tools.git.errors import BadName, GitFailed, NoRepository
from artel.tools.policy import DEFAULT, judge_all
from artel.tools.registry import TOOLS
from artel.tools.tool import ToolFailed, ToolRefused
from artel.tools.workspace.paths import OutsideWorkspace


async def test_status_tells_the_branch_and_every_change(hands: Hands) -> None:
    assert await hands.do("git_status") == "## main\nNothing to commit."
    hands.write("a.txt", "changed\n")
    hands.write("new.txt")
    hands.git("rm", "-q", "b.txt")
    assert await hands.do("git_status") == "## main\n M a.txt\nD  b.txt\n?? new.txt"


async def test_status_of_an_unborn_branch_and_of_none(unborn: Hands) -> None:
    assert await unborn.do("git_status") == "## No commits yet on main\nNothing to commit."
    unborn.write("a.txt")
    unborn.git("add", "-A")
    unborn.git("commit", "-qm", "First")
    unborn.git("checkout", "-q", "--detach")
    assert (await unborn.do("git_status")).startswith("## HEAD (no branch)")


@pytest.mark.parametrize(
    "name", ["two words.txt", "й.txt", "new\nline.txt", "-n", "--help", ":(top)x", "*.t"]
)
async def test_odd_names_are_shown_committed_and_compared(hands: Hands, name: str) -> None:
    hands.write(name, "odd\n")
    shown = name.replace("\n", "\\n")
    assert f"?? {shown}" in await hands.do("git_status")
    paths = [name] if "\n" not in name else None
    assert f": {shown}" in await hands.do("git_commit", message="Odd", paths=paths)
    assert await hands.do("git_status") == "## main\nNothing to commit."
    hands.write(name, "even\n")
    assert "-odd\n+even" in await hands.do("git_diff", **({"path": name} if "\n" not in name else {}))
    assert len((await hands.do("git_log", path=name) if "\n" not in name else "x").splitlines()) == 1


async def test_many_changes_are_counted_not_listed(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_ENTRIES", 3)
    for number in range(5):
        hands.write(f"{number}.txt")
    assert (await hands.do("git_status")).endswith("?? 2.txt\n… and 2 more")


async def test_diff_of_the_work_tree_the_index_and_a_commit(hands: Hands) -> None:
    hands.write("a.txt", "one\n2\nthree\n")
    assert "-two\n+2\n" in await hands.do("git_diff")
    hands.git("add", "-A")
    assert (await hands.do("git_diff")).startswith("No differences.")
    assert "-two\n+2\n" in await hands.do("git_diff", staged=True)
    hands.git("commit", "-qm", "Second")
    assert "+2" in await hands.do("git_diff", ref="HEAD~1")
    assert "+2" in await hands.do("git_diff", ref="HEAD~1..HEAD")
    assert "+2" in await hands.do("git_diff", ref="HEAD~1...", path="a.txt")
    assert (await hands.do("git_diff", ref="HEAD~1", path="b.txt")).startswith("No differences.")


async def test_a_big_diff_is_cut_and_its_sizes_are_told(hands: Hands) -> None:
    hands.write("a.txt", "".join(f"line {number}\n" for number in range(20_000)))
    told = await hands.do("git_diff")
    assert len(told) < reading.MAX_BYTES + 500
    assert "… cut at 40000 bytes; ask for one path at a time. All changes:\n a.txt | 20003 +" in told


async def test_a_diff_with_nul_can_be_stored(hands: Hands) -> None:
    hands.write(".gitattributes", "*.bin diff\n")
    hands.write("x.bin", "a\0b\n")
    hands.git("add", "-A")
    told = await hands.do("git_diff", staged=True)
    assert "\0" not in told
    assert "+a\\0b" in told


async def test_secrets_are_left_out_unless_one_is_named_and_then_a_person_is_asked(hands: Hands) -> None:
    hands.write(".env", "KEY=old\n")
    hands.write("deploy/.ssh/config", "Host old\n")
    hands.git("add", "-A")
    hands.git("commit", "-qm", "Oh no")
    hands.write(".env", "KEY=new\n")
    hands.write("deploy/.ssh/config", "Host new\n")
    told = await hands.do("git_diff")
    assert "new" not in told
    assert "Left out, for they may hold secrets: .env, deploy/.ssh/config." in told
    assert "new" not in await hands.do("git_diff", path="deploy")
    assert "+KEY=new" in await hands.do("git_diff", path=".env")
    calls = TOOLS["git_diff"].calls({"path": ".env"}, hands.work.root)
    assert judge_all(DEFAULT, "coder", calls).effect == "ask"
    assert judge_all(DEFAULT, "coder", TOOLS["git_diff"].calls({}, hands.work.root)).effect == "allow"


async def test_log_is_one_line_a_commit_and_limited(hands: Hands) -> None:
    for number in range(3):
        hands.write("b.txt", str(number))
        hands.git("commit", "-qam", f"Number {number}\n\nbody")
    lines = (await hands.do("git_log", limit=2)).splitlines()
    assert [line.split("Ann: ")[1] for line in lines] == ["Number 2 (HEAD -> main)", "Number 1"]
    assert "First" in await hands.do("git_log", path="a.txt")
    assert await hands.do("git_log", path="none.txt") == "No commit changed none.txt."
    with pytest.raises(ToolRefused, match="limit"):
        await hands.do("git_log", limit=0)


async def test_log_before_the_first_commit(unborn: Hands) -> None:
    assert await unborn.do("git_log") == "No commits yet."


@pytest.mark.parametrize(
    "ref", ["--output=x", "-p", "nowhere", "main..nowhere", "", "a\nb", "x" * 2_000, ".."]
)
async def test_a_revision_that_is_none_is_refused(hands: Hands, ref: str) -> None:
    if ref in ("", ".."):
        assert (await hands.do("git_diff", ref=ref)).startswith("No differences.")
        return
    with pytest.raises(BadName):
        await hands.do("git_diff", ref=ref)
    assert {each.name for each in hands.work.root.iterdir()} == {".git", "a.txt", "b.txt"}


@pytest.mark.parametrize("tool", ["git_diff", "git_log", "git_commit"])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "\0",
        "..",
        "/etc/passwd",
        ".git/config",
        "\ud800",
        "~",
        "x" * 5_000,
        "a\nb",
        "loop",
        "pipe",
        "-rf",
        "--",
    ],
)
async def test_every_bad_path_is_refused_in_words(hands: Hands, tool: str, path: str) -> None:
    (hands.work.root / "loop").symlink_to("loop")
    os.mkfifo(hands.work.root / "pipe")
    args = {"message": "x", "paths": [path]} if tool == "git_commit" else {"path": path}
    for judged in (True, False):  # what the gate does, and what the tool itself does behind it
        try:
            if judged:
                TOOLS[tool].calls(args, hands.work.root)
            said = await hands.do(tool, **args)
        except (ToolRefused, ToolFailed) as error:
            said = str(error)
        assert said.strip()
        said.encode()
        assert "root:" not in said
    assert hands.commits()[-1] == "First"


async def test_paths_do_not_lead_out(hands: Hands) -> None:
    for name in ("git_diff", "git_log"):
        with pytest.raises(OutsideWorkspace):
            await hands.do(name, path="../secret.txt")
        with pytest.raises(OutsideWorkspace):
            TOOLS[name].calls({"path": "../secret.txt"}, hands.work.root)


async def test_a_folder_that_is_no_repository_says_so(hands: Hands) -> None:
    folder = hands.work.root.parent / "plain"
    folder.mkdir()
    with pytest.raises(NoRepository, match="is no git repository"):
        await Hands(type(hands.work)(folder, "", "")).do("git_status")


async def test_a_folder_of_a_repository_is_not_worked_in(hands: Hands) -> None:
    inner = hands.write("inner/a.txt").parent
    with pytest.raises(NoRepository, match="only a folder of the repository"):
        await Hands(type(hands.work)(inner, "", "")).do("git_status")


async def test_many_may_read_at_once_and_lock_nothing(hands: Hands) -> None:
    (hands.work.root / ".git/index.lock").touch()
    told = await asyncio.gather(*(hands.do("git_status") for _ in range(4)))
    assert set(told) == {"## main\nNothing to commit."}


async def test_a_broken_repository_is_a_failure_not_a_bug(hands: Hands) -> None:
    (hands.work.root / ".git/HEAD").write_text("nonsense")
    with pytest.raises(GitFailed):
        await hands.do("git_status")


async def test_a_nested_repository_is_not_looked_into(hands: Hands, tmp_path: Path) -> None:
    inner = hands.work.root / "inner"
    inner.mkdir()
    hands.git("init", "-q", at=inner)
    (inner / "x").write_text("x")
    assert "?? inner/" in await hands.do("git_status")
