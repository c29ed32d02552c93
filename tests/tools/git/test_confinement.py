"""A repository is somebody else's words: nothing in it runs, nothing in it leads out."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.git.conftest import Hands, trap

from artel.tools.git.confinement import FIXED, environment
from artel.tools.git.errors import GitFailed, NoRepository, UnsafeRepository
from artel.tools.git.remotes import find_remote
from artel.tools.git.repository import find

REFUSED = {
    "include.path": "/etc/hosts",
    "includeIf.gitdir:/.path": "/etc/hosts",
    "filter.x.clean": "{trap}",
    "filter.x.smudge": "{trap}",
    "filter.x.process": "{trap}",
    "diff.external": "{trap}",
    "diff.x.command": "{trap}",
    "diff.x.textconv": "{trap}",
    "merge.x.driver": "{trap} %A",
    "trailer.x.command": "{trap}",
    "trailer.x.cmd": "{trap}",
    "hook.x.command": "{trap}",
    "core.alternateRefsCommand": "{trap}",
    "core.gitProxy": "{trap}",
    "core.worktree": "/",
    "gpg.program": "{trap}",
    "gpg.ssh.program": "{trap}",
    "gpg.ssh.defaultKeyCommand": "{trap}",
    "remote.origin.uploadpack": "{trap}",
    "remote.origin.receivepack": "{trap}",
    "remote.origin.vcs": "ext",
    "remote.origin.promisor": "true",
    "extensions.partialClone": "origin",
    "url.ext::sh.insteadOf": "https://",
    "url.ext::sh.pushInsteadOf": "https://",
    "uploadpack.packObjectsHook": "{trap}",
}
OVERRIDDEN = {
    "core.fsmonitor": "{trap}",
    "core.hooksPath": "{folder}",
    "core.sshCommand": "{trap}",
    "core.askPass": "{trap}",
    "core.editor": "{trap}",
    "core.pager": "{trap}",
    "pager.status": "{trap}",
    "pager.log": "{trap}",
    "sequence.editor": "{trap}",
    "credential.helper": "!{trap}",
    "commit.gpgSign": "true",
    "log.showSignature": "true",
    "merge.verifySignatures": "true",
    "alias.status": "!{trap}",
    "branch.main.mergeOptions": "--squash --verify-signatures",
    "pull.twohead": "evil",
    "commit.template": "/etc/hosts",
    "protocol.ext.allow": "always",
    "diff.submodule": "log",
    "status.submoduleSummary": "true",
    "core.bare": "false",
}
NETWORK = {
    "http.proxy": "http://127.0.0.1:1",
    "http.https://github.com.sslVerify": "false",
    "http.sslCAInfo": "/etc/hosts",
    "http.cookieFile": "/etc/hosts",
    "credential.https://github.com.helper": "!{trap}",
    "remote.origin.proxy": "http://127.0.0.1:1",
    "remote.https://github.com/a/b.url": "https://example.org/",
    "ssh.variant": "simple",
}

HOOKS = (
    *("pre-commit", "commit-msg", "prepare-commit-msg", "post-commit", "post-checkout", "pre-merge-commit"),
    *("post-merge", "pre-push", "reference-transaction", "post-index-change", "pre-auto-gc", "pre-receive"),
    *("update", "post-receive", "post-update", "proc-receive", "push-to-checkout", "fsmonitor-watchman"),
)


async def everything(hands: Hands) -> None:
    """Use every tool that works without a remote."""
    hands.write("a.txt", "changed\n")
    for reader in ("git_status", "git_diff", "git_log", "git_branch"):
        await hands.do(reader)
    await hands.do("git_commit", message="All", key="k")
    await hands.do("git_branch", name="side", from_ref="HEAD~1")
    hands.write("b.txt", "side\n")
    await hands.do("git_commit", message="Side", key="l")
    await hands.do("git_merge", branch="main", key="m")
    await hands.do("git_branch", name="main")
    await hands.do("git_merge", branch="side")


def configure(hands: Hands, key: str, value: str) -> Path:
    program, sprung = trap(hands.work.root.parent)
    hands.git("config", key, value.format(trap=program, folder=program.parent))
    return sprung


@pytest.mark.parametrize("key", REFUSED)
async def test_a_configuration_that_runs_or_leads_elsewhere_is_refused(hands: Hands, key: str) -> None:
    sprung = configure(hands, key, REFUSED[key])
    hands.write(".gitattributes", "* filter=x diff=x merge=x\n")
    for tool in ("git_status", "git_diff", "git_log"):
        with pytest.raises(UnsafeRepository) as refused:
            await hands.do(tool)
        assert f"sets {key.split('.')[0]}.".lower() in str(refused.value).lower() or key == "core.worktree"
    assert not sprung.exists()


@pytest.mark.parametrize("key", OVERRIDDEN)
async def test_a_configuration_of_programs_is_overridden(hands: Hands, key: str) -> None:
    sprung = configure(hands, key, OVERRIDDEN[key])
    sprung.unlink(missing_ok=True)
    await everything(hands)
    assert not sprung.exists()
    assert hands.commits("main")[0] == "Merge main into side"


@pytest.mark.parametrize("key", NETWORK)
async def test_what_could_redirect_a_connection_is_refused_before_there_is_one(
    hands: Hands, key: str
) -> None:
    hands.git("remote", "add", "origin", "https://github.com/a/b.git")
    sprung = configure(hands, key, NETWORK[key])
    for tool in ("git_pull", "git_push"):
        with pytest.raises(UnsafeRepository):
            await hands.do(tool)
    await hands.do("git_status")
    assert not sprung.exists()


async def test_no_hook_is_run(hands: Hands, bare: Path, other: Hands) -> None:
    program, sprung = trap(hands.work.root.parent)
    for name in HOOKS:
        shutil.copy(program, hands.work.root / ".git/hooks" / name)
    await everything(hands)
    await hands.do("git_push")
    other.git("pull", "-q")
    other.write("b.txt", "theirs\n")
    other.git("commit", "-qam", "Theirs")
    other.git("push", "-q")
    await hands.do("git_pull")
    assert not sprung.exists()
    hands.git("commit", "-q", "--allow-empty", "-m", "A user's own")
    assert sprung.exists()  # the trap is one


async def test_attributes_alone_run_nothing_and_filters_of_the_machine_are_unknown(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program, sprung = trap(tmp_path)
    own = tmp_path / "gitconfig"
    own.write_text(f'[filter "x"]\n\tclean = {program}\n[core]\n\tfsmonitor = {program}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(own))
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", str(program))
    monkeypatch.setenv("GIT_DIR", str(tmp_path))
    hands.write("a.txt", "changed\n")
    hands.write(".git/info/attributes", "* filter=x diff=x\n")
    assert "+changed" in await hands.do("git_diff")
    assert not sprung.exists()


@pytest.mark.parametrize("what", ["HEAD", "config", "refs", "refs/heads", "objects", "index", "objects/pack"])
async def test_links_inside_git_lead_nowhere(hands: Hands, what: str) -> None:
    place, away = hands.work.root / ".git" / what, hands.work.root.parent / "away"
    shutil.move(place, away)
    place.symlink_to(away)
    with pytest.raises(UnsafeRepository, match="leads out of the repository"):
        await hands.do("git_status")


async def test_git_as_a_link_is_not_followed(hands: Hands) -> None:
    away = hands.work.root.parent / "away"
    shutil.move(hands.work.root / ".git", away)
    (hands.work.root / ".git").symlink_to(away)
    with pytest.raises(UnsafeRepository, match=r"\.git is a link"):
        await hands.do("git_log")


@pytest.mark.parametrize("name", ["objects/info/alternates", "commondir"])
async def test_objects_and_branches_are_borrowed_from_nobody(hands: Hands, other: Hands, name: str) -> None:
    hands.write(f".git/{name}", f"{other.work.root}/.git/objects\n")
    with pytest.raises(UnsafeRepository, match="leads out"):
        await hands.do("git_log")


async def test_a_git_file_that_points_elsewhere_is_not_followed(hands: Hands, other: Hands) -> None:
    shutil.rmtree(hands.work.root / ".git")
    hands.write(".git", f"gitdir: {other.work.root}/.git\n")
    with pytest.raises(UnsafeRepository, match="does not know this folder"):
        await hands.do("git_log")


async def test_a_work_tree_that_its_repository_knows_is_worked_in(hands: Hands) -> None:
    folder = hands.work.root.parent / "second"
    hands.git("worktree", "add", "-q", "-b", "second", str(folder))
    second = Hands(replace(hands.work, root=folder.resolve()))
    second.write("new.txt")
    assert "on second: new.txt" in await second.do("git_commit", message="Second")
    assert hands.commits() == ["First"]
    hands.git("config", "filter.x.clean", "false")
    with pytest.raises(UnsafeRepository, match=r"filter\.x\.clean"):
        await second.do("git_status")


async def test_a_submodule_is_not_entered(hands: Hands, other: Hands) -> None:
    hands.git("submodule", "add", "-q", str(other.work.root), "sub")
    hands.git("commit", "-qm", "Sub")
    program, sprung = trap(hands.work.root.parent)
    inner = hands.work.root / "sub"
    hands.git("config", "core.fsmonitor", str(program), at=inner)
    hands.git("config", "filter.x.clean", str(program), at=inner)
    sprung.unlink(missing_ok=True)
    (inner / ".gitattributes").write_text("* filter=x\n")
    (inner / "a.txt").write_text("dirty\n")
    await everything(hands)
    assert not sprung.exists()
    assert (inner / "a.txt").read_text() == "dirty\n"
    with pytest.raises(UnsafeRepository, match="does not know this folder"):
        await Hands(replace(hands.work, root=inner)).do("git_status")


async def test_a_bare_repository_among_the_files_is_none_of_ours(hands: Hands, bare: Path) -> None:
    inside = hands.work.root / "vendored"
    shutil.copytree(bare, inside)
    with pytest.raises(NoRepository):
        await Hands(replace(hands.work, root=inside)).do("git_status")


async def test_a_configuration_that_is_no_file_is_refused(hands: Hands) -> None:
    config = hands.work.root / ".git/config"
    config.unlink()
    os.mkfifo(config)
    with pytest.raises(UnsafeRepository, match="is no file"):
        await hands.do("git_status")


async def test_a_pipe_in_git_keeps_nobody_waiting(hands: Hands) -> None:
    (hands.work.root / ".git/packed-refs").unlink(missing_ok=True)
    os.mkfifo(hands.work.root / ".git/packed-refs")
    with pytest.raises(UnsafeRepository, match="is no file"):
        await hands.do("git_status")


async def test_a_broken_configuration_is_named(hands: Hands) -> None:
    (hands.work.root / ".git/config").write_text("[core\n")
    with pytest.raises(UnsafeRepository, match="cannot be read"):
        await hands.do("git_status")


async def test_the_configuration_of_a_work_tree_is_inspected_too(hands: Hands) -> None:
    hands.git("config", "extensions.worktreeConfig", "true")
    hands.git("config", "--worktree", "filter.x.clean", "false")
    with pytest.raises(UnsafeRepository, match=r"filter\.x\.clean"):
        await hands.do("git_status")


def test_the_environment_is_made_from_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_SSH_COMMAND", "GIT_EXEC_PATH", "LD_PRELOAD", "AWS_SECRET_ACCESS_KEY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "evil")
    env = environment()
    assert "evil" not in env.values()
    assert (env["GIT_ALLOW_PROTOCOL"], env["HOME"]) == ("none", "/nonexistent")
    assert env["GIT_CONFIG_COUNT"] == str(len(FIXED))


async def test_reading_does_not_fetch_what_is_missing(hands: Hands) -> None:
    for blob in (hands.work.root / ".git/objects").glob("??/*"):
        blob.unlink()
    with pytest.raises(GitFailed):
        await hands.do("git_log")


def test_names_of_remotes_are_no_options(hands: Hands) -> None:
    repository = find(hands.work.root)
    for name in ("--upload-pack=evil", "-x", "https://github.com/a/b", "/etc", "a b", "", "a\n", "../x"):
        with pytest.raises(Exception, match="is no name of a remote"):
            find_remote(repository, name, hands.work)
