import asyncio
import os
import random
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.knowledge.formats import made

from artel.tools.knowledge.formats import orders
from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.orders import Archive, Nested, Refused
from artel.tools.knowledge.formats.reading import Reader
from artel.tools.knowledge.formats.records import Limits, Read, Unread

Reads: TypeAlias = Callable[..., list[Read | Unread]]

SLOW = made.pdf([b"BT " + b"/F1 12 Tf <0041> Tj " * 3_000_000 + b"ET"])
DOCUMENTS = {
    "a.pdf": made.pdf([made.RUSSIAN, "two", None]),
    "a.docx": made.pandoc(made.MARKDOWN, "docx"),
    "a.epub": made.pandoc(made.MARKDOWN, "epub"),
    "a.rtf": made.pandoc(made.MARKDOWN, "rtf"),
    "a.html": made.HTML.encode(),
    "a.vtt": made.VTT.encode(),
    "a.zip": made.zipped({"a.pdf": made.pdf(["in a ZIP"]), "b.md": made.MARKDOWN}),
}


def below() -> set[int]:
    """The processes of readers that this one began, and their children."""
    began = psutil.Process().children()
    forking = [one for one in began if any(part.endswith("formats.forking") for part in said(one))]
    return {one.pid for first in forking for one in (first, *children(first))}


def said(process: psutil.Process) -> list[str]:
    """What a process was started with; nothing of one that has ended."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def children(process: psutil.Process) -> list[psutil.Process]:
    """What a process began; nothing of one that has ended."""
    try:
        return process.children(recursive=True)
    except psutil.Error:
        return []


def network(pid: int) -> list[str] | None:
    """The interfaces that a process sees, unless it sees ours."""
    theirs, ours = (Path(f"/proc/{one}/ns/net").readlink() for one in (pid, "self"))
    rows = Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]
    return None if theirs == ours else [row.split(":")[0].strip() for row in rows]


async def refused(limits: Limits, name: str, data: bytes) -> str:
    """Why a file gives no text within limits; nothing of it goes on then, and the next one is read."""
    before = below()
    async with Reader(limits=limits) as reader:
        with pytest.raises(Unreadable) as error:
            await reader.read(name, data)
        assert len(below() - before) == 1  # the one that forks
        (entry,) = await reader.read("next.txt", b"next")
        assert isinstance(entry, Read)
    assert below() <= before
    return error.value.reason


async def test_what_takes_too_long_is_ended() -> None:
    reason = await refused(Limits(file_s=1, page_s=100), "a.pdf", SLOW)
    assert reason == "it took longer than 1 s to read; split it"


async def test_what_takes_too_much_memory_is_ended() -> None:
    reason = await refused(Limits(memory_bytes=160 << 20), "a.txt", ("слово " * 4_000_000).encode())
    assert reason == "it takes more than 160 MB of memory"


async def test_a_document_that_takes_pandoc_too_much_memory_is_ended() -> None:
    rtf = "{\\rtf1 " + "".join(f"{{\\b {number}}} " for number in range(400_000)) + "}"
    reason = await refused(Limits(memory_bytes=256 << 20, file_s=50), "a.rtf", rtf.encode())
    assert "MB of memory to read; split it" in reason


async def test_a_member_that_takes_too_long_stops_no_other() -> None:
    data = made.zipped({"slow.pdf": SLOW, "good.txt": "good"})
    async with Reader(limits=Limits(file_s=1, page_s=100, ratio=10_000)) as reader:
        slow, good = await reader.read("a.zip", data)
    assert slow == Unread("slow.pdf", "it took longer than 1 s to read; split it")
    assert isinstance(good, Read)


async def test_who_no_longer_waits_leaves_nothing_running() -> None:
    before = below()
    async with Reader() as reader:
        await reader.read("warm.pdf", DOCUMENTS["a.pdf"])
        idle = below() - before
        reading = asyncio.create_task(reader.read("a.pdf", SLOW))
        while not (busy := below() - before - idle):  # noqa: ASYNC110  # a process tells nobody that it is there
            await asyncio.sleep(0.01)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert not busy & below()
        assert below() - before == idle
    assert below() <= before


async def test_a_reader_that_is_closed_ends_what_still_runs() -> None:
    before = below()
    async with Reader() as reader:
        reading = asyncio.create_task(reader.read("a.pdf", SLOW))
        while len(below() - before) < 2:  # noqa: ASYNC110  # a process tells nobody that it is there
            await asyncio.sleep(0.01)
        await reader.__aexit__(None, None, None)
        assert below() <= before
        with pytest.raises(Unreadable, match="reading was ended"):
            await reading
    assert below() <= before


async def test_after_its_process_was_killed_a_reader_starts_another() -> None:
    async with Reader() as reader:
        before = below()
        await reader.read("a.txt", b"one")
        (pid,) = below() - before
        os.kill(pid, signal.SIGKILL)
        (entry,) = await reader.read("a.txt", b"two")
        assert isinstance(entry, Read)
        assert entry.text == "two"


async def test_many_files_at_once_are_each_read() -> None:
    before = below()
    async with Reader(at_once=3) as reader:
        read = await asyncio.gather(*(reader.read(f"{n}.txt", f"text {n}".encode()) for n in range(40)))
    assert [entry.text for (entry,) in read if isinstance(entry, Read)] == [f"text {n}" for n in range(40)]
    assert below() <= before


async def test_who_reads_files_reaches_no_network() -> None:
    """Where the system lets a process leave the network, that of the readers has none."""
    async with Reader() as reader:
        before = below()
        await reader.read("a.txt", b"one")
        (pid,) = below() - before
        interfaces = network(pid)
    if interfaces is None:
        pytest.skip("this machine forbids namespaces")
    assert interfaces == ["lo"]


async def test_members_come_one_at_a_time_and_the_rest_is_not_read_if_nobody_asks() -> None:
    data = made.zipped({"a.txt": "a", "slow.pdf": SLOW})
    before = below()
    async with Reader(limits=Limits(ratio=10_000)) as reader:
        entries = reader.each("a.zip", data)
        first = await anext(entries)
        await entries.aclose()
        assert first.name == "a.txt"
        assert len(below() - before) == 1


@pytest.mark.parametrize(
    "answer", [Read("a", "текст", metadata={"a": "b"}), Refused("why"), Archive(()), Nested(5)]
)
def test_an_answer_arrives_as_it_was_sent(answer: orders.Answer) -> None:
    assert orders.unpacked(orders.packed(answer)) == answer


@pytest.mark.parametrize(
    "said", [b"", b"{}", b'["Read"]', b'["Read", {"name": 1}]', b'["Limits", {}]', b"\x80\4N."]
)
def test_an_answer_that_is_none_is_not_believed(said: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  # of three libraries
        orders.unpacked(said)


@pytest.mark.parametrize("name", DOCUMENTS)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 2**32), keeps=st.floats(0.02, 1), flips=st.integers(0, 12))
def test_no_damage_crashes_hangs_or_leaks(
    reads: Reads, name: str, seed: int, keeps: float, flips: int
) -> None:
    chance = random.Random(seed)
    data = bytearray(DOCUMENTS[name])[: max(1, int(len(DOCUMENTS[name]) * keeps))]
    for _ in range(flips):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    try:
        entries = reads(name, bytes(data))
    except Unreadable as unreadable:
        entries = [Unread(name, unreadable.reason)]
    for entry in entries:
        if isinstance(entry, Read):
            assert entry.text.strip("\0")
            assert "\0" not in entry.text
            assert all(0 <= place.start <= place.end <= len(entry.text) for place in entry.places)
        else:
            assert entry.reason
            assert "broke down" not in entry.reason
    assert len(below()) <= 1
