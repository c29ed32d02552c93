"""Running commands: one that a person named, or the tests of the project."""

import re
from collections.abc import Generator
from shlex import quote
from typing import TypeAlias

from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import block, not_done
from artel.graphs.models.rules.turn import Call, Rule, Step, Steps, Undone

TIMEOUT_S = 600
OWN_PYTHON = ".venv/bin"
PYTHON = "python3"
PYTEST = "-B -m pytest -q -p no:cacheprovider"
UNITTEST = "-B -m unittest discover -v"
NONE_RAN = re.compile(r"^Ran 0 tests|^no tests ran|NO TESTS RAN", re.MULTILINE)
NO_PYTEST = re.compile(r"No module named '?pytest")
RUNNERS = (
    ("**/test_*.py", PYTEST),
    ("**/*_test.py", PYTEST),
    ("package.json", "npm test --silent"),
    ("Cargo.toml", "cargo test --quiet"),
    ("go.mod", "go test ./..."),
    ("Makefile", "make test"),
)
"""Files that tell how a project is tested, the surest first."""

Running: TypeAlias = Generator[list[Call], Steps, Step]


def execute(command: str, why: str = "") -> Running:
    """Run a command and return what came of it."""
    (step,) = yield [
        Call("execute", {"command": command, "timeout": TIMEOUT_S, **({"description": why} if why else {})})
    ]
    return step


def run(command: str, say: Phrases) -> Rule:
    """Run a command that a person named, and tell how it ended."""
    step = yield from execute(command)
    return told(step, say)


def python() -> Generator[list[Call], Steps, str]:
    """Return the Python of the project: its own environment's, else that of the machine."""
    (own,) = yield [Call("ls", {"path": OWN_PYTHON})]
    there = own.ok and any(line.split("  ")[0] == "python" for line in own.lines)
    return f"{OWN_PYTHON}/python" if there else PYTHON


def how_tested(path: str = "") -> Generator[list[Call], Steps, str]:
    """Return the command that runs the project's tests, or those in `path`; empty: no rule knows one."""
    if not path.endswith(".py"):
        found = yield [Call("glob", {"pattern": pattern}) for pattern, _ in RUNNERS]
        fitting = zip(RUNNERS, found, strict=True)
        command = next((runs for (_, runs), step in fitting if step.ok and step.lines), "")
        if command != PYTEST:
            return command
    home = yield from python()
    return f"{home} {PYTEST} {quote(path)}" if path else f"{home} {PYTEST}"


def run_tests(path: str, say: Phrases) -> Generator[list[Call], Steps, Step | Undone]:
    """Run the project's tests; without pytest by unittest."""
    command = yield from how_tested(path)
    if not command:
        kinds = ", ".join(f"`{pattern}`" for pattern, _ in RUNNERS)
        return Undone(
            say(
                f"I found no tests here: there is none of {kinds}. Name a command: run `make check`.",
                f"Тестов здесь не нашлось: нет ничего из {kinds}. Назовите команду: выполни `make check`.",
            )
        )
    step = yield from execute(command, say("Run the tests", "Запустить тесты"))
    if PYTEST in command and step.exit_code and NO_PYTEST.search(step.text):
        unittest = f"-B -m unittest -v {quote(path)}" if path else UNITTEST
        plain = f"{command.split()[0]} {unittest}"
        step = yield from execute(plain, say("Run the tests without pytest", "Запустить тесты без pytest"))
    return step


def tests(path: str, say: Phrases) -> Rule:
    """Run the tests, and tell how they ended."""
    step = yield from run_tests(path, say)
    return step if isinstance(step, Undone) else told(step, say)


def told(step: Step, say: Phrases) -> str:
    """Return how a command ended and the last lines that it wrote."""
    command = step.call.args["command"]
    if not step.ok:
        return not_done(step, f"`{command}`", say)
    state, _, output = step.text.partition("]\n") if step.text.startswith("[") else ("", "", step.text)
    ended = state.strip("[") or step.text.split("\n")[0]
    words = "\n\n".join([f"`{command}`: {ended}.", block(output, last=30)])
    if NONE_RAN.search(output):
        none = say(
            "No test ran: pytest is not there, and unittest found none.",
            "Ни один тест не выполнен: pytest нет, а unittest тестов не нашёл.",
        )
        return Undone(f"{words}\n\n{none}")
    return words if step.exit_code == 0 else Undone(words)
