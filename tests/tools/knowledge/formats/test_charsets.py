import pytest

from artel.tools.knowledge.formats.charsets import decoded
from artel.tools.knowledge.formats.errors import Unreadable

RUSSIAN = (
    "Да",
    "Ёлка и ёж",
    "Отчёт 2024: итоги",
    "ОТЧЁТ О РАБОТЕ СЕРВЕРА",
    "Запустите server.py, а затем client.",
)


@pytest.mark.parametrize(
    "encoding", ["cp1251", "koi8-r", "cp866", "iso8859-5", "utf-8", "utf-8-sig", "utf-16"]
)
@pytest.mark.parametrize("text", RUSSIAN)
def test_russian_is_read_however_short_and_however_written(text: str, encoding: str) -> None:
    assert decoded(text.encode(encoding))[0] == text


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("text", [RUSSIAN[-1], "Plain English words", "Zażółć gęślą jaźń"])
def test_utf_16_needs_no_mark(text: str, encoding: str) -> None:
    assert decoded(text.encode(encoding))[0] == text


@pytest.mark.parametrize("text", ["Schüler über Größe", "naïve café", "“quoted” – and so on…"])
def test_western_text_is_not_taken_for_russian(text: str) -> None:
    assert decoded(text.encode("cp1252"))[:2] == (text, "cp1252")


def test_ukrainian_is_read() -> None:
    text = "Привіт, світе! Це перевірка кодування."
    assert decoded(text.encode("cp1251"))[:2] == (text, "cp1251")


def test_other_languages_are_told_by_statistics() -> None:
    text = "日本語のテキストです。今日は天気がいいですね。" * 10
    assert decoded(text.encode("shift-jis"))[0] == text


def test_what_is_declared_counts_if_it_fits() -> None:
    assert decoded("Zażółć".encode("cp1250"), "windows-1250")[:2] == ("Zażółć", "cp1250")
    assert decoded("Привет, мир".encode("cp1251"), "utf-8")[0] == "Привет, мир"
    assert decoded("Привет, мир".encode("cp1251"), "punycode")[0] == "Привет, мир"


def test_a_letter_cut_in_half_does_not_change_the_encoding() -> None:
    text, encoding, lost = decoded("Привет, мир и труд".encode()[:-1])
    assert (text, encoding, lost) == ("Привет, мир и тру\N{REPLACEMENT CHARACTER}", "utf-8", 1)


def test_what_is_no_text_is_refused() -> None:
    with pytest.raises(Unreadable, match="binary"):
        decoded(bytes(range(256)) * 20)
