import io
import os
import stat
import struct
import zipfile
from collections.abc import Callable
from typing import TypeAlias

import pytest
from tests.tools.knowledge.formats import made

from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.reading import Reader
from artel.tools.knowledge.formats.records import Limits, Read, Unread

Reads: TypeAlias = Callable[..., list[Read | Unread]]


def said(entries: list[Read | Unread]) -> dict[str, str]:
    """What came of each member: its text, or why there is none."""
    return {entry.name: entry.text if isinstance(entry, Read) else entry.reason for entry in entries}


async def limited(limits: Limits, data: bytes) -> dict[str, str]:
    """What came of each member of an archive within limits."""
    async with Reader(limits=limits) as reader:
        return said(await reader.read("a.zip", data))


def test_one_bad_member_never_stops_the_rest(reads: Reads) -> None:
    members = {
        "отчёты/a.pdf": made.pdf([made.RUSSIAN]),
        "broken.pdf": b"%PDF-1.7 and nothing else",
        "empty.txt": b"",
        "program.txt": b"\x7fELF" + b"\0" * 60,
        "b.docx": made.pandoc(made.RUSSIAN, "docx"),
        "c.md": "# Раз".encode(),
    }
    entries = reads("a.zip", made.zipped(members))
    assert [entry.name for entry in entries] == list(members)
    assert [type(entry).__name__ for entry in entries] == [
        "Read",
        "Unread",
        "Unread",
        "Unread",
        "Read",
        "Read",
    ]
    assert said(entries)["отчёты/a.pdf"] == made.RUSSIAN
    assert "damaged" in said(entries)["broken.pdf"]
    assert said(entries)["empty.txt"] == "it is empty"
    assert "a program (ELF)" in said(entries)["program.txt"]


@pytest.mark.parametrize(
    "name", ["../up.txt", "/etc/passwd", "a/../../b", "C:\\x.txt", "..\\up.txt", "\\\\host\\x"]
)
def test_a_path_that_leads_out_is_refused(reads: Reads, name: str) -> None:
    entries = reads("a.zip", made.zipped({"good.txt": "good", name: "bad"}))
    assert said(entries) == {"good.txt": "good", name: "its path leads out of the archive"}


def test_links_and_devices_are_refused(reads: Reads) -> None:
    link, device = zipfile.ZipInfo("link.txt"), zipfile.ZipInfo("device.txt")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    device.external_attr = (stat.S_IFCHR | 0o666) << 16
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr(device, "x")
    assert said(reads("a.zip", buffer.getvalue())) == {
        "link.txt": "it is a symbolic link; pack the file itself",
        "device.txt": "it is no ordinary file",
    }


def test_a_member_with_a_password_is_refused(reads: Reads) -> None:
    data = bytearray(made.zipped({"secret.txt": "secret", "open.txt": "open"}))
    data[6] |= 1  # in front of the file, and in the directory
    data[data.index(b"PK\x01\x02") + 8] |= 1
    found = said(reads("a.zip", bytes(data)))
    assert found == {"secret.txt": "it is encrypted with a password; pack it without one", "open.txt": "open"}


def test_a_name_that_is_there_twice_is_read_once(reads: Reads) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("a.txt", "one")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("a.txt", "two")
    first, second = reads("a.zip", buffer.getvalue())
    assert isinstance(first, Read)
    assert first.text == "one"
    assert isinstance(second, Unread)


def test_names_of_old_russian_packers_are_understood(reads: Reads) -> None:
    data = made.zipped({"xxxxx.txt": "текст"}).replace(b"xxxxx", "отчёт".encode("cp866"))
    assert said(reads("a.zip", data)) == {"отчёт.txt": "текст"}


def test_what_packers_leave_behind_is_no_member(reads: Reads) -> None:
    data = made.zipped({"a.txt": "a", "__MACOSX/._a.txt": b"\0\1", "folder/.DS_Store": b"\0", "folder/": b""})
    assert said(reads("a.zip", data)) == {"a.txt": "a"}


def test_an_archive_in_an_archive_is_read_and_no_deeper(reads: Reads) -> None:
    inner = made.zipped({"deep.txt": "глубоко", "../up.txt": "x", "third.zip": made.zipped({"x.txt": "x"})})
    assert said(reads("a.zip", made.zipped({"inner.zip": inner, "last.txt": "last"}))) == {
        "inner.zip/deep.txt": "глубоко",
        "inner.zip/../up.txt": "its path leads out of the archive",
        "inner.zip/third.zip": "it is an archive in an archive in an archive; unpack the outer ones",
        "last.txt": "last",
    }


def test_a_bomb_is_refused_unpacked(reads: Reads) -> None:
    bomb = made.zipped({"bomb.txt": b"0" * 40_000_000, "good.txt": "good"})
    assert len(bomb) < 50_000
    found = said(reads("a.zip", bomb))
    assert found["good.txt"] == "good"
    assert "packed more than 200 times smaller" in found["bomb.txt"]


def test_a_member_that_is_longer_than_it_declares_is_not_unpacked_further(reads: Reads) -> None:
    data = bytearray(made.zipped({"bomb.txt": b"0" * 40_000_000, "good.txt": "good"}))
    directory = data.index(b"PK\x01\x02")
    struct.pack_into("<L", data, 22, 1_000)
    struct.pack_into("<L", data, directory + 24, 1_000)
    found = said(reads("a.zip", bytes(data)))
    assert found["good.txt"] == "good"
    assert "damaged" in found["bomb.txt"]


async def test_what_is_behind_the_first_bytes_of_an_archive_is_left_out() -> None:
    text = os.urandom(3_000).hex() * 10
    members = {f"{number}.txt": text for number in range(4)}
    inner = made.zipped(dict(members))
    found = await limited(Limits(archive_bytes=250_000), made.zipped({"inner.zip": inner, **members}))
    read = [name for name, one in found.items() if one == text]
    assert len(read) * len(text) <= 250_000
    assert read
    assert all("behind the first 250000 bytes" in found[name] for name in found if name not in read)


async def test_an_archive_of_too_many_files_is_refused() -> None:
    data = made.zipped({f"{number}.txt": "x" for number in range(30)})
    with pytest.raises(Unreadable, match="the archive holds 30 files, at most 20 are read; split it"):
        await limited(Limits(members=20), data)


async def test_files_of_a_nested_archive_count_too() -> None:
    inner = made.zipped({f"{number}.txt": "x" for number in range(15)})
    found = await limited(Limits(members=20), made.zipped({"a.zip": inner, "b.zip": inner, "c.txt": "c"}))
    assert found["a.zip/14.txt"] == "x"
    assert "holds 15 files, at most 2 are read" in found["b.zip"]
    assert found["c.txt"] == "c"


@pytest.mark.parametrize("data", [b"PK\x03\x04" + b"\0" * 40, made.zipped({"a.txt": "x" * 500})[:-30]])
def test_a_damaged_archive_is_refused(reads: Reads, data: bytes) -> None:
    with pytest.raises(Unreadable, match="damaged ZIP"):
        reads("a.zip", data)


def test_an_empty_archive_is_refused(reads: Reads) -> None:
    with pytest.raises(Unreadable, match="the archive holds no files"):
        reads("a.zip", made.zipped({}))


def test_a_recording_in_an_archive_is_refused_with_what_would_be_right(reads: Reads) -> None:
    found = said(reads("a.zip", made.zipped({"a.mp3": b"ID3\x04\0\0" + b"\xff" * 50})))
    assert found == {"a.mp3": "it is a recording; send it by itself, not in an archive"}
