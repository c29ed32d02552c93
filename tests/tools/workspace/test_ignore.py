"""What is ignored is what git ignores, and a little more."""

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tests.tools.conftest import git

from artel.tools.workspace import paths, tree

BLANK = " "  # that git would take off the end of a line

RULES = rf"""
*.log
!keep.log
/top.txt
sub/exact.txt
any/**/deep.txt
folder/
nested/*
!nested/keep/
trailing\{BLANK}
\#hash
\!bang
[ab].x
weird[.x
**/everywhere
star*name
!
/
# a comment
a**b
*/one-level.txt
"""

FILES = [
    *(
        "a.log",
        "keep.log",
        "sub/a.log",
        "sub/keep.log",
        "top.txt",
        "sub/top.txt",
        "sub/exact.txt",
        "exact.txt",
    ),
    *(
        "any/deep.txt",
        "any/x/y/deep.txt",
        "folder/x",
        "sub/folder/y",
        "nested/x",
        "nested/keep/x",
        "trailing ",
    ),
    *(
        "#hash",
        "!bang",
        "a.x",
        "c.x",
        "weird[.x",
        "everywhere",
        "x/everywhere/y",
        "starryname",
        "aXb",
        "plain.py",
    ),
    *("folderx", "sub/plain.py", "x/one-level.txt", "x/y/one-level.txt", "one-level.txt", "sub/deeper/a.tmp"),
    *("sub/deeper/b.tmp", "файл.txt", "файл.log", "with space.txt"),
]


def walked(root: Path) -> set[str]:
    return {entry.place.relative for entry in tree.walk(root, paths.resolve(root, "."), tree.Budget())}


def as_git_sees(root: Path) -> set[str]:
    listed = git(root, "ls-files", "-z", "--others", "--exclude-standard")
    return {name.decode() for name in listed.stdout.split(b"\0") if name}


def make(root: Path, files: list[str]) -> None:
    for file in files:
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_text("x")


def test_the_walk_sees_what_git_sees(repository: Path) -> None:
    make(repository, FILES)
    (repository / ".gitignore").write_text(RULES)
    (repository / "sub" / ".gitignore").write_text("!a.log\nplain.py\n/deeper/*\n!/deeper/b.tmp\n")
    (repository / ".git" / "info").mkdir(exist_ok=True)
    (repository / ".git" / "info" / "exclude").write_text("c.x\n!top.txt\n")
    assert walked(repository) == as_git_sees(repository)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(
    top=st.lists(st.text(alphabet="ab*!/?[]\\# ", min_size=1, max_size=6), max_size=5),
    inner=st.lists(st.text(alphabet="ab*!/", min_size=1, max_size=5), max_size=3),
)
def test_on_any_rules_the_walk_sees_what_git_sees(repository: Path, top: list[str], inner: list[str]) -> None:
    # git takes off what stands before the first wildcard, so it lets `a**/b` match "ab"; nobody relies on it
    assume(not re.search(r"[^/!\n]\*\*+/", "\n".join(top + inner)))
    make(repository, ["a", "b/a", "b/b/a", "ab", "ba/ab", "ba/b", "b/ab/a/b", "a b/a"])
    (repository / ".gitignore").write_text("\n".join(top))
    (repository / "b" / ".gitignore").write_text("\n".join(inner))
    assert walked(repository) == as_git_sees(repository)
    files = {str(path.relative_to(repository)) for path in repository.rglob("*") if path.is_file()}
    files = {file for file in files if not file.startswith(".git/")}
    asked = "".join(f"{file}\0" for file in files).encode()
    said = git(repository, "check-ignore", "--no-index", "-z", "--stdin", stdin=asked).stdout.decode()
    assert walked(repository) == files - set(said.split("\0"))


def test_windows_lines_and_a_byte_order_mark_do_not_matter(repository: Path) -> None:
    make(repository, ["a.log", "b.tmp"])
    (repository / ".gitignore").write_bytes(b"\xef\xbb\xbf*.log\r\n*.tmp\r\n")
    assert walked(repository) == as_git_sees(repository) == {".gitignore"}


def test_a_workspace_inside_a_repository_heeds_the_files_above_it(repository: Path) -> None:
    make(repository, ["app/a.log", "app/b.txt", "app/c.txt"])
    (repository / ".gitignore").write_text("*.log\n/app/c.txt\n")
    assert walked(repository / "app") == {"b.txt"}


def test_ignore_files_count_without_git(root: Path) -> None:
    make(root, ["a.log", "b.txt"])
    (root / ".gitignore").write_text("*.log\n")
    assert walked(root) == {".gitignore", "b.txt"}


@pytest.mark.parametrize(
    "name", ["node_modules", "build", "dist", "__pycache__", ".venv", "sub/node_modules"]
)
def test_what_nobody_wants_is_left_out_everywhere(root: Path, name: str) -> None:
    make(root, [f"{name}/x", "kept", "lib.so", "a.pyc"])
    assert walked(root) == {"kept"}


def test_a_project_with_sources_in_build_can_say_so(root: Path) -> None:
    make(root, ["build/rules.py", "dist/x"])
    (root / ".gitignore").write_text("!build/\n")
    assert walked(root) == {".gitignore", "build/rules.py"}


def test_git_and_data_folders_are_never_walked(repository: Path) -> None:
    make(repository, ["a", ".artel/x", "state/x", "sub/.git/config"])
    (repository / "state" / paths.MARKER).touch()
    (repository / ".gitignore").write_text("!.git/\n!.artel/\n")
    assert walked(repository) == {".gitignore", "a"}


def test_links_are_seen_and_not_followed(root: Path) -> None:
    make(root, ["a/x"])
    (root / "out").symlink_to("..")
    (root / "loop").symlink_to(".")
    (root / ".gitignore").symlink_to("../secret.txt")
    assert walked(root) == {".gitignore", "a/x", "loop", "out"}


def test_a_walk_stops_when_it_has_seen_enough(root: Path) -> None:
    make(root, [f"d{n}/f{m}" for n in range(10) for m in range(10)])
    budget = tree.Budget(entries=30)
    found = list(tree.walk(root, paths.resolve(root, "."), budget))
    assert 0 < len(found) < 30
    assert "narrower path" in budget.stopped


def test_a_deep_tree_uses_up_neither_descriptors_nor_the_stack(root: Path) -> None:
    deep = root
    for _ in range(300):
        deep = deep / "d"
    deep.mkdir(parents=True)
    (deep / "f").touch()
    assert walked(root) == set()


def test_a_rule_file_of_any_bytes_does_no_harm(root: Path) -> None:
    make(root, ["a", "b.log"])
    nonsense = bytes(byte for byte in range(256) if byte not in b"*?ab") * 20
    (root / ".gitignore").write_bytes(nonsense + b"\n\xff\xfe[[[\n!!!\n*.log\n\\")
    assert walked(root) == {"a", ".gitignore"}
