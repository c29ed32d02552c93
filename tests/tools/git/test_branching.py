"""Branches and merges: forward, or not at all."""

import pytest
from tests.tools.git.conftest import Hands

from artel.tools.git.errors import BadName, GitFailed
from artel.tools.policy import DEFAULT, judge_all
from artel.tools.registry import TOOLS


async def test_branches_are_listed_with_the_current_one_marked(hands: Hands) -> None:
    hands.git("branch", "side")
    told = await hands.do("git_branch")
    assert told.startswith("On branch main.\n")
    assert any(line.startswith("* main ") and line.endswith("First") for line in told.splitlines())
    assert any(line.startswith("  side ") for line in told.splitlines())


def test_to_list_branches_is_to_read_and_to_switch_is_to_write(hands: Hands) -> None:
    tool, root = TOOLS["git_branch"], hands.work.root
    assert judge_all(DEFAULT, "coder", tool.calls({}, root)).effect == "allow"
    assert judge_all(DEFAULT, "coder", tool.calls({"name": "x"}, root)).effect == "ask"


async def test_a_new_branch_is_made_and_a_dirty_tree_comes_along(hands: Hands) -> None:
    hands.write("a.txt", "dirty\n")
    assert await hands.do("git_branch", name="feature/й") == "On the new branch feature/й."
    assert hands.git("branch", "--show-current") == "feature/й"
    assert (hands.work.root / "a.txt").read_text() == "dirty\n"
    assert await hands.do("git_branch", name="feature/й") == "On branch feature/й."


async def test_a_switch_that_would_lose_changes_is_refused(hands: Hands) -> None:
    hands.git("switch", "-qc", "side")
    hands.write("a.txt", "side\n")
    hands.git("commit", "-qam", "Side")
    hands.write("a.txt", "dirty\n")
    with pytest.raises(GitFailed, match=r"would be overwritten by checkout:\n.*a\.txt"):
        await hands.do("git_branch", name="main")
    assert (hands.work.root / "a.txt").read_text() == "dirty\n"
    assert hands.git("branch", "--show-current") == "side"


async def test_a_branch_begins_where_it_is_told_to(hands: Hands) -> None:
    first = hands.git("rev-parse", "HEAD")
    hands.write("b.txt", "more\n")
    hands.git("commit", "-qam", "Second")
    await hands.do("git_branch", name="old", from_ref="HEAD~1")
    assert hands.git("rev-parse", "old") == first
    assert await hands.do("git_branch", name="old", from_ref=first) == "On branch old."  # a repeat
    with pytest.raises(GitFailed, match="exists already"):
        await hands.do("git_branch", name="old", from_ref="main")


@pytest.mark.parametrize(
    "name",
    ["-D", "--force", "a..b", "a b", "x.lock", "HEAD", "@", "a\nb", "/a", "a/", "", "@{-1}", "x" * 300],
)
async def test_a_name_that_no_branch_can_have_is_refused(hands: Hands, name: str) -> None:
    with pytest.raises(BadName):
        await hands.do("git_branch", name=name)
    assert hands.git("branch", "--format=%(refname)") == "refs/heads/main"


async def test_an_unborn_branch_is_renamed(unborn: Hands) -> None:
    assert (await unborn.do("git_branch")).startswith("On branch main, without a commit yet.")
    assert "nothing is committed yet" in await unborn.do("git_branch", name="trunk")
    assert unborn.git("symbolic-ref", "HEAD") == "refs/heads/trunk"


async def test_nothing_is_merged_into_a_branch_without_a_commit(unborn: Hands) -> None:
    commit = unborn.git("commit-tree", "-m", "Elsewhere", unborn.git("write-tree"))
    with pytest.raises(GitFailed, match="nothing to merge into"):
        await unborn.do("git_merge", branch=commit)


async def test_a_merge_moves_forward_joins_or_says_there_is_nothing(hands: Hands) -> None:
    hands.git("switch", "-qc", "side")
    hands.write("side.txt")
    hands.git("add", "-A")
    hands.git("commit", "-qm", "Side")
    hands.git("switch", "-q", "main")
    assert (await hands.do("git_merge", branch="side")).startswith("Moved forward to ")
    assert "nothing new" in await hands.do("git_merge", branch="side")
    hands.git("switch", "-qc", "second", "HEAD~1")
    hands.write("second.txt")
    hands.git("add", "-A")
    hands.git("commit", "-qm", "Second")
    hands.write("untouched.txt", "not committed\n")
    assert (await hands.do("git_merge", branch="side", key="k1")).startswith("Merged side as ")
    assert hands.git("log", "-1", "--format=%s|%an|%P").split("|")[:2] == ["Merge side into second", "Artel"]
    assert len(hands.git("log", "-1", "--format=%P").split()) == 2
    assert (hands.work.root / "side.txt").exists()
    assert hands.git("status", "--porcelain") == "?? untouched.txt"


async def test_a_conflict_is_named_and_nothing_is_half_merged(hands: Hands) -> None:
    hands.git("switch", "-qc", "side")
    hands.write("a.txt", "side\n")
    hands.write("new.txt")
    hands.git("add", "-A")
    hands.git("commit", "-qm", "Side")
    hands.git("switch", "-q", "main")
    hands.write("a.txt", "main\n")
    hands.git("commit", "-qam", "Main")
    before = hands.git("rev-parse", "HEAD")
    with pytest.raises(GitFailed, match=r"side conflicts in a\.txt\."):
        await hands.do("git_merge", branch="side")
    assert hands.git("rev-parse", "HEAD") == before
    assert hands.git("status", "--porcelain") == ""
    assert not (hands.work.root / ".git/MERGE_HEAD").exists()


async def test_a_merge_that_would_overwrite_what_is_not_committed_changes_nothing(hands: Hands) -> None:
    hands.git("switch", "-qc", "side")
    hands.write("a.txt", "side\n")
    hands.git("commit", "-qam", "Side")
    hands.git("switch", "-q", "main")
    hands.write("c.txt")
    hands.git("add", "-A")
    hands.git("commit", "-qm", "Main")
    hands.write("a.txt", "dirty\n")
    with pytest.raises(GitFailed, match="would be overwritten by merge"):
        await hands.do("git_merge", branch="side")
    assert (hands.work.root / "a.txt").read_text() == "dirty\n"
    assert hands.commits() == ["Main", "First"]


async def test_nothing_is_written_into_somebody_elses_merge(hands: Hands) -> None:
    (hands.work.root / ".git/MERGE_HEAD").write_text(hands.git("rev-parse", "HEAD"))
    hands.write("a.txt", "x\n")
    for name, args in (
        ("git_commit", {"message": "x"}),
        ("git_branch", {"name": "x"}),
        ("git_merge", {"branch": "main"}),
    ):
        with pytest.raises(GitFailed, match="a merge is under way"):
            await hands.do(name, **args)


async def test_branches_of_options_only_are_refused_as_what_to_merge(hands: Hands) -> None:
    for name in ("--abort", "-s", "nowhere", "ours --strategy"):
        with pytest.raises(BadName):
            await hands.do("git_merge", branch=name)


async def test_unrelated_histories_are_not_joined(hands: Hands) -> None:
    hands.git("switch", "-q", "--orphan", "alone")
    hands.write("z.txt")
    hands.git("add", "-A")
    hands.git("commit", "-qm", "Alone")
    with pytest.raises(GitFailed, match="unrelated"):
        await hands.do("git_merge", branch="main")
