import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.storage.knowledge.lexical.terms import _words, asked, indexed, terms


def share(left: str, right: str, language: str = "en") -> set[str]:
    return set(terms(left, language)) & set(terms(right, language))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("searching", "searches were searched"),
        ("деревья", "под деревьями"),
        ("все ёлки", "ЕЛКА"),
        ("STRASSE", "Straße"),
        ("naive", "a naïve approach"),
        ("Brontë", "Bronte\u0308"),
        ("parseHttpDate", "def parse_http_date(value):"),
        ("parse_http_date", "the date that HTTP sends is parsed"),
        ("date", "parseHTTPDate"),
        ("asyncio.gather", "await asyncio.gather(*tasks)"),
        ("gather", "await asyncio.gather(*tasks)"),
        ("vector", "std::vector<int>"),
        ("email", "an e-mail"),
        ("utf-8", "UTF8"),
        ("RFC 7231", "see RFC7231"),
        ("10 ms", "took 10ms"),
        ("2.5 mg", "2.5mg of it"),
        ("3.11", "since 3.11.7"),
        ("1.2", "v1.2"),
        ("1000", "1,000 people"),
        ("dog", "the dog’s tail"),
        ("Brien", "O'Brien"),
        ("сервере", "Сервер"),
        ("北京", "我爱北京天安门"),
        ("ﬁle", "file"),
        ("co\u00adoperate", "cooperate"),
        ("हिन्दी", "यह हिन्दी है"),
        ("getUserById", "get_user_by_id"),
    ],
)
def test_a_question_finds_another_writing_of_the_same(question: str, text: str) -> None:
    assert share(question, text)


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("C++", "the letter C"),
        ("C#", "C++"),
        ("p53", "page 53, p 5"),
        ("E0308", "E0309"),
        ("3.11", "3.12.7"),
        ("1.2.3", "12 3"),
        ("университет", "универсал"),
    ],
)
def test_a_name_does_not_find_another(question: str, text: str) -> None:
    assert not share(question, text)


def test_russian_english_and_names_of_one_question_are_each_stemmed_their_own_way() -> None:
    assert terms("Как работают парсеры HTTP headers в httpx.Client?", "ru") == [
        *("как", "работа", "парсер", "http", "header", "в"),
        *("httpx", "client", "httpxclient"),
    ]


def test_a_word_of_another_language_has_both_stems() -> None:
    assert terms("Häuser", "de") == ["hauser", "haus"]
    assert share("Häuser", "Haus", "de")
    assert set(terms("Häuser")) & set(terms("Häuser", "de"))


@pytest.mark.parametrize(
    "text", ["", " \n\t", "😀 — … !!", "\x00\x07\x1b", "___", "---", "'''", "\u200b\ufeff"]
)
def test_a_text_without_words_has_no_terms(text: str) -> None:
    assert terms(text) == []


@pytest.mark.parametrize(
    "hostile",
    [
        "a" * 1_000_000,
        "aB" * 500_000,
        "a." * 500_000,
        "a_" * 500_000,
        "a" + "\u0301" * 1_000_000,
        "漢" * 1_000_000,
        "1,000" * 200_000,
        "'" * 1_000_000,
        "\x00" * 1_000_000,
        "a::" * 300_000,
        "+" * 1_000_000,
    ],
    ids=lambda hostile: repr(hostile[:5]),
)
def test_a_megabyte_without_a_space_costs_as_much_as_any_other(hostile: str) -> None:
    found = terms(hostile)
    assert len(found) <= 2 * len(hostile)
    assert max(map(len, found), default=0) <= 16 * 65


@given(st.text(st.characters(codec=None)), st.sampled_from(["en", "ru", "de", "zh", "", "xx"]))
def test_whatever_is_said_has_terms_that_are_the_same_again(text: str, language: str) -> None:
    found = terms(text, language)
    assert found == terms(text, language)
    assert all(found)


@given(st.text(st.characters(categories=["L", "N", "Zs"])))
def test_how_a_text_is_composed_does_not_matter(text: str) -> None:
    assert terms(unicodedata.normalize("NFD", text)) == terms(unicodedata.normalize("NFC", text))


def test_threads_get_each_its_own_stems() -> None:
    words = [
        f"{head}{tail}"
        for head in ("hop", "runn", "walk", "искал", "наход")
        for tail in ("ing", "ами", "ed", "ся")
    ]
    texts = [" ".join(f"{word}{number}x {word}" for word in words) for number in range(40)]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(lambda text: terms(text, "fr"), texts))
    _words.cache_clear()
    assert together == [terms(text, "fr") for text in texts]


def test_common_words_of_a_question_count_less_and_a_repeated_one_more() -> None:
    weights = asked("What is the answer of an answer?")
    assert weights["the"] < weights["answer"] == 2.0
    russian = asked("Какой ответ на вопрос", "ru")
    assert russian["как"] < russian["ответ"] == 1.0
    assert asked("") == {}


def test_words_that_stand_together_are_asked_and_indexed_as_a_pair_too() -> None:
    text = indexed("The state of the art in machine learning", title="Machine learning")
    assert (text.count("machin"), text.count("machin learn")) == (3, 3)
    assert "state art" in text
    weights = asked("machine learning")
    assert 0 < weights["machin learn"] < weights["machin"]
    assert "learn machin" not in text
    assert indexed("") == []
