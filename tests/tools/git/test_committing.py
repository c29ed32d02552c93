"""A commit holds what was meant, says who made it, and is made once."""

import asyncio
import os
import signal
import subprocess
import sys

import pytest
from tests.tools.git.conftest import Hands

from artel.tools.git.errors import GitFailed
from artel.tools.policy import DEFAULT, judge_all
from artel.tools.registry import TOOLS
from artel.tools.tool import ToolRefused
from artel.tools.workspace.paths import OutsideWorkspace


async def test_all_changes_are_committed_new_and_removed_files_too(hands: Hands) -> None:
    hands.write("a.txt", "changed\n")
    hands.write("sub/new.txt")
    hands.write(".gitignore", "ignored\n")
    hands.write("ignored")
    (hands.work.root / "b.txt").unlink()
    told = await hands.do("git_commit", message="Second\n\nWith a body.", key="k1")
    assert told.startswith("Committed 4 files as ")
    assert told.endswith(" on main: a.txt, b.txt, .gitignore, sub/new.txt")
    assert hands.git("ls-tree", "-r", "--name-only", "HEAD").split() == [".gitignore", "a.txt", "sub/new.txt"]
    body = hands.git("log", "-1", "--format=%B").rstrip()
    assert body == "Second\n\nWith a body.\n\nArtel-Agent: coder\nArtel-Call: k1"


async def test_only_the_named_paths_are_committed_and_what_is_staged_stays_so(hands: Hands) -> None:
    hands.write("a.txt", "staged\n")
    hands.git("add", "a.txt")
    hands.write("sub/new.txt")
    hands.write("b.txt", "left\n")
    assert "1 files" in await hands.do("git_commit", message="Sub", paths=["sub"])
    assert hands.git("status", "--porcelain").splitlines() == ["M  a.txt", " M b.txt"]


async def test_the_first_commit_of_a_repository(unborn: Hands) -> None:
    unborn.write("a.txt")
    assert "on main: a.txt" in await unborn.do("git_commit", message="First")
    assert unborn.commits() == ["First"]


async def test_a_commit_on_no_branch_says_so(hands: Hands) -> None:
    hands.git("checkout", "-q", "--detach")
    hands.write("a.txt", "x\n")
    assert "on no branch: a.txt" in await hands.do("git_commit", message="Loose", key="k")
    assert "already" in await hands.do("git_commit", message="Loose", key="k")


async def test_an_empty_commit_is_refused(hands: Hands) -> None:
    with pytest.raises(GitFailed, match="nothing to commit"):
        await hands.do("git_commit", message="Nothing")
    hands.write("b.txt", "changed\n")
    with pytest.raises(GitFailed, match=r"a\.txt has no change to commit"):
        await hands.do("git_commit", message="Nothing", paths=["a.txt"])
    with pytest.raises(GitFailed, match="nothing to commit"):
        await hands.do("git_commit", message="Nothing", paths=[])
    assert hands.commits() == ["First"]


@pytest.mark.parametrize("message", ["", " \n", "x" * 10_001, "a\0b", "\ud800"])
async def test_a_message_that_is_none_is_refused(hands: Hands, message: str) -> None:
    hands.write("a.txt", "x\n")
    with pytest.raises(ToolRefused, match="message: 1 to 10000 characters"):
        await hands.do("git_commit", message=message)


@pytest.mark.parametrize(
    "message", ["--amend", "-F/etc/passwd", "# no comment", "Fix\n\nSigned-off-by: A <a@b>"]
)
async def test_a_message_is_only_a_message(hands: Hands, message: str) -> None:
    hands.write("a.txt", "x\n")
    await hands.do("git_commit", message=message, key="k1")
    assert hands.git("log", "-1", "--format=%B").startswith(message)
    assert hands.git("log", "-1", "--format=%(trailers:key=Artel-Call,valueonly)").strip() == "k1"
    assert len(hands.commits()) == 2


async def test_the_author_is_who_the_repository_says_else_artel(hands: Hands) -> None:
    hands.write("a.txt", "1\n")
    await hands.do("git_commit", message="One")
    hands.git("config", "user.name", "Bob")
    hands.git("config", "user.email", "bob@example.org")
    hands.write("a.txt", "2\n")
    await hands.do("git_commit", message="Two")
    people = hands.git("log", "-2", "--format=%an <%ae> %cn <%ce>").splitlines()
    assert people == [f"{who} {who}" for who in ("Bob <bob@example.org>", "Artel <artel@localhost>")]


async def test_secrets_are_left_out_unless_named_and_a_person_sees_their_names(hands: Hands) -> None:
    hands.write(".env", "KEY=1\n")
    hands.write("a.txt", "x\n")
    told = await hands.do("git_commit", message="Not the key")
    assert told.endswith("a.txt\nLeft out, name them in `paths` to commit them: .env.")
    with pytest.raises(GitFailed, match=r"nothing to commit\n.*\.env"):
        await hands.do("git_commit", message="Not the key")
    await hands.do("git_commit", message="The key", paths=[".env"])
    assert ".env" in hands.git("ls-files")
    args = {"message": "The key\n\nmore", "paths": [".env"]}
    assert TOOLS["git_commit"].summary(args, hands.work.root) == "Commit .env: The key"
    assert judge_all(DEFAULT, "coder", TOOLS["git_commit"].calls(args, hands.work.root)).effect == "ask"


async def test_a_file_that_only_a_filter_could_commit_is_refused(hands: Hands) -> None:
    hands.write(".gitattributes", "*.bin filter=lfs\n")
    hands.write("big.bin")
    with pytest.raises(GitFailed, match=r"big\.bin goes through the filter lfs"):
        await hands.do("git_commit", message="Big")
    assert "gitattributes" in await hands.do("git_commit", message="Small", paths=[".gitattributes"])


async def test_a_repository_inside_is_not_committed(hands: Hands) -> None:
    inner = hands.work.root / "inner"
    hands.git("clone", "-q", str(hands.work.root), str(inner))
    with pytest.raises(GitFailed, match="repositories of their own: inner/"):
        await hands.do("git_commit", message="Inner")


async def test_paths_do_not_lead_out(hands: Hands) -> None:
    (hands.work.root / "link").symlink_to("..")
    with pytest.raises(OutsideWorkspace):
        TOOLS["git_commit"].calls({"message": "x", "paths": ["link/secret.txt"]}, hands.work.root)
    with pytest.raises(OutsideWorkspace):
        await hands.do("git_commit", message="x", paths=["../secret.txt"])


async def test_a_stale_lock_is_reported_and_not_removed(hands: Hands) -> None:
    lock = hands.work.root / ".git/index.lock"
    lock.touch()
    hands.write("a.txt", "x\n")
    with pytest.raises(GitFailed, match=r"index\.lock exists: .* the user has to remove that file"):
        await hands.do("git_commit", message="x")
    assert lock.exists()
    assert hands.commits() == ["First"]


async def test_the_same_call_commits_once_and_another_one_again(hands: Hands) -> None:
    hands.write("a.txt", "1\n")
    first = await hands.do("git_commit", message="Count", key="k1")
    hands.write("a.txt", "2\n")
    again = await hands.do("git_commit", message="Count", key="k1")
    assert again == f"Committed as {first.split(' as ')[1][:10]} already; nothing was committed twice."
    hands.git("switch", "-qc", "side", "HEAD~1", "--force")  # a user who went elsewhere meanwhile
    assert "already" in await hands.do("git_commit", message="Count", key="k1")
    hands.git("switch", "-q", "main")
    hands.write("a.txt", "2\n")
    await hands.do("git_commit", message="Count", key="k2")
    assert hands.commits() == ["Count", "Count", "First"]


async def test_two_at_once_wait_for_each_other(hands: Hands) -> None:
    hands.write("a.txt", "1\n")
    hands.write("b.txt", "2\n")
    both = (("A", ["a.txt"], "k1"), ("B", ["b.txt"], "k2"))
    await asyncio.gather(*(hands.do("git_commit", message=m, paths=p, key=k) for m, p, k in both))
    assert sorted(hands.commits()) == ["A", "B", "First"]


DIES = """
import asyncio, sys
from pathlib import Path
from artel.tools.git import committing
from artel.tools.tool import Work

async def told(*args):
    print("made", flush=True)
    await asyncio.sleep(60)

committing._told = told
asyncio.run(committing.commit(Work(Path(sys.argv[1]), "", "", key="k1"), "Once", None))
"""


async def test_killed_between_the_commit_and_the_answer_it_is_not_made_again(hands: Hands) -> None:
    hands.write("a.txt", "1\n")
    process = subprocess.Popen(  # noqa: ASYNC220 - a process to kill
        [sys.executable, "-c", DIES, str(hands.work.root)],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert process.stdout is not None
    with process.stdout:
        assert await asyncio.to_thread(process.stdout.readline) == b"made\n"
        process.send_signal(signal.SIGKILL)
        await asyncio.to_thread(process.wait)
    hands.write("a.txt", "2\n")
    assert "nothing was committed twice" in await hands.do("git_commit", message="Once", key="k1")
    assert hands.commits() == ["Once", "First"]
    assert not (hands.work.root / ".git/index.lock").exists()
