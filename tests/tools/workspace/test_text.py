"""Bytes become text and the same bytes again."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.errors import ToolRefused
from artel.tools.workspace import text
from artel.tools.workspace.paths import WrongKind

RUSSIAN = "Съешь же ещё этих мягких французских булок, да выпей чаю. Привет, мир!\n"


@pytest.mark.parametrize("encoding", ["utf-8", "cp1251", "koi8-r", "cp866"])
def test_russian_text_is_read_in_the_encodings_it_was_written_in(encoding: str) -> None:
    assert text.decode(RUSSIAN.encode(encoding), "a.txt").text == RUSSIAN


def test_western_text_is_not_taken_for_russian() -> None:
    western = "Le café où l'été finit — déjà vu, naïveté, Übergröße, España.\n"
    assert text.decode(western.encode("cp1252"), "a.txt").text == western


@pytest.mark.parametrize(
    ("bom", "encoding"),
    [(codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")],
)
def test_a_byte_order_mark_is_no_text_and_comes_back(bom: bytes, encoding: str) -> None:
    decoded = text.decode(bom + RUSSIAN.encode(encoding), "a.txt")
    assert decoded.text == RUSSIAN
    assert decoded.encode("new") == bom + "new".encode(encoding)


@pytest.mark.parametrize(
    "data",
    [
        b"\x7fELF\0\0",
        b"\x89PNG\r\n\x1a\n\0",
        "x".encode("utf-32"),
        b"\x01\x02\x03\x04\xff",
        "x".encode("utf-16-le"),
    ],
)
def test_binary_files_are_no_text(data: bytes) -> None:
    with pytest.raises(WrongKind, match="binary"):
        text.decode(data, "a.bin")


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_or_come_back_the_same(data: bytes) -> None:
    try:
        decoded = text.decode(data, "a")
    except WrongKind:
        return
    assert decoded.encode(decoded.text) == data


def test_a_character_that_the_file_cannot_hold_is_named() -> None:
    with pytest.raises(
        ToolRefused, match=r"'😀' \(U\+1F600\) cannot be written in this file's encoding, cp1251"
    ):
        text.decode(RUSSIAN.encode("cp1251"), "a").encode("😀")


def test_line_ends_are_those_of_most_lines() -> None:
    assert text.newline("a\r\nb\r\nc\n") == "\r\n"
    assert text.newline("a\nb\nc\r\n") == "\n"
    assert text.newline("") == "\n"
