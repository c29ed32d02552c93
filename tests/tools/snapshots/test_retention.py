"""Trees stay as long as they are used, and go when they are old."""

import os
import time
from pathlib import Path

import pytest
from tests.tools.snapshots.conftest import Write

from artel.tools.snapshots import retention, trees
from artel.tools.snapshots.repository import Repository, SnapshotGone, opened
from artel.tools.snapshots.restoring import restore
from artel.tools.snapshots.retention import prune
from artel.tools.snapshots.taking import take

DAY_S = 86_400.0


def age(kept: Repository, tree: str, days: float) -> None:
    then = time.time() - days * DAY_S
    os.utime(kept.ref(tree), (then, then))


def test_old_trees_go_and_young_ones_stay_whole(kept: Repository, root: Path, write: Write) -> None:
    write(a="1", same="s")
    old = take(kept)
    write(a="2")
    young = take(kept)
    age(kept, old, 31)
    assert prune(kept.git_dir.parent, 30 * DAY_S) == 1
    with pytest.raises(SnapshotGone):
        trees.changed(kept, old, young)
    write(a="3", same="t")
    restore(kept, young)
    assert ((root / "a").read_text(), (root / "same").read_text()) == ("2", "s")
    kept.git("fsck", "--strict", young)


def test_a_tree_that_is_used_again_is_young_again(kept: Repository, write: Write) -> None:
    write(a="1")
    tree = take(kept)
    age(kept, tree, 31)
    take(kept)
    assert prune(kept.git_dir.parent, 30 * DAY_S) == 0


def test_a_repository_without_trees_goes_and_is_made_anew(kept: Repository, write: Write) -> None:
    write(a="1")
    tree = take(kept)
    age(kept, tree, 31)
    assert prune(kept.git_dir.parent, 30 * DAY_S) == 1
    assert not kept.git_dir.exists()
    assert take(kept) == tree


def test_a_repository_in_use_is_left_for_the_next_time(kept: Repository, write: Write) -> None:
    write(a="1")
    tree = take(kept)
    age(kept, tree, 31)
    with opened(kept):
        assert prune(kept.git_dir.parent, 30 * DAY_S) == 0
    assert kept.keeps(tree)


def test_of_a_large_repository_the_older_half_goes(
    kept: Repository, root: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = []
    for number in range(4):
        write(a=f"{number}")
        found.append(take(kept))
        age(kept, found[-1], 4 - number)
    assert prune(kept.git_dir.parent, 30 * DAY_S) == 0
    monkeypatch.setattr(retention, "MAX_BYTES", 100)
    assert prune(kept.git_dir.parent, 30 * DAY_S) == 2
    assert [kept.keeps(tree) for tree in found] == [False, False, True, True]


def test_what_somebody_who_was_killed_left_is_removed(kept: Repository, write: Write) -> None:
    write(a="1")
    take(kept)
    drafts = [kept.git_dir / "draft-old", kept.git_dir / "draft-young"]
    for draft in drafts:
        draft.touch()
    then = time.time() - DAY_S
    os.utime(drafts[0], (then, then))
    prune(kept.git_dir.parent, 30 * DAY_S)
    assert [draft.exists() for draft in drafts] == [False, True]


def test_nothing_to_prune_is_no_error(tmp_path: Path) -> None:
    assert prune(tmp_path / "nowhere", DAY_S) == 0
