"""What the routing rules must never get wrong; `None`: they must be silent. evals/routing has more."""

from time import perf_counter

import pytest

from artel.graphs.routing import choose, is_russian, nearest

PHRASES: list[tuple[str, str | None]] = [
    # English, change
    ("Replace 'hello' with 'bye' in file notes.txt", "coder"),
    ("add a line `import os` to file app.py", "coder"),
    ("Please create a file hello.txt with «hi»", "coder"),
    ("Can you rename the function foo to bar?", "coder"),
    ("Could you please fix the failing test", "debug"),
    ("Find the bug in parser.py and fix it", "debug"),
    ("I want you to refactor the router", "coder"),
    ("Delete line 3 of notes.txt", "coder"),
    ("Look at the logs, then update the README", "document_writer"),
    ("Why does it crash? Fix it.", "debug"),
    ("let's write a test for paths.py", "test_writer"),
    ("Write a summary of the project to SUMMARY.md", "document_writer"),
    ("Hi! Add a changelog entry.", "document_writer"),
    ('Append "what is this?" to notes.txt', "coder"),
    ("explain the ladder and then implement a fifth rung", "coder"),
    ("I'd like you to change the default port", "coder"),
    # English, the other agents
    ("Design a module for invoices", "architect"),
    ("Review my last commit", "reviewer"),
    ("Profile the import", "profiler"),
    ("Is there an SQL injection in search.py?", "security"),
    ("Add a flag and a test for it", "coder"),
    ("Design a module, implement it and write its docs", "plan"),
    ("Find what is slow, then document it in docs/perf.md", "plan"),
    ("Write tests for the parser. Don't review anything.", "test_writer"),
    ("make it nice", None),
    # English, ask
    ("Where is the edit ladder implemented?", "ask"),
    ("What does the function `resolve` do?", "ask"),
    ("How do I add a new tool and remove an old one?", "ask"),
    ("explain file graphs/context.py", "ask"),
    ("What's in this project?", "ask"),
    ("list all files", "ask"),
    ("Is there a test for the broker?", "ask"),
    ("Don't change anything, just explain the router", "ask"),
    ("Can you explain how to fix a flaky test?", "ask"),
    ("Write a summary of what the engine does", "ask"),
    ("Write me an overview of the architecture", "ask"),
    ("Show me the updates table", "ask"),
    ("hello", "ask"),
    ("Thanks!", "ask"),
    ("This function is never called?", "ask"),
    ("Which files mention checkpoints and create locks?", "ask"),
    ("Summarize the changes in CHANGELOG.md", "ask"),
    # English, silent
    ("notes.txt", None),
    ("the tests are red", "debug"),
    ("additional information about addresses", None),
    ("...", None),
    # Русский, изменить
    ("Замени «hello» на «bye» в файле notes.txt", "coder"),
    ("добавь строку «import os» в файл app.py", "coder"),
    ("Создай файл hello.txt с текстом «привет»", "coder"),
    ("Не мог бы ты переименовать функцию foo в bar?", "coder"),
    ("Исправь ошибку в разборе дат", "debug"),
    ("Найди ошибку и исправь её", "debug"),
    ("Посмотри, где падает тест, и почини", "debug"),
    ("Нужно добавить тест для брокера", "test_writer"),
    ("Пожалуйста, удали строку 3 из notes.txt", "coder"),
    ("Почему оно падает? Исправь, пожалуйста.", "debug"),
    ("Привет! Допиши в README раздел про запуск", "document_writer"),
    ("хочу, чтобы ты вынес это в отдельный файл, перенеси туда функции", "coder"),
    ("Давай напишем тест на путь", "test_writer"),
    ("А теперь убери лишние комментарии", "coder"),
    ("Напиши функцию, которая складывает числа", "coder"),
    ("поменяй порт на 9000", "coder"),
    ("Напиши обзор проекта в файл OVERVIEW.md", "document_writer"),
    ("Внеси правку в context.py", "coder"),
    # Русский, другие агенты
    ("Спроектируй модуль счетов", "architect"),
    ("Проведи ревью моего коммита", "reviewer"),
    ("Замерь импорт", "profiler"),
    ("Нет ли в search.py SQL-инъекции?", "security"),
    ("Добавь флаг и тест к нему", "coder"),
    ("Спроектируй модуль, реализуй его и напиши документацию", "plan"),
    ("Не пиши тестов, только поправь отступы", "coder"),
    ("сделай хорошо", None),
    # Русский, спросить
    ("Где проверяется путь?", "ask"),
    ("Что делает функция resolve?", "ask"),
    ("Как добавить новый инструмент и удалить старый?", "ask"),
    ("Объясни файл graphs/context.py", "ask"),
    ("Расскажи, что в этом проекте", "ask"),
    ("Есть ли тест для брокера?", "ask"),
    ("Ничего не меняй, просто объясни роутер", "ask"),
    ("Можно ли добавить второй порт?", "ask"),
    ("Не мог бы ты объяснить, как исправить тест?", "ask"),
    ("Напиши, что делает движок", "ask"),
    ("Сделай краткий обзор архитектуры", "ask"),
    ("Покажи исправления за неделю", "ask"),
    ("привет", "ask"),
    ("Спасибо большое", "ask"),
    ("А тесты тут есть?", "ask"),
    ("В чём разница между run и thread?", "ask"),
    ("Какие файлы создают блокировки и удаляют их?", "ask"),
    ("Зачем нужен broker?", "ask"),
    ("Подскажи, чем отличается ask от coder", "ask"),
    # Русский, правила молчат
    ("чтобы было хорошо", None),
    ("добавление строк в файл", None),
    ("тесты красные", "debug"),
    ("чтотакое", None),
]


@pytest.mark.parametrize(("phrase", "agent"), PHRASES, ids=[phrase for phrase, _ in PHRASES])
def test_a_phrase_goes_where_a_person_would_send_it(phrase: str, agent: str | None) -> None:
    choice = choose(phrase)
    assert (choice.agent if choice else None) == agent


@pytest.mark.parametrize(
    ("text", "russian"),
    [
        ("Где src/artel/tools/workspace/paths.py?", True),
        ("замени 'hello world again' на 'bye'", True),
        ("what does «привет» mean?", False),
        ("", False),
    ],
)
def test_the_language_is_that_of_the_words_and_not_of_the_quotations(text: str, russian: bool) -> None:
    assert is_russian(text) is russian


@pytest.mark.parametrize("paste", ["{}\n```\nremove(x)\n```", "```\n" + "remove(x)\n" * 9_000 + "```\n{}"])
def test_code_that_is_pasted_says_nothing(paste: str) -> None:
    choice = choose(paste.format("What does this do?"))
    assert choice
    assert choice.agent == "ask"


def test_a_choice_names_the_word_that_told() -> None:
    choice = choose("Пожалуйста, напиши тесты на разбор дат")
    assert choice
    assert (choice.agent, choice.word) == ("test_writer", "тесты")


@pytest.mark.parametrize(
    ("agent", "available", "instead"),
    [
        ("debug", {"coder", "ask", "debug"}, "debug"),
        ("debug", {"coder", "ask"}, "coder"),
        ("test_writer", {"coder", "ask"}, "coder"),
        ("reviewer", {"coder", "ask"}, "ask"),
        ("security", {"coder", "ask", "reviewer"}, "reviewer"),
        ("plan", {"coder", "ask"}, "coder"),
        ("coder", {"ask"}, "ask"),
        ("translator", {"translator", "ask"}, "translator"),
        ("translator", {"coder", "ask"}, None),
        ("coder", set[str](), None),
    ],
)
def test_an_agent_that_is_away_is_replaced_by_the_nearest(
    agent: str, available: set[str], instead: str | None
) -> None:
    assert nearest(agent, available) == instead


@pytest.mark.parametrize(
    "piece",
    ["a", ".a", " a", "-", "не ", "fix ", "a/", "«", "`", "test_", ", и ", "?", "what ", "\n", "a.md ", "\0"],
)
def test_no_request_keeps_the_rules_busy(piece: str) -> None:
    """A paste of megabytes, or one made to be slow: it is judged by what it begins with."""
    paste = piece * 3_000_000
    began = perf_counter()
    choose(paste)
    assert perf_counter() - began < 1  # a phrase takes 0.1 ms; the host may be busy
