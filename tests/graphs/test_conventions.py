"""AGENTS.md: what a project says of itself, where it stands and who may not say it."""

import os
from pathlib import Path

import pytest
from tests.fakes.driver import call, calls
from tests.graphs.conftest import Start

from artel.graphs import conventions as conventions_module
from artel.graphs.compaction.counting import text_tokens
from artel.graphs.conventions import MAX_BYTES, MAX_TOKENS, conventions
from artel.tools.policy import DEFAULT, Policy, Rule
from artel.tools.workspace import opening
from artel.tools.workspace.paths import Place


def said(root: Path, *paths: str, policy: Policy = DEFAULT, limit: int | None = None) -> str:
    return conventions(root, paths, policy, "coder", limit=limit)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    home = (tmp_path / "home").resolve()
    (home / "src" / "deep").mkdir(parents=True)
    (home / "AGENTS.md").write_text("Indent by four.\n")
    (home / "src" / "AGENTS.md").write_text("Docstrings everywhere.\n")
    return home


def test_a_project_without_one_says_nothing(tmp_path: Path) -> None:
    assert said(tmp_path.resolve(), "a.py") == ""


def test_the_workspace_speaks_first_then_the_folders_of_files_in_play(root: Path) -> None:
    assert "Docstrings" not in said(root)
    both = said(root, "src/deep/a.py", "src/b.py")
    assert both.index("### AGENTS.md\nIndent by four.") < both.index(
        "### src/AGENTS.md\nDocstrings everywhere."
    )
    assert both.count("###") == 2
    assert said(root, f"{root}/src/a.py") == both


def test_claude_md_stands_in_where_there_is_no_agents_md(root: Path) -> None:
    (root / "CLAUDE.md").write_text("never read")
    (root / "src" / "deep" / "CLAUDE.md").write_text("Deep rules.")
    text = said(root, "src/deep/a.py")
    assert "### src/deep/CLAUDE.md\nDeep rules." in text
    assert "never read" not in text


def test_two_names_of_one_file_are_one(root: Path) -> None:
    (root / "src" / "deep" / "AGENTS.md").symlink_to("../AGENTS.md")
    assert said(root, "src/deep/a.py").count("Docstrings") == 1


@pytest.mark.parametrize(
    "path", ["../x.py", "/etc/passwd", "src/../../x.py", "", "a\0b/c.py", "x/" * 3_000, ".git/a"]
)
def test_paths_that_lead_nowhere_bring_nothing(root: Path, path: str) -> None:
    (root.parent / "AGENTS.md").write_text("from outside")
    assert "outside" not in said(root, path)
    assert "Indent" in said(root, path)


def test_what_cannot_be_read_or_may_not_be_is_left_out(root: Path) -> None:
    (root.parent / "secret").write_text("the key")
    (root / "src" / "AGENTS.md").unlink()
    (root / "src" / "AGENTS.md").symlink_to(root.parent / "secret")
    (root / "src" / "deep" / "AGENTS.md").write_bytes(b"\0binary")
    assert said(root, "src/deep/a.py") == said(root)
    (root / "AGENTS.md").write_text("x" * (MAX_BYTES + 1))
    assert said(root) == ""
    (root / "AGENTS.md").write_text("Indent by four.")
    no = Policy(rules=(*DEFAULT.rules, Rule(id="no", effect="deny", action="fs.read", path=("AGENTS.md",))))
    assert said(root, policy=no) == ""


def test_what_did_not_change_is_not_read_again_and_what_did_is(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []

    def reading(place: Place, *, limit: int) -> opening.Found:
        read.append(place.relative)
        return read_bytes(place, limit=limit)

    read_bytes = opening.read_bytes
    monkeypatch.setattr(opening, "read_bytes", reading)
    before = said(root, "src/a.py")
    assert said(root, "src/a.py") == before
    assert read == ["AGENTS.md", "src/AGENTS.md"] * 2  # they are too young to be trusted
    monkeypatch.setattr(conventions_module, "SETTLED_S", -(10.0**9))
    assert said(root, "src/a.py") == said(root, "src/a.py") == before
    assert len(read) == 6
    file, was = root / "AGENTS.md", (root / "AGENTS.md").stat()
    file.write_text("Indent by five.\n")  # as many bytes
    os.utime(file, ns=(was.st_atime_ns, was.st_mtime_ns))
    assert "Indent by five." in said(root)
    no = Policy(rules=(*DEFAULT.rules, Rule(id="no", effect="deny", action="fs.read", path=("AGENTS.md",))))
    assert said(root, policy=no) == ""
    (root / "src").rename(root.parent / "moved")
    (root / "src").symlink_to(root.parent / "moved")
    assert "Docstrings" not in said(root, "src/a.py")
    file.unlink()
    assert said(root) == ""


def test_all_of_them_fit_and_small_ones_stay_whole(root: Path) -> None:
    (root / "src" / "AGENTS.md").write_text("A long rule about it.\n" * 2_000)
    assert text_tokens(said(root, "src/a.py")) < MAX_TOKENS + 200
    small = said(root, "src/a.py", limit=12_288)
    assert text_tokens(small) < 12_288 // 10 + 200
    assert "Indent by four." in small


async def test_it_stands_behind_the_prompt_and_changes_only_when_the_file_does(
    start: Start, folder: Path
) -> None:
    (folder / "AGENTS.md").write_text("Say please.")
    edit = call("write_file", file_path="AGENTS.md", content="Say thanks.")
    look = call("read_file", file_path="AGENTS.md")
    free = Policy(rules=(Rule(id="free", effect="allow"),))
    run = await start("coder", calls(look), calls(edit), "done", policy=free).say("go")
    systems = [str(asked[0].content) for asked in run.model.asked]
    assert systems[0] == systems[1]
    assert systems[0].endswith("### AGENTS.md\nSay please.")
    assert systems[2].endswith("### AGENTS.md\nSay thanks.")
    assert all(message.type != "system" for message in run.messages)
