"""Push and pull go forward, go only where git may go, and end when they are told to."""

import asyncio
import time
from base64 import b64encode
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from pydantic import SecretStr
from tests.fakes.git_host import GitHost, git_host
from tests.fakes.waiting import eventually
from tests.tools.git.conftest import Hands, trap

from artel.tools.git import remotes
from artel.tools.git.errors import BadName, GitFailed, NoRepository, RemoteRefused, UnsafeRepository
from artel.tools.git.settings import GitSettings
from artel.tools.registry import TOOLS


def at(host: GitHost, hands: Hands, **more: object) -> Hands:
    """Make a fake host the GitHub of the settings, and `origin` a project of it."""
    hands.git("remote", "add", "origin", f"{host.url}/ann/project.git")
    settings = GitSettings.model_validate(
        {"github_url": host.url, "github_token": SecretStr("t0ken"), **more}
    )
    return Hands(replace(hands.work, git=settings))


async def test_a_branch_is_pushed_and_pulled_and_a_repeat_changes_nothing(
    hands: Hands, bare: Path, other: Hands
) -> None:
    hands.write("a.txt", "mine\n")
    hands.git("commit", "-qam", "Mine")
    told = await hands.do("git_push")
    assert told == f"{bare} has now main at {hands.git('rev-parse', 'HEAD')[:10]}."
    assert "had already" in await hands.do("git_push")
    assert hands.git("rev-parse", "origin/main") == hands.git("rev-parse", "main")
    assert (await other.do("git_pull")).startswith("Moved forward to ")
    assert (other.work.root / "a.txt").read_text() == "mine\n"
    assert await other.do("git_pull") == "Already up to date with origin/main."


async def test_what_is_at_the_remote_is_never_overwritten(hands: Hands, bare: Path, other: Hands) -> None:
    other.write("b.txt", "theirs\n")
    other.git("commit", "-qam", "Theirs")
    other.git("push", "-q")
    hands.write("a.txt", "mine\n")
    hands.git("commit", "-qam", "Mine")
    with pytest.raises(GitFailed, match=r"nothing is ever overwritten\. git_pull them first"):
        await hands.do("git_push")
    with pytest.raises(GitFailed, match="git_merge origin/main joins them"):
        await hands.do("git_pull")
    assert hands.commits() == ["Mine", "First"]
    await hands.do("git_merge", branch="origin/main")
    assert "has now main" in await hands.do("git_push")
    assert hands.commits() == hands.git("log", "--format=%s", "main", at=bare).splitlines()


async def test_a_pull_that_would_lose_changes_is_refused(hands: Hands, bare: Path, other: Hands) -> None:
    other.write("a.txt", "theirs\n")
    other.git("commit", "-qam", "Theirs")
    other.git("push", "-q")
    hands.write("a.txt", "dirty\n")
    with pytest.raises(GitFailed, match="would be overwritten by merge"):
        await hands.do("git_pull")
    assert (hands.work.root / "a.txt").read_text() == "dirty\n"


async def test_an_unborn_branch_is_pulled(hands: Hands, bare: Path) -> None:
    folder = hands.work.root.parent / "fresh"
    folder.mkdir()
    hands.git("init", "-q", "-b", "main", at=folder)
    hands.git("remote", "add", "origin", f"file://{bare}", at=folder)
    fresh = Hands(replace(hands.work, root=folder.resolve()))
    assert (await fresh.do("git_pull")).startswith("Moved forward to ")
    assert (folder / "a.txt").exists()


async def test_what_is_not_there_is_named(hands: Hands, bare: Path) -> None:
    with pytest.raises(GitFailed, match="has no branch nowhere"):
        await hands.do("git_pull", branch="nowhere")
    with pytest.raises(GitFailed, match="no commit on a branch nowhere"):
        await hands.do("git_push", branch="nowhere")
    with pytest.raises(RemoteRefused, match=r"upstream has 0 addresses.*there are these remotes: origin"):
        await hands.do("git_push", remote="upstream")
    hands.git("checkout", "-q", "--detach")
    with pytest.raises(GitFailed, match="on no branch"):
        await hands.do("git_push")


@pytest.mark.parametrize("tool", ["git_pull", "git_push"])
async def test_options_are_neither_remotes_nor_branches(hands: Hands, bare: Path, tool: str) -> None:
    program, sprung = trap(hands.work.root.parent)
    for name in (f"--upload-pack={program}", f"--receive-pack={program}", str(bare), f"ext::sh -c {program}"):
        with pytest.raises(BadName):
            await hands.do(tool, remote=name)
    for name in (f"--upload-pack={program}", "--force", "main:other", ":main", "refs/*"):
        with pytest.raises(BadName):
            await hands.do(tool, branch=name)
    with pytest.raises(GitFailed):  # a name like any other: it forces nothing
        await hands.do(tool, branch="+main")
    assert not sprung.exists()


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("ext::sh -c 'touch sprung'", "https, ssh and folders of this machine only"),
        ("git://example.org/a/b", "https, ssh and folders of this machine only"),
        ("ftp://example.org/a/b", "https, ssh and folders of this machine only"),
        ("file://example.org/a", "https, ssh and folders of this machine only"),
        ("fd::17", "https, ssh and folders of this machine only"),
        ("--upload-pack=x", "is no address"),
        ("git@github.com:a/b.git", "needs ssh, which is off; ARTEL_GIT__SSH"),
        ("ssh://git@github.com/a/b", "needs ssh, which is off"),
        ("https://example.org/a/b", "example.org is not among the hosts git may reach"),
        ("https://github.com.evil.org/a/b", "is not among the hosts"),
        ("https://github.com@evil.org/a/b", "evil.org is not among the hosts"),
        ("https://127.0.0.1:8123/a", "is not among the hosts"),
        ("http://github.com/a/b", "not encrypted"),
        ("https:///a/b", "names no host"),
        ("https://[x/a", "is no address"),
        ("/", "not below a folder where remotes may lie"),
        ("../../elsewhere", "not below a folder where remotes may lie"),
    ],
)
async def test_git_goes_only_where_it_may(hands: Hands, url: str, says: str) -> None:
    with (hands.work.root / ".git/config").open("a") as config:
        config.write(f'[remote "origin"]\n\turl = "{url}"\n')
    for tool in ("git_pull", "git_push"):
        with pytest.raises(RemoteRefused, match=says):
            await hands.do(tool)


async def test_a_remote_has_one_address(hands: Hands, bare: Path) -> None:
    hands.git("remote", "set-url", "--add", "origin", "https://github.com/a/b")
    with pytest.raises(RemoteRefused, match="origin has 2 addresses"):
        await hands.do("git_push")


async def test_a_folder_may_be_a_remote_where_the_settings_say(hands: Hands, bare: Path) -> None:
    nowhere = replace(hands.work, roots=())
    with pytest.raises(RemoteRefused, match="ARTEL_GIT__LOCAL_REMOTES"):
        await Hands(nowhere).do("git_push")
    allowed = GitSettings(local_remotes=(bare.parent,))
    assert "had already" in await Hands(replace(nowhere, git=allowed)).do("git_push")


async def test_a_work_tree_is_no_remote(hands: Hands, other: Hands) -> None:
    for url in (other.work.root, other.work.root / ".git"):
        hands.git("remote", "set-url", "origin", str(url))
        with pytest.raises(NoRepository, match="only such a folder can be a remote"):
            await hands.do("git_push", branch="main")


async def test_a_local_remote_runs_nothing_either(hands: Hands, bare: Path) -> None:
    program, sprung = trap(hands.work.root.parent)
    hooks = hands.work.root.parent / "hooks"
    hooks.mkdir()
    for name in ("pre-receive", "update", "post-receive", "post-update", "reference-transaction"):
        (hooks / name).symlink_to(program)
    hands.git("config", "core.hooksPath", str(hooks), at=bare)
    hands.git("switch", "-qc", "side")
    assert "has now side" in await hands.do("git_push")
    (bare / "hooks/update").write_text("#!/bin/sh\nexit 1\n")
    with pytest.raises(RemoteRefused, match="checks what is pushed by hooks"):
        await hands.do("git_push")
    (bare / "hooks/update").unlink()
    hands.git("config", "core.alternateRefsCommand", str(program), at=bare)
    with pytest.raises(UnsafeRepository, match=r"core\.alternaterefscommand"):
        await hands.do("git_push")
    assert not sprung.exists()


async def test_a_person_is_shown_where_a_push_leads_without_the_password(hands: Hands) -> None:
    hands.git("remote", "add", "origin", "https://ann:secret@github.com/ann/project.git")
    hands.git("config", "remote.origin.pushurl", "https://ann:secret@evil.example/a")
    tool, root = TOOLS["git_push"], hands.work.root
    assert tool.summary({}, root) == "Push the current branch to origin → https://evil.example/a"
    asks = TOOLS["git_pull"].summary({"branch": "x"}, root)
    assert asks == "Pull x from origin → https://github.com/ann/project.git"
    assert tool.summary({"remote": "--x"}, root) == "Push the current branch to --x"


async def test_the_token_goes_to_its_host_and_a_refusal_is_told_without_it(hands: Hands) -> None:
    program, sprung = trap(hands.work.root.parent)
    async with git_host(401, 401, 401) as host:
        mine = at(host, hands)
        hands.git("config", "credential.helper", f"!{program}")
        with pytest.raises(GitFailed, match="lets nobody in without the right token") as failed:
            await mine.do("git_push")
        basic = b64encode(b"x-access-token:t0ken").decode()
        assert host.asked[0].headers["authorization"] == f"Basic {basic}"
        assert host.asked[0].path == "/ann/project.git/info/refs"
        assert "t0ken" not in str(failed.value)
        assert basic not in str(failed.value)
    assert not sprung.exists()


async def test_the_token_goes_to_no_other_host(hands: Hands) -> None:
    async with git_host(401, 401) as host, git_host(401, 401) as stranger:
        mine = at(host, hands, gitlab_url=stranger.url)
        hands.git("remote", "set-url", "origin", f"{stranger.url}/ann/project.git")
        with pytest.raises(GitFailed):
            await mine.do("git_pull")
        assert stranger.asked
        assert all("authorization" not in asked.headers for asked in stranger.asked)
        assert not host.asked


async def test_ssh_is_run_by_our_words_where_the_settings_allow_it(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, sprung = trap(hands.work.root.parent)
    program.write_text(f"#!/bin/sh\nprintf '%s|' \"$@\" > '{sprung}'\n")
    monkeypatch.setattr(remotes, "SSH", str(program))
    hands.git("remote", "add", "origin", "git@github.com:ann/project.git")
    hands.git("config", "core.sshCommand", "false")
    mine = Hands(replace(hands.work, git=GitSettings(ssh=True, ssh_agent="/run/an agent")))
    with pytest.raises(GitFailed):
        await mine.do("git_pull")
    said = sprung.read_text().split("|")
    assert said[0] == "-oIdentityAgent=/run/an agent"
    assert "git@github.com" in said


async def test_a_cancelled_pull_is_dead_within_two_seconds(hands: Hands) -> None:
    async with git_host(0) as host:
        pull = asyncio.create_task(at(host, hands).do("git_pull"))
        await asyncio.wait_for(host.begun.wait(), 20)
        running = [each for each in psutil.Process().children(recursive=True) if "git" in each.name()]
        assert running
        began = time.monotonic()
        pull.cancel()
        with pytest.raises(asyncio.CancelledError):
            await pull
        await eventually(lambda: not any(map(lives, running)), within_s=began + 2 - time.monotonic())


def lives(process: psutil.Process) -> bool:
    with suppress(psutil.NoSuchProcess):
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    return False


async def test_a_pull_that_hangs_is_stopped(hands: Hands) -> None:
    async with git_host(0) as host:
        with pytest.raises(GitFailed, match="took longer than 1 s and was stopped"):
            await at(host, hands, timeout_s=1).do("git_pull")
