import pytest

from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.kinds import Format, told


@pytest.mark.parametrize(
    ("head", "reason"),
    [
        (b"\x7fELF\x02\x01\x01\0", "a program"),
        (b"MZ\x90\0\x03\0\0\0", "a program"),
        (b"\xcf\xfa\xed\xfe\x07\0\0\x01", "a program"),
        (b"\0asm\x01\0\0\0", "a program"),
        (b"\x89PNG\r\n\x1a\n\0\0", "a picture; run it through text recognition"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "a picture"),
        (b"GIF89a\x01\0", "a picture"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "a picture"),
        (b"\0\0\0\x18ftypheic", "a picture"),
        (b"\x1f\x8b\x08\0", "packed with gzip; unpack it, or send a ZIP"),
        (b"7z\xbc\xaf\x27\x1c\0\4", "send a ZIP"),
        (b"Rar!\x1a\x07\0", "send a ZIP"),
        (b"a.txt" + b"\0" * 252 + b"ustar", "send a ZIP"),
        (b"SQLite format 3\0", "export a CSV"),
        (b"", "empty"),
    ],
)
def test_what_is_no_text_is_refused_with_what_would_be_right(head: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        told(head, "report.txt")


@pytest.mark.parametrize(
    "head", [b"ID3\x04\0", b"RIFF\x10\0\0\0WAVEfmt ", b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3\x01\0"]
)
def test_recordings_are_told_by_their_bytes(head: bytes) -> None:
    assert told(head, "talk.txt") is Format.MEDIA


@pytest.mark.parametrize(
    ("head", "name", "kind"),
    [
        (b"%PDF-1.7\n", "a.txt", Format.PDF),
        (b"\xef\xbb\xbf\n%PDF-1.7\n", "a", Format.PDF),
        (b"text about %PDF-1.7 files", "a.md", Format.MARKDOWN),
        (b"<!DOCTYPE html><html>", "a.txt", Format.HTML),
        (b"<?xml version='1.0'?>\n<!-- x --><html>", "a", Format.HTML),
        (b"<div align=center>\n# Title", "README.md", Format.MARKDOWN),
        (b"<!DOCTYPE html>", "page.vue", Format.CODE),
        (b"WEBVTT\n\n", "a.txt", Format.VTT),
        (b"1\r\n00:00:01,000 --> 00:00:02,000\r\n", "a.txt", Format.SRT),
        (b"{\\rtf1\\ansi", "a.doc", Format.RTF),
        (b"MZ is how programs begin", "a.txt", Format.TEXT),
        (b"#!/bin/sh\necho", "run.sh", Format.CODE),
        (b"FROM debian", "Dockerfile", Format.CODE),
        (b"plain", "a.unknown", Format.TEXT),
    ],
)
def test_bytes_tell_before_the_name_does(head: bytes, name: str, kind: Format) -> None:
    assert told(head, name) is kind


def test_a_document_without_its_beginning_is_refused() -> None:
    with pytest.raises(Unreadable, match=r"it is called \.docx and is none, or its beginning is damaged"):
        told(b"\0\0\3\4 torn", "report.docx")
