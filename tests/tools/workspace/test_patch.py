"""Patches in the GPT form land exactly where they are meant, all of them, or not at all."""

import time
from contextlib import suppress
from difflib import SequenceMatcher
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.tools.conftest import git
from tests.tools.conftest import patch as run_patch

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import changeset, diff, envelope, patch
from artel.tools.workspace.envelope import BadPatch
from artel.tools.workspace.matching import NotFound, NotUnique
from artel.tools.workspace.paths import OutsideWorkspace

CLASS = """class A:
    def f(
        self,
    ) -> int:
        x = 1
        return x

    def g(self) -> int:
        x = 1
        return x


class B:
    def f(self) -> int:
        x = 1
        return x
"""


def wrap(*lines: str) -> str:
    return "\n".join(["*** Begin Patch", *lines, "*** End Patch"])


def update(*lines: str) -> str:
    return wrap("*** Update File: f", *lines)


def patched(root: Path, text: str) -> str:
    changeset.apply(root, patch.plan(root, text))
    return (root / "f").read_bytes().decode()


WORDS = st.sampled_from(["a", "b", "c", "}", "  x", "return y"])


@st.composite
def rewritten(draw: st.DrawFn) -> tuple[list[str], list[str]]:
    """Lines, some of them alike, and the same after some edits."""
    old = [f"{draw(WORDS)} {draw(st.integers(0, 40))}" for _ in range(draw(st.integers(1, 40)))]
    new: list[str] = []
    for line in old:
        what = draw(st.sampled_from("kkkkkkrda"))
        new += {"k": [line], "r": [f"new {line}"], "d": [], "a": [line, draw(WORDS)]}[what]
    return old, new


def hunks_of(old: list[str], new: list[str], context: int = 3) -> list[list[str]]:
    """Return the hunks that turn one into the other, without their headers."""
    groups = SequenceMatcher(None, old, new, autojunk=False).get_grouped_opcodes(context)
    found = []
    for group in groups:
        lines: list[str] = []
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                lines += [f" {line}" for line in old[i1:i2]]
            else:
                lines += [*(f"-{line}" for line in old[i1:i2]), *(f"+{line}" for line in new[j1:j2])]
        found.append(lines)
    return found


@pytest.mark.needs("patch")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(rewritten())
def test_a_patch_makes_what_git_makes_of_the_same_edit_or_refuses(
    repository: Path, pair: tuple[list[str], list[str]]
) -> None:
    old, new = pair
    assume(old != new and new)
    before, after = ("".join(f"{line}\n" for line in lines) for lines in pair)
    (repository / "f").write_text(before)
    parts = hunks_of(old, new)
    text = update(*(line for part in parts for line in ("@@", *part)))
    try:
        planned = patch.plan(repository, text)
    except (NotUnique, ToolRefused):
        blocks = ["\n".join(line[1:] for line in part if line[0] != "+") for part in parts]
        assert any(not block or f"\n{before}".count(f"\n{block}\n") != 1 for block in blocks)
        return
    lines = diff.lines_of(before), diff.lines_of(after)
    shown = diff.unified("f", *lines, diff.changed(*lines))
    assert git(repository, "apply", "-", stdin=shown.encode()).returncode == 0
    assert planned.changes[0].after == (repository / "f").read_bytes() == after.encode()
    (repository / "f").write_text(before)
    assert run_patch(repository, planned.diff).returncode == 0
    assert (repository / "f").read_bytes() == after.encode()


def test_several_files_are_changed_together(root: Path) -> None:
    (root / "f").write_text("a\nb\n")
    (root / "old").write_text("1\n2\n")
    (root / "gone").write_text("x\n")
    text = wrap(
        *("*** Update File: f", "@@", "-a", "+A"),
        *("*** Update File: old", "*** Move to: sub/new", "@@", " 1", "-2", "+3"),
        *("*** Delete File: gone", ""),
        *("*** Add File: made", "+one", "+", "+two", ""),
    )
    assert patched(root, text) == "A\nb\n"
    assert (root / "sub/new").read_text() == "1\n3\n"
    assert (root / "made").read_text() == "one\n\ntwo\n"
    assert not (root / "gone").exists()
    assert not (root / "old").exists()
    assert envelope.paths(text) == ["f", "old", "sub/new", "gone", "made"]


def test_one_bad_hunk_leaves_every_file_alone(root: Path) -> None:
    (root / "f").write_text("a\nb\n")
    (root / "g").write_text("def here():\n    return 1\n")
    text = wrap(
        *("*** Update File: f", "-a", "+A"),
        *("*** Update File: g", "@@ def here():", "-    return 2", "+    return 3"),
    )
    with pytest.raises(NotFound) as caught:
        patch.plan(root, text)
    said = str(caught.value)
    assert said.startswith("g, hunk 1 of 1 (@@ def here():): its lines do not occur; nearest at line 2")
    assert "return 1" in said
    assert (root / "f").read_text() == "a\nb\n"


def test_a_line_that_opens_a_block_says_which_of_several_is_meant(root: Path) -> None:
    (root / "f").write_text(CLASS)
    change = ("-        return x", "+        return -x")
    with pytest.raises(
        NotUnique, match="occur 3 times, at lines 6, 10, 16; add lines of context or an @@ line"
    ):
        patch.plan(root, update("@@", *change))
    with pytest.raises(NotUnique, match="occur 2 times"):
        patch.plan(root, update("@@ class A:", *change))
    with pytest.raises(NotFound, match="there is no line 'def h'"):
        patch.plan(root, update("@@ def h", *change))
    for anchors, line in (
        (("@@ class A:", "@@     def f("), 6),
        (("@@ def g(self) -> int:",), 10),
        (("@@ class B:",), 16),
        (("@@ class B:", "@@ def f(self) -> int:"), 16),
    ):
        (planned,) = patch.plan(root, update(*anchors, *change)).changes
        assert planned.strategy == f"exact, line {line}"


def test_a_place_outside_what_its_line_opens_is_refused(root: Path) -> None:
    (root / "f").write_text("def e():\n    return 1\n\ndef f():\n    pass\n\ndef g():\n    return 1\n")
    with pytest.raises(NotFound, match="occur at line 2, not in what its @@ line opens"):
        patch.plan(root, update("@@ def f():", "-    return 1", "+    return 2"))


def test_the_end_of_the_file_is_a_place(root: Path) -> None:
    (root / "f").write_text("a\nb\na\n")
    assert patched(root, update("@@", "-a", "+c", "*** End of File")) == "a\nb\nc\n"
    assert patched(root, update("@@", "+d", "*** End of File")) == "a\nb\nc\nd\n"
    with pytest.raises(NotFound, match="do not occur at the end of the file"):
        patch.plan(root, update("@@", "-b", "+x", "*** End of File"))
    with pytest.raises(NotUnique, match="only adds lines and does not say where"):
        patch.plan(root, update("@@", "+x"))
    (root / "f").write_text("")
    assert patched(root, update("+x")) == "x\n"


@pytest.mark.parametrize(
    ("before", "lines", "after"),
    [
        ("a\r\nb\r\n", ["-b", "+c", "+d"], "a\r\nc\r\nd\r\n"),
        ("a\nb", [" b", "+c"], "a\nb\nc"),
        ("a\nb", ["-b"], "a\n"),
        ("a\nb", ["-b", "+c"], "a\nc"),
        ("a\nb", ["-a", "-b", "\\ No newline at end of file"], ""),
        ("a  \nb\t\nc\n", [" a", "-b", "+B", " c"], "a  \nB\nc\n"),
        ("a\n\nb\n", [" a", "", "-b", "+c"], "a\n\nc\n"),
        ("\ufeffa\n", ["-a", "+b"], "\ufeffb\n"),
    ],
)
def test_what_the_patch_does_not_speak_of_stays(
    root: Path, before: str, lines: list[str], after: str
) -> None:
    (root / "f").write_bytes(before.encode())
    assert patched(root, update("@@ -1,2 +1,2 @@ numbers prove nothing", *lines)) == after


def test_hunks_may_share_context_and_stand_in_any_order(root: Path) -> None:
    (root / "f").write_text("a\nb\nc\nd\n")
    assert patched(root, update("@@", " c", "-d", "+D", "@@", "-b", "+B", " c")) == "a\nB\nc\nD\n"
    with pytest.raises(ToolRefused, match="two hunks change line 3"):
        patch.plan(root, update("@@", "-c", "+x", "@@", "-c", "+y"))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "a patch begins with"),
        ("*** Begin Patch\n*** Add File: x", "a patch ends with"),
        (wrap(), "names 1 to 50 files, got 0"),
        (wrap(*[f"*** Add File: {number}" for number in range(51)]), "got 51"),
        (wrap("*** Update File: f", *["@@", "-a"] * 101), "at most 100"),
        (wrap("*** Update File: f", *["@@ a"] * 6, "-a"), "more than 5 @@ lines"),
        (wrap("hello"), "line 2: expected"),
        (wrap("*** Add File: x", "no plus"), "line 3: each line of a new file begins with +"),
        (wrap("*** Add File: x", "+a", "", "+b"), "line 4: each line of a new file"),
        (wrap("*** Add File: "), "needs a path"),
        (wrap("*** Delete File: f", "-a"), "nothing follows"),
        (wrap("*** Update File: f"), "has no hunk"),
        (wrap("*** Update File: f", "@@"), "neither adds nor takes away"),
        (wrap("*** Update File: f", " a"), "neither adds nor takes away"),
        (wrap("*** Update File: f", "~a"), "begins with a blank, - or"),
        (wrap("*** Update File: f", "-a", "*** Move to: g"), "right behind"),
        (wrap("*** Update File: f", "-a", "*** End of File", "-b"), "only @@ or another file"),
        (wrap("*** Update File: f", "-a", "+\0"), "NUL"),
        (wrap("*** Update File: f", "-a", "+a"), "change nothing"),
        (wrap("*** Add File: f", "+a"), "f exists"),
        (wrap("*** Update File: nothing", "-a"), "there is no nothing"),
        (wrap("*** Update File: f", "-a", "*** Update File: ./f", "-b"), "twice"),
        (wrap("*** Update File: f", "*** Move to: ./f"), "f exists"),
    ],
)
def test_what_is_no_patch_is_refused_in_words(root: Path, text: str, says: str) -> None:
    (root / "f").write_text("a\nb\n")
    with pytest.raises((ToolRefused, ToolFailed)) as caught:
        patch.plan(root, text)
    assert says in str(caught.value)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(
                ["*** Add File: a", "*** Update File: f", "*** Move to: b", "*** End of File", "@@"]
            ),
            st.text(alphabet=" +-@*a\\\n\t", max_size=6),
        ),
        max_size=8,
    )
)
def test_nonsense_is_refused_and_never_a_crash(lines: list[str]) -> None:
    with suppress(BadPatch):
        assert envelope.parse(wrap(*lines))


def test_no_patch_leads_out_of_the_workspace(root: Path, tmp_path: Path) -> None:
    (root / "out").symlink_to("..")
    (root / "f").write_text("a\n")
    for lines in (
        ["*** Add File: ../new", "+x"],
        ["*** Delete File: out/secret.txt"],
        ["*** Update File: ../secret.txt", "-outside", "+in"],
        ["*** Update File: f", "*** Move to: out/f"],
    ):
        with pytest.raises(OutsideWorkspace):
            patch.plan(root, wrap(*lines))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["project", "project-evil", "secret.txt"]


def test_a_patch_that_is_a_bomb_goes_off_in_time(root: Path) -> None:
    (root / "f").write_text("}\n" * 100_000 + "x\n")
    began = time.monotonic()
    for lines in (["@@ }"] * 5, ["@@ }", "@@ x"]):
        with pytest.raises((NotFound, NotUnique)):
            patch.plan(root, update(*lines, "-}", "+{"))
    assert time.monotonic() - began < 5
