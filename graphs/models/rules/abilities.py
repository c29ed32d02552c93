"""What each agent can and cannot do without a model, in two languages."""

from collections.abc import Mapping
from dataclasses import dataclass

from artel.graphs.models.rules.phrases import Phrases


@dataclass(frozen=True, slots=True)
class Ability:
    """What an agent can do by rules, as examples to copy, and what takes a model: English, Russian."""

    can: tuple[str, str]
    cannot: tuple[str, str]


LOOKS = (
    "- “where is the path check?”, “what does `resolve` do?”, “explain file tools/tool.py”\n"
    "- “what's in this project?”, “list the files in tools”\n"
    "- “what has changed?”, “show the diff”, “last 5 commits”",
    "- «где проверяется путь?», «что делает `resolve`?», «объясни файл tools/tool.py»\n"
    "- «что в этом проекте?», «покажи файлы в tools»\n"
    "- «что изменилось?», «покажи дифф», «последние 5 коммитов»",
)
DOES = (
    "- “replace 'a' with 'b' in file x.txt”, “add a line 'c' to file x.txt”, “delete line 3 of x.txt”\n"
    "- “create file x.txt with 'text'”, “delete file x.txt”, “move file a.py to b.py”\n"
    "- “rename total to amount everywhere”, “run the tests”, “run `make check`”, “commit with message "
    "'done'”\n"
    "- several of them: one a sentence, or as a numbered list to the orchestrator, which makes a plan of it",
    "- «замени 'a' на 'b' в файле x.txt», «добавь строку 'c' в файл x.txt», «удали строку 3 из x.txt»\n"
    "- «создай файл x.txt с текстом 'text'», «удали файл x.txt», «перемести файл a.py в b.py»\n"
    "- «переименуй total в amount везде», «запусти тесты», «выполни `make check`», «закоммить с "
    "сообщением 'готово'»\n"
    "- несколько сразу: по одному в предложении, или списком с номерами оркестратору — он составит план",
)
ABILITIES: Mapping[str, Ability] = {
    "ask": Ability(
        LOOKS,
        ("I cannot explain or judge in words of my own.", "Объяснять и судить своими словами я не могу."),
    ),
    "coder": Ability(
        (f"{DOES[0]}\n{LOOKS[0]}", f"{DOES[1]}\n{LOOKS[1]}"),
        (
            "I cannot write code that nobody spelled out.",
            "Писать код, который мне не продиктовали, я не могу.",
        ),
    ),
    "debug": Ability(
        (
            "- “the tests fail”, “debug `python3 app.py`”, “tests/test_a.py fails”: I run it and show "
            "the error, its last "
            "frames and the code there",
            "- «тесты падают», «отладь `python3 app.py`», «падает tests/test_a.py»: запущу, покажу "
            "ошибку, последние кадры "
            "стека и код в этих местах",
        ),
        ("I cannot find the cause or repair it.", "Найти причину и исправить её я не могу."),
    ),
    "reviewer": Ability(
        (
            "- “review the changes”, “review since main”, “review src/a.py”: I look for secrets, calls "
            "that run text as "
            "code, swallowed errors, marks of conflicts, what is left in, long functions, missing tests",
            "- «проверь изменения», «проверь относительно main», «проверь src/a.py»: ищу секреты, "
            "вызовы, исполняющие "
            "текст, проглоченные ошибки, метки конфликтов, забытое, длинные функции, отсутствие тестов",
        ),
        ("I cannot tell whether a change is right.", "Верна ли правка по сути, я сказать не могу."),
    ),
    "security": Ability(
        (
            "- “look for weaknesses”, “look for secrets in src/”: I search with the scanners of the "
            "quality gate",
            "- «найди уязвимости», «найди секреты в src/»: ищу сканерами шлюза качества",
        ),
        ("I cannot follow input through the code.", "Проследить путь данных по коду я не могу."),
    ),
    "profiler": Ability(
        (
            "- “measure `python3 app.py`”, “profile tools/build.py”: I run it six times and profile "
            "Python once",
            "- «измерь `python3 app.py`», «профилируй tools/build.py»: запущу шесть раз и один раз с "
            "профилировщиком",
        ),
        ("I cannot say what would make it faster.", "Сказать, что его ускорит, я не могу."),
    ),
    "test_writer": Ability(
        (
            "- “write tests for shop/pricing.py”, “test the function `total_price`”: skeletons for real "
            "functions of Python; "
            "examples in docstrings become tests",
            "- «напиши тесты для shop/pricing.py», «тест на функцию `total_price`»: заготовки для "
            "настоящих функций Python; "
            "примеры из документации станут тестами",
        ),
        ("I cannot know what a function should give.", "Знать, что функция должна вернуть, я не могу."),
    ),
    "architect": Ability(
        (
            "- “describe the structure in docs/structure.md”, “design an import of prices”: I write a "
            "note on what is there, "
            "who imports whom, and where the words of your request stand",
            "- «опиши устройство в docs/structure.md», «спроектируй импорт цен»: запишу, что есть, кто "
            "кого импортирует и "
            "где стоят слова запроса",
        ),
        ("I cannot weigh ways to build something.", "Взвешивать варианты устройства я не могу."),
    ),
    "document_writer": Ability(
        (
            "- “write docs for shop/pricing.py”, “write a README”: I write what files define and say of "
            "themselves, with "
            "`path:line`",
            "- «напиши документацию для shop/pricing.py», «напиши README»: запишу, что файлы определяют "
            "и говорят о себе, с "
            "`path:line`",
        ),
        (
            "I cannot explain what no docstring says.",
            "Объяснять то, чего нет в документации кода, я не могу.",
        ),
    ),
}


def able(role: str, say: Phrases) -> str:
    """Return what an agent can do by rules, as examples."""
    head = say("Without a model I understand requests such as:", "Без модели я понимаю такие просьбы:")
    known = ABILITIES[role]
    shown = [say(*known.can)] if role in ("ask", "coder") else [say(*known.can), say(*LOOKS)]
    return "\n".join([head, *shown])


def label(role: str, say: Phrases) -> str:
    """Return the line that ends each answer: what answered, what it cannot do, and how to have a model."""
    return f"_{say.label} {say(*ABILITIES[role].cannot)} {say.how}_"
