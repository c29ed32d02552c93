"""Whatever a model sends and whatever the disk does: words it can act on, and every file as it was."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.registry import GROUPS, TOOLS
from artel.tools.tool import perform
from artel.tools.workspace.read import MAX_FILE_BYTES

Arrange = Callable[[Path], object]


def update(path: str, old: str = "one", new: str = "1") -> str:
    return f"*** Begin Patch\n*** Update File: {path}\n@@\n-{old}\n+{new}\n*** End Patch"


def on(path: str) -> dict[str, dict[str, Any]]:
    """Return a call of each tool that works on a file that is there, on that one."""
    return {
        "read_file": {"file_path": path},
        "edit_file": {"file_path": path, "old_string": "one", "new_string": "1"},
        "multi_edit": {"file_path": path, "edits": [{"old_string": "one", "new_string": "1"}]},
        "apply_patch": {"input": update(path)},
        "delete_file": {"file_path": path},
        "move_file": {"src": path, "dst": "moved.txt"},
    }


def into(path: str) -> dict[str, dict[str, Any]]:
    """Return a call of each tool that makes a file, to make that one."""
    return {
        "write_file": {"file_path": path, "content": "new\n"},
        "apply_patch": {"input": f"*** Begin Patch\n*** Add File: {path}\n+new\n*** End Patch"},
        "move_file": {"src": "a.txt", "dst": path},
    }


def in_folder(path: str) -> dict[str, dict[str, Any]]:
    return {
        "ls": {"path": path},
        "glob": {"pattern": "*", "path": path},
        "grep": {"pattern": "x", "path": path},
    }


def only(calls: dict[str, dict[str, Any]], *names: str) -> dict[str, dict[str, Any]]:
    return {name: calls[name] for name in names}


def huge(root: Path) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)


@dataclass(frozen=True)
class Case:
    """What is wrong, the calls that meet it, and what each must say: the value, and what to do."""

    name: str
    calls: dict[str, dict[str, Any]]
    value: str
    action: str
    arrange: Arrange = lambda root: None


EDITS = ("edit_file", "multi_edit", "apply_patch")
CHANGES = (*EDITS, "delete_file", "move_file")
CASES = (
    Case("outside", on("../secret.txt") | in_folder(".."), "..", "give a path inside it"),
    Case("outside, absolute", on("/etc/passwd"), "/etc/passwd", "give a path inside it"),
    Case("outside, to make", into("../new.txt"), "../new.txt", "give a path inside it"),
    Case(
        "through a link",
        on("out/secret.txt"),
        "out/secret.txt",
        "give a path inside it",
        lambda root: (root / "out").symlink_to(".."),
    ),
    Case("git's own", on(".git/config") | into(".git/x"), ".git", "which no tool reads or writes"),
    Case("missing", on("nowhere.txt") | in_folder("nowhere"), "nowhere", "ls and glob show what there is"),
    Case("spelled otherwise", on("A.txt"), "A.txt", "but there is a.txt"),
    Case("a folder", on("sub") | only(into("sub"), "write_file"), "sub", "is a folder, not a file"),
    Case("a folder to move to", only(into("sub"), "move_file"), "sub", "give the whole new path"),
    Case(
        "a file as a folder",
        into("b.txt/x") | only(in_folder("b.txt"), "ls", "glob"),
        ".txt",
        "is a file, not a folder",
        lambda root: (root / "b.txt").write_text("b\n"),
    ),
    Case(
        "binary",
        only(on("bin"), "read_file", *EDITS) | only(in_folder("bin"), "grep"),
        "bin",
        "only text is read and edited",
    ),
    Case(
        "a pipe",
        on("pipe") | only(in_folder("pipe"), "grep"),
        "pipe",
        "is a named pipe, not a file",
        lambda root: os.mkfifo(root / "pipe"),
    ),
    Case("huge", on("huge"), "10.0 MB", "look at a part of it", huge),
    Case(
        "read-only", only(on("locked.txt"), *EDITS, "delete_file"), "locked.txt", "leave it, or ask the user"
    ),
    Case(
        "another encoding",
        {"edit_file": {"file_path": "old.txt", "old_string": "na", "new_string": "й"}},
        "'й' (U+0439)",
        "ask the user",
    ),
    Case(
        "not unique",
        {"edit_file": {"file_path": "two.txt", "old_string": "x", "new_string": "y"}},
        "2 times",
        "add lines until it is unique",
    ),
    Case("no such text", only(on("two.txt"), "edit_file", "multi_edit"), "old_string", "read the file again"),
    Case(
        "something there",
        into("two.txt") | {},
        "two.txt",
        "",
    ),
    Case("no patch", {"apply_patch": {"input": "diff --git a/x b/x"}}, "diff --git", "*** Begin Patch"),
    Case("no expression", {"grep": {"pattern": "a("}}, "a(", ""),
    Case("no lines there", {"read_file": {"file_path": "a.txt", "offset": 9}}, "9", "offset must be below"),
    Case(
        "half a character",
        {"write_file": {"file_path": "new.txt", "content": "\ud800"}},
        "content",
        "half a character at 0",
    ),
    Case(
        "a NUL",
        {"write_file": {"file_path": "new.txt", "content": "a\0b"}},
        "content",
        "which no text file has",
    ),
)


@pytest.fixture
def full(root: Path) -> Path:
    """A workspace with a bit of everything."""
    (root / "a.txt").write_text("one\n")
    (root / "two.txt").write_text("x\nx\n")
    (root / "old.txt").write_bytes("naïve\n".encode("latin-1"))
    (root / "bin").write_bytes(b"one\0two")
    (root / "sub").mkdir()
    (root / "locked.txt").write_text("one\n")
    (root / "locked.txt").chmod(0o444)
    return root


def standing(root: Path) -> dict[str, tuple[int, str]]:
    """Return all there is below a folder, with kind, permissions and content; also what nobody is to see."""
    found: dict[str, tuple[int, str]] = {}
    for path in sorted(root.rglob("*")):
        info = path.lstat()
        regular = stat.S_ISREG(info.st_mode)
        found[str(path.relative_to(root))] = (
            info.st_mode,
            sha256(path.read_bytes()).hexdigest()
            if regular
            else str(path.readlink())
            if path.is_symlink()
            else "",
        )
    return found


def rows() -> Iterator[Any]:
    for case in CASES:
        for name, args in case.calls.items():
            yield pytest.param(case, name, args, id=f"{case.name}-{name}")


@pytest.mark.parametrize(("case", "name", "args"), list(rows()))
def test_what_cannot_be_done_is_said_with_the_value_and_the_way_on(
    full: Path, case: Case, name: str, args: dict[str, Any]
) -> None:
    case.arrange(full)
    before, above = standing(full), sorted(path.name for path in full.parent.iterdir())
    with pytest.raises((ToolRefused, ToolFailed)) as caught:
        TOOLS[name].calls(args, full) and TOOLS[name].function(full, args, {})
    said = str(caught.value)
    assert case.value in said
    assert case.action in said
    assert standing(full) == before
    assert sorted(path.name for path in full.parent.iterdir()) == above


@pytest.mark.parametrize("name", [*GROUPS["read"], *GROUPS["write"]])
def test_wrong_arguments_are_named_with_what_came_and_what_is_taken(full: Path, name: str) -> None:
    tool = TOOLS[name]
    before = standing(full)
    known = next(iter(tool.args_schema["properties"]))
    for wrong in (5, None, ["x"], {"a": 1}, "x" * 500, True, 1e400):
        with pytest.raises(ToolRefused) as caught:
            tool.parse({known: wrong if not isinstance(wrong, str) else [wrong]})
        said = str(caught.value)
        assert f"{name}: {known}: Input should be a valid" in said or "Field required" in said
        assert "got" in said
        assert len(said) < 500
    with pytest.raises(ToolRefused, match=rf"wrongly: Extra inputs are not permitted.*It takes {known}"):
        tool.parse({"wrongly": 1})
    assert standing(full) == before


def change(name: str) -> dict[str, Any]:
    return on("a.txt").get(name) or into("new.txt")[name]


def meddle(root: Path, how: str) -> None:
    """Do what somebody else may do between the plan and the writing."""
    file = root / "a.txt"
    if how == "changed":
        file.write_text("theirs\n")
        return
    file.unlink()
    if how == "a folder now":
        file.mkdir()
    elif how == "a link now":
        file.symlink_to("two.txt")


@pytest.mark.parametrize("how", ["changed", "deleted", "a folder now", "a link now"])
@pytest.mark.parametrize("name", CHANGES)
def test_what_others_did_meanwhile_stops_it_and_stays(full: Path, name: str, how: str) -> None:
    if (name, how) == ("delete_file", "deleted"):
        return  # which is what was wanted
    planned = TOOLS[name].change(change(name), full, {})
    assert planned
    meddle(full, how)
    before = standing(full)
    with pytest.raises((ToolFailed, ToolRefused)) as caught:
        perform(full, planned, {})
    assert "a.txt" in str(caught.value)
    assert "nothing was" in str(caught.value)
    assert standing(full) == before


def test_a_file_that_was_read_and_changed_since_is_not_overwritten(full: Path) -> None:
    read = TOOLS["read_file"].function(full, {"file_path": "a.txt"})
    (full / "a.txt").write_text("theirs\n")
    before = standing(full)
    for seen, says in ((read.seen, "a.txt changed since it was read; read it again"), ({}, "read it first")):
        with pytest.raises((ToolFailed, ToolRefused), match=says):
            TOOLS["write_file"].function(full, {"file_path": "a.txt", "content": "mine\n"}, seen)
    assert standing(full) == before


# Runs on a disk of its own, which bubblewrap makes: full, or read-only, or with a limit on the size of files.
ON_A_DISK = """
import json, os, resource, signal, sys
from pathlib import Path
from tests.tools.test_bad_input import change, standing
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.registry import GROUPS, TOOLS

root, how = Path(sys.argv[1]), sys.argv[2]
big = "line of a large file\\n" * 20_000
said, spoilt = {}, []
if how != "read-only":
    (root / "a.txt").write_text("one\\n" + big)
if how == "full":
    with (root / "filler").open("wb", 0) as filler:
        try:
            while filler.write(b"x" * 4096): pass
        except OSError: pass
if how == "limited":
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
for name in sorted(GROUPS["write"], key="delete_file".__eq__):
    args = change(name)
    if name == "write_file":
        args["content"] = big
    if name == "apply_patch":
        lines = big[:-1].replace("\\n", "\\n+")
        added = "*** Add File: new/deep.txt\\n+" + lines + "\\n*** End Patch"
        args["input"] = args["input"].replace("*** End Patch", added)
    before = standing(root)
    try:
        said[name] = "made: " + TOOLS[name].function(root, args, {}).text[:40]
    except (ToolFailed, ToolRefused) as error:
        said[name] = str(error)
        if standing(root) != before:
            spoilt.append(name)
print(json.dumps([said, spoilt]))
"""


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize(
    ("how", "value", "action", "made"),
    [
        ("full", "No space left on device", "room is needed", {"delete_file"}),
        ("read-only", "Read-only file system", "the user has to allow it", set()),
        ("limited", "File too large", "larger than the server may write", {"delete_file"}),
    ],
)
def test_a_disk_that_takes_nothing_more_is_said_and_leaves_every_file_whole(
    tmp_path: Path, how: str, value: str, action: str, made: set[str]
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    (disk / "a.txt").write_text("one\n")
    size = str(1 << 20)
    mount = (
        ("--ro-bind", str(disk), str(disk)) if how == "read-only" else ("--size", size, "--tmpfs", str(disk))
    )
    here = [f"PYTHONPATH={os.pathsep.join(filter(None, sys.path))}", "PATH=/usr/bin:/bin"]
    ran = subprocess.run(
        [
            "bwrap",
            "--dev-bind",
            "/",
            "/",
            *mount,
            "env",
            "-i",
            *here,
            sys.executable,
            "-c",
            ON_A_DISK,
            str(disk),
            how,
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    said, spoilt = json.loads(ran.stdout.splitlines()[-1])
    assert spoilt == []
    assert {name for name, text in said.items() if text.startswith("made: ")} == made
    for name in set(GROUPS["write"]) - made:
        assert value in said[name], (name, said[name])
        assert action in said[name], (name, said[name])
        assert "nothing was" in said[name], (name, said[name])
