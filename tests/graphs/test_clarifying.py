"""The questions of an agent: asked once, answered in every form, kept with who said so, never asked again."""

from typing import Any

import pytest
from langchain_core.messages import ToolMessage
from langgraph.types import Command
from tests.fakes.driver import Driver, call, calls
from tests.graphs.conftest import Start

from artel.graphs.approval import validate
from artel.graphs.clarifying import MAX_ASKED
from artel.graphs.models.told import NAME
from artel.graphs.resolved import Resolved
from artel.storage.asking import about, question_of
from artel.storage.errors import Invalid

DATABASE = {
    "id": "database",
    "question": "Which database should we use?",
    "options": ["PostgreSQL", "SQLite"],
}
EXTRAS = {
    "id": "extras",
    "question": "Что добавить к отчёту?",
    "options": [{"label": "Графики", "description": "PNG"}, {"label": "Таблицы"}, {"label": "Выводы"}],
    "multiple": True,
    "required": False,
}
TITLE = {"id": "title", "question": "How is the page called?"}


def asking(*questions: Any) -> dict[str, Any]:
    return calls(call("question", questions=list(questions)))


def decided(run: Driver) -> list[Resolved]:
    return list((run.state.values.get("resolved_context") or {}).values())


async def test_one_interrupt_carries_all_questions_as_structured_data(start: Start) -> None:
    run = await start("coder", asking(DATABASE, EXTRAS), "done").say("build it")
    (asked,) = run.open
    value = asked.value
    assert (value["type"], value["needs_clarification"]) == ("question", True)
    assert value["artel"]["kind"] == "question"
    assert value["artel"]["agent"] == "coder"
    assert value["user_message"] == "1. Which database should we use?\n2. Что добавить к отчёту?"
    assert [(q["id"], q["options"], q["required"], q["multiple"]) for q in value["questions"]] == [
        ("database", ["PostgreSQL", "SQLite"], True, False),
        ("extras", ["Графики", "Таблицы", "Выводы"], False, True),
    ]
    assert value["questions"][1]["descriptions"] == {"Графики": "PNG"}
    assert about(value)["kind"] == "question"


@pytest.mark.parametrize(
    ("answer", "database", "extras"),
    [
        (
            {"type": "respond", "answers": {"database": "sqlite", "extras": ["Графики", "выводы"]}},
            ["SQLite"],
            ["Графики", "Выводы"],
        ),
        ({"answers": {"database": "DuckDB, please", "extras": None}}, ["DuckDB, please"], []),
        (
            {"type": "respond", "answers": {"database": {"options": ["SQLite"], "words": "in memory"}}},
            ["SQLite", "in memory"],
            [],
        ),
        (
            {"type": "respond", "message": "database: SQLite\nextras: Графики, Таблицы"},
            ["SQLite"],
            ["Графики", "Таблицы"],
        ),
        ("1. PostgreSQL\n2. skip", ["PostgreSQL"], []),
        ('{"database": "PostgreSQL", "extras": ["Таблицы"]}', ["PostgreSQL"], ["Таблицы"]),
        ([{"type": "response", "args": "database: SQLite"}], ["SQLite"], []),
    ],
)
async def test_an_answer_in_any_form_is_kept_with_who_said_it(
    start: Start, answer: Any, database: list[str], extras: list[str]
) -> None:
    run = await start("coder", asking(DATABASE, EXTRAS), "done").say("build it")
    await run.answer(answer)
    assert run.said == "done"
    first, second = decided(run)
    assert (first["question_id"], first["answer"], first["given"]) == ("database", database, database)
    assert second["answer"] == extras
    assert (first["by"], first["agent"], first["status"], first["edits"]) == ("local", "coder", "active", [])
    assert first["at"].endswith("+00:00")
    assert run.told[0].startswith(f"database: {'; '.join(database)}")


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"type": "respond", "answers": {}}, "answers.database is missing"),
        ({"type": "respond", "answers": {"database": "skip"}}, "answers.database is missing"),
        (
            {"type": "respond", "answers": {"database": ["MySQL"]}},
            "no option 'MySQL'; offered were PostgreSQL, SQLite",
        ),
        (
            {"type": "respond", "answers": {"database": ["PostgreSQL", "SQLite"]}},
            "answers.database takes one option",
        ),
        (
            {"type": "respond", "answers": {"data": "x"}},
            "no question has the id 'data'; asked were database, extras",
        ),
        ({"type": "respond", "answers": {"database": 5}}, "answers.database must be a label"),
        ({"type": "respond", "answers": {"database": "x" * 4_001}}, "at most 4000 characters"),
        ({"type": "respond", "answers": {"database": {"options": [], "words": 5}}}, "must be words"),
        ({"type": "respond", "message": "SQLite"}, "a line `id: answer`"),
        ({"type": "respond", "message": "x: 1", "more": 1}, "unknown keys: more"),
        ({"type": "approve"}, "decision must be"),
        (5, "decision must be"),
        ({"type": "respond", "answers": [1]}, "decision must be"),
    ],
)
async def test_an_answer_that_does_not_fit_is_refused_by_name(start: Start, answer: Any, says: str) -> None:
    run = await start("coder", asking(DATABASE, EXTRAS), "done").say("build it")
    with pytest.raises(Invalid) as refused:
        validate(run.open[0].value, answer)
    assert says in str(refused.value)
    await run.answer(answer)  # a runtime that does not check: the model is told, nothing is decided
    assert "nothing is decided" in run.told[0]
    assert decided(run) == []


async def test_one_question_takes_its_words_as_they_are(start: Start) -> None:
    run = await start("coder", asking(TITLE), "done").say("go")
    assert validate(run.open[0].value, "Главная: начало") == {"type": "respond", "message": "Главная: начало"}
    await run.answer("Главная: начало")
    assert decided(run)[0]["answer"] == ["Главная: начало"]


async def test_who_will_not_answer_is_not_pressed(start: Start) -> None:
    run = await start("coder", asking(DATABASE), "done").say("go")
    assert validate(run.open[0].value, {"type": "reject", "message": "later"})
    await run.answer({"type": "reject", "message": "later"})
    assert "does not want to answer: later" in run.told[0]
    assert decided(run) == []


async def test_what_was_decided_is_in_every_later_prompt(start: Start) -> None:
    run = await start("coder", asking(DATABASE), "done", "more").say("go")
    await run.answer("SQLite")
    await run.say("go on")
    for asked in run.model.asked[1:]:
        assert asked[-1].name == NAME
        assert "## Decided" in asked[-1].text
        assert "- Which database should we use? → SQLite" in asked[-1].text
    assert run.model.asked[0][-1].name != NAME


@pytest.mark.parametrize(
    "again",
    [
        DATABASE,
        {**DATABASE, "id": "q1", "question": "What database do you want to use"},
        {**DATABASE, "question": "Which database?"},
        {**DATABASE, "question": "Where do the rows live?", "options": ["sqlite", "PostgreSQL"]},
    ],
)
async def test_what_was_answered_is_answered_by_code(start: Start, again: dict[str, Any]) -> None:
    run = await start("coder", asking(DATABASE), "done", asking(again), "as decided").say("go")
    await run.answer("SQLite")
    await run.say("and now the rest")
    assert run.open == ()
    assert run.said == "as decided"
    assert "SQLite" in run.told[1]
    assert len(decided(run)) == 1


@pytest.mark.parametrize(
    "other",
    [
        {**DATABASE, "options": ["PostgreSQL", "SQLite", "DuckDB"]},
        {**DATABASE, "multiple": True},
        {"id": "q1", "question": "Which test database should we use?", "options": DATABASE["options"]},
        {**DATABASE, "id": "q1", "question": "Which database should we not use?"},
    ],
)
async def test_another_question_is_asked(start: Start, other: dict[str, Any]) -> None:
    run = await start("coder", asking(DATABASE), "done", asking(other), "done").say("go")
    await run.answer("SQLite")
    await run.say("and now the rest")
    assert len(run.open) == 1


async def test_only_what_is_open_of_a_call_is_asked(start: Start) -> None:
    run = await start("coder", asking(DATABASE), asking(DATABASE, TITLE), "done").say("go")
    await run.answer("SQLite")
    assert [one["id"] for one in run.open[0].value["questions"]] == ["title"]
    await run.answer("Home")
    assert run.told[1] == "database: SQLite\ntitle: Home"


async def test_the_user_is_not_asked_without_end(start: Start) -> None:
    many = [asking({"question": f"What is number {n} of the plan called?"}) for n in range(MAX_ASKED + 1)]
    run = await start("coder", *many, "I decided", many[0], "fine").say("go")
    for n in range(MAX_ASKED):
        await run.answer(f"n{n}")
    assert run.said == "I decided"
    assert "do not ask again now. Decide yourself" in run.told[-1]


async def test_of_two_question_calls_in_a_message_the_second_is_told_to_join_the_first(start: Start) -> None:
    two = calls(call("question", questions=[DATABASE]), call("question", questions=[TITLE]))
    run = await start("coder", two, "done").say("go")
    assert len(run.open) == 1
    await run.answer("SQLite")
    assert run.told == [
        "database: SQLite",
        "One question call at a time: ask all that you need in one, it takes several questions.",
    ]


@pytest.mark.parametrize(
    ("args", "says"),
    [
        ({"questions": []}, "at least 1 item"),
        ({"questions": [TITLE] * 5}, "at most 4 items"),
        ({"questions": [{**TITLE, "options": ["a"]}]}, "one option is no choice"),
        ({"questions": [{**TITLE, "options": ["a", "A"]}]}, "the option 'a' is there twice"),
        ({"questions": [DATABASE, {**TITLE, "id": "database"}]}, "two questions have the id 'database'"),
        ({"questions": [{"question": " \u202e "}]}, "something to read"),
        ({"questions": [{**TITLE, "id": "a b"}]}, "should match pattern"),
    ],
)
async def test_a_question_that_is_none_asks_nobody(start: Start, args: dict[str, Any], says: str) -> None:
    run = await start("coder", calls(call("question", **args)), "done").say("go")
    assert run.open == ()
    assert says in run.told[0]


@pytest.mark.parametrize(
    ("question", "options"),
    [
        ("Should the old file stay?", ["Yes", "No"]),
        ("Нужно ли сохранить старый файл?", ["Да", "Нет"]),
        ("Should the file be JSON or YAML?", []),
        ("Как назвать файл?", []),
    ],
)
async def test_a_yes_or_no_is_offered_where_it_answers(
    start: Start, question: str, options: list[str]
) -> None:
    run = await start("ask", asking({"question": question}), "done").say("go")
    assert run.open[0].value["questions"][0]["options"] == options


async def test_agent_inbox_is_asked_in_its_form(start: Start) -> None:
    run = start("coder", asking(DATABASE), "done")
    run.context = {"approvals": "agent_inbox"}
    await run.say("go")
    value = run.open[0].value
    assert value[0]["config"] == {
        "allow_accept": False,
        "allow_edit": False,
        "allow_ignore": True,
        "allow_respond": True,
    }
    assert question_of(value)["questions"][0]["id"] == "database"
    assert about(value)["kind"] == "question"
    with pytest.raises(Invalid, match="is missing"):
        validate(value, [{"type": "response", "args": "skip"}])
    await run.answer(validate(value, [{"type": "response", "args": "SQLite"}]))
    assert decided(run)[0]["answer"] == ["SQLite"]


async def test_an_agent_inside_another_gives_its_decisions_back(start: Start) -> None:
    run = await start("orchestrator", asking(DATABASE), "done", asking(DATABASE), "again").say(
        "create a service"
    )
    assert run.open[0].value["artel"]["agent"] == "coder"
    await run.answer("SQLite")
    assert [one["answer"] for one in decided(run)] == [["SQLite"]]
    await run.say("create another one")
    assert (run.open, run.said) == ((), "again")


async def test_threads_that_decide_nothing_have_no_such_key(start: Start) -> None:
    run = await start("coder", "hello").say("hi")
    assert not {"resolved_context", "todos"} & set(run.state.values)


async def test_a_question_and_an_approval_of_one_message_are_answered_apart(start: Start) -> None:
    both = calls(call("question", questions=[TITLE]), call("delete_file", file_path="notes.txt"))
    run = await start("coder", both, "done").say("go")
    ask, delete = sorted(run.open, key=lambda one: one.value["type"])
    assert ask.value["type"] == "question"
    await run.go(Command(resume={ask.id: "Home"}))
    assert [one.id for one in run.open] == [delete.id]
    await run.go(Command(resume={delete.id: {"type": "reject"}}))
    assert run.said == "done"
    assert [m.name for m in run.messages if isinstance(m, ToolMessage)] == ["question", "delete_file"]
