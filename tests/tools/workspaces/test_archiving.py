"""An archive is a zip that every tool opens, and it is never held whole."""

from collections.abc import Iterator
from io import BytesIO
from random import Random
from zipfile import ZipFile

from artel.tools.workspaces.archiving import LINK, Entry, archived


def test_files_modes_and_links_come_out_as_they_went_in() -> None:
    given = [
        Entry("a/ü.txt", [b"one", b"two"]),
        Entry("run.sh", [b"#!/bin/sh\n"], 0o100755),
        Entry("link", [b"a"], LINK),
        Entry("empty", []),
    ]
    content = b"".join(archived(given))
    with ZipFile(BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert {info.filename: info.external_attr >> 16 for info in archive.infolist()} == {
            one.name: one.mode for one in given
        }
        assert archive.read("a/ü.txt") == b"onetwo"
    assert b"".join(archived(given)) == content


def test_what_was_read_is_given_on_before_the_next_is_read() -> None:
    reads: list[int] = []

    def blocks() -> Iterator[bytes]:
        for number in range(20):
            reads.append(number)
            yield Random(number).randbytes(200_000)

    stream = archived(Entry(str(one), blocks()) for one in range(2))
    for _ in range(3):
        next(stream)
    assert len(reads) < 10
