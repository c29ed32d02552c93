"""A file of any kind to its text; an archive to the text of all that is in it."""

import asyncio
import os
import stat
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Self

from artel.tools.knowledge.formats import kinds, pandoc, transcripts
from artel.tools.knowledge.formats.containers import Member
from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.kinds import Format
from artel.tools.knowledge.formats.orders import MAX_NAME, Answer, Archive, Nested, Order, Refused
from artel.tools.knowledge.formats.processes import Processes
from artel.tools.knowledge.formats.records import Limits, Read, Unread
from artel.tools.knowledge.formats.speech import NOT_CONFIGURED, Transcriber, TranscriptionFailed

DEFAULT = Limits()
AT_ONCE = 2  # files: each may take a core and the memory of the limits


async def read(
    name: str,
    data: Path | bytes,
    *,
    media_type: str = "",
    limits: Limits = DEFAULT,
    transcriber: Transcriber | None = None,
) -> list[Read | Unread]:
    """Return the text of one file, or one entry for each member of an archive, in its order.

    For many files open a `Reader`: this starts and ends a process that has to load libraries first.

    Raises:
        Unreadable: there is no text in it, or it may not be read; a member of an archive raises nothing.
    """
    async with Reader(limits=limits, transcriber=transcriber) as reader:
        return await reader.read(name, data, media_type=media_type)


class Reader:
    """Reads files, each in a process of its own that is forked from a warm one. Open it with `async with`."""

    def __init__(
        self, *, limits: Limits = DEFAULT, transcriber: Transcriber | None = None, at_once: int = AT_ONCE
    ) -> None:
        self._limits = limits
        self._transcriber = transcriber
        self._processes = Processes()
        self._free = asyncio.Semaphore(at_once)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._processes.close()

    async def read(self, name: str, data: Path | bytes, *, media_type: str = "") -> list[Read | Unread]:
        """Return the text of one file, or one entry for each member of an archive, in its order.

        What a file is, its bytes tell; `name` and `media_type` decide among kinds of text only. A path may be
        a link: whoever has it from a stranger checks where it leads.

        Raises:
            Unreadable: there is no text in it, or it may not be read; a member of an archive raises nothing.
        """
        async with aclosing(self.each(name, data, media_type=media_type)) as entries:
            return [entry async for entry in entries]

    async def each(
        self, name: str, data: Path | bytes, *, media_type: str = ""
    ) -> AsyncGenerator[Read | Unread, None]:
        """Yield what `read` returns, one at a time, so that of an archive one member is held only.

        Raises:
            Unreadable: as `read` does, before anything is yielded.
        """
        source = await asyncio.to_thread(_opened, data)
        try:
            kind = kinds.told(await asyncio.to_thread(os.pread, source, kinds.HEAD, 0), name, media_type)
            _check_size(source, kind, self._limits)
            if kind is Format.MEDIA:
                yield await self._transcribed(name, data)
                return
            left = _Left(self._limits.archive_bytes, self._limits.members)
            order = Order(name[-MAX_NAME:], media_type, expected=kind, limits=self._limits)
            async with aclosing(self._entries(order, source, left, prefix="")) as entries:
                async for entry in entries:
                    yield entry if isinstance(entry, Unread) or entry.name else replace(entry, name=name)
        finally:
            os.close(source)

    async def _entries(
        self, order: Order, source: int, left: "_Left", *, prefix: str
    ) -> AsyncGenerator[Read | Unread, None]:
        """Yield what is behind a descriptor; only members have a name then."""
        if order.expected is Format.ZIP:
            named = kinds.WORDS.get(kinds.ending(order.name), Format.ZIP)
            order = replace(order, expected=named if named in _DOCUMENTS else Format.ZIP)
        answer = await self._asked(order, source)
        match answer:
            case Read():
                yield replace(answer, name="")
            case Archive(members):
                left.members -= len(members)
                for member in members:
                    async with aclosing(self._member(member, source, left, prefix=prefix)) as entries:
                        async for entry in entries:
                            yield entry
            case Refused(reason):
                raise Unreadable(reason)
            case Nested():
                raise Unreadable("its reader answered what it may not; send it in another format")

    async def _member(
        self, member: Member, source: int, left: "_Left", *, prefix: str
    ) -> AsyncGenerator[Read | Unread, None]:
        """Yield the text of a member, or all that is in it if it is an archive itself."""
        name = f"{prefix}{member.name}"
        if member.refused or member.size > left.bytes:
            over = f"it is behind the first {self._limits.archive_bytes} bytes of the archive; split that"
            yield Unread(name, member.refused or over)
            return
        left.bytes -= member.size
        named = kinds.WORDS.get(kinds.ending(member.name), Format.TEXT)
        order = Order(member.name[-MAX_NAME:], member=member.index, expected=named, limits=self._limits)
        try:
            answer = await self._asked(order, source)
            match answer:
                case Read():
                    yield replace(answer, name=name)
                case Nested() if prefix:
                    yield Unread(name, "it is an archive in an archive in an archive; unpack the outer ones")
                case Nested():
                    async with aclosing(self._nested(order, source, left, prefix=f"{name}/")) as entries:
                        async for entry in entries:
                            yield entry
                case Refused(reason):
                    yield Unread(name, reason)
                case Archive():
                    yield Unread(name, "its reader answered what it may not; send it in another format")
        except Unreadable as unreadable:
            yield Unread(name, unreadable.reason)

    async def _nested(
        self, order: Order, source: int, left: "_Left", *, prefix: str
    ) -> AsyncGenerator[Read | Unread, None]:
        """Yield the members of an archive in an archive, which is unpacked beside this process."""
        inner = os.memfd_create("archive", os.MFD_CLOEXEC)
        try:
            await self._asked(replace(order, unpack=True), source, inner)
            limits = replace(self._limits, members=max(0, left.members))
            whole = Order(order.name, expected=Format.ZIP, limits=limits)
            async with aclosing(self._entries(whole, inner, left, prefix=prefix)) as entries:
                async for entry in entries:
                    yield entry
        finally:
            os.close(inner)

    async def _asked(self, order: Order, *fds: int) -> Answer:
        program = pandoc.program()
        async with self._free:
            return await self._processes.ask(replace(order, pandoc=str(program or "")), fds)

    async def _transcribed(self, name: str, data: Path | bytes) -> Read:
        if self._transcriber is None:
            raise Unreadable(NOT_CONFIGURED)
        try:
            if isinstance(data, Path):
                said: Sequence[transcripts.Said] = await self._transcriber.transcribe(data)
            else:
                with TemporaryDirectory() as folder:
                    path = Path(folder) / f"recording.{kinds.ending(name) or 'bin'}"
                    await asyncio.to_thread(path.write_bytes, data)
                    said = await self._transcriber.transcribe(path)
        except TranscriptionFailed as failed:
            raise Unreadable(str(failed)) from failed
        return transcripts.told(name, said, {"format": Format.MEDIA.value})


@dataclass(slots=True)
class _Left:
    """What an archive may still hold."""

    bytes: int
    members: int


_DOCUMENTS = (Format.DOCX, Format.ODT, Format.EPUB)


def _opened(data: Path | bytes) -> int:
    """Return a descriptor of what is to be read; it is an ordinary file whose size is known."""
    if isinstance(data, bytes):
        return _in_memory(data)
    try:
        fd = os.open(data, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)  # a pipe would wait for its writer
    except OSError as error:
        raise Unreadable(f"it cannot be opened: {error.strerror}") from None
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise Unreadable("it is no ordinary file")
    return fd


def _in_memory(data: bytes) -> int:
    fd = os.memfd_create("file", os.MFD_CLOEXEC)
    rest = memoryview(data)
    while rest:
        rest = rest[os.write(fd, rest) :]
    return fd


def _check_size(fd: int, kind: Format, limits: Limits) -> None:
    larger = {Format.ZIP: limits.archive_bytes, Format.MEDIA: limits.media_bytes}
    most = larger.get(kind, limits.file_bytes)
    if (size := os.fstat(fd).st_size) > most:
        raise Unreadable(f"it has {size} bytes, at most {most} are read; split it")
