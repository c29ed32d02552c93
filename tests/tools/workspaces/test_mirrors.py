"""A mirror holds what its remote does, also after a fetch that was killed, and nothing of it is run."""

import asyncio
from pathlib import Path

import pytest
from tests.fakes.git_host import git_host
from tests.tools.workspaces.test_cloning import MANY, git

from artel.tools.git.errors import GitFailed
from artel.tools.git.remotes import Remote, remote_at
from artel.tools.git.settings import GitSettings
from artel.tools.workspaces.mirrors import commit, mirror


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "trunk")
    git(folder, "commit", "-q", "--allow-empty", "-m", "one")
    git(tmp_path, "clone", "-q", "--bare", str(folder), str(tmp_path / "remote.git"))
    git(folder, "remote", "add", "origin", str(tmp_path / "remote.git"))
    return folder


@pytest.fixture
def remote(source: Path, tmp_path: Path) -> Remote:
    return remote_at(f"file://{tmp_path}/remote.git", GitSettings(), [tmp_path])


async def test_a_mirror_follows_its_remote(source: Path, remote: Remote, tmp_path: Path) -> None:
    found = await mirror(remote, tmp_path / "mirror", GitSettings(), max_bytes=MANY)
    assert await commit(found, "") == await commit(found, "trunk") == git(source, "rev-parse", "HEAD")
    git(source, "commit", "-q", "--allow-empty", "-m", "two")
    git(source, "push", "-q", "origin", "trunk", "trunk:side")
    found = await mirror(remote, tmp_path / "mirror", GitSettings(), max_bytes=MANY)
    assert await commit(found, "side") == await commit(found, "") == git(source, "rev-parse", "HEAD")
    assert await commit(found, git(source, "rev-parse", "HEAD~1"))
    git(source, "push", "-q", "origin", ":side")
    found = await mirror(remote, tmp_path / "mirror", GitSettings(), max_bytes=MANY)
    assert git(found.root, "for-each-ref", "--format=%(refname)") == "refs/remotes/origin/trunk"


async def test_what_a_killed_git_left_does_not_stand_in_the_way(
    source: Path, remote: Remote, tmp_path: Path
) -> None:
    folder = tmp_path / "mirror"
    await mirror(remote, folder, GitSettings(), max_bytes=MANY)
    (folder / "refs/remotes/origin/trunk.lock").touch()
    git(source, "commit", "-q", "--allow-empty", "-m", "two")
    git(source, "push", "-q", "origin", "trunk")
    found = await mirror(remote, folder, GitSettings(), max_bytes=MANY)
    assert await commit(found, "") == git(source, "rev-parse", "HEAD")
    (folder / "HEAD").unlink()
    found = await mirror(remote, folder, GitSettings(), max_bytes=MANY)
    assert await commit(found, "") == git(source, "rev-parse", "HEAD")


async def test_many_at_once_take_turns(source: Path, remote: Remote, tmp_path: Path) -> None:
    many = (mirror(remote, tmp_path / "mirror", GitSettings(), max_bytes=MANY) for _ in range(4))
    heads = {await commit(found, "") for found in await asyncio.gather(*many)}
    assert heads == {git(source, "rev-parse", "HEAD")}


async def test_a_remote_without_a_commit_is_said_to_be_one(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    remote = remote_at(f"file://{tmp_path}/empty.git", GitSettings(), [tmp_path])
    found = await mirror(remote, tmp_path / "mirror", GitSettings(), max_bytes=MANY)
    with pytest.raises(GitFailed, match="no commit yet"):
        await commit(found, "")


async def test_a_host_that_does_not_answer_is_given_up(tmp_path: Path) -> None:
    async with git_host(0) as host:
        settings = GitSettings(github_url=host.url, timeout_s=0.5)
        remote = remote_at(f"{host.url}/a/b.git", settings, [])
        with pytest.raises(GitFailed, match="took longer than"):
            await mirror(remote, tmp_path / "mirror", settings, max_bytes=MANY)
