"""Programs: found, run in the box over files that they cannot write, and read whatever they print."""

import json
import shutil
from pathlib import Path

import pytest
from tests.tools.gate.conftest import Project, named, places, said

from artel.tools.gate.report import CheckResult

pytestmark = pytest.mark.needs("bwrap")
WEB = Path(__file__).parents[3] / "web/node_modules"


def own(name: str, *run: str, parse: str = "none", **more: object) -> str:
    """Return the configuration of one check of a project's own, and no other check."""
    fields = {"name": name, "run": list(run), "parse": parse, **more}
    return "checks = []\n[[check]]\n" + "".join(
        f"{key} = {json.dumps(value)}\n" for key, value in fields.items()
    )


async def result(project: Project, check: str, language: str = "") -> CheckResult:
    return named(await project.judge(), check, language)


async def test_ruff_and_mypy_judge_what_a_change_brings_in(unborn: Project) -> None:
    unborn.write("old.py", "import os\nx: int = 'a'\n")
    unborn.write("user.py", "from lib import one\n\none(1)\n")
    unborn.write("lib.py", "def one(x: int) -> None: ...\n")
    unborn.configure('checks = ["lint", "format", "types"]\n')
    unborn.write("old.py", "import os\n\nx: int = 'a'\nimport re\n")
    unborn.write("-new.py", "y: str = 1\n")
    report = await unborn.judge()
    lint, form, types = (named(report, check, "python") for check in ("lint", "format", "types"))
    assert [one.is_old for one in lint.findings if one.rule == "F401"] == [False, True]
    assert ("old.py", 4, "F401") in places(lint)
    assert [(one.path, one.is_old) for one in form.findings] == [("old.py", True)]
    assert places(types) == [("-new.py", 1, "assignment")]
    assert [(one.path, one.is_old) for one in types.findings] == [("-new.py", False), ("old.py", True)]
    assert not report.passed


async def test_a_change_that_breaks_another_file_fails_there(unborn: Project) -> None:
    unborn.write("lib.py", "def one(x: int) -> None: ...\n")
    unborn.write("user.py", "from lib import one\n\none(1)\n")
    unborn.configure('checks = ["types"]\n')
    unborn.write("lib.py", "def one(x: str) -> None: ...\n")
    unborn.write("user.py", "from lib import one\n\none(1)\n\n")
    assert places(await result(unborn, "types", "python")) == [("user.py", 3, "arg-type")]


async def test_clean_code_is_green_by_default(unborn: Project) -> None:
    unborn.write("pyproject.toml", '[project]\nname = "shop"\n')
    unborn.commit()
    unborn.write("shop.py", "def one(x: int) -> int:\n    return x\n")
    report = await unborn.judge()
    assert report.passed, report.text()
    assert {one.status for one in report.checks} == {"passed"}


async def test_eslint_prettier_and_tsc_are_those_of_the_project(unborn: Project) -> None:
    unborn.commit()
    unborn.write("web/package.json", "{}")
    unborn.write("web/tsconfig.json", "{}")
    unborn.write("web/eslint.config.js", "export default []")
    unborn.write(".gitignore", "node_modules\n")
    unborn.write("web/src/a.ts", "export const a = 1\n")
    unborn.configure('checks = ["lint", "format", "types"]\nallow_config_change = true\n')
    unborn.write("web/src/a.ts", "export const a = 2\n")
    file = {"filePath": str(unborn.root / "web/src/a.ts")}
    told = [
        {"ruleId": "no-var", "severity": 2, "line": 1, "message": "No var."},
        {"severity": 1, "line": 2, "message": "warn"},
    ]
    unborn.program("web/node_modules/.bin/eslint", said([file | {"messages": told}]))
    unborn.program("web/node_modules/.bin/prettier", "#!/bin/sh\necho src/a.ts\nexit 1\n")
    unborn.program(
        "web/node_modules/.bin/tsc",
        "#!/bin/sh\ncat src/a.ts >&2\necho 'src/a.ts(1,2): error TS1: Wrong.'\nexit 2\n",
    )
    report = await unborn.judge()
    lint, form, types = (named(report, check, "typescript") for check in ("lint", "format", "types"))
    assert [(one.path, one.rule, one.is_old) for one in lint.findings] == [("web/src/a.ts", "no-var", True)]
    assert [(one.path, one.is_old) for one in form.findings] == [("web/src/a.ts", True)]
    assert [(one.path, one.line, one.rule) for one in types.findings] == [("web/src/a.ts", 1, "TS1")]
    unborn.write("web/src/b.ts", "export const b = 1\n")
    new = {"filePath": "src/b.ts", "messages": told}
    unborn.program("web/node_modules/.bin/eslint", said([new]))
    assert places(await result(unborn, "lint", "typescript")) == [("web/src/b.ts", 1, "no-var")]


@pytest.mark.skipif(not WEB.exists(), reason="the web client's own packages are not installed here")
async def test_what_the_real_tsc_says_is_understood(unborn: Project) -> None:
    shutil.copytree(WEB / "typescript", unborn.root / "node_modules/typescript")
    (unborn.root / "node_modules/.bin").mkdir()
    (unborn.root / "node_modules/.bin/tsc").symlink_to("../typescript/bin/tsc")
    unborn.write(".gitignore", "node_modules\n")
    unborn.write("package.json", "{}")
    unborn.write("tsconfig.json", '{"compilerOptions": {"strict": true, "types": []}}')
    unborn.write("old.ts", "export const a: number = 'x'\n")
    unborn.git("add", "-A")
    unborn.git("commit", "-qm", "Base")
    unborn.write("old.ts", "\nexport const a: number = 'x'\n")
    unborn.write("new.ts", "export const b: string = 1\n")
    types = await result(unborn, "types", "typescript")
    assert types.status == "failed", types
    assert [(one.path, one.line, one.rule, one.is_old) for one in types.findings] == [
        ("new.ts", 1, "TS2322", False),
        ("old.ts", 2, "TS2322", True),
    ]


async def test_a_program_that_is_nowhere_is_named_and_only_breaks_who_asked(unborn: Project) -> None:
    unborn.write("package.json", "{}")
    unborn.write(".prettierrc", "")
    unborn.commit()
    unborn.write("a.js", "x()\n")
    report = await unborn.judge()
    assert named(report, "format", "typescript").status == "skipped"
    assert (
        "- format (typescript): NOT RUN (prettier is not installed: neither in node_modules/.bin"
        in report.text()
    )
    assert named(report, "lint", "typescript").reason == "the project has no configuration of eslint"
    unborn.configure('checks = ["format"]\n')
    unborn.write("a.js", "y()\n")
    report = await unborn.judge()
    assert (named(report, "format", "typescript").status, report.passed) == ("broken", False)
    unborn.configure(own("house", "no-such-program"))
    assert (await result(unborn, "house")).reason.startswith("there is no program 'no-such-program'")


@pytest.mark.parametrize("mode", ["off", "host"])
async def test_without_a_box_nothing_of_a_project_runs(unborn: Project, mode: str) -> None:
    unborn.program("run.sh", "#!/bin/sh\ntouch ran\n")
    unborn.configure(own("house", "./run.sh"))
    report = await unborn.boxed(mode=mode).judge()
    house = named(report, "house")
    assert (house.status, report.passed) == ("broken", False)
    assert f"ARTEL_SANDBOX__MODE={mode}" in house.reason
    assert not (unborn.root / "ran").exists()


async def test_a_check_cannot_write_the_workspace_nor_reach_out(unborn: Project) -> None:
    script = "#!/bin/sh\ntouch wrote 2>/dev/null && exit 0\nls /root /home/*/.ssh && exit 0\nexit 3\n"
    unborn.program("run.sh", script)
    unborn.configure(own("house", "./run.sh"))
    assert (await result(unborn, "house")).status == "failed"
    assert not (unborn.root / "wrote").exists()


async def test_a_check_of_ones_own_gets_names_as_they_are(unborn: Project) -> None:
    unborn.configure(own("house", "python3", "-c", "import sys; print(sys.argv[1:]); sys.exit(1)", "{files}"))
    for name in ("-rf", "a\nb", "q'\"$(id)", "gone"):
        unborn.write(name)
    unborn.git("add", "gone")
    (unborn.root / "gone").unlink()
    message = (await result(unborn, "house")).findings[0].message
    assert message.startswith("ended with 1: ['./-rf', './a")
    assert "$(id)" in message
    assert "gone" not in message


async def test_lines_of_a_check_of_ones_own_become_findings(unborn: Project) -> None:
    lines = [
        "a.py:3:1: No tabs [W191]",
        "b.ts(4,5): error TS2: Bad.",
        "a.py:9: error: Wrong  [misc]",
        "plain words",
    ]
    script = "#!/bin/sh\n" + "".join(f"echo {json.dumps(line)}\n" for line in lines) + "exit 1\n"
    unborn.program("run.sh", script)
    unborn.configure(own("house", "./run.sh", parse="lines"))
    unborn.write("a.py")
    unborn.write("b.ts")
    assert [
        (one.path, one.line, one.rule, one.message) for one in (await result(unborn, "house")).findings
    ] == [
        ("a.py", 3, "W191", "No tabs"),
        ("b.ts", 4, "TS2", "Bad."),
        ("a.py", 9, "misc", "Wrong"),
        ("", 0, "", "plain words"),
    ]


@pytest.mark.parametrize(
    ("script", "says"),
    [
        ("sleep 60", "its time limit of 1 s"),
        ("kill -9 $$", "ended with 137"),
        ("exec /nowhere", "could not be started in the sandbox"),
        ("exit 1", "not the JSON that it was asked for"),
        ("echo '{}'; exit 1", "no list of findings"),
        ("echo '[[[['; exit 1", "not the JSON"),
        ("head -c 100000000 /dev/zero | tr '\\0' x; exit 1", "it said 100000001 bytes"),
    ],
)
async def test_a_check_that_does_not_answer_is_broken_and_red(
    unborn: Project, script: str, says: str
) -> None:
    unborn.program("run.sh", f"#!/bin/bash\n{script}\n")
    unborn.configure(own("house", "./run.sh", parse="ruff", timeout_s=1 if "sleep" in script else 60))
    report = await unborn.judge()
    house = named(report, "house")
    assert (house.status, report.passed) == ("broken", False)
    assert says in house.reason


async def test_output_that_means_harm_is_only_text(unborn: Project) -> None:
    found = [
        {"filename": "../../etc/passwd", "code": None, "location": {"row": -1}, "message": "\x1b[2J\ud800\0"},
        {"filename": 7, "code": ["x"], "location": "here", "message": {"a": 1}},
        "no table",
    ]
    unborn.program("run.sh", said(found).replace("#!/usr/bin/env python3", "#!/usr/bin/python3"))
    unborn.configure(own("house", "./run.sh", parse="ruff"))
    house = await result(unborn, "house")
    assert [one.line for one in house.findings] == [0, 0]
    assert all(one.message.isprintable() for one in house.findings)


async def test_more_names_than_fit_one_command_are_given_in_parts(unborn: Project) -> None:
    unborn.configure(own("house", "python3", "-c", "import sys; sys.exit(len(sys.argv) < 2)", "{files}"))
    for number in range(800):
        unborn.write(f"{'long' * 40}{number}.txt")
    house = await result(unborn, "house")
    assert (house.status, house.findings) == ("passed", ())


async def test_programs_of_the_project_can_be_left_aside(unborn: Project) -> None:
    unborn.write(".gitignore", ".venv\n")
    unborn.commit()
    unborn.configure('checks = ["lint"]\nown_programs = false\n')
    unborn.git("rm", "-rq", "--cached", "--ignore-unmatch", ".venv")
    unborn.program(".venv/bin/ruff", "#!/bin/sh\necho '[]'\n")
    unborn.write("a.py", "import os\n")
    assert places(await result(unborn, "lint", "python")) == [("a.py", 1, "F401")]
