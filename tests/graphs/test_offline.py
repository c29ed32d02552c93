"""The offline model, end to end: real tools on a real folder, answers that can be checked in the files."""

import re
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, AIMessageChunk
from tests.fakes.driver import Driver
from tests.graphs.conftest import Start

from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.rules.edits import Edit, spliced, understood

YES = {"type": "approve"}


@pytest.fixture
def project(folder: Path) -> Path:
    (folder / "README.md").write_text("# Shop\n\nSells pears by weight.\n")
    (folder / "shop").mkdir()
    (folder / "shop" / "__init__.py").write_text('"""What the shop does."""\n')
    (folder / "shop" / "paths.py").write_text(
        '"""Where files may lie."""\n\n\n'
        "def resolve(root, path):\n"
        '    """Return the real path, checked to lie inside the root."""\n'
        "    return root / path\n"
    )
    (folder / "shop" / "pricing.py").write_text(
        '"""Prices."""\n\nfrom shop.paths import resolve\n\n\n'
        "class PriceList:\n"
        '    """Prices by kind of fruit."""\n\n'
        "    def total_price(self, weight_kg):\n"
        '        """Return the price of so many kilograms."""\n'
        "        return weight_kg * 3\n"
    )
    (folder / "tests").mkdir()
    (folder / "tests" / "test_paths.py").write_text(
        "def test_path_is_checked():\n    assert True  # check the path\n"
    )
    return folder


@pytest.fixture
def offline(start: Start, project: Path) -> Driver:
    driver = start("orchestrator")
    driver.handles = replace(driver.handles, models=Models(ModelSettings(model="offline")))
    return driver


def used(run: Driver) -> list[str]:
    return [call["name"] for m in run.messages if isinstance(m, AIMessage) for call in m.tool_calls]


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("Where is the path checked?", "shop/paths.py:"),
        ("Где проверяется путь?", "shop/paths.py:"),
        ("What does the function resolve do?", "shop/paths.py:4"),
        ("Что делает функция `resolve`?", "shop/paths.py:4"),
        ("What is PriceList?", "shop/pricing.py:6"),
        ("Explain total_price", "shop/pricing.py:9"),
        ("Where are tests of the path check?", "tests/test_paths.py:"),
        ("Где считается цена за вес?", "shop/pricing.py:"),
    ],
)
async def test_it_names_the_file_and_line_that_a_question_is_about(
    offline: Driver, question: str, place: str
) -> None:
    run = await offline.say(question)
    assert f"`{place}" in run.said
    assert "grep" in used(run)
    assert "read_file" in used(run)


async def test_it_quotes_what_really_stands_there(offline: Driver) -> None:
    run = await offline.say("What does resolve() do?")
    assert "    return root / path" in run.said
    assert "`shop/pricing.py`" in run.said  # who uses it


@pytest.mark.parametrize(
    "question", ["What's in this project?", "Что в этом проекте?", "give me an overview"]
)
async def test_it_says_what_a_project_holds(offline: Driver, question: str) -> None:
    run = await offline.say(question)
    assert "Sells pears by weight." in run.said
    assert "`shop/`: What the shop does." in run.said


@pytest.mark.parametrize("question", ["Explain file shop/pricing.py", "Объясни файл pricing.py"])
async def test_it_outlines_a_file(offline: Driver, question: str) -> None:
    run = await offline.say(question)
    assert "Prices." in run.said
    assert "- `6` `class PriceList(…)`".replace("(…)", "") in run.said
    assert "`def total_price(self, weight_kg)`: Return the price of so many kilograms." in run.said


async def test_it_shows_and_lists_files(offline: Driver) -> None:
    assert "hello\nworld" in (await offline.say("show notes.txt")).said
    assert "`pricing.py`" in (await offline.say("list the files in shop")).said


@pytest.mark.parametrize("question", ["Where are the zebras?", "Где тут зебры?"])
async def test_what_is_not_there_it_does_not_invent(offline: Driver, question: str) -> None:
    run = await offline.say(question)
    assert "zebra" in run.said or "зебры" in run.said
    assert "shop/" not in run.said.split("\n")[0]


EDITS = [
    ("Replace 'hello' with 'bye' in file notes.txt", "bye\nworld\n"),
    ("Замени «hello» на «пока» в файле notes.txt", "пока\nworld\n"),
    ("replace `o` with `0` in notes.txt", "hell0\nw0rld\n"),
    ("Add a line 'end' to file notes.txt", "hello\nworld\nend\n"),
    ("добавь строку «конец» в файл notes.txt", "hello\nworld\nконец\n"),
    ("Допиши “start” в начало файла notes.txt", "start\nhello\nworld\n"),
    ("insert 'middle' after line 1 in notes.txt", "hello\nmiddle\nworld\n"),
    ("вставь «перед» перед «world» в notes.txt", "hello\nперед\nworld\n"),
    ("delete line 1 of notes.txt", "world\n"),
    ("Удали строку «world» из файла notes.txt", "hello\n"),
    ("please remove 'hel' from notes.txt", "lo\nworld\n"),
]


@pytest.mark.parametrize(("request_", "content"), EDITS, ids=[request for request, _ in EDITS])
async def test_it_reads_asks_and_then_changes(
    offline: Driver, project: Path, request_: str, content: str
) -> None:
    run = await offline.say(request_)
    assert used(run)[-2:] == ["read_file", "edit_file"]
    assert (project / "notes.txt").read_text() == "hello\nworld\n"
    await run.answer(YES)
    assert (project / "notes.txt").read_text() == content
    assert "`notes.txt`" in run.said
    assert run.state.values["result"]["changed"] == ["notes.txt"]


async def test_it_makes_new_files_and_leaves_old_ones(offline: Driver, project: Path) -> None:
    await (await offline.say("Create file docs/new.md with 'Hello.'")).answer(YES)
    assert (project / "docs" / "new.md").read_text() == "Hello.\n"
    run = await offline.say("Создай файл notes.txt с текстом «x»")
    assert (run.open, "уже есть" in run.said) == ((), True)


async def test_it_makes_several_edits_one_after_another(offline: Driver, project: Path) -> None:
    run = await offline.say("Replace 'hello' with 'bye' in notes.txt. Then add a line 'three' to other.txt")
    await (await run.answer(YES)).answer(YES)
    assert (project / "notes.txt").read_text() == "bye\nworld\n"
    assert (project / "other.txt").read_text() == "one\ntwo\nthree\n"


@pytest.mark.parametrize(
    ("decision", "said"),
    [
        ({"type": "reject", "message": "keep it"}, "`notes.txt` was rejected. I stop here. (keep it)"),
        ({"type": "reject", "message": "No answer within 300 s", "timeout": True}, "nobody answered in time"),
    ],
)
async def test_after_a_no_it_says_so_and_stops(
    offline: Driver, project: Path, decision: object, said: str
) -> None:
    run = await offline.say("Replace 'hello' with 'bye' in notes.txt. Then add a line 'x' to other.txt")
    await run.answer(decision)
    assert said in run.said
    assert run.open == ()
    assert (project / "other.txt").read_text() == "one\ntwo\n"


async def test_a_file_that_changes_under_the_question_is_read_again_and_asked_about_anew(
    offline: Driver, project: Path
) -> None:
    run = await offline.say("Replace 'hello' with 'bye' in notes.txt")
    (project / "notes.txt").write_text("hello hello\n")
    await run.answer(YES)
    assert (project / "notes.txt").read_text() == "hello hello\n"
    await run.answer(YES)
    assert (project / "notes.txt").read_text() == "bye bye\n"


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        ("Replace 'nope' with 'x' in notes.txt", "does not contain `nope`"),
        ("Replace 'HELLO' with 'x' in notes.txt", "`hello`?"),
        ("Delete line 9 of notes.txt", "has 2 lines"),
        ("Add a line 'x' to missing.txt", "There is no file missing.txt"),
        ("Замени «a» на «b» в файле ../secret.txt", "Файла ../secret.txt здесь нет"),
        ("Refactor everything", "this takes a language model"),
        ("Отрефактори модуль оплаты", "нужна языковая модель"),
    ],
)
async def test_what_it_cannot_do_it_says_and_asks_nobody(offline: Driver, request_: str, said: str) -> None:
    run = await offline.say(request_)
    assert said in run.said
    assert run.open == ()


async def test_ask_changes_nothing_and_says_who_can(start: Start) -> None:
    run = start("ask")
    run.handles = replace(run.handles, models=Models(ModelSettings(model="offline")))
    assert "The coder can make this change" in (await run.say("Replace 'hello' with 'bye' in notes.txt")).said


async def test_every_answer_is_labelled_and_comes_in_pieces(offline: Driver) -> None:
    for question in ("hello", "Where is the path checked?", "Refactor everything", "что ты умеешь?"):
        run = await offline.say(question)
        last = run.messages[-1]
        label = run.said.strip().split("\n")[-1]
        assert re.match(r"_(?:Offline model: rules, no|Офлайн-модель: правила, без) ", label)
        assert "`ARTEL_MODEL`" in label
        assert last.response_metadata["model_name"] == "offline"
    chain = Models(ModelSettings(model="offline")).chat("ask")
    chunks = [c async for c in chain.astream("hello") if isinstance(c, AIMessageChunk)]
    assert len(chunks) > 20


def test_a_splice_is_widened_until_its_text_is_unique() -> None:
    lines = ["a", "b", "a", "b", "c"]
    assert spliced(lines, 5, 5, ["d"]) == ("c", "c\nd") or spliced(lines, 5, 5, ["d"]) is not None
    old, new = spliced(lines, 0, 1, ["x"]) or ("", "")
    assert "\n".join(lines).count(old) == 1
    assert "\n".join(lines).replace(old, new) == "x\nb\na\nb\nc"
    assert spliced(["", ""], 0, 1, ["x"]) is None


@pytest.mark.parametrize(
    ("request_", "edit"),
    [
        (
            "Could you replace the word 'cat' with 'dog' in README.md?",
            Edit("replace", "README.md", "cat", "dog"),
        ),
        ('add "it\'s 5. Really" to the end of notes.txt', Edit("append", "notes.txt", new="it's 5. Really")),
        ("Переименуй foo в bar в файле x.py", Edit("replace", "x.py", "foo", "bar")),
        ("Создай файл «мои заметки.txt» с текстом «да»", Edit("create", "мои заметки.txt", new="да")),
        ('в файле notes.txt замени "a" на "b"', Edit("replace", "notes.txt", "a", "b")),
        ("удали 3-ю строку из файла a.txt", Edit("delete_line", "a.txt", line=3)),
        ("create file a.py with:\n```python\nx = 1\ny = 2\n```", Edit("create", "a.py", new="x = 1\ny = 2")),
    ],
)
def test_a_simple_edit_is_understood_in_many_words(request_: str, edit: Edit) -> None:
    assert understood(request_) == [edit]


@pytest.mark.parametrize(
    "request_", ["refactor the router", "explain x.py", "Don't replace 'a' with 'b' in x.txt", ""]
)
def test_what_is_no_simple_edit_is_not_taken_for_one(request_: str) -> None:
    assert understood(request_) == []


@pytest.mark.parametrize(
    ("question", "said"),
    [
        ("explain __init__.py", "Several files fit __init__.py"),
        ("what is in shop/", "`pricing.py`"),
        ("What does total_price in shop/pricing.py do?", "return weight_kg * 3"),
        ("show long.py", "… 20 more lines"),
        ("explain guide.md", "- `3`   Weighing"),
        ("explain empty.txt", "The file is empty."),
        ("explain binary.dat", "binary"),
        ("show nothing.py", "There is no file nothing.py here."),
        ("What does twice() do?", "Also:"),
        ("explain data.csv", "a,b"),
        ("list all files", "`shop/`"),
    ],
)
async def test_files_of_all_kinds_are_explained(
    offline: Driver, project: Path, question: str, said: str
) -> None:
    (project / "sub").mkdir()
    (project / "sub" / "__init__.py").write_text("")
    (project / "long.py").write_text("".join(f"x{n} = {n}\n" for n in range(100)))
    (project / "guide.md").write_text("# Guide\n\n## Weighing\n\nText.\n")
    (project / "empty.txt").write_text("")
    (project / "binary.dat").write_bytes(b"\0\1\2" * 50)
    (project / "data.csv").write_text("a,b\n1,2\n")
    (project / "one.py").write_text("def twice(x):\n    return 2 * x\n")
    (project / "two.py").write_text("def twice(x):\n    return x + x\n")
    assert said in (await offline.say(question)).said


async def test_a_file_longer_than_one_reading_is_read_to_its_end(offline: Driver, project: Path) -> None:
    (project / "long.txt").write_text("".join(f"line {n}\n" for n in range(5000)))
    await (await offline.say("add a line 'the end' to long.txt")).answer(YES)
    assert (project / "long.txt").read_text().endswith("line 4999\nthe end\n")


@pytest.mark.parametrize(
    ("question", "place"),
    [
        ("Where is the edit ladder implemented?", "tools/workspace/matching.py:"),
        ("Где проверяется путь?", "tools/workspace/paths.py:"),
        ("What does the class Gate do?", "graphs/approval.py:"),
        ("Как устроена блокировка миграций?", "storage/migrations/__init__.py:"),
    ],
)
async def test_it_knows_its_way_in_this_very_repository(start: Start, question: str, place: str) -> None:
    home = Path(__file__).parents[2]
    run = start("orchestrator")
    run.handles = replace(
        run.handles, models=Models(ModelSettings(model="offline")), roots=(home,), default_workspace=home
    )
    assert f"`{place}" in (await run.say(question)).said.split("\n")[0]
