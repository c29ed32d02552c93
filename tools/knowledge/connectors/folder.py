"""A folder of this machine: its files as documents, never one from outside it, never through a link."""

import asyncio
import hashlib
import os
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import TypeVar

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.knowledge.connectors import documents
from artel.tools.knowledge.connectors.diff import refusal
from artel.tools.knowledge.connectors.port import (
    MAX_ITEM,
    Change,
    Changed,
    Cursor,
    Fetched,
    Gone,
    Incomplete,
    ItemGone,
    Json,
    Refused,
    SourceDown,
    TooBig,
)
from artel.tools.workspace import opening, paths, tree
from artel.tools.workspace.ignore import Ignore
from artel.tools.workspace.paths import Place

MAX_FILES = 500_000
BATCH = 64  # files between two chances for others to run
TRUST_S = 86_400.0  # after a day every file is read again, whatever its times say
FRESH_S = 2.0  # a file may change again within one tick of its file system's clock
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Standing:
    """A file that may be a document, and what its folder says of it."""

    place: Place
    size: int
    modified: float
    stamp: str
    "Changes whenever the file is written, unless somebody takes pains."


@dataclass(frozen=True, slots=True)
class Folder:
    """The files below `root` that git would not ignore and a person could read.

    Secrets, binary and generated files are no documents, nor are links. Larger ones than `max_bytes` are
    told, and fetching them raises TooBig, so that a report has them.

    The cursor holds a stamp and a hash of each file: a file whose stamp is unchanged is not read again for
    TRUST_S seconds. What `changes` misses it calls gone, unless that is most of what there was.
    """

    name: str
    root: Path
    "As `paths.resolve_workspace` returns it."
    max_bytes: int = MAX_ITEM
    trust_s: float = TRUST_S
    clock: Callable[[], float] = time.time

    async def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield the files whose content is another than at the cursor, then those that are gone."""
        before: Mapping[str, list[str]] = (cursor or {}).get("files", {})
        now = self.clock()
        read_at = float((cursor or {}).get("read_at", 0.0))
        trusting = now - self.trust_s < read_at <= now
        hints = before if trusting else {}
        seen: dict[str, list[str]] = {}
        async for batch in _in_threads(self._hashed(hints, now)):
            for one, stamp, version in batch:
                known = before.get(one.place.relative)
                seen[one.place.relative] = [stamp, version]
                if known is None or known[1] != version:
                    yield self._changed(one, version)
        missing = [path for path in before if path not in seen]
        if missing and refusal(len(before), len(missing), len(seen)):
            seen |= {path: before[path] for path in missing}  # for a listing, and its report, to decide
        else:
            for path in missing:
                yield Gone(path)
        yield Cursor({"files": seen, "read_at": read_at if trusting else now})

    async def listing(self) -> AsyncIterator[str]:
        """Yield the path of each document."""
        async for batch in _in_threads(self._documents()):
            for one in batch:
                yield one.place.relative

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return a file by its path from the root."""
        return await asyncio.to_thread(self._fetched, id)

    def _fetched(self, path: str) -> Fetched:
        parts = tuple(path.split("/"))
        outside = any(part in ("", ".", "..") or "\0" in part or paths.is_denied(part) for part in parts)
        if outside or documents.why_not(path):
            raise Refused(f"{self.name}: {paths.printable(path)} is none of its documents")
        try:
            found = opening.read_bytes(Place(self.root, parts), limit=self.max_bytes)
        except paths.TooLarge as error:
            raise TooBig(str(error)) from None
        except paths.OutsideWorkspace as error:
            raise Refused(f"{self.name}: {error}") from None
        except (paths.NoSuchFile, paths.WrongKind) as error:
            raise ItemGone(f"{self.name}: {error}") from None
        except (ToolFailed, ToolRefused) as error:
            raise SourceDown(f"{self.name}: {error}") from None
        return Fetched(found.data, parts[-1], documents.media_type(path), "", {"path": path})

    def _changed(self, one: Standing, version: str) -> Changed:
        path = one.place.relative
        modified = datetime.fromtimestamp(one.modified, UTC)
        return Changed(path, version, path, "", modified, documents.kind(path), {"path": path})

    def _hashed(self, hints: Mapping[str, list[str]], now: float) -> Iterator[tuple[Standing, str, str]]:
        """Yield each document, its stamp and its version. A stamp that is too young to trust is empty."""
        for one in self._walked():
            stamp = one.stamp if one.modified < now - FRESH_S else ""
            hint = hints.get(one.place.relative)
            if stamp and hint and hint[0] == stamp:
                yield one, stamp, hint[1]
            elif one.size > self.max_bytes:
                yield one, stamp, f"unread-{one.stamp}"
            elif (data := _read(one.place, self.max_bytes)) is None:
                yield one, "", f"unread-{one.stamp}"
            elif not documents.why_not_by(one.place.relative, data[: documents.HEAD]):
                yield one, stamp, hashlib.sha256(data).hexdigest()

    def _documents(self) -> Iterator[Standing]:
        for one in self._walked():
            head = _head(one.place) if one.size <= self.max_bytes else None
            if head is None or not documents.why_not_by(one.place.relative, head):
                yield one

    def _walked(self) -> Iterator[Standing]:
        """Yield what may be a document, by name.

        Raises:
            SourceDown: the folder is not there.
            Incomplete: a folder in it cannot be read, or it holds more than MAX_FILES.
        """
        start = Place(self.root, ())
        try:
            with opening.folder(start) as handle:
                ignored = tree.ignored_on_the_way(self.root, start)
                for count, one in enumerate(self._below(handle, start, ignored)):
                    if count >= MAX_FILES:
                        raise Incomplete(f"{self.name} has more than {MAX_FILES:,} files")
                    yield one
        except (ToolFailed, ToolRefused) as error:
            raise SourceDown(f"{self.name}: {error}") from None

    def _below(self, handle: int, folder: Place, outer: Ignore) -> Iterator[Standing]:
        ignored = tree.heeding(handle, folder, outer)
        for entry in tree.entries(handle, folder):
            path = entry.place.relative
            if not documents.can_be_said(entry.place.name) or ignored.ignores(
                entry.place.parts, is_folder=entry.kind == "folder"
            ):
                continue
            if entry.kind == "folder":
                if len(entry.place.parts) >= paths.MAX_DEPTH:
                    raise Incomplete(f"{self.name}: {entry.place.shown} lies too deep")
                yield from self._inside(handle, entry.place, ignored)
            elif entry.kind == "file" and not documents.why_not(path):
                with suppress(FileNotFoundError):
                    info = os.stat(entry.place.name, dir_fd=handle, follow_symlinks=False)
                    stamp = f"{info.st_mtime_ns:x}.{info.st_ctime_ns:x}.{info.st_ino:x}.{info.st_size:x}"
                    yield Standing(entry.place, info.st_size, max(info.st_mtime, info.st_ctime), stamp)

    def _inside(self, handle: int, folder: Place, ignored: Ignore) -> Iterator[Standing]:
        try:
            inner = os.open(folder.name, opening.FOLDER, dir_fd=handle)
        except (FileNotFoundError, NotADirectoryError):
            return  # it went meanwhile, or became a link
        except OSError as error:
            raise Incomplete(f"{self.name}: {folder.shown} cannot be read: {error.strerror}") from None
        try:
            yield from self._below(inner, folder, ignored)
        finally:
            os.close(inner)


def _read(place: Place, limit: int) -> bytes | None:
    """Return the content of a file; nothing where it cannot be read now: whoever fetches it is told why."""
    try:
        return opening.read_bytes(place, limit=limit).data
    except (ToolFailed, ToolRefused):
        return None


def _head(place: Place) -> bytes | None:
    try:
        _, blocks = opening.reader(place, limit=2**63)
    except (ToolFailed, ToolRefused):
        return None
    try:
        return next(blocks, b"")[: documents.HEAD]
    finally:
        blocks.close()  # type: ignore[attr-defined]  # a generator


async def _in_threads(source: Iterator[T]) -> AsyncIterator[list[T]]:
    """Yield what a blocking iterator yields, some at a time, from a thread each time."""
    try:
        while batch := await asyncio.to_thread(lambda: list(islice(source, BATCH))):
            yield batch
    finally:
        source.close()  # type: ignore[attr-defined]  # a generator
