"""Judging a change: what is new fails, what was there does not, and nothing in a change weakens its judge."""

import os
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tools.gate.conftest import BUILT_IN, Project, named, places
from tests.tools.gate.test_secrets import SECRETS

from artel.tools.gate.errors import GateMisconfigured
from artel.tools.gate.report import Report
from artel.tools.gate.running import run
from artel.tools.git.errors import BadName, NoRepository, UnsafeRepository
from artel.tools.tool import Work


async def test_an_empty_change_is_green(project: Project) -> None:
    report = await project.judge()
    assert (report.passed, report.files) == (True, ())
    assert report.base == project.git("rev-parse", "HEAD")
    assert report.config.startswith(f".artel/gate.toml at {report.base[:10]}, sha256 ")


async def test_each_check_names_file_and_line(project: Project) -> None:
    project.write("a.py", f"import os\nimport requests\nos.system('x')\nKEY = '{SECRETS['github-token']}'\n")
    project.write("b.ts", "// @ts-nocheck\nconst x = ;\n")
    report = await project.judge()
    assert not report.passed
    assert places(named(report, "calls")) == [("a.py", 3, "os.system")]
    assert places(named(report, "imports")) == [("a.py", 2, "requests")]
    assert places(named(report, "secrets")) == [("a.py", 4, "github-token")]
    assert places(named(report, "silencing")) == [("b.ts", 1, "ts")]
    assert [(path, line) for path, line, _ in places(named(report, "syntax"))] == [("b.ts", 2)]
    assert "a.py:3: os.system runs a shell; use subprocess.run" in report.text()
    assert "- calls: FAILED (1 found)" in report.text()
    assert Report.model_validate_json(report.model_dump_json()) == report


async def test_what_was_there_before_is_told_and_fails_nothing(project: Project) -> None:
    old = "import requests\nimport os\nos.system('x')\nPASSWORD = 'hunter2hunter'\n"
    project.write("a.py", old)
    project.commit()
    project.write("a.py", f"'''New.'''\n\n\n{old}")
    report = await project.judge()
    assert report.passed, report.text()
    calls = named(report, "calls")
    assert [(one.line, one.message[:25]) for one in calls.findings] == [(6, "was there before: os.syst")]
    project.write("a.py", f"{old}os.system('y')\n")
    assert places(named(await project.judge(), "calls")) == [("a.py", 5, "os.system")]
    project.write("a.py", old.replace("'x'", "'y'"))
    assert places(named(await project.judge(), "calls")) == [("a.py", 3, "os.system")]
    project.write("a.py", old.replace("hunter2", "hunter3"))
    assert places(named(await project.judge(), "secrets")) == [("a.py", 4, "password")]


async def test_only_the_paths_asked_for_are_judged(project: Project) -> None:
    project.write("a/bad.py", "eval('1')\n")
    project.write("b/good.py")
    assert (await project.judge(paths=["b"])).passed
    assert not (await project.judge(paths=["a/bad.py"])).passed
    assert (await project.judge(paths=["./b/../b/good.py"])).files == ("b/good.py",)


async def test_a_change_is_judged_against_any_commit(project: Project) -> None:
    project.write("a.py", "eval('1')\n")
    project.commit()
    assert (await project.judge()).passed
    assert not (await project.judge(base="HEAD~1")).passed
    with pytest.raises(BadName, match="there is no commit"):
        await project.judge(base="nowhere")
    with pytest.raises(BadName):
        await project.judge(base="--output=x")


async def test_a_change_of_the_gate_is_judged_by_the_gate_as_it_was(project: Project) -> None:
    project.write("a.py", "eval('1')\n")
    for weak in ('checks = ["syntax"]\n', "allow_config_change = true\n", "no [ toml", ""):
        project.write(".artel/gate.toml", weak)
        report = await project.judge(paths=["a.py"])
        assert places(named(report, "gate-config")) == [(".artel/gate.toml", 0, "gate")]
        assert places(named(report, "calls")) == [("a.py", 1, "eval")]
    (project.root / ".artel/gate.toml").unlink()
    assert not (await project.judge()).passed
    (project.root / ".artel/gate.toml").symlink_to("/dev/null")
    assert not (await project.judge()).passed


async def test_a_base_may_allow_changes_of_its_gate(project: Project) -> None:
    project.configure(BUILT_IN + "allow_config_change = true\n")
    project.write(".artel/gate.toml", BUILT_IN)
    report = await project.judge()
    assert report.passed
    assert named(report, "gate-config").findings[0].path == ".artel/gate.toml"


@pytest.mark.parametrize(
    ("path", "before", "after"),
    [
        ("ruff.toml", "", "lint.ignore = ['ALL']\n"),
        ("pkg/.ruff.toml", None, "lint.ignore = ['ALL']\n"),
        ("pyproject.toml", "[tool.ruff]\nline-length = 9\n", "[tool.mypy]\nignore_errors = true\n"),
        ("setup.cfg", "[metadata]\n", "[mypy]\nignore_errors = True\n"),
        ("package.json", "{}", '{"eslintConfig": {"rules": {}}}'),
        ("tsconfig.json", '{"compilerOptions": {"strict": true}}', "{}"),
        ("eslint.config.mjs", "export default []", None),
    ],
)
async def test_what_checkers_are_told_is_a_persons_to_change(
    project: Project, path: str, before: str | None, after: str | None
) -> None:
    project.write("pkg/a.py")
    if before is not None:
        project.write(path, before)
    project.commit()
    project.write("pkg/a.py", "y = 2\n")
    assert (await project.judge()).passed
    if after is None:
        (project.root / path).unlink()
    else:
        project.write(path, after)
    report = await project.judge(paths=["pkg/a.py"])
    assert places(named(report, "gate-config")) == [(path, 0, "checkers")]


async def test_an_ignored_file_tells_checkers_nothing_unseen(project: Project) -> None:
    project.write(".gitignore", ".ruff.toml\n")
    project.commit()
    project.write(".ruff.toml", "lint.ignore = ['ALL']\n")
    project.write("a.py")
    assert places(named(await project.judge(), "gate-config")) == [(".ruff.toml", 0, "checkers")]


async def test_a_dependency_may_be_added_without_a_person(project: Project) -> None:
    project.configure(BUILT_IN)
    project.write("pyproject.toml", '[project]\ndependencies = []\n[tool.ruff]\nselect = ["E"]\n')
    project.commit()
    project.write("pyproject.toml", '[project]\ndependencies = ["requests"]\n[tool.ruff]\nselect = ["E"]\n')
    project.write("a.py", "import requests\n")
    report = await project.judge()
    assert report.passed, report.text()


async def test_what_a_check_runs_and_what_is_protected_is_a_persons_to_change(project: Project) -> None:
    check = '[[check]]\nname = "house"\nrun = ["python3", "./tools/house.py"]\nfiles = ["*.nothing"]\n'
    project.configure(BUILT_IN + 'protected = ["Makefile", "ci/**"]\n' + check)
    for path in ("Makefile", "ci/x/run.sh", "tools/house.py"):
        project.write(path, "\n")
    found = places(named(await project.judge(), "gate-config"))
    assert found == [
        ("Makefile", 0, "protected"),
        ("ci/x/run.sh", 0, "protected"),
        ("tools/house.py", 0, "check"),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("no [ toml", "Expected"),
        ("unknown = 1", "unknown: Extra inputs are not permitted"),
        ('guard = ["merge"]', "guard.0"),
        ('checks = ["vibes"]', "checks.0"),
        ("timeout_s = 0", "greater than 0"),
        ('[secrets]\nallow = ["("]', "is no regular expression"),
        ('exclude = ["../x"]', "cannot leave its folder"),
        ('[[check]]\nname = "lint"\nrun = ["x"]', "needs a name that no other has"),
        ('[[check]]\nname = "x"\nrun = []', "at least 1 item"),
        ("x = " + "[" * 5_000, "gate.toml at"),
        (b"\xff\xfe", "decode"),
    ],
)
async def test_a_configuration_that_cannot_be_used_judges_nothing_and_says_why(
    project: Project, text: str | bytes, says: str
) -> None:
    project.configure(text if isinstance(text, str) else text.decode("latin-1"))
    if isinstance(text, bytes):
        project.write(".artel/gate.toml", text)
        project.commit()
    with pytest.raises(GateMisconfigured, match=says):
        await project.judge()


async def test_excluded_files_are_not_judged(project: Project) -> None:
    project.write("vendor/x.py", "eval('1')\n")
    report = await project.judge()
    assert (report.passed, report.files) == (True, ("vendor/x.py",))


async def test_files_of_every_kind_and_name_are_judged(project: Project) -> None:
    for name in ("-rf.py", "a\nb.py", "quo'te\".py", "sp ace.py", "$(touch x).py", "ю.py"):
        project.write(name, "eval('1')\n")
    project.write(os.fsdecode(b"\xff.py"), "eval('1')\n")
    report = await project.judge()
    assert sorted(path for path, _, _ in places(named(report, "calls"))) == [
        "$(touch x).py",
        "-rf.py",
        "\\udcff.py",
        "a\\nb.py",
        "quo'te\".py",
        "sp ace.py",
        "ю.py",
    ]
    assert Report.model_validate_json(report.model_dump_json()) == report


async def test_code_that_cannot_be_read_is_no_pass(project: Project) -> None:
    project.write("nul.py", b"x = 1\0\n")
    project.write("huge.ts", "// " + "x" * 1_000_001)
    project.write("old.py", "# -*- coding: cp1251 -*-\neval('привет')\n".encode("cp1251"))
    project.write("mark.py", b"\xef\xbb\xbfeval('1')\r\n")
    project.write("script", "#!/usr/bin/env python3\neval('1')\n")
    report = await project.judge()
    assert [path for path, _, _ in places(named(report, "unread"))] == ["huge.ts", "nul.py"]
    assert [path for path, _, _ in places(named(report, "calls"))] == ["mark.py", "old.py", "script"]


async def test_what_is_no_code_and_cannot_be_read_is_named(project: Project) -> None:
    project.write("a.bin", bytes(range(256)) * 10)
    project.write("big.csv", b"1,2\n" * 2_000_000)
    report = await project.judge()
    assert report.passed
    assert named(report, "unread").reason == "not looked into: a.bin (binary), big.csv (too large)"
    assert "- unread: NOT RUN (not looked into: a.bin" in report.text()


async def test_links_are_judged_by_where_they_say_they_lead(project: Project) -> None:
    outside = project.root.parent / "secret.txt"
    outside.write_text(SECRETS["github-token"])
    (project.root / "link.py").symlink_to(outside)
    (project.root / "folder").symlink_to("/etc")
    (project.root / "token").symlink_to(SECRETS["gitlab-token"])
    report = await project.judge()
    assert places(named(report, "secrets")) == [("token", 1, "gitlab-token")]
    assert report.files == ("folder", "link.py", "token")


async def test_a_pipe_in_place_of_a_file_keeps_nobody_waiting(project: Project) -> None:
    file = project.write("a.py")
    project.commit()
    file.unlink()
    os.mkfifo(file)
    assert (await project.judge()).files == ("a.py",)


async def test_deleted_files_are_no_findings(project: Project) -> None:
    project.write("a.py", "eval('1')\n")
    project.commit()
    (project.root / "a.py").unlink()
    report = await project.judge()
    assert (report.passed, report.files) == (True, ("a.py",))


async def test_repositories_within_are_named_and_not_looked_into(project: Project) -> None:
    (project.root / "inner").mkdir()
    project.git("init", "-q", at=project.root / "inner")
    project.write("inner/a.py", "eval('1')\n")
    report = await project.judge()
    assert report.passed
    assert named(report, "unread").reason == "not looked into: inner (a repository of its own)"


async def test_a_submodule_that_moves_on_is_named_and_not_looked_into(project: Project) -> None:
    other = project.root.parent / "other"
    other.mkdir()
    project.git("init", "-q", at=other)
    project.git("commit", "-qm", "One", "--allow-empty", at=other)
    project.git("submodule", "--quiet", "add", str(other), "lib")
    project.commit()
    project.git("commit", "-qm", "Two", "--allow-empty", at=project.root / "lib")
    report = await project.judge()
    assert (report.passed, report.files) == (True, ("lib",))
    assert named(report, "unread").reason == "not looked into: lib (a repository of its own)"


async def test_a_file_in_conflict_is_judged_as_it_lies(project: Project) -> None:
    project.write("a.py", "x = 1\n")
    project.commit()
    project.git("switch", "-qc", "side")
    project.write("a.py", "eval('1')\n")
    project.commit()
    project.git("switch", "-q", "main")
    project.write("a.py", "x = 2\n")
    project.commit()
    with pytest.raises(AssertionError):
        project.git("merge", "-q", "side")
    report = await project.judge()
    assert report.files == ("a.py",)
    assert [rule for _, _, rule in places(named(report, "calls"))] == ["eval"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.py", "(" * 20_000 + "eval" + ")" * 20_000),
        ("a.py", "getattr(os, " + " + ".join(['"a"'] * 20_000) + ")"),
        ("a.ts", "eval=>" * 20_000 + "eval"),
        ("a.tsx", "`${" * 20_000 + "eval" + "}`" * 20_000),
    ],
)
async def test_code_nested_without_end_is_refused_and_not_judged_for_ever(
    project: Project, path: str, text: str
) -> None:
    project.write(path, text)
    report = await project.judge()
    assert not report.passed
    assert "nested deeper than 600 levels" in named(report, "unread").findings[0].message


async def test_a_folder_of_a_repository_is_not_judged_as_if_it_had_no_past(project: Project) -> None:
    project.write("web/a.py")
    with pytest.raises(NoRepository, match="only a folder of the repository"):
        await run(replace(project.work, root=project.root / "web"))


async def test_attributes_and_settings_of_the_repository_hide_nothing(project: Project) -> None:
    project.write("a.py")
    project.commit()
    project.write(".gitattributes", "*.py -diff binary\n")
    project.write("a.py", "eval('1')\n")
    project.write("sub/b.py", "eval('1')\n")
    project.git("config", "diff.noprefix", "true")
    project.git("config", "status.showUntrackedFiles", "no")
    assert len(places(named(await project.judge(), "calls"))) == 2
    project.git("config", "diff.external", "false")
    with pytest.raises(UnsafeRepository, match=r"diff\.external"):
        await project.judge()


async def test_without_a_commit_all_is_new(unborn: Project) -> None:
    unborn.write("a.py", "eval('1')\n")
    report = await unborn.boxed(mode="off").judge()
    assert (report.base, report.files) == ("", ("a.py",))
    assert places(named(report, "calls")) == [("a.py", 1, "eval")]
    assert "against nothing" in report.text()


async def test_without_a_repository_all_is_new(root: Path) -> None:
    (root / "a.py").write_text("eval('1')\n")
    (root / "node_modules/x").mkdir(parents=True)
    (root / "node_modules/x/b.js").write_text("eval('1')\n")
    work = replace(Project(root, Work(root, "t", "c")).boxed(mode="off").work)
    report = await Project(root, work).judge()
    assert (report.base, report.files, report.config) == (
        "",
        ("a.py",),
        "defaults, as the base has no .artel/gate.toml",
    )
    assert not report.passed


async def test_a_digest_tells_judged_contents_apart(project: Project) -> None:
    project.write("a.py", "x = 1\n")
    first = (await project.judge()).tree
    assert (await project.judge()).tree == first
    project.write("a.py", "x = 2\n")
    assert (await project.judge()).tree != first


async def test_a_report_fits_its_limit_and_says_what_it_leaves_out(project: Project) -> None:
    for number in range(150):
        project.write(f"file{number}.py", "eval('1')\n")
    text = (await project.judge()).text(2_000)
    assert len(text) <= 2_000
    assert text.endswith("more lines")
