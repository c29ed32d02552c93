import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.storage.knowledge.lexical.languages import MOST_READ, tell


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("How does the parser treat an empty line?", "en"),
        ("gather asyncio", "en"),
        ("как работает asyncio.gather", "ru"),
        ("объясни asyncio gather", "ru"),
        ("Почему падает `TypeError: 'NoneType' object is not subscriptable`?", "ru"),
        ("What does the word «перестройка» mean in this text?", "en"),
        ("Привет", "ru"),
        ("ёлка", "ru"),
        ("Як працює пошук і навіщо він потрібен?", "uk"),
        ("Wie funktioniert der Garbage Collector?", "de"),
        ("¿Cómo funciona el recolector?", "es"),
        ("我爱北京天安门", "zh"),
        ("日本語のテキスト", "ja"),
        ("안녕하세요", "ko"),
        ("كيف يعمل البحث", "ar"),
        ("def f(os, de):\n    return os + de\n", "en"),
        ("3.11.7", ""),
        ("12345", ""),
        ("😀", ""),
        ("", ""),
        (" \n", ""),
        ("\x00\x07", ""),
    ],
)
def test_the_language_is_told_by_script_and_common_words(text: str, language: str) -> None:
    assert tell(text).language == language


@pytest.mark.parametrize(
    "text",
    [
        "parse_http_date",
        "asyncio.gather",
        "std::vector",
        "parseHttpDate",
        "E0308",
        "RFC 7231",
        "src/app/main.py",
        "README.md",
        "3.11.7",
        "numpy==2.1",
        "--quiet",
        "main()",
    ],
)
def test_a_name_is_an_identifier(text: str) -> None:
    assert tell(text).kind == "identifier"


@pytest.mark.parametrize(
    "text",
    [
        "def f(x):\n    return x + 1\n",
        "for (int i = 0; i < n; i++) { sum += a[i]; }",
        "import os\n\nprint(os.name)\n",
        "SELECT id FROM users WHERE name = 'x';",
        "class Reader:\n    '''Reads.\n\n    This is a long text of the file.\n    '''\n",
    ],
)
def test_a_program_is_code(text: str) -> None:
    assert tell(text).kind == "code"


@pytest.mark.parametrize(
    "text",
    ["how to call foo() and bar(x) in python", "как вызвать foo(x)?", "numpy", "hello", "", "😀", "12345"],
)
def test_a_question_about_code_is_prose(text: str) -> None:
    assert tell(text).kind == "prose"


@given(st.text(st.characters(codec=None)))
def test_every_text_is_something(text: str) -> None:
    told = tell(text)
    assert len(told.language) in (0, 2)


def test_a_book_is_told_by_its_beginning() -> None:
    page = "Это начало книги, и оно на русском. " * (MOST_READ // 30)
    assert tell(page + "the end of it is in English " * 100_000) == tell(page)
