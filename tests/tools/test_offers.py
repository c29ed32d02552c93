"""What is offered to grant with a yes: the call itself, and what is like it in a way that can be told."""

import pytest
from tests.tools.test_grants import PLAIN

from artel.tools.grants import Covers, Grant, judge_granted, liftable
from artel.tools.offers import MAX_CALLS, offers
from artel.tools.policy import DEFAULT, Call
from artel.tools.shell.calls import calls_of


def offered(line: str) -> dict[str, str]:
    asked = liftable(DEFAULT, "coder", calls_of(line, ".", PLAIN))
    return {one["id"]: one["label"] for one in offers("execute", asked)}


@pytest.mark.parametrize(
    ("line", "wide"),
    [
        ("pytest -q tests", "`pytest`, whatever follows"),
        ("make", "`make`, whatever follows"),
        ("env pytest -q", "`env pytest`, whatever follows"),
        ("timeout 60 pytest -q", "`timeout 60 pytest`, whatever follows"),
        ("./run.sh a", "`./run.sh`, whatever follows"),
        ("git status -s", "`git status`, whatever follows"),
        ("git -C x log", "`git -C x log`, whatever follows"),
        ("npm run test", "`npm run test`, whatever follows"),
        ("uv run pytest -q", "`uv run pytest`, whatever follows"),
        ("python3.12 -m pytest -q", "`python3.12 -m pytest`, whatever follows"),
        ("pytest && ruff check .", "`pytest`, whatever follows and `ruff`, whatever follows"),
    ],
)
def test_a_command_is_offered_word_for_word_and_by_its_beginning(line: str, wide: str) -> None:
    told = offered(line)
    assert told["exact"].startswith("exactly `")
    assert told["wide"] == wide


@pytest.mark.parametrize(
    "line",
    [
        "python x.py",
        "python3.12 -c 'print(1)'",
        "python -m python",
        "bash x.sh",
        "sh -c 'pytest -q'",
        "npx tool",
        "uv run python x.py",
        "npm run",
        "git push origin main",
        "git config x y",
        "git",
        "rm -rf build",
        "curl x.example",
        "docker ps",
    ],
)
def test_where_the_rest_could_be_anything_only_the_very_command_is_offered(line: str) -> None:
    assert set(offered(line)) == {"exact"}


@pytest.mark.parametrize(
    "line",
    ["pytest *.py", "pytest $x", "eval pytest", "FOO=1 pytest", "sudo ls", "pytest; sudo ls", "# no", "pwd"],
)
def test_where_no_grant_could_lift_the_question_nothing_is_offered(line: str) -> None:
    assert offered(line) == {}


def test_too_many_calls_to_read_are_not_offered() -> None:
    many = [Call(tool="apply_patch", action="fs.write", path=f"a{at}.py") for at in range(MAX_CALLS + 1)]
    assert offers("apply_patch", many) == []
    long = Call(tool="execute", action="exec", argv=("pytest", "x" * 5_000))
    assert [one["id"] for one in offers("execute", [long])] == ["wide"]


def test_of_a_file_the_folder_is_offered_of_a_page_the_host_and_of_a_secret_only_itself() -> None:
    def wide(action: str, path: str) -> dict[str, object] | None:
        found = offers("t", [Call(tool="t", action=action, path=path)])
        return next((one["covers"][0] for one in found if one["id"] == "wide"), None)

    assert wide("fs.write", "src/a.py") == {"action": "fs.write", "path": "src", "rest": True}
    assert wide("fs.write", "a.py") == {"action": "fs.write", "path": ".", "rest": True}
    assert wide("net.fetch", "docs.example/a") == {
        "action": "net.fetch",
        "path": "docs.example",
        "rest": True,
    }
    assert wide("fs.write", "src/.env") is None
    assert wide("fs.read", ".env") is None
    assert wide("mcp.call", "") is None


@pytest.mark.parametrize(
    "line",
    ["pytest -q", "timeout 60 pytest -q", "/usr/bin/git log", "./run.sh a b", "pytest && ruff check > a.txt"],
)
def test_each_offer_covers_the_call_that_it_came_with(line: str) -> None:
    calls = calls_of(line, ".", PLAIN)
    for one in offers("execute", liftable(DEFAULT, "coder", calls)):
        covers = tuple(Covers.model_validate(each) for each in one["covers"])
        grant = Grant(grant_id="g", scope="always", tool="execute", covers=covers)
        assert judge_granted(DEFAULT, "coder", calls, [grant]).effect == "allow", one
