"""What each agent says and does without a model: real tools on a real folder, nothing invented."""

import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage, ToolMessage
from tests.fakes.driver import Driver
from tests.graphs.conftest import Start
from tests.graphs.conftest import folder as folder
from tests.graphs.conftest import start as start

from artel.graphs.contract import lacks
from artel.graphs.models import Models, ModelSettings
from artel.graphs.models.offline import MAX_BATCHES, Offline
from artel.graphs.models.rules.abilities import ABILITIES
from artel.graphs.models.rules.agents import role_of
from artel.graphs.models.rules.debugging import frames
from artel.graphs.models.rules.reviewing import added_lines
from artel.graphs.models.rules.turn import read_turn
from artel.graphs.roles import built_in
from artel.prompts import render

YES, NO = {"type": "approve"}, {"type": "reject", "message": "not now"}
FILES = {
    "README.md": "# Shop\n\nSells pears by weight.\n",
    "shop/__init__.py": '"""What the shop does."""\n',
    "shop/pricing.py": (
        '"""Prices."""\n\n\ndef total_price(weight_kg):\n    """Return the price.\n\n'
        "    >>> total_price(2)\n    6\n"
        '    """\n    return weight_kg * 3\n\n\ndef label(kind, price):\n    """Return a label."""\n'
        '    return f"{kind}: {prise}"\n'
    ),
    "shop/cart.py": "from shop.pricing import total_price, total_price_of\n",
}
BAD = (
    'PASSWORD = "hunter2hunter"\n\n\ndef add(x):\n    # TODO: check\n    try:\n        return eval(x)\n'
    "    except Exception:\n        pass\n"
)


@pytest.fixture
def shop(folder: Path) -> Path:
    for name, text in FILES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def repository(shop: Path) -> Path:
    git(shop, "init", "--quiet")
    git(shop, "add", "--all")
    git(shop, "commit", "--quiet", "--message", "The first one")
    return shop


def git(folder: Path, *words: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=A", "-c", "user.email=a@b.c", *words],
        cwd=folder,
        check=True,
        capture_output=True,
    )


def alone(start: Start, agent: str) -> Driver:
    run = start(agent)
    run.handles = replace(run.handles, models=Models(ModelSettings(model="offline")))
    return run


def used(run: Driver) -> list[str]:
    return [call["name"] for m in run.messages if isinstance(m, AIMessage) for call in m.tool_calls]


@pytest.mark.parametrize("agent", built_in())
@pytest.mark.parametrize("words", ["hello", "что ты умеешь?"])
def test_each_agent_says_what_it_can_and_cannot_and_how_to_have_a_model(agent: str, words: str) -> None:
    asked = [SystemMessage(built_in()[agent].system(Path("/work"))), HumanMessage(words)]
    said = Offline(tools=frozenset(built_in()[agent].tools)).invoke(asked).text
    known, russian = ABILITIES[agent], words != "hello"
    assert known.can[russian] in said
    assert known.cannot[russian] in said.split("\n")[-1]
    assert "`ARTEL_MODEL`" in said.split("\n")[-1]


ANSWERS = [
    ("ask", "What has changed?", ["git_status"], "?? new.py"),
    ("ask", "Что изменилось?", ["git_status"], "Отличается путей: 2"),
    ("ask", "show the diff", ["git_diff"], "-hello"),
    ("ask", "last 3 commits", ["git_log"], "A: The first one"),
    ("ask", "покажи последние коммиты", ["git_log"], "A: The first one"),
    ("ask", "Какое сегодня число?", ["clock"], "UTC"),
    ("ask", "run the tests", [], "The `coder` has: ask it the same."),
    ("ask", "переименуй label в tag", [], "Он есть у `coder`"),
    ("reviewer", "review the changes", ["git_status"], "**blocker** `new.py:1`: looks like a secret"),
    ("reviewer", "Проверь мои изменения", ["git_status"], "**minor** `new.py:5`: не сделано, TODO"),
    ("reviewer", "review new.py", ["glob"], "**major** `new.py:7`: eval runs text as code"),
    ("reviewer", "review the changes", ["git_status"], "errors of every kind are swallowed"),
    ("reviewer", "review the changes", ["git_status"], "code is changed, and no test with it"),
    ("reviewer", "review since nowhere", ["git_diff"], "nowhere"),
    ("reviewer", "write tests for label", [], "work for the agent `test_writer`"),
    ("security", "look for weaknesses", ["grep"], "**high** `new.py:1`: looks like a secret"),
    ("security", "Есть ли здесь уязвимости?", ["grep"], "зависимости и история git"),
    ("profiler", "что здесь медленно?", [], "Назовите, что измерить"),
    ("test_writer", "write some tests", [], "Name a Python file or a function"),
    ("test_writer", "write tests for README.md", [], "I write skeletons for Python only"),
    ("document_writer", "write a README", ["ls"], "`README.md` is there already"),
    ("coder", "Build a login form", ["grep"], "I did nothing: this takes a language model"),
    ("coder", "rename nothing_such to other everywhere", ["grep"], "stands in no file here"),
    ("coder", "rename label to total_price", ["grep"], "could no longer be told apart"),
    ("coder", "run the tests", ["glob"], "I found no tests here"),
    ("coder", "delete file nothing.py", ["glob"], "There is no file nothing.py here."),
]  # fmt: skip


@pytest.mark.parametrize("agent", dict.fromkeys(agent for agent, *_ in ANSWERS))
async def test_an_agent_answers_by_real_calls_and_changes_nothing(
    start: Start, repository: Path, agent: str
) -> None:
    (repository / "new.py").write_text(BAD)
    (repository / "notes.txt").write_text("bye\nworld\n")
    graph = alone(start, agent).graph
    for words, calls, says in [(words, calls, says) for who, words, calls, says in ANSWERS if who == agent]:
        run = replace(alone(start, "ask"), graph=graph)
        await run.say(words)
        assert says in run.said
        assert used(run)[: len(calls)] == calls
        assert run.open == ()
        assert "hunter2hunter" not in run.said


@pytest.mark.parametrize(
    ("agent", "words"), [("reviewer", "review the changes"), ("security", "find secrets")]
)
async def test_work_has_the_headings_that_its_role_asks_for(
    start: Start, repository: Path, agent: str, words: str
) -> None:
    (repository / "new.py").write_text(BAD)
    run = await alone(start, agent).say(words)
    assert lacks(built_in()[agent], run.said) == []


CHANGES: list[tuple[str, str, Mapping[str, str | None]]] = [
    ("coder", "rename total_price to price_of everywhere", {
        "shop/pricing.py": FILES["shop/pricing.py"].replace("total_price", "price_of"),
        "shop/cart.py": "from shop.pricing import price_of, total_price_of\n"}),
    ("coder", "Переименуй функцию label в tag во всём проекте",
     {"shop/pricing.py": FILES["shop/pricing.py"].replace("label", "tag")}),
    ("coder", "удали файл other.txt", {"other.txt": None}),
    ("coder", "move file notes.txt to docs/notes.txt", {
        "notes.txt": None, "docs/notes.txt": "hello\nworld\n"}),
    ("coder", "Create file a.txt with 'x'. Replace 'hello' with 'bye' in notes.txt",
     {"a.txt": "x\n", "notes.txt": "bye\nworld\n"}),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "words", "files"), CHANGES)
async def test_what_is_spelled_out_is_done_after_a_yes(
    start: Start, shop: Path, agent: str, words: str, files: Mapping[str, str | None]
) -> None:
    run = await alone(start, agent).say(words)
    assert run.open
    while run.open:
        await run.answer(*[YES] * len(run.open))
    there = {name: (shop / name).read_text() if (shop / name).exists() else None for name in files}
    assert there == files
    assert "Not done" not in run.said


@pytest.mark.parametrize(
    ("agent", "words", "path", "holds"),
    [
        ("architect", "Design an import of prices", "docs/structure.md", "> Design an import of prices"),
        ("architect", "Опиши структуру в docs/map.md", "docs/map.md",
         "`shop/`: файлов: 3. What the shop does"),
        ("document_writer", "write docs for shop/pricing.py", "docs/pricing.md",
         "(`shop/pricing.py:13`): Return a label."),
        ("document_writer", "Напиши обзор в docs/o.md", "docs/o.md", "Sells pears by weight."),
        ("test_writer", "write tests for shop/pricing.py", "test_pricing.py", "assert total_price(2) == 6"),
        ("test_writer", "напиши тест на функцию `label`", "test_pricing.py", '"say what label shall give"'),
    ],
)  # fmt: skip
async def test_a_document_holds_what_the_folder_shows(
    start: Start, shop: Path, agent: str, words: str, path: str, holds: str
) -> None:
    (shop / "test_other.py").write_text("def test_nothing():\n    pass\n")
    run = await alone(start, agent).say(words)
    assert run.open[0].value["args"]["file_path"] == path
    await run.answer(YES)
    assert holds in (shop / path).read_text()


async def test_after_a_no_nothing_is_made_and_no_other_way_is_tried(start: Start, shop: Path) -> None:
    run = await alone(start, "architect").say("Design an import of prices")
    await run.answer(NO)
    assert "was rejected. I stop here. (not now)" in run.said
    assert run.open == ()
    assert not (shop / "docs").exists()


async def test_a_file_that_a_role_may_not_change_stays_and_it_says_why(start: Start, shop: Path) -> None:
    run = await alone(start, "architect").say("Replace 'Prices' with 'Costs' in shop/pricing.py")
    assert run.said.startswith("Not done: `shop/pricing.py`.")
    assert "rejected" not in run.said
    assert (shop / "shop/pricing.py").read_text() == FILES["shop/pricing.py"]


@pytest.mark.parametrize("agent", ["ask", "architect"])
async def test_in_an_empty_folder_nothing_is_invented(start: Start, folder: Path, agent: str) -> None:
    (folder / "notes.txt").unlink()
    (folder / "other.txt").unlink()
    run = await alone(start, agent).say("Что в этом проекте?")
    assert run.said.startswith("Папка пуста.")
    assert run.open == ()


@pytest.mark.needs("bwrap")
@pytest.mark.parametrize(
    ("agent", "words", "says"),
    [
        ("coder", "Replace 'hello' with 'bye' in notes.txt and run `cat notes.txt`", "bye"),
        ("coder", "run `false`", "exit code 1"),
        ("debug", "debug `python3 -c 'from shop.pricing import label; label(1, 2)'`", "`shop/pricing.py:15`"),
        ("profiler", "measure `true now`", "5 runs after one to warm up"),
        ("profiler", "измерь `false now`", "завершилась ошибкой"),
    ],
)
async def test_commands_run_after_a_yes_and_are_told_as_they_ended(
    start: Start, shop: Path, agent: str, words: str, says: str
) -> None:
    run = await alone(start, agent).say(words)
    while run.open:
        await run.answer(*[YES] * len(run.open))
    assert says in run.said


@pytest.mark.needs("bwrap")
async def test_a_failure_is_shown_with_its_error_its_place_and_the_near_name(
    start: Start, shop: Path
) -> None:
    run = await alone(start, "debug").say("debug `python3 -c 'from shop.pricing import lable'`")
    await run.answer(YES)
    assert lacks(built_in()["debug"], run.said) == []
    assert "cannot import name 'lable'" in run.said
    assert "Nothing is repaired." in run.said


async def test_steps_of_a_plan_are_handed_in_as_they_went(start: Start, shop: Path) -> None:
    run = await alone(start, "orchestrator").say(
        "1. Replace 'hello' with 'bye' in notes.txt\n2. What does total_price do?\n"
        "3. write docs for shop/pricing.py\n4. Replace 'one' with 'two' in other.txt\n"
        "5. Delete file other.txt"
    )
    for decision in (YES, YES, YES, NO):
        await run.answer(decision)
    steps = run.state.values["plan"]["steps"]
    assert [one["agent"] for one in steps] == ["coder", "ask", "document_writer", "coder", "coder"]
    assert [one["status"] for one in steps] == [*["completed"] * 3, "failed", "cancelled"]
    results = [one["result"] for one in steps[:4]]
    files = [[file["path"] for file in one["files"]] for one in results]
    assert files == [["notes.txt"], [], ["docs/pricing.md"], []]
    assert {one["by"] for one in results} == {"agent"}
    assert not any(one["notes"] or "ARTEL_MODEL" in one["summary"] for one in results)
    assert "not now" in results[3]["summary"]


async def test_a_step_that_no_rule_understands_has_failed(start: Start) -> None:
    words = "1. Build a login form\n2. Replace 'one' with '1' in other.txt"
    run = await alone(start, "orchestrator").say(words)
    await run.answer(YES)
    first = run.state.values["plan"]["steps"][0]
    assert (first["status"], first["result"]["by"]) == ("failed", "agent")


async def test_a_request_of_several_deeds_is_planned_by_its_verbs(start: Start, shop: Path) -> None:
    run = await alone(start, "orchestrator").say(
        "Замени «hello» на «пока» в notes.txt, напиши тесты для shop/pricing.py "
        "и напиши документацию для shop/cart.py"
    )
    steps = run.open[0].value["plan"]["steps"]
    assert [one["agent"] for one in steps] == ["coder", "test_writer", "document_writer"]
    assert steps[1]["title"] == "напиши тесты для shop/pricing.py"


def test_the_same_messages_give_the_same_words_and_calls() -> None:
    model = Offline(tools=frozenset({"grep", "ls", "git_status", "git_diff"}))
    messages = [SystemMessage(built_in()["reviewer"].prompt), HumanMessage("review the changes")]
    first, second = model.invoke(messages), model.invoke(messages)
    assert (first.content, first.tool_calls) == (second.content, second.tool_calls)
    assert [call["name"] for call in first.tool_calls] == ["git_status", "git_diff", "git_diff"]


def test_a_turn_without_end_ends() -> None:
    model = Offline(tools=frozenset({"grep"}))
    messages: list[BaseMessage] = [HumanMessage("where is the path?")]
    for number in range(MAX_BATCHES):
        call = {"name": "other", "args": {}, "id": f"{number}"}
        messages.append(AIMessage("", tool_calls=[call]))
        messages.append(ToolMessage("no", tool_call_id=f"{number}"))
    assert "I looked in too many places" in model.invoke(messages).text


@pytest.mark.parametrize("agent", built_in())
def test_it_knows_its_role_by_the_prompt(agent: str) -> None:
    system = SystemMessage(built_in()[agent].system(Path("/work")))
    assert role_of(read_turn([system, HumanMessage("hello")], frozenset({"grep"}))) == agent


@pytest.mark.parametrize(
    ("asked", "lacking"),
    [
        ("What is in notes.md?", "glob"),
        ("create file src/a.py with x", "glob"),
        ("delete a.txt", "delete_file"),
    ],
)
async def test_what_a_role_of_a_user_has_no_tool_for_is_said_and_not_guessed(
    asked: str, lacking: str
) -> None:
    model = Offline(tools=frozenset({"read_file", "ls", "grep", "write_file"}))
    said = await model.ainvoke([SystemMessage("You are a poet."), HumanMessage(asked)])
    assert f"This agent has no tool for that (`{lacking}`)" in said.text
    assert said.tool_calls == []


@pytest.mark.parametrize(
    ("tools", "like"),
    [({"grep"}, "ask"), ({"grep", "edit_file"}, "coder"), ({"grep", "write_file"}, "coder")],
)
def test_a_role_of_a_user_is_like_the_one_with_its_tools(tools: set[str], like: str) -> None:
    assert (
        role_of(read_turn([SystemMessage("You are a poet."), HumanMessage("hi")], frozenset(tools))) == like
    )


def test_of_a_brief_the_title_is_read_and_what_failed() -> None:
    told = {"title": "Repair it", "goal": "all is green", "failing": "$ make test\nE   boom"}
    brief = render(
        "orchestrator/brief", acceptance="green", inputs=[], paths=["a/**"], before=[], words="now", **told
    )
    turn = read_turn([HumanMessage(brief), HumanMessage("hand in", name="artel_submit")], frozenset())
    assert (turn.request, turn.failing) == ("Repair it", "$ make test\nE   boom")


def test_what_a_person_writes_is_no_brief() -> None:
    assert read_turn([HumanMessage("Fix it\n\nWhat failed?")], frozenset()).failing == ""


def test_added_lines_are_counted_in_the_new_file() -> None:
    diff = "diff --git a/x b/x\n--- a/x\n+++ b/x\n@@ -5,2 +5,3 @@\n a\n-b\n+c\n++++ b/y\n"
    assert added_lines(diff) == {"x": {6, 7}}


def test_frames_of_libraries_are_passed_over() -> None:
    library = 'File "/usr/lib/python3/x.py", line 9, in g'
    output = f'File "/srv/a.py", line 3, in f\n{library}\ntests/test_a.py:7: KeyError'
    assert frames(output) == [("tests/test_a.py", 7), ("/srv/a.py", 3)]
