"""The labelled phrases that judge the routing rules; `None`: the rules must not pretend to know."""

import pytest

from artel.graphs.routing import choose, is_russian

PHRASES: list[tuple[str, str | None]] = [
    # English, change
    ("Replace 'hello' with 'bye' in file notes.txt", "coder"),
    ("add a line `import os` to file app.py", "coder"),
    ("Please create a file hello.txt with «hi»", "coder"),
    ("Can you rename the function foo to bar?", "coder"),
    ("Could you please fix the failing test", "coder"),
    ("Find the bug in parser.py and fix it", "coder"),
    ("I want you to refactor the router", "coder"),
    ("Delete line 3 of notes.txt", "coder"),
    ("Look at the logs, then update the README", "coder"),
    ("Why does it crash? Fix it.", "coder"),
    ("let's write a test for paths.py", "coder"),
    ("Write a summary of the project to SUMMARY.md", "coder"),
    ("Hi! Add a changelog entry.", "coder"),
    ('Append "what is this?" to notes.txt', "coder"),
    ("explain the ladder and then implement a fifth rung", "coder"),
    ("I'd like you to change the default port", "coder"),
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
    ("the tests are red", None),
    ("additional information about addresses", None),
    ("...", None),
    # Русский, изменить
    ("Замени «hello» на «bye» в файле notes.txt", "coder"),
    ("добавь строку «import os» в файл app.py", "coder"),
    ("Создай файл hello.txt с текстом «привет»", "coder"),
    ("Не мог бы ты переименовать функцию foo в bar?", "coder"),
    ("Исправь ошибку в разборе дат", "coder"),
    ("Найди ошибку и исправь её", "coder"),
    ("Посмотри, где падает тест, и почини", "coder"),
    ("Нужно добавить тест для брокера", "coder"),
    ("Пожалуйста, удали строку 3 из notes.txt", "coder"),
    ("Почему оно падает? Исправь, пожалуйста.", "coder"),
    ("Привет! Допиши в README раздел про запуск", "coder"),
    ("хочу, чтобы ты вынес это в отдельный файл, перенеси туда функции", "coder"),
    ("Давай напишем тест на путь", "coder"),
    ("А теперь убери лишние комментарии", "coder"),
    ("Напиши функцию, которая складывает числа", "coder"),
    ("поменяй порт на 9000", "coder"),
    ("Напиши обзор проекта в файл OVERVIEW.md", "coder"),
    ("Внеси правку в context.py", "coder"),
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
    ("тесты красные", None),
    ("чтотакое", None),
]


@pytest.mark.parametrize(("phrase", "agent"), PHRASES, ids=[phrase for phrase, _ in PHRASES])
def test_a_phrase_goes_where_a_person_would_send_it(phrase: str, agent: str | None) -> None:
    choice = choose(phrase)
    assert (choice.agent if choice else None) == agent


def test_the_set_is_large_and_half_russian() -> None:
    russian = sum(is_russian(phrase) for phrase, _ in PHRASES)
    assert len(PHRASES) >= 60
    assert abs(russian - len(PHRASES) / 2) < 6


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
