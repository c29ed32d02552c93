"""A person takes the parts of a change that they want, and gets just these."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.tools.conftest import git

from artel.tools.workspace import edit, hunks, moving, patch, text, write
from artel.tools.workspace.change import digest
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.hunks import NoSuchHunk

LINES = [f"line {number}" for number in range(60)]
ENDS = st.sampled_from(["\n", "\r\n"])


@st.composite
def edited(draw: st.DrawFn, *encodings: str, least: int = 1) -> tuple[bytes, bytes]:
    """A text of different lines, and one with some of them replaced, taken away or added to."""
    old = LINES[: draw(st.integers(least, len(LINES)))]
    new: list[str] = []
    for line in old:
        what = draw(st.sampled_from("kkkkkkkkrda"))
        new += {"k": [line], "r": [f"{line}!"], "d": [], "a": [line, f"after {line}"]}[what]
    end, last = draw(ENDS), draw(st.booleans())
    before, after = (end.join(lines) + end * (last and bool(lines)) for lines in (old, new))
    encoding = draw(st.sampled_from(encodings or ("utf-8",)))
    return before.encode(encoding), after.encode(encoding)


def planned(root: Path, before: bytes, after: bytes) -> ChangeSet:
    """Plan it as the whole file, as write_file does."""
    (root / "f").write_bytes(before)
    old = text.decode(before, "f")
    if not old.text or old.again(after) == old.text:
        assume(False)
    seen = {"f": digest(before) or ""}
    return ChangeSet((write.plan(root, "f", old.again(after), seen=seen),))


def after_of(planned: ChangeSet) -> bytes:
    (change,) = planned.changes
    return change.after or b""


SLOW = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)


@SLOW
@given(edited("utf-8", "utf-8-sig", "utf-16"), st.data())
def test_all_hunks_are_the_whole_change_and_no_hunk_is_none(
    root: Path, pair: tuple[bytes, bytes], data: st.DataObject
) -> None:
    whole = planned(root, *pair)
    ids = [hunk.id for hunk in hunks.of(whole.changes[0])]
    assert len(set(ids)) == len(ids)
    assert hunks.only(whole, data.draw(st.permutations(ids))) == whole
    with pytest.raises(NoSuchHunk, match="no hunk of the change was chosen"):
        hunks.only(whole, [])
    with pytest.raises(NoSuchHunk, match="no hunk x"):
        hunks.only(whole, [*ids, "x"])


@SLOW
@given(edited(least=30), st.data())
def test_some_hunks_and_then_the_others_are_the_whole_change_in_either_order(
    repository: Path, pair: tuple[bytes, bytes], data: st.DataObject
) -> None:
    whole = planned(repository, *pair)
    ids = [hunk.id for hunk in hunks.of(whole.changes[0])]
    assume(len(ids) > 1)
    some = data.draw(st.sets(st.sampled_from(ids), min_size=1, max_size=len(ids) - 1))
    others = set(ids) - some
    for first, second in ((some, others), (others, some)):
        one, other = hunks.only(whole, first), hunks.only(whole, second)
        assert after_of(one) != pair[0]
        (repository / "f").write_bytes(after_of(one))
        done = git(repository, "apply", "-", stdin=other.diff.encode())
        assert done.returncode == 0, done.stderr
        assert (repository / "f").read_bytes() == after_of(whole)


@SLOW
@given(edited(), st.data())
def test_the_diff_of_a_part_is_what_git_would_apply(
    repository: Path, pair: tuple[bytes, bytes], data: st.DataObject
) -> None:
    whole = planned(repository, *pair)
    ids = [hunk.id for hunk in hunks.of(whole.changes[0])]
    part = hunks.only(whole, data.draw(st.sets(st.sampled_from(ids), min_size=1)))
    done = git(repository, "apply", "-", stdin=part.diff.encode())
    assert done.returncode == 0, done.stderr
    assert (repository / "f").read_bytes() == after_of(part)


def test_an_id_means_the_same_change_for_ever(root: Path) -> None:
    (root / "f").write_text("a\n")
    (first,) = hunks.of(edit.plan(root, "f", "a", "b"))
    assert hunks.of(edit.plan(root, "f", "a", "b")) == [first]
    assert hunks.of(edit.plan(root, "f", "a", "c"))[0].id != first.id
    assert first.header == "@@ -1,1 +1,1 @@"


def test_what_is_left_out_is_told_and_what_is_no_longer_wrong_is_not(root: Path) -> None:
    (root / "f.py").write_text("a = 1\n" + "\n" * 20 + "b = 2\n")
    whole = ChangeSet(
        (edit.plan_all(root, "f.py", [edit.Edit("a = 1", "a = (1"), edit.Edit("b = 2", "b = 3")]),)
    )
    assert whole.problems
    first, second = hunks.of(whole.changes[0])
    part = hunks.only(whole, [second.id])
    assert part.problems == ()
    assert part.left_out == f"--- f.py\n{first.text}"
    assert after_of(part) == b"a = 1\n" + b"\n" * 20 + b"b = 3\n"


def test_files_that_come_go_or_move_are_one_hunk_each(root: Path) -> None:
    (root / "a").write_text("a\n" * 30)
    (root / "b").write_text("b\n")
    changes = (write.plan(root, "n", "x\n"), moving.delete(root, "b"), *moving.move(root, "a", "c"))
    headers = [[hunk.header for hunk in hunks.of(change)] for change in changes]
    assert headers == [["new file"], ["deleted file"], ["move a to c"], ["move a to c"]]
    whole = ChangeSet(changes)
    (moved,) = hunks.of(changes[2])
    part = hunks.only(whole, [moved.id])
    assert [change.path for change in part.changes] == ["c", "a"]


@pytest.mark.parametrize(("line", "count"), [("same\n", 2_500), ("long" * 100 + "\n", 900)])
def test_what_nobody_can_choose_from_is_one_hunk(root: Path, line: str, count: int) -> None:
    (root / "f").write_text("".join(f"{number}\n" + line * 20 for number in range(count)))
    (only,) = hunks.of(edit.plan(root, "f", "5\n", "x\n", replace_all=True))
    assert only.header == "the whole file"


def test_hunks_of_several_files_are_told_apart(root: Path) -> None:
    for name in ("a", "b"):
        (root / name).write_text("x\n")
    said = "*** Begin Patch\n*** Update File: a\n-x\n+y\n*** Update File: b\n-x\n+y\n*** End Patch"
    whole = patch.plan(root, said)
    one, other = (hunks.of(change)[0].id for change in whole.changes)
    assert one != other
    assert [change.path for change in hunks.only(whole, [other]).changes] == ["b"]
