"""Diffs are right, small and cheap."""

import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.tools.conftest import git, patch

from artel.tools.workspace import diff

TEXT = st.lists(st.sampled_from(["a", "b", "c", "", "\r", "x y"]), max_size=12).map("\n".join)


def whole(path: str, before: str, after: str) -> str:
    old, new = diff.lines_of(before), diff.lines_of(after)
    return diff.unified(path, old, new, diff.changed(old, new))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(before=TEXT, after=TEXT)
def test_git_applies_what_we_show(repository: Path, before: str, after: str) -> None:
    assume(before != after and before and after)
    (repository / "f").write_bytes(before.encode())
    done = git(repository, "apply", "-", stdin=whole("f", before, after).encode())
    assert done.returncode == 0, done.stderr
    assert (repository / "f").read_bytes() == after.encode()


@pytest.mark.needs("patch")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(before=TEXT, after=TEXT)
def test_patch_applies_what_we_show(root: Path, before: str, after: str) -> None:
    assume(before != after and before and after)
    (root / "f").write_bytes(before.encode())
    done = patch(root, whole("f", before, after))
    assert done.returncode == 0, done.stdout
    assert (root / "f").read_bytes() == after.encode()


@settings(max_examples=200, deadline=None)
@given(
    st.text(alphabet="ab\n", max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.text("xy\n", max_size=4)), max_size=4),
)
def test_looking_only_inside_the_edits_finds_the_same_text(before: str, edits: list[tuple[int, str]]) -> None:
    after, spans, at = "", [], 0
    for start, new in sorted((min(at_, len(before)), new) for at_, new in edits):
        if start < at:
            continue
        end = min(start + 2, len(before))
        after += before[at:start]
        spans.append((start, end, len(after), len(after) + len(new)))
        after += new
        at = end
    after += before[at:]
    old, new_lines = diff.lines_of(before), diff.lines_of(after)
    rebuilt, done = [], 0
    for a1, a2, b1, b2 in diff.changed_within(old, new_lines, spans):
        rebuilt += [*old[done:a1], *new_lines[b1:b2]]
        done = a2
    assert "".join([*rebuilt, *old[done:]]) == after


@given(st.text("a\r\n\x0b\x0c\x1c\x85\u2028\u2029й\ud800", max_size=12))
def test_only_a_line_feed_ends_a_line(given: str) -> None:
    lines = diff.lines_of(given)
    assert "".join(lines) == given
    assert all(line.index("\n") == len(line) - 1 for line in lines[:-1])
    assert all(lines)


def test_a_missing_last_line_end_is_said() -> None:
    assert whole("f", "a", "b") == (
        "--- a/f\n+++ b/f\n@@ -1,1 +1,1 @@\n"
        "-a\n\\ No newline at end of file\n+b\n\\ No newline at end of file\n"
    )


def test_far_changes_are_two_hunks_and_near_ones_are_one() -> None:
    lines = [f"{n}\n" for n in range(40)]
    far, near = lines.copy(), lines.copy()
    far[5] = far[30] = near[5] = near[8] = "x\n"
    assert whole("f", "".join(lines), "".join(far)).count("@@ -") == 2
    assert whole("f", "".join(lines), "".join(near)).count("@@ -") == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("a\n" * 200_000, "b\n" * 200_000),
        ("\n".join(map(str, range(100_000))), "\n".join(map(str, range(100_000, 0, -1)))),
        ("a\nb\n" * 1_900, "b\na\n" * 1_000),
        ("x\n" * 1_999 + "y\n", "y\n" + "x\n" * 1_999),
    ],
)
def test_no_pair_of_files_takes_long_or_shows_much(before: str, after: str) -> None:
    began = time.monotonic()
    shown = whole("f", before, after)
    assert time.monotonic() - began < 3
    assert len(shown) < diff.MAX_CHARS + 200
