from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from tests.tools.knowledge.formats import made

from artel.tools.knowledge.formats import reading
from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.records import Limits, Read

One: TypeAlias = Callable[..., Read]


def at(read: Read, **wanted: object) -> str:
    """The text of the one place that is so."""
    (place,) = [
        place for place in read.places if all(getattr(place, key) == value for key, value in wanted.items())
    ]
    return read.text[place.start : place.end]


def test_a_pdf_gives_its_text_by_pages(one: One) -> None:
    read = one("report.pdf", made.pdf([f"{made.RUSSIAN}\nthe ﬁle", "Page two"], title="Отчёт"))
    assert at(read, page=1) == f"{made.RUSSIAN}\nthe file"
    assert at(read, page=2) == "Page two"
    assert (read.title, read.language, read.kind, read.warnings) == ("Отчёт", "ru", "prose", ())
    assert read.metadata == {"format": "pdf", "pages": "2"}


def test_pages_without_text_are_said_one_by_one(one: One) -> None:
    read = one("report.pdf", made.pdf(["one", None, "three", None, ""]))
    assert [place.page for place in read.places] == [1, 3]
    assert read.warnings == ("pages 2, 4 only pictures, which were not recognised", "page 5 without text")


def test_a_scan_is_refused_with_what_would_help(one: One) -> None:
    with pytest.raises(Unreadable, match=r"it is a scan: none of its 2 pages holds text.*text recognition"):
        one("scan.pdf", made.pdf([None, None]))


@pytest.mark.parametrize("algorithm", ["AES-256", "AES-128", "RC4-128"])
def test_a_pdf_that_only_its_owner_may_change_is_read(one: One, algorithm: str) -> None:
    assert one("a.pdf", made.encrypted(made.pdf([made.RUSSIAN]), "", algorithm)).text == made.RUSSIAN


def test_a_pdf_with_a_password_is_refused(one: One) -> None:
    with pytest.raises(Unreadable, match="encrypted with a password; save it without"):
        one("a.pdf", made.encrypted(made.pdf(["secret"]), "password"))


def test_a_pdf_whose_end_is_cut_off_gives_what_is_left_and_says_so(one: One) -> None:
    read = one("a.pdf", made.pdf([made.RUSSIAN, "two"])[:-40])
    assert at(read, page=1) == made.RUSSIAN
    assert read.warnings == ("its end is missing or damaged, so pages may be missing too",)


def test_half_a_pdf_is_refused(one: One) -> None:
    with pytest.raises(Unreadable, match="damaged"):
        one("a.pdf", made.pdf(["one", "two"])[:300])


async def test_a_page_that_takes_too_long_costs_itself_only() -> None:
    slow = b"BT " + b"/F1 12 Tf <0041> Tj " * 1_000_000 + b"ET"
    pdf = made.pdf(["one", slow, "three"])
    (read,) = await reading.read("a.pdf", pdf, limits=Limits(page_s=2))
    assert isinstance(read, Read)
    assert [place.page for place in read.places] == [1, 3]
    assert read.warnings == ("page 2 took longer than 2 s",)


def test_a_docx_keeps_headings_tables_code_and_who_wrote_it(one: One) -> None:
    read = one("report.docx", made.pandoc(made.MARKDOWN, "docx"))
    assert (read.title, read.language, read.metadata["author"]) == ("Отчёт о сервере", "ru", "Иван Петров")
    assert [place.heading for place in read.places] == ["Отчёт о сервере", "Введение", "Part two"]
    assert made.RUSSIAN in at(read, heading="Введение")
    assert "| Ёж  |     5 |" in read.text
    assert "    def f(x):\n        return x" in read.text
    assert "[a link](https://example.com/page)" in at(read, heading="Part two")


def test_a_table_that_markdown_cannot_say_keeps_its_words(one: One) -> None:
    table = "+-----+-------+\n| раз | - два |\n|     | - три |\n+-----+-------+\n"
    read = one("a.docx", made.pandoc(table, "docx"))
    assert all(word in read.text for word in ("раз", "два", "три"))
    assert "<td>" in read.text
    assert "style=" not in read.text


@pytest.mark.parametrize("format_", ["odt", "epub", "rtf"])
def test_other_documents_are_read_through_pandoc(one: One, format_: str) -> None:
    read = one(f"report.{format_}", made.pandoc(made.MARKDOWN, format_))
    assert read.metadata["format"] == format_
    assert made.RUSSIAN in at(read, heading="Введение")
    assert "`код`" in read.text
    assert "span" not in read.text


def test_pictures_in_a_document_are_their_words(one: One) -> None:
    text = 'Before ![the words](picture.png) after, `<img src="x">` as code and \\<div\\> as text.'
    read = one("a.docx", made.pandoc(text, "docx"))
    assert "the words" in read.text
    assert "picture.png" not in read.text
    assert '`<img src="x">`' in read.text
    assert "div" in read.text


def test_an_encrypted_docx_is_refused_for_its_password(one: One) -> None:
    ole = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 20_000 + "EncryptedPackage".encode("utf-16-le")
    with pytest.raises(Unreadable, match="encrypted with a password"):
        one("secret.docx", ole)


def test_a_word_file_of_old_is_refused_with_what_would_be_right(one: One) -> None:
    with pytest.raises(Unreadable, match=r"before 2007.*save it as DOCX"):
        one("old.doc", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 2_000)


def test_a_docx_with_a_broken_part_is_refused(one: One) -> None:
    broken = made.zipped({"[Content_Types].xml": "<x", "word/document.xml": "<not xml"})
    with pytest.raises(Unreadable, match="damaged"):
        one("a.docx", broken)


def test_a_docx_that_would_swell_is_refused(one: One) -> None:
    bomb = made.zipped({"[Content_Types].xml": "x", "word/document.xml": b"<w>" + b" " * 5_000_000})
    with pytest.raises(Unreadable, match="packed more than 200 times smaller"):
        one("a.docx", bomb)


def test_a_table_of_excel_is_refused_with_what_would_be_right(one: One) -> None:
    with pytest.raises(Unreadable, match="export it as CSV"):
        one("a.xlsx", made.zipped({"[Content_Types].xml": "x", "xl/workbook.xml": "y"}))


def test_a_web_page_gives_its_main_content(one: One) -> None:
    read = one("page", made.HTML.encode())
    assert (read.title, read.language) == ("Как мы ищем", "ru")
    assert (read.metadata["author"], read.metadata["date"]) == ("Анна Иванова", "2024-03-05")
    assert at(read, heading="Таблица").count("|") > 4
    assert "def f(x):\n    return x" in read.text
    assert "Вторая часть" in read.text
    for unseen in ("скрипта", "color", "Главная страница", "Подвал", "спрятано"):
        assert unseen not in read.text


def test_a_web_page_is_read_in_the_encoding_that_it_declares(one: One) -> None:
    page = made.HTML.replace("utf-8", "windows-1251").encode("cp1251")
    assert "Вторая часть рассказа" in one("page.html", page).text


def test_what_is_no_article_is_read_whole(one: One) -> None:
    read = one("a.html", "<title>Привет</title><p>Мир <b>и</b> труд<script>нет()</script>".encode())
    assert (read.title, read.text) == ("Привет", "Мир **и** труд")


def test_front_matter_becomes_metadata(one: One) -> None:
    matter = "---\ntitle: Заметка\ntags: [поиск, тексты]\ndate: 2024-01-31\nlang: ru-RU\n---\n"
    read = one("note.md", f"{matter}# Раз\nтекст\n\n# Два\n".encode())
    assert (read.title, read.language) == ("Заметка", "ru")
    assert read.metadata["tags"] == "поиск, тексты"
    assert read.metadata["date"] == "2024-01-31"
    assert read.text.startswith("# Раз")


def test_front_matter_that_is_none_stays_in_the_text(one: One) -> None:
    read = one("note.md", b"---\ntitle: [never closed\n---\ntext")
    assert "never closed" in read.text
    assert read.warnings == ("the front matter is no YAML or TOML and was left in the text",)


def test_a_comment_in_code_is_no_heading(one: One) -> None:
    read = one("note.md", b"# One\n\n```sh\n# not a heading\n```\n\n## Two ##\n")
    assert [place.heading for place in read.places] == ["One", "Two"]
    assert at(read, heading="One").endswith("```\n\n")


def test_code_is_known_by_its_name_and_keeps_every_blank(one: One) -> None:
    read = one("src/main.py", "\ndef f():\n\treturn 'ёж'  \n".encode())
    assert (read.kind, read.language) == ("code", "python")
    assert read.text == "\ndef f():\n\treturn 'ёж'  \n"


@pytest.mark.parametrize(("name", "kind"), [("a.json", "code"), ("a.csv", "prose"), ("a.log", "prose")])
def test_values_are_read_as_text(one: One, name: str, kind: str) -> None:
    read = one(name, "ключ,значение\r\nодин,1\r\n".encode())
    assert read.text.startswith("ключ,значение\nодин,1")
    assert read.kind == kind


def test_text_comes_out_normalised(one: One) -> None:
    assert one("a.txt", "и\u0306од\r\nстрока\rещё\u2028да".encode()).text == "йод\nстрока\nещё\nда"


def test_a_transcript_keeps_who_spoke_and_when(one: One) -> None:
    read = one("call.vtt", made.VTT.encode())
    assert read.kind == "transcript"
    assert [(place.seconds, read.text[place.start : place.end]) for place in read.places] == [
        (1.5, "Анна: Добрый день, коллеги."),
        (64.0, "Борис: Начнём с отчёта & планов."),
        (64.0, "Анна: Да."),
        (3600.0, "Без имени."),
    ]


def test_subtitles_are_read_in_any_encoding(one: One) -> None:
    read = one("film.srt", made.SRT.encode("cp1251"))
    assert read.text == "Анна: Добрый день.\nБорис: Здравствуйте."
    assert [place.seconds for place in read.places] == [1.5, 5.0]


def test_words_that_roll_up_are_there_once(one: One) -> None:
    rolling = (
        "WEBVTT\n\n00:01.000 --> 00:03.000\nfirst row of words\n\n"
        "00:03.000 --> 00:05.000\nfirst row of words\nsecond row of words\n"
    )
    assert one("a.vtt", rolling.encode()).text == "first row of words\nsecond row of words"


def test_bytes_decide_what_a_file_is_not_its_name(one: One) -> None:
    assert one("report.txt", made.pdf(["a PDF"])).metadata["format"] == "pdf"
    assert one("report.pdf", made.pandoc("a DOCX", "docx")).metadata["format"] == "docx"
    assert one("report.docx", b"only text").metadata["format"] == "text"
    assert one("page", b"# Title\n\ntext", media_type="text/markdown; charset=utf-8").title == "Title"


def test_a_file_on_the_disk_is_read_from_there(one: One, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text(made.RUSSIAN)
    assert one("a.txt", tmp_path / "a.txt").text == made.RUSSIAN


def test_what_is_no_file_is_refused(one: One, tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="no ordinary file"):
        one("folder", tmp_path)
    with pytest.raises(Unreadable, match="cannot be opened: No such file"):
        one("gone", tmp_path / "gone")


def test_a_file_of_500_mb_is_refused_unread(one: One, tmp_path: Path) -> None:
    with (tmp_path / "big.txt").open("wb") as file:
        file.write(b"text " * 2_000)
        file.truncate(500_000_000)
    with pytest.raises(Unreadable, match="it has 500000000 bytes, at most 50000000 are read; split it"):
        one("big.txt", tmp_path / "big.txt")


@pytest.mark.parametrize(("data", "reason"), [(b"", "it is empty"), (b" \n\n ", "there is no text in it")])
def test_what_is_empty_is_refused(one: One, data: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        one("a.txt", data)


async def test_one_file_can_be_read_without_a_reader() -> None:
    (entry,) = await reading.read("a.txt", made.RUSSIAN.encode("koi8-r"), limits=Limits(text_chars=10))
    assert isinstance(entry, Read)
    assert (entry.text, entry.metadata["encoding"]) == (made.RUSSIAN[:10], "koi8-r")
    assert entry.warnings == (f"only the first 10 of {len(made.RUSSIAN)} characters were read",)
