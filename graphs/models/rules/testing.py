"""Skeletons of tests for functions that are there; examples in docstrings become tests that can fail."""

import ast
import doctest
import re
from collections.abc import Generator
from pathlib import PurePosixPath

from artel.graphs.models.rules import files
from artel.graphs.models.rules.commands import NO_PYTEST, PYTEST, execute, python
from artel.graphs.models.rules.files import File
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.python import Defined, parsed, public
from artel.graphs.models.rules.telling import block, bullets, not_done
from artel.graphs.models.rules.turn import Call, Rule, Step, Steps, Undone
from artel.graphs.models.rules.words import identifiers, paths

MAX_FUNCTIONS = 30


def write(request: str, say: Phrases) -> Rule:
    """Write a test file for the functions of a Python file, and run it."""
    read = yield from _source(request, say)
    if isinstance(read, Undone):
        return read
    wanted = set(identifiers(request)) & {one.name for one in public(read.text)}
    functions = [one for one in public(read.text) if not wanted or one.name in wanted][:MAX_FUNCTIONS]
    if not functions:
        return Undone(
            say(
                f"`{read.path}` has no function at its top that others may call: nothing to write tests for.",
                f"В `{read.path}` нет функций верхнего уровня, доступных другим: писать тесты не для чего.",
            )
        )
    path = yield from _place(read.path)
    (there,) = yield [Call("glob", {"pattern": path})]
    if there.ok and path in there.lines:
        return Undone(
            say(
                f"`{path}` is there already. I write new files only; name the function whose test is "
                "missing to the "
                f"`coder`, or remove the file.",
                f"`{path}` уже есть. Я пишу только новые файлы.",
            )
        )
    text, checked = skeleton(read.path, functions)
    (made,) = yield [Call("write_file", {"file_path": path, "content": text})]
    if not made.ok:
        return not_done(made, f"`{path}`", say)
    home = yield from python()
    ran = yield from execute(f"{home} {PYTEST} {path}", say("Run the new tests", "Запустить новые тесты"))
    return _told(path, functions, checked, ran, say)


def skeleton(path: str, functions: list[Defined]) -> tuple[str, set[str]]:
    """Return a test file, and the functions of which it tests something: the examples in their docstrings."""
    module = path.removesuffix(".py").removesuffix("/__init__").removeprefix("src/").replace("/", ".")
    names = ", ".join(sorted(one.name for one in functions))
    parts, checked = [], set()
    for one in functions:
        if examples := _examples(one.docs):
            checked.add(one.name)
            asserts = [f"    assert {source} == {wanted}" for source, wanted in examples]
            parts.append("\n".join([f"def test_{one.name}_does_as_its_examples_say() -> None:", *asserts]))
        else:
            parts.append(_skipped(one))
    skips = [] if len(checked) == len(functions) else ["import pytest", ""]
    head = [f'"""Tests of {path}."""', "", *skips, f"from {module} import {names}"]
    if len(head[-1]) > 100:
        head[-1] = f"from {module} import (\n" + "".join(f"    {name},\n" for name in names.split(", ")) + ")"
    return "\n".join(head) + "\n\n\n" + "\n\n\n".join(parts) + "\n", checked


def _skipped(one: Defined) -> str:
    given = ", ".join(f"{name}=..." for name in one.args)
    awaited = "await " if one.kind == "coroutine" else ""
    kind = "async def" if awaited else "def"
    says = [f"    # {one.says}"] if one.says else []
    return "\n".join(
        [
            f'@pytest.mark.skip(reason="say what {one.name} shall give")',
            f"{kind} test_{one.name}() -> None:",
            *says,
            f"    assert {awaited}{one.name}({given}) == ...",
        ]
    )


def _examples(docs: str) -> list[tuple[str, str]]:
    """Return the examples of a docstring that compare one expression with a literal."""
    try:
        found = doctest.DocTestParser().get_examples(docs)
    except ValueError:
        return []
    pairs = [(one.source.strip(), one.want.strip()) for one in found if "\n" not in one.source.strip()]
    return [(source, wanted) for source, wanted in pairs if _is_expression(source) and _is_literal(wanted)]


def _is_expression(text: str) -> bool:
    tree = parsed(text)
    return isinstance(tree, ast.Module) and len(tree.body) == 1 and isinstance(tree.body[0], ast.Expr)


def _is_literal(text: str) -> bool:
    try:
        ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return False
    return True


def _source(request: str, say: Phrases) -> Generator[list[Call], Steps, File | Undone]:
    for name in paths(request):
        found = yield from files.find(name)
        if len(found) > 1:
            shown = bullets([f"`{path}`" for path in found[:10]])
            return Undone(f"{say.several_files.format(file=name)}\n{shown}")
        if not found:
            return Undone(say.not_found_file.format(file=name))
        if not found[0].endswith(".py"):
            return Undone(
                say(
                    f"I write skeletons for Python only, and `{found[0]}` is none.",
                    f"Заготовки я пишу только для Python, а `{found[0]}` — не он.",
                )
            )
        return (yield from _read(found[0], say))
    for name in identifiers(request):
        (step,) = yield [
            Call("grep", {"pattern": rf"^(?:async )?def {re.escape(name)}\b", "output_mode": "content"})
        ]
        if hits := files.hits(step):
            return (yield from _read(hits[0][0], say))
    return Undone(
        say(
            "Name a Python file or a function: write tests for shop/pricing.py.",
            "Назовите файл Python или функцию: напиши тесты для shop/pricing.py.",
        )
    )


def _read(path: str, say: Phrases) -> Generator[list[Call], Steps, File | Undone]:
    read = yield from files.read(path)
    return not_done(read, f"`{path}`", say) if isinstance(read, Step) else read


def _place(path: str) -> Generator[list[Call], Steps, str]:
    """Return where the tests of a file belong: beside those that are there, else in `tests`."""
    (there,) = yield [Call("glob", {"pattern": "**/test_*.py"})]
    folders = [str(PurePosixPath(line).parent) for line in there.lines] if there.ok else []
    home = max(sorted(set(folders)), key=folders.count, default="tests")
    stem = PurePosixPath(path).stem
    stem = PurePosixPath(path).parent.name if stem == "__init__" else stem
    return f"{home}/test_{stem}.py" if home != "." else f"test_{stem}.py"


def _told(path: str, functions: list[Defined], checked: set[str], ran: Step, say: Phrases) -> str:
    left = [f"`{one.signature}`" for one in functions if one.name not in checked]
    lines = [
        f"`{path}`: "
        + say(
            f"{len(checked)} from examples in docstrings, {len(left)} skeletons that are skipped",
            f"из примеров в документации: {len(checked)}, пропускаемых заготовок: {len(left)}",
        )
    ]
    outcome = block(ran.text, last=15) if ran.ok else str(not_done(ran, PYTEST, say))
    words = [
        say("## Tests", "## Тесты"),
        bullets(lines),
        say("The run said:", "Запуск показал:"),
        outcome,
        say("## Not covered", "## Не покрыто"),
        bullets(left)
        if left
        else say("Only the examples are tested, no edges.", "Проверены только примеры, краёв нет."),
    ]
    if ran.exit_code and NO_PYTEST.search(ran.text):
        words.insert(
            4,
            say(
                "So they did not run: pytest is not installed there.",
                "То есть они не запускались: pytest там нет.",
            ),
        )
    told = "\n\n".join(words)
    return told if ran.exit_code == 0 else Undone(told)
