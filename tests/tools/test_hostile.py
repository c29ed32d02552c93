"""Attacks on the tools by what lies in a workspace, by a model, and by a killed process."""

import os
import random
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.fakes.changing import apply

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.registry import TOOLS
from artel.tools.workspace import edit, listing, nearest, opening, paths, pattern, search, tree, write
from artel.tools.workspace.dialects import BadPattern
from artel.tools.workspace.paths import BadPath, DeniedPath, OutsideWorkspace, resolve
from artel.tools.workspace.ripgrep import find_ripgrep


def test_a_hard_link_to_a_file_outside_is_cut_and_not_written_through(root: Path, tmp_path: Path) -> None:
    (root / "inside.txt").hardlink_to(tmp_path / "secret.txt")
    apply(root, edit.plan(root, "inside.txt", "outside", "changed"))
    assert (tmp_path / "secret.txt").read_text() == "outside"
    assert (root / "inside.txt").read_text() == "changed"


def test_a_workspace_whose_parent_becomes_a_link_is_not_followed(root: Path, tmp_path: Path) -> None:
    inner = root / "x" / "ws"
    inner.mkdir(parents=True)
    (inner / "secret.txt").write_text("inside")
    place = resolve(inner, "secret.txt")
    (tmp_path / "elsewhere" / "ws").mkdir(parents=True)
    (tmp_path / "elsewhere" / "ws" / "secret.txt").write_text("outside")
    (root / "x").rename(root / "y")
    (root / "x").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OutsideWorkspace):
        resolve(inner, "secret.txt")
    with pytest.raises(OutsideWorkspace):
        opening.read_bytes(place, limit=100)
    with pytest.raises(OutsideWorkspace):
        TOOLS["read_file"].function(inner, {"file_path": "secret.txt"})


def test_paths_too_deep_or_too_long_to_be_removed_again_are_not_made(root: Path) -> None:
    for path in ("d/" * 101 + "f", "/".join(["d" * 200] * 20), "x" * 4000):
        with pytest.raises(BadPath):
            write.plan(root, path, "x")


def test_the_mark_of_a_data_folder_cannot_be_forged(root: Path) -> None:
    with pytest.raises(DeniedPath):
        write.plan(root, f"src/{paths.MARKER}", "")


def test_names_that_are_no_unicode_or_hold_line_ends_stay_one_harmless_line(root: Path) -> None:
    for name in (b"bad\xff.txt", b"two\nlines.txt", b"red\x1b[31m.txt", "flip\u202etxt.sh".encode()):
        (root / os.fsdecode(name)).write_text("needle\n")
    said = [
        listing.ls(root),
        listing.glob(root, "*"),
        search.grep(root, "needle"),
        search.grep(root, "needle", output_mode="content"),
    ]
    for text in said:
        text.encode()
        assert len(text.split("\n")) == 4
        assert "".join(text.split("\n")).isprintable()


def test_a_link_to_a_name_that_is_no_unicode_is_refused_and_not_a_crash(root: Path) -> None:
    (root / os.fsdecode(b"bad\xff")).write_text("x")
    (root / "link").symlink_to(os.fsdecode(b"bad\xff"))
    with pytest.raises(BadPath):
        resolve(root, "link")


def test_the_line_a_person_reads_hides_nothing(root: Path) -> None:
    line = TOOLS["write_file"].summary({"file_path": "gpj.\u202esh", "content": ""}, root)
    assert line == "Write gpj.\\u202esh"
    line = TOOLS["grep"].summary({"pattern": "x\n\nApproved: yes" + "y" * 500}, root)
    assert "\n" not in line
    assert len(line) < 310


def test_characters_that_a_diff_cannot_show_are_named(root: Path) -> None:
    (root / "a.py").write_text("access = 'user'\n")
    planned = edit.plan(root, "a.py", "'user'", "'user\u202e \u2066# admin\u2069'")
    assert planned.problems[0] == "line 1: invisible or direction-changing character U+202E"
    (root / "b.txt").write_text("zero\u200bwidth\n")
    assert edit.plan(root, "b.txt", "width", "breadth").problems == ()


def test_a_ripgrep_from_the_workspace_is_never_run(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bad = root / "rg"
    bad.write_text("#!/bin/sh\ntouch /tmp/owned\n")
    bad.chmod(0o755)
    monkeypatch.chdir(root)
    monkeypatch.setenv("PATH", ".")
    find_ripgrep.cache_clear()
    try:
        assert find_ripgrep() == ""
    finally:
        find_ripgrep.cache_clear()


@pytest.mark.parametrize(
    "bomb",
    [
        "((a{1,1000}){1,1000}){1,1000}",
        "(?i)" + "[\\u0000-\\U0010ffff]{1,100}" * 20,
        "(" * 90 + "a" + "+)" * 90 + "$",
        "(x+x+)+y",
        "a{65535}" * 50,
        "|".join(["a" * 5] * 160),
    ],
)
def test_a_pattern_that_is_a_bomb_goes_off_in_time(
    root: Path, bomb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_SECONDS", 0.5)
    monkeypatch.setattr(search, "WORTH_RIPGREP", 0)
    (root / "a").write_text("a" * 3000 + "x" * 3000 + "\n")
    began = time.monotonic()
    for ripgrep in (None, ""):
        try:
            search.grep(root, bomb, ripgrep=ripgrep)
        except BadPattern:
            continue
    assert time.monotonic() - began < 5


def test_going_back_over_a_line_without_end_takes_no_memory_without_end(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_SECONDS", 1.0)
    (root / "a").write_text("ab" * 5_000_000)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    said = search.grep(root, r"(a|b)*\d", ripgrep="")
    assert "of 1 lines only the first 200000 characters were searched" in said
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # KB


def test_an_ignore_file_that_is_a_bomb_slows_nobody(root: Path) -> None:
    rules = ["*a" * 100 + "b", "**/a/" * 100 + "b", "[" * 200, "a/" + "*a*" * 80 + "/b", "{" * 400] * 50
    (root / ".gitignore").write_text("\n".join(rules))
    for number in range(50):
        (root / ("a" * 200 + str(number))).touch()
    began = time.monotonic()
    assert len(list(tree.walk(root, resolve(root, "."), tree.Budget()))) == 51
    assert time.monotonic() - began < 3


def test_a_folder_of_very_many_files_is_listed_in_part(root: Path) -> None:
    for number in range(20_000):
        (root / f"{number:05}-{'x' * 100}").touch()
    began = time.monotonic()
    assert "only the first" in listing.ls(root)
    assert "only the first" in listing.glob(root, "*")
    assert time.monotonic() - began < 5


def test_a_miss_among_lines_made_to_be_alike_is_answered_soon() -> None:
    lines = ["a" * 150 + str(number) for number in range(50_000)]
    began = time.monotonic()
    nearest.region(lines, "b".join(["a" * 50] * 5))
    nearest.region(lines, "\n".join("a" * 149 + f"b{number}" for number in range(2_000)))
    assert time.monotonic() - began < 5


def test_leftovers_of_a_killed_writer_are_removed_by_the_next(root: Path) -> None:
    (root / ".artel-0123456789abcdef.tmp").write_text("half")
    (root / ".artel-notes").write_text("the user's own")
    apply(root, write.plan(root, "f", "x\n"))
    assert sorted(path.name for path in root.iterdir()) == [".artel-notes", "f"]


WRITER = """
import sys
from pathlib import Path
from artel.tools.workspace import edit
from artel.tools.workspace.changeset import ChangeSet, apply
root = Path(sys.argv[1])
print("ready", flush=True)
while True:
    now = (root / "f").read_text()
    other = "b" * 400_000 + "\\n" if now[0] == "a" else "a" * 300_000 + "\\n"
    apply(root, ChangeSet((edit.plan(root, "f", now[:-1], other[:-1]),)))
"""


def test_a_writer_killed_at_any_moment_leaves_the_old_file_or_the_new_one(root: Path) -> None:
    whole = ("a" * 300_000 + "\n", "b" * 400_000 + "\n")
    (root / "f").write_text(whole[0])
    chance = random.Random(7)
    for _ in range(8):
        with subprocess.Popen([sys.executable, "-c", WRITER, str(root)], stdout=subprocess.PIPE) as writer:
            assert writer.stdout is not None
            writer.stdout.readline()
            time.sleep(chance.uniform(0.01, 0.15))
            writer.send_signal(signal.SIGKILL)
        assert (root / "f").read_text() in whole
    apply(root, write.plan(root, "g", "x\n"))
    assert sorted(path.name for path in root.iterdir()) == ["f", "g"]


COUNTER = """
import sys
from pathlib import Path
from artel.tools.workspace import change, edit
from artel.tools.workspace.changeset import ChangeSet, apply
root, done = Path(sys.argv[1]), 0
while done < 25:
    now = (root / "n").read_text()
    try:
        planned = edit.plan(root, "n", now, str(int(now) + 1))
        done += apply(root, ChangeSet((planned,))) == ("written",)
    except (change.Stale, edit.matching.NotFound):
        continue
"""


def test_no_change_of_several_processes_is_lost(root: Path) -> None:
    (root / "n").write_text("0")
    writers = [subprocess.Popen([sys.executable, "-c", COUNTER, str(root)]) for _ in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert (root / "n").read_text() == "75"


@pytest.mark.parametrize("name", [name for name, tool in TOOLS.items() if tool.look or tool.plan])
@pytest.mark.parametrize(
    "path",
    [
        "",
        "\0",
        "..",
        "/etc/passwd",
        ".git/x",
        "\ud800",
        "~",
        "x" * 5000,
        "a\nb",
        "loop",
        "pipe",
        "/proc/self/mem",
        "-rf",
        "--",
    ],
)
def test_every_tool_refuses_every_bad_path_in_words(root: Path, name: str, path: str) -> None:
    (root / "loop").symlink_to("loop")
    os.mkfifo(root / "pipe")
    required = {"pattern": "x", "old_string": "a", "new_string": "b", "content": "c"}
    fields = TOOLS[name].args_schema["properties"]
    args: dict[str, object] = {key: value for key, value in required.items() if key in fields}
    if name == "multi_edit":
        args = {"edits": [{"old_string": "a", "new_string": "b"}]}
    for key in ("file_path", "path", "src", "dst"):
        if key in fields:
            args[key] = path
    if name == "apply_patch":
        args = {"input": f"*** Begin Patch\n*** Add File: {path}\n+x\n*** End Patch"}
    try:
        said = TOOLS[name].function(root, args).text
    except (ToolRefused, ToolFailed) as error:
        said = str(error)
        assert said
        assert "Traceback" not in said
    said.encode()
    assert "root:" not in said
    assert not (root.parent / "x").exists()


def test_pattern_pieces_are_all_spelled_for_both_engines() -> None:
    ready = pattern.compiled(r"^(?P<q>['\"])[^\W\d]+\s*(?=x)(?P=q){2,3}?$")
    assert ready.rust is not None
