"""What agents publish passes the gate first, where the project says so, and nothing leads around it."""

from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.gate.conftest import BUILT_IN, Project

from artel.tools.gate import guarding, running
from artel.tools.gate.errors import GateMisconfigured, GateRed
from artel.tools.gate.report import Report
from artel.tools.git.errors import GitFailed

ALL = 'guard = ["commit", "push", "pr"]\n' + BUILT_IN
BAD = "eval('1')\n"


@pytest.fixture
def guarded(unborn: Project) -> Project:
    """A repository that guards all steps, and its remote, which has its base."""
    unborn.configure(ALL)
    remote = unborn.root.parent / "remote.git"
    unborn.git("clone", "-q", "--bare", str(unborn.root), str(remote))
    unborn.git("remote", "add", "origin", str(remote))
    unborn.git("fetch", "-q", "origin")
    return unborn


def at_remote(project: Project, branch: str) -> str:
    return project.git("for-each-ref", f"refs/heads/{branch}", "--format=%(objectname)", at=_remote(project))


def _remote(project: Project) -> Path:
    return project.root.parent / "remote.git"


async def test_a_red_change_is_not_committed_and_the_report_says_why(guarded: Project) -> None:
    guarded.write("a.py", BAD)
    with pytest.raises(GateRed, match=r"(?s)Not committed: .*calls: FAILED.*a\.py:1: eval runs text as code"):
        await guarded.do("git_commit", message="Add")
    assert guarded.git("log", "--format=%s") == "Gate"
    guarded.write("a.py", "x = 1\n")
    assert "Committed 1 files" in await guarded.do("git_commit", message="Add")


async def test_only_what_is_committed_is_judged(guarded: Project) -> None:
    guarded.write("a.py", BAD)
    guarded.write("b.py")
    assert "b.py" in await guarded.do("git_commit", message="Add", paths=["b.py"])
    with pytest.raises(GateRed):
        await guarded.do("git_commit", message="Add", paths=["a.py"])


async def test_a_gate_that_asks_for_no_guard_keeps_nothing_back(unborn: Project) -> None:
    unborn.configure(BUILT_IN)
    unborn.write("a.py", BAD)
    assert "Committed" in await unborn.do("git_commit", message="Add")


async def test_the_first_commit_of_all_is_guarded_by_nothing(unborn: Project) -> None:
    unborn.write(".artel/gate.toml", ALL)
    unborn.write("a.py", BAD)
    assert "Committed" in await unborn.do("git_commit", message="Add")


async def test_a_model_cannot_weaken_the_gate_in_the_same_commit_nor_in_one_before(guarded: Project) -> None:
    guarded.write(".artel/gate.toml", "checks = []\n")
    with pytest.raises(GateRed, match="configuration of the gate differs"):
        await guarded.do("git_commit", message="Quietly")
    guarded.write("a.py", BAD)
    with pytest.raises(GateRed):
        await guarded.do("git_commit", message="Both")
    with pytest.raises(GateRed):
        await guarded.do("git_commit", message="Without it", paths=["a.py"])


async def test_a_gate_that_cannot_be_read_lets_nothing_through(guarded: Project) -> None:
    guarded.configure("guard = [\n")
    guarded.write("b.py")
    with pytest.raises(GateMisconfigured, match="A person has to mend it"):
        await guarded.do("git_commit", message="Add")


async def test_a_file_changed_between_gate_and_commit_is_taken_back(
    guarded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = running.run

    async def slow(*args: object, **more: object) -> Report:
        report = await judge(*args, **more)  # type: ignore[arg-type]  # as it was called
        guarded.write("a.py", BAD)
        return report

    monkeypatch.setattr(guarding, "run", slow)
    guarded.write("a.py")
    head = guarded.git("rev-parse", "HEAD")
    with pytest.raises(GitFailed, match="files changed between the gate and the commit"):
        await guarded.do("git_commit", message="Add")
    assert guarded.git("rev-parse", "HEAD") == head


async def test_line_ends_that_git_converts_are_no_change(guarded: Project) -> None:
    guarded.write(".gitattributes", "* text=auto eol=crlf\n")
    guarded.write("a.py", "x = 1\r\ny = 2\r\n")
    assert "Committed 2 files" in await guarded.do("git_commit", message="Add")


async def test_a_red_branch_is_not_pushed_though_it_was_committed_elsewhere(guarded: Project) -> None:
    guarded.git("switch", "-qc", "feature")
    guarded.write("a.py", BAD)
    guarded.commit("By hand")
    with pytest.raises(GateRed, match="Not pushed"):
        await guarded.do("git_push")
    assert at_remote(guarded, "feature") == ""
    guarded.write("a.py", "x = 1\n")
    guarded.commit("Mended")
    assert "has now feature" in await guarded.do("git_push")
    guarded.write("b.py", BAD)
    guarded.commit("Again")
    with pytest.raises(GateRed):
        await guarded.do("git_push")


async def test_what_is_pushed_is_judged_and_not_what_lies_in_the_folder(guarded: Project) -> None:
    guarded.git("switch", "-qc", "feature")
    guarded.write("a.py", BAD)
    guarded.commit("Bad")
    guarded.write("a.py", "x = 1\n")
    with pytest.raises(GitFailed, match=r"a\.py is not as committed"):
        await guarded.do("git_push")
    guarded.git("checkout", "-q", "a.py")
    guarded.git("switch", "-q", "main")
    with pytest.raises(GitFailed, match="but on main; go there with git_branch"):
        await guarded.do("git_push", branch="feature")
    assert at_remote(guarded, "feature") == ""


async def test_a_request_is_judged_by_the_branch_it_is_to_be_merged_into(guarded: Project) -> None:
    guarded.git("switch", "-qc", "feature")
    guarded.configure("guard = []\n")
    guarded.write("a.py", BAD)
    guarded.commit("Bad")
    guarded.git("push", "-q", "origin", "feature")
    guarded.git("fetch", "-q", "origin")
    with pytest.raises(GateRed, match=r"(?s)Not opened.*configuration of the gate differs.*a\.py:1: eval"):
        await guarded.do("open_pr", title="Please", body="")


async def test_a_branch_from_before_there_was_a_gate_is_no_way_around_it(unborn: Project) -> None:
    unborn.write("README.md")
    unborn.commit("First")
    first = unborn.git("rev-parse", "HEAD")
    unborn.configure(ALL)
    remote = _remote(unborn)
    unborn.git("clone", "-q", "--bare", str(unborn.root), str(remote))
    unborn.git("remote", "add", "origin", str(remote))
    unborn.git("fetch", "-q", "origin")
    unborn.git("switch", "-qc", "old", first)
    unborn.write("a.py", BAD)
    with pytest.raises(GateRed):
        await unborn.do("git_commit", message="Add")
    unborn.commit("By hand")
    with pytest.raises(GateRed):
        await unborn.do("git_push")


async def test_a_repeated_commit_is_found_before_the_gate_judges_anything_else(
    guarded: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    guarded.work = replace(guarded.work, key="k1")
    guarded.write("a.py")
    await guarded.do("git_commit", message="Add")

    async def never(*_args: object) -> None:
        raise AssertionError("judged twice")

    monkeypatch.setattr(guarding, "check_commit", never)
    assert "already" in await guarded.do("git_commit", message="Add")


async def test_deleted_and_oddly_named_files_pass_the_guard(guarded: Project) -> None:
    guarded.write("a\nb.py")
    guarded.write("-rf")
    guarded.commit()
    (guarded.root / "a\nb.py").unlink()
    guarded.write("-rf", "y = 2\n")
    assert "Committed 2 files" in await guarded.do("git_commit", message="Tidy")
