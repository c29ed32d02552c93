"""A request to merge is opened once, wherever it is kept."""

import asyncio
import json
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from tests.fakes.git_host import GitHost, git_host
from tests.tools.git.conftest import Hands

from artel.tools.git.errors import BadName, GitFailed, HostFailed, RemoteRefused
from artel.tools.git.settings import GitSettings
from artel.tools.tool import ToolRefused


@pytest.fixture
def ready(hands: Hands, bare: Path) -> Hands:
    """On a branch with a commit, pushed to the bare remote."""
    hands.git("switch", "-qc", "feature")
    hands.write("a.txt", "feature\n")
    hands.git("commit", "-qam", "Feature")
    hands.git("push", "-q", "origin", "feature")
    return hands


def of(host: GitHost, hands: Hands, kind: str) -> Hands:
    project = "ann/project" if kind == "github" else "ann/sub/project"
    hands.git("remote", "set-url", "origin", f"{host.url}/{project}.git")
    settings = {f"{kind}_url": host.url, f"{kind}_token": SecretStr("t0ken"), "timeout_s": 5}
    return Hands(replace(hands.work, git=GitSettings.model_validate(settings)))


async def test_a_local_remote_keeps_a_record_and_the_same_again_is_that_one(ready: Hands, bare: Path) -> None:
    first = await ready.do("open_pr", title="A feature", body="Why й")
    assert first == f"Opened pull request 1 in {bare}."
    again = await ready.do("open_pr", title="Another title", body="", base="main")
    assert again == f"There is already pull request 1 in {bare}."
    record = json.loads(ready.git("cat-file", "-p", "refs/artel/pulls/1", at=bare))
    assert (record["title"], record["body"], record["head"], record["base"]) == (
        "A feature",
        "Why й",
        "feature",
        "main",
    )
    assert record["head_commit"] == ready.git("rev-parse", "feature")


async def test_other_branches_are_another_request_and_foreign_records_are_left_alone(
    ready: Hands, bare: Path
) -> None:
    blob = ready.git("hash-object", "-w", "a.txt", at=ready.work.root)
    ready.git("push", "-q", "origin", f"{blob}:refs/artel/pulls/7")
    ready.git("push", "-q", "origin", "main:stable")
    assert "Opened pull request 8 " in await ready.do("open_pr", title="A", body="")
    assert "Opened pull request 9 " in await ready.do("open_pr", title="A", body="", base="stable")
    assert "already pull request 8 " in await ready.do("open_pr", title="A", body="", base="main")


async def test_two_at_once_get_two_numbers(ready: Hands, bare: Path) -> None:
    ready.git("push", "-q", "origin", "main:stable")
    second = Hands(replace(ready.work, root=ready.work.root))
    told = await asyncio.gather(
        ready.do("open_pr", title="A", body="", base="main"),
        second.do("open_pr", title="A", body="", base="stable"),
    )
    assert {text.split(" ")[3] for text in told} == {"1", "2"}


async def test_what_is_missing_is_named(ready: Hands, bare: Path) -> None:
    with pytest.raises(GitFailed, match="has no branch nowhere"):
        await ready.do("open_pr", title="A", body="", base="nowhere")
    ready.git("switch", "-qc", "unpushed")
    with pytest.raises(GitFailed, match="has no branch unpushed; git_push brings it there"):
        await ready.do("open_pr", title="A", body="")
    ready.git("checkout", "-q", "--detach")
    with pytest.raises(GitFailed, match="make a branch"):
        await ready.do("open_pr", title="A", body="")
    ready.git("switch", "-q", "main")
    with pytest.raises(GitFailed, match="main cannot be taken over into itself"):
        await ready.do("open_pr", title="A", body="")
    with pytest.raises(ToolRefused, match="main cannot be taken over into itself"):
        await ready.do("open_pr", title="A", body="", base="main")
    with pytest.raises(BadName):
        await ready.do("open_pr", title="A", body="", base="--x")
    for title, body in (
        ("", ""),
        (" ", ""),
        ("x" * 256, ""),
        ("x", "x" * 50_001),
        ("a\0", ""),
        ("a", "\ud800"),
    ):
        with pytest.raises(ToolRefused, match="a title of 1 to 255"):
            await ready.do("open_pr", title=title, body=body)


@pytest.mark.parametrize("kind", ["github", "gitlab"])
async def test_a_host_is_asked_once_and_again_finds_what_is_open(ready: Hands, kind: str) -> None:
    async with git_host() as host:
        mine = of(host, ready, kind)
        first = await mine.do("open_pr", title="A feature", body="Why", base="main")
        assert first == f"Opened {host.url}/request/1."
        (asked,) = host.asked
        if kind == "github":
            assert asked.path == "/api/v3/repos/ann/project/pulls"
            assert asked.headers["authorization"] == "Bearer t0ken"
            assert asked.body == {"title": "A feature", "body": "Why", "head": "feature", "base": "main"}
        else:
            assert asked.path == "/api/v4/projects/ann/sub/project/merge_requests"
            assert asked.headers["private-token"] == "t0ken"
            assert asked.body["description"] == "Why"
        again = await mine.do("open_pr", title="Another title", body="", base="main")
        assert again == f"There is already {host.url}/request/1."
        assert [each.method for each in host.asked] == ["POST", "POST", "GET"]


@pytest.mark.parametrize("kind", ["github", "gitlab"])
async def test_the_default_branch_is_asked_for(ready: Hands, kind: str) -> None:
    async with git_host() as host:
        await of(host, ready, kind).do("open_pr", title="A", body="")
        assert host.opened[0]["base"] == "main"
        assert host.asked[0].path.endswith("/project")


@pytest.mark.parametrize("kind", ["github", "gitlab"])
@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "refuses the token of ARTEL_GIT__"),
        (403, "refuses the token of ARTEL_GIT__"),
        (404, "knows no such project"),
        (422, "cannot open it: .*as told.* Was feature pushed"),
        (500, "answered 500"),
        (503, "answered 503: .*opens no second request"),
        (302, "answered 302"),
    ],
)
async def test_a_host_that_refuses_is_not_asked_again(
    ready: Hands, kind: str, status: int, says: str
) -> None:
    async with git_host(status) as host:
        with pytest.raises(HostFailed, match=says) as failed:
            await of(host, ready, kind).do("open_pr", title="A", body="", base="main")
        assert [each.method for each in host.asked].count("POST") == 1
        assert not host.opened
        assert "t0ken" not in str(failed.value)


async def test_a_host_that_is_away_or_silent_is_a_failure(ready: Hands) -> None:
    async with git_host(0) as host:
        mine = of(host, ready, "github")
        quick = Hands(replace(mine.work, git=mine.work.git.model_copy(update={"timeout_s": 0.3})))
        with pytest.raises(HostFailed, match=r"cannot be asked.*opens no second one"):
            await quick.do("open_pr", title="A", body="", base="main")
        assert len(host.asked) == 1
    with pytest.raises(HostFailed, match="cannot be asked"):
        await quick.do("open_pr", title="A", body="", base="main")


async def test_without_a_token_or_a_known_host_nothing_is_asked(ready: Hands) -> None:
    async with git_host() as host:
        mine = of(host, ready, "github")
        none = mine.work.git.model_copy(update={"github_token": SecretStr("")})
        with pytest.raises(RemoteRefused, match=r"no token is set.*ARTEL_GIT__GITHUB_TOKEN"):
            await Hands(replace(mine.work, git=none)).do("open_pr", title="A", body="")
        assert not host.asked
    ready.git("remote", "set-url", "origin", "https://example.org/a/b")
    elsewhere = GitSettings(hosts=("example.org",))
    with pytest.raises(RemoteRefused, match="neither the GitHub nor the GitLab"):
        await Hands(replace(ready.work, git=elsewhere)).do("open_pr", title="A", body="")
