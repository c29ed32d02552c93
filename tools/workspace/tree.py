"""Walk the files of a workspace: ignore rules heeded, links not followed, the same order every time."""

import os
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from artel.tools.errors import ToolFailed
from artel.tools.workspace import ignore, opening, paths
from artel.tools.workspace.ignore import Ignore
from artel.tools.workspace.paths import Place

MAX_ENTRIES = 200_000  # looked at in one walk
MAX_SECONDS = 10.0

Kind = Literal["file", "folder", "link", "other"]


@dataclass(frozen=True, slots=True)
class Entry:
    """What stands in a folder."""

    place: Place
    kind: Kind
    size: int
    modified: float = 0.0
    "In seconds since 1970."


@dataclass(slots=True)
class Budget:
    """How much a walk may still do, and why it stopped before its end."""

    entries: int = MAX_ENTRIES
    seconds: float = MAX_SECONDS
    stopped: str = ""
    _began: float = field(default_factory=time.monotonic)

    @property
    def left_s(self) -> float:
        """Seconds left; never negative."""
        return max(self._began + self.seconds - time.monotonic(), 0.0)

    def spend(self, entries: int) -> bool:
        """Take `entries` from the budget; False when it is used up."""
        self.entries -= entries
        if self.entries < 0:
            self.stopped = f"stopped after {MAX_ENTRIES} entries; give a narrower path"
        elif not self.left_s:
            self.stopped = f"stopped after {self.seconds:.0f} s; give a narrower path"
        return not self.stopped


def walk(root: Path, start: Place, budget: Budget) -> Iterator[Entry]:
    """Yield files and links at and below `start`, sorted by path, without what is ignored.

    What is ignored is what git ignores, `ignore.EXCLUDED`, and always `.git` and data folders. A `start`
    inside an ignored folder is walked all the same: who names it means it.
    """
    with opening.folder(start) as handle:
        yield from _walk(handle, start, ignored_on_the_way(root, start), budget)


def entries(handle: int, folder: Place) -> list[Entry]:
    """Return what stands in the open `folder`, sorted by name; `.git` and data folders are not there."""
    with opening.translated(folder), os.scandir(handle) as scanned:
        names = sorted(entry.name for entry in scanned)
    if paths.MARKER in names:
        return []
    found = [_entry(handle, folder.child(name)) for name in names if not paths.is_denied(name)]
    return [entry for entry in found if entry]


def heeding(handle: int, folder: Place, outer: Ignore) -> Ignore:
    """Return what is ignored in the open `folder`, its own ignore file counted in."""
    try:
        rules = opening.read_entry(handle, folder.child(ignore.NAME), limit=ignore.MAX_BYTES).data
    except (ToolFailed, paths.WrongKind, paths.OutsideWorkspace, paths.TooLarge):
        return outer
    return outer.below(folder.parts, rules)


def _walk(handle: int, folder: Place, outer: Ignore, budget: Budget) -> Iterator[Entry]:
    found = entries(handle, folder)
    if not budget.spend(len(found)):
        return
    ignored = heeding(handle, folder, outer)
    for entry in found:
        if ignored.ignores(entry.place.parts, is_folder=entry.kind == "folder"):
            continue
        if entry.kind != "folder":
            yield entry
        elif len(entry.place.parts) < paths.MAX_DEPTH and (inner := _open(handle, entry)) is not None:
            try:
                yield from _walk(inner, entry.place, ignored, budget)
            finally:
                os.close(inner)
        if budget.stopped:
            return


def _open(handle: int, entry: Entry) -> int | None:
    try:
        return os.open(entry.place.name, opening.FOLDER, dir_fd=handle)
    except OSError:
        return None  # gone meanwhile, or not ours to read


def _entry(handle: int, place: Place) -> Entry | None:
    try:
        info = os.stat(place.name, dir_fd=handle, follow_symlinks=False)
    except OSError:
        return None
    kinds: dict[int, Kind] = {stat.S_IFREG: "file", stat.S_IFDIR: "folder", stat.S_IFLNK: "link"}
    return Entry(place, kinds.get(stat.S_IFMT(info.st_mode), "other"), info.st_size, info.st_mtime)


def ignored_on_the_way(root: Path, start: Place) -> Ignore:
    """Collect the ignore files from the workspace down to `start`, its own excepted."""
    ignored = ignore.above(root)
    for depth in range(len(start.parts)):
        folder = Place(start.root, start.parts[:depth])
        with opening.folder(folder) as handle:
            ignored = heeding(handle, folder, ignored)
        if ignored.ignores(start.parts[: depth + 1], is_folder=True):
            ignored = Ignore(())  # nothing in it could be seen otherwise
    return ignored
