"""The coder publishes: a branch, a commit, a push, a request to merge; each asked, each once."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from tests.fakes.driver import Driver, call, calls
from tests.graphs.conftest import Start
from tests.tools.conftest import git as run_git

from artel.graphs.context import Handles
from artel.tools.git import committing
from artel.tools.policy import Policy, Rule

YES = {"type": "approve"}
NO = {"type": "reject"}


def git(folder: Path, *args: str) -> str:
    ran = run_git(folder, "-c", "user.name=Ann", "-c", "user.email=ann@example.org", *args)
    assert ran.returncode == 0, ran.stderr.decode()
    return os.fsdecode(ran.stdout).strip()


@pytest.fixture
def bare(folder: Path) -> Path:
    """The folder as a repository, and its bare remote beside it."""
    remote = folder.parent / "remote.git"
    git(folder, "init", "-q", "-b", "main")
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "First")
    git(folder, "clone", "-q", "--bare", str(folder), str(remote))
    git(folder, "remote", "add", "origin", str(remote))
    return remote


async def answered(run: Driver, *decisions: Any) -> list[str]:
    """Answer one question after the other; returns what each said."""
    asked = []
    for decision in decisions:
        (question,) = run.open
        asked.append(str(question.value["description"]))
        await run.answer(decision)
    return asked


async def test_work_is_published_step_by_step_each_with_a_yes(start: Start, folder: Path, bare: Path) -> None:
    (folder / "notes.txt").write_text("bye\nworld\n")
    run = await start(
        "coder",
        calls(call("git_status"), call("git_diff")),
        calls(call("git_branch", name="feature")),
        calls(call("git_commit", message="Say bye", paths=["notes.txt"])),
        calls(call("git_push")),
        calls(call("open_pr", title="Say bye", body="It is late.")),
        calls(call("git_log", limit=1)),
        "published",
    ).say("publish it")
    asked = await answered(run, YES, YES, YES, YES)
    assert asked == [
        "Switch to branch feature",
        "Commit notes.txt: Say bye",
        f"Push the current branch to origin → {bare}",
        f"Ask to merge into the default branch: Say bye → {bare}",
    ]
    assert (run.said, run.open) == ("published", ())
    assert "-hello\n+bye" in run.told[1]
    assert git(bare, "log", "--format=%s", "feature").splitlines() == ["Say bye", "First"]
    assert json.loads(git(bare, "cat-file", "-p", "refs/artel/pulls/1"))["head"] == "feature"
    assert git(folder, "log", "-1", "--format=%(trailers:key=Artel-Agent,valueonly)") == "coder"


async def test_a_no_leaves_the_repository_as_it_was(start: Start, folder: Path, bare: Path) -> None:
    (folder / "notes.txt").write_text("bye\n")
    run = await start("coder", calls(call("git_commit", message="No")), "ok").say("commit")
    await answered(run, NO)
    assert git(folder, "log", "--format=%s") == "First"
    assert git(folder, "status", "--porcelain").split() == ["M", "notes.txt"]


@pytest.mark.parametrize("tool", ["git_push", "open_pr"])
@pytest.mark.parametrize("remote", [{}, {"remote": "origin"}])
async def test_a_yes_is_for_the_address_that_was_shown(
    start: Start, folder: Path, bare: Path, tool: str, remote: dict[str, str]
) -> None:
    elsewhere = folder.parent / "elsewhere.git"
    git(folder, "clone", "-q", "--bare", str(bare), str(elsewhere))
    git(folder, "switch", "-qc", "feature")
    git(folder, "commit", "-q", "--allow-empty", "-m", "Mine")
    asked = call("git_push", **remote) if tool == "git_push" else call("open_pr", title="x", body="y")
    run = await start("coder", calls(asked), "ok").say("publish")
    git(folder, "remote", "set-url", "origin", str(elsewhere))
    await run.answer(YES)
    assert f"leads to {elsewhere} now, and the user was shown {bare}" in run.told[0]
    assert git(elsewhere, "for-each-ref", "--format=%(refname)") == "refs/heads/main"


async def test_an_answer_may_name_another_remote(start: Start, folder: Path, bare: Path) -> None:
    elsewhere = folder.parent / "elsewhere.git"
    git(folder, "clone", "-q", "--bare", str(bare), str(elsewhere))
    git(folder, "remote", "add", "other", str(elsewhere))
    git(folder, "switch", "-qc", "feature")
    run = await start("coder", calls(call("git_push")), "ok").say("push")
    await run.answer({"type": "edit", "edited_action": {"name": "git_push", "args": {"remote": "other"}}})
    assert "refs/heads/feature" in git(elsewhere, "for-each-ref", "--format=%(refname)")


async def test_a_crash_after_the_commit_commits_nothing_again(
    start: Start, folder: Path, bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def dies(*_: Any) -> str:
        raise ConnectionError("the process died here")

    (folder / "notes.txt").write_text("bye\n")
    run = await start("coder", calls(call("git_commit", message="Once")), "done").say("commit")
    with monkeypatch.context() as patch:
        patch.setattr(committing, "_told", dies)
        with pytest.raises(ConnectionError):
            await run.answer(YES)
    assert git(folder, "log", "--format=%s").splitlines() == ["Once", "First"]
    (folder / "notes.txt").write_text("bye again\n")
    await run.answer(YES) if run.open else await run.go(None)
    assert (run.said, run.open) == ("done", ())
    assert "nothing was committed twice" in run.told[0]
    assert git(folder, "log", "--format=%s").splitlines() == ["Once", "First"]


async def test_the_same_words_in_another_turn_are_another_commit(
    start: Start, folder: Path, bare: Path
) -> None:
    free = Policy(rules=(Rule(id="free", effect="allow", action="git.*"),))
    again = call("git_commit", id="call_0", message="Same")
    run = start("coder", calls(again), "one", calls(again), "two", policy=free)
    for text in ("1\n", "2\n"):
        (folder / "notes.txt").write_text(text)
        await run.say("commit")
    assert git(folder, "log", "--format=%s").splitlines() == ["Same", "Same", "First"]


async def test_ask_reads_git_and_cannot_write(start: Start, folder: Path, bare: Path) -> None:
    (folder / "notes.txt").write_text("bye\n")
    many = calls(call("git_status"), call("git_log"), call("git_commit", message="x"), call("git_push"))
    run = await start("ask", many, "seen").say("what changed?")
    assert run.open == ()
    assert "M notes.txt" in run.told[0]
    assert all("is not a valid tool" in told for told in run.told[2:])
    assert git(folder, "log", "--format=%s") == "First"


async def test_what_git_refuses_is_told_to_the_model(start: Start, folder: Path) -> None:
    run = await start("coder", calls(call("git_status")), "no git here").say("go")
    assert "is no git repository; the user can make it one" in run.told[0]


async def test_a_tightened_policy_wins_over_the_yes(start: Start, folder: Path, bare: Path) -> None:
    run = await start("coder", calls(call("git_push")), "ok").say("push")
    shut = Policy(rules=(Rule(id="shut", effect="deny", action="git.push", reason="frozen"),))
    alive = run.handles
    run.handles = Handles(alive.models, alive.roots, alive.default_workspace, policy=shut)
    await run.answer(YES)
    assert "frozen" in run.told[0]


async def test_a_pull_and_what_a_remote_says_when_it_refuses_taint_the_thread(
    start: Start, folder: Path, bare: Path
) -> None:
    git(bare, "config", "receive.maxInputSize", "1")
    (folder / "notes.txt").write_text("mine\n")
    git(folder, "commit", "-qam", "Mine")
    run = await (await start("coder", calls(call("git_push")), "no").say("push")).answer(YES)
    assert "Not pushed" in run.told[0]
    assert run.state.values.get("tainted") is True
    git(bare, "config", "--unset", "receive.maxInputSize")
    git(folder, "push", "-q", "origin", "main")
    git(folder, "reset", "-q", "--hard", "HEAD~1")
    run = await (await start("coder", calls(call("git_pull")), "done").say("pull")).answer(YES)
    assert run.state.values.get("tainted") is True
    run = await (await start("coder", calls(call("git_pull")), "done").say("pull")).answer(YES)
    assert "tainted" not in run.state.values
