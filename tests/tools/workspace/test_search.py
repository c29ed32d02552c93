"""Searching finds the same lines with and without ripgrep."""

import shutil
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from artel.tools.errors import ToolRefused
from artel.tools.workspace import listing, search
from artel.tools.workspace.dialects import BadPattern
from artel.tools.workspace.paths import DeniedPath, NoSuchFile, OutsideWorkspace
from artel.tools.workspace.search import grep

RIPGREP = shutil.which("rg") or ""


@pytest.fixture(params=["python", pytest.param("ripgrep", marks=pytest.mark.needs("rg"))])
def program(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Search both ways; ripgrep even where it is not worth its start."""
    if request.param == "python":
        return ""
    monkeypatch.setattr(search, "WORTH_RIPGREP", 0)
    return RIPGREP


@pytest.fixture
def project(root: Path) -> Path:
    (root / "src").mkdir()
    (root / "src" / "a.py").write_text("def one():\n    return 1\n\n\ndef two():\n    return 2\n")
    (root / "src" / "b.py").write_text("from a import one\r\n\r\nprint(one())\r\n")
    (root / "notes.md").write_text("one\nфункция one()\n")
    (root / ".gitignore").write_text("*.log\n")
    (root / "x.log").write_text("one\n")
    (root / ".env").write_text("PASSWORD=one\n")
    (root / "bin").write_bytes(b"one\0two\n")
    (root / "link.py").symlink_to("src/a.py")
    (root / "out").symlink_to("..")
    return root


def test_the_files_with_a_match_are_named(project: Path, program: str) -> None:
    assert grep(project, "one", ripgrep=program) == "notes.md\nsrc/a.py\nsrc/b.py"


def test_the_lines_are_shown_with_their_numbers(project: Path, program: str) -> None:
    shown = grep(project, r"^def \w+\(\):$", output_mode="content", ripgrep=program)
    assert shown == "src/a.py:1:def one():\nsrc/a.py:5:def two():"
    assert grep(project, r"one\(\)\)$", output_mode="content", ripgrep=program) == "src/b.py:3:print(one())"


def test_the_lines_are_counted(project: Path, program: str) -> None:
    assert grep(project, "one", output_mode="count", ripgrep=program).split("\n") == [
        *("notes.md:2", "src/a.py:1", "src/b.py:2"),
        "[5 lines in 3 files]",
    ]


def test_a_glob_and_a_path_narrow_the_search(project: Path, program: str) -> None:
    assert grep(project, "one", glob="*.py", ripgrep=program) == "src/a.py\nsrc/b.py"
    assert grep(project, "one", "src", glob="a.*", ripgrep=program) == "src/a.py"
    assert grep(project, "one", "src/b.py", ripgrep=program) == "src/b.py"
    assert grep(project, "one", glob="src/*.py", output_mode="count", ripgrep=program).startswith(
        "src/a.py:1"
    )


def test_ignored_and_secret_files_are_searched_only_when_named(project: Path, program: str) -> None:
    assert grep(project, "one", "x.log", ripgrep=program) == "x.log"
    assert grep(project, "one", ".env", ripgrep=program) == ".env"
    assert grep(project, "PASSWORD", ripgrep=program) == "[nothing in . matches PASSWORD]"
    assert grep(project, "PASSWORD", glob=".env*", ripgrep=program) == "[nothing in . matches PASSWORD]"


def test_case_and_literal_text(project: Path, program: str) -> None:
    assert grep(project, "ФУНКЦИЯ", ignore_case=True, ripgrep=program) == "notes.md"
    assert grep(project, "one()", regex=False, ripgrep=program) == "notes.md\nsrc/a.py\nsrc/b.py"
    assert grep(project, "one.)", regex=False, ripgrep=program).startswith("[nothing")


def test_old_encodings_are_searched(root: Path, program: str) -> None:
    (root / "old.txt").write_bytes("Привет, старый добрый мир\r\n".encode("cp1251"))
    (root / "wide.txt").write_bytes("\ufeffПривет, широкий мир\n".encode("utf-16-le"))
    (root / "bom.txt").write_bytes("\ufeffПривет\n".encode())
    assert grep(root, "^Привет", ripgrep=program) == "bom.txt\nold.txt\nwide.txt"
    assert grep(root, r"\bмир$", ripgrep=program, output_mode="content") == (
        "old.txt:1:Привет, старый добрый мир\nwide.txt:1:Привет, широкий мир"
    )


def test_results_are_limited_and_say_so(root: Path, program: str) -> None:
    (root / "a").write_text("x\n" * 50)
    (root / "b").write_text("x\n")
    shown = grep(root, "x", output_mode="content", max_count=3, ripgrep=program)
    assert shown.startswith("a:1:x\na:2:x\na:3:x\n[only the first 3 results;")
    assert grep(root, "x", max_count=1, ripgrep=program).startswith("a\n[only the first 1 results;")
    assert "[only" not in grep(root, "x", max_count=2, ripgrep=program)
    (root / "wide").write_text("y" * 1_000_000 + "needle" + "y" * 1_000_000)
    wide = grep(root, "needle", output_mode="content", ripgrep=program)
    assert "needle" in wide
    assert len(wide) < 400


def test_files_over_the_limit_are_counted_and_not_read(root: Path, program: str) -> None:
    with (root / "huge").open("wb") as file:
        file.truncate(1 << 34)
    assert grep(root, "x", ripgrep=program).endswith("[1 files over 10 MB were not searched]")


def test_patterns_match_within_single_lines(root: Path, program: str) -> None:
    (root / "a").write_text("one\ntwo\n\nthree")
    assert grep(root, r"one\s+two", ripgrep=program).startswith("[nothing")
    assert grep(root, "^$", output_mode="content", ripgrep=program) == "a:3:"
    assert grep(root, "[^x]$", output_mode="count", ripgrep=program).startswith("a:3")
    assert grep(root, "three$", output_mode="content", ripgrep=program) == "a:4:three"


@pytest.mark.parametrize("path", ["..", "out", "/etc", "src/../.."])
def test_nothing_outside_is_searched(project: Path, path: str) -> None:
    with pytest.raises(OutsideWorkspace):
        grep(project, "root", path)


@pytest.mark.parametrize(
    ("error", "wanted", "path", "options"),
    [
        (DeniedPath, "x", ".git", {}),
        (NoSuchFile, "x", "none", {}),
        (BadPattern, "(", ".", {}),
        (ToolRefused, "x", ".", {"max_count": 0}),
        (ToolRefused, "x", ".", {"glob": "../*"}),
    ],
)
def test_bad_calls_are_refused(
    project: Path, error: type[Exception], wanted: str, path: str, options: dict[str, Any]
) -> None:
    with pytest.raises(error):
        grep(project, wanted, path, **options)


def test_a_catastrophic_pattern_ends_in_time_with_what_was_found(
    root: Path, program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "MAX_SECONDS", 0.5)
    (root / "a").write_text("aaa\n")
    (root / "b").write_text("a" * 50_000 + "!\n")
    began = time.monotonic()
    shown = grep(root, r"(a|aa)+$", ripgrep=program)
    assert time.monotonic() - began < 3
    assert shown == "a" if program else shown.startswith("a\n[stopped after")  # ripgrep does not go back


def test_a_file_swapped_for_a_link_meanwhile_is_passed_over(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "a").write_text("one outside\n")
    listed = search._candidates

    def swap(*args: object) -> object:
        found = listed(*args)  # type: ignore[arg-type]
        (root / "a").unlink()
        (root / "a").symlink_to("../secret.txt")
        return found

    monkeypatch.setattr(search, "_candidates", swap)
    assert grep(root, "outside").startswith("[nothing")


def test_a_file_name_is_never_an_option(root: Path, program: str) -> None:
    for name in ("-x", "--pre=sh", "a b", "a\nb", "'; rm -rf", "файл"):
        (root / name).write_text("needle\n")
    assert "--pre=sh" in grep(root, "needle", ripgrep=program)
    assert grep(root, "--pre", regex=False, ripgrep=program).startswith("[nothing")


def test_a_broken_ripgrep_changes_nothing(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "WORTH_RIPGREP", 0)
    (root / "a").write_text("needle\n")
    bad = tmp_path / "rg"
    bad.write_text("#!/bin/sh\nexit 3\n")
    bad.chmod(0o755)
    assert grep(root, "needle", ripgrep=str(bad)) == "a"
    assert grep(root, "needle", ripgrep=str(tmp_path / "none")) == "a"


@pytest.mark.needs("rg")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=120, deadline=None)
@given(
    files=st.lists(
        st.binary(max_size=12) | st.text(alphabet="ab1 й\r\n", max_size=12).map(str.encode), max_size=4
    ),
    wanted=st.sampled_from(
        ["a", "^a", "b$", r"\d", r"\s", "[^a]", r"a\b", "й", "(?i)A|Й", "^$", ".", r"\W", "(a)\\1", "a(?!b)"]
    ),
    mode=st.sampled_from(["files_with_matches", "content", "count"]),
)
def test_on_any_files_both_ways_say_the_same(
    root: Path, files: list[bytes], wanted: str, mode: search.Mode
) -> None:
    for number in range(4):
        (root / f"f{number}").write_bytes(files[number] if number < len(files) else b"")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(search, "WORTH_RIPGREP", 0)
        assert grep(root, wanted, output_mode=mode, ripgrep=RIPGREP) == grep(
            root, wanted, output_mode=mode, ripgrep=""
        )


def as_ripgrep_says(root: Path, *arguments: str) -> list[str]:
    command = [RIPGREP, "--no-config", "--hidden", "--sort=path", "--no-ignore", *arguments]
    said = subprocess.run(command, cwd=root, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    return [line.removeprefix("./") for line in said.stdout.decode().split("\n") if line]


EXPRESSIONS = (
    *("a", "^a", "b$", r"\d+", r"\s", "[^a]", r"a\b", r"\Ba", "й", "(?i)A|Й", "^$", ".", r"\W", r"\w{2}"),
    *("a|b", "(ab)+", "a.?b", r"\.", "[a-b1]", r"^\s*a", "a*?b", r"[^\W\d]", "(?:a)(b)?$"),
)


@pytest.mark.needs("rg")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    files=st.lists(st.text(alphabet="abA1 .й_\t\n", max_size=20), min_size=1, max_size=4),
    wanted=st.sampled_from(EXPRESSIONS),
    mode=st.sampled_from(["files_with_matches", "content", "count"]),
    literal=st.booleans(),
)
def test_grep_finds_the_lines_that_ripgrep_finds(
    root: Path, files: list[str], wanted: str, mode: search.Mode, literal: bool
) -> None:
    for number in range(4):
        (root / f"f{number}").write_text(files[number] if number < len(files) else "", newline="")
    how = {"files_with_matches": "--files-with-matches", "content": "--line-number", "count": "--count"}[mode]
    fixed = ["--fixed-strings"] if literal else []
    said = as_ripgrep_says(root, how, "--with-filename", "--no-heading", *fixed, "--regexp", wanted, ".")
    found = grep(root, wanted, output_mode=mode, regex=not literal, ripgrep="").split("\n")
    assert [line for line in found if not line.startswith("[")] == said


PIECES = st.sampled_from(
    ["*", "?", "a*", "*.py", "[ab]", "[!a]*", "{a,b}.py", "a.py", "**", "d", "*b*", "a?py"]
)


@pytest.mark.needs("rg")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=80, deadline=None)
@given(
    parts=st.lists(PIECES, min_size=1, max_size=4), last=st.sampled_from(["*", "*.py", "a*", "?.py", "[ab]*"])
)
def test_glob_finds_the_files_that_ripgrep_finds(root: Path, parts: list[str], last: str) -> None:
    for name in (
        "a.py",
        "b.txt",
        ".h.py",
        "d/a.py",
        "d/b.py",
        "d/d/a.txt",
        "d/e/d/a.py",
        "e/ab.py",
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    pattern = "/".join([*parts, last])
    found = listing.glob(root, pattern).split("\n")
    assert [line for line in found if not line.startswith("[")] == as_ripgrep_says(
        root, "--files", "-g", pattern
    )
