"""What was last seen in a workspace: of each file its stat data and the object with its content.

A name here is text of which each character is a byte of the name on disk: so that any name can be JSON.
"""

import os
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import NamedTuple, TypeAlias

import orjson

from artel.tools.snapshots.repository import Repository

VERSION = 1
RACY_NS = 2_000_000_000  # a file that changed so shortly before it was seen may change again unseen
REMEMBERED = 4  # workspaces whose index stays in memory
SAVED_AFTER = 64  # files to look at again, should this process die: writing an index of 10,000 takes as long

Stamp: TypeAlias = tuple[int, int, int]


class Known(NamedTuple):
    """A file or link as it was seen."""

    mode: int
    size: int
    modified_ns: int
    changed_ns: int
    inode: int
    blob: str


@dataclass(slots=True)
class Folder:
    """A folder as it was seen."""

    rules: str
    "Digest of all that said what is ignored in it."
    files: dict[str, Known] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    "Name → tree of those below it that hold something."
    tree: str = ""


@dataclass(slots=True)
class Index:
    """All that was seen, by the paths of folders; the workspace's own is the empty one."""

    tree: str = ""
    seen_ns: int = 0
    "When the look began."
    folders: dict[str, Folder] = field(default_factory=dict)
    stamp: Stamp | None = None
    "Of the file that it, or what it follows from, was read from."
    unsaved: int = 0
    "How many files it knows better than that file."

    @property
    def trusted_ns(self) -> int:
        """A file with the stat data that it had is as it was when they are older than this."""
        return self.seen_ns - RACY_NS

    def file(self, path: str) -> Known | None:
        """Return a file by its path."""
        above, _, name = path.rpartition("/")
        folder = self.folders.get(above)
        return folder.files.get(name) if folder else None


def raw(name: str) -> str:
    """Return a name of the file system as a name of ours."""
    return name if name.isascii() else os.fsencode(name).decode("latin-1")


def on_disk(name: str) -> str:
    """Return a name of ours as a name of the file system."""
    return name if name.isascii() else os.fsdecode(name.encode("latin-1"))


_lock = Lock()
_remembered: dict[Path, Index] = {}  # by the file; what another process has written there since wins


def load(repository: Repository) -> Index:
    """Return what was last seen; nothing if that is not known, or its tree is not kept any more."""
    try:
        stamp = _stamp(repository.index.stat())
        known = _remembered.get(repository.index)
        index = known if known and known.stamp == stamp else _read(repository, stamp)
    except (OSError, ValueError, KeyError, TypeError):
        return Index()
    return index if repository.keeps(index.tree) else Index()


def save(repository: Repository, index: Index) -> None:
    """Remember what was seen; on disk only when much is new."""
    if index.stamp is None or index.unsaved > SAVED_AFTER:
        _write(repository, index)
    with _lock:
        _remembered.pop(repository.index, None)
        _remembered[repository.index] = index
        while len(_remembered) > REMEMBERED:
            _remembered.pop(next(iter(_remembered)))


def _write(repository: Repository, index: Index) -> None:
    folders = {
        path: (folder.rules, folder.tree, folder.folders, {k: tuple(v) for k, v in folder.files.items()})
        for path, folder in index.folders.items()
    }
    given = {"version": VERSION, "tree": index.tree, "seen_ns": index.seen_ns, "folders": folders}
    index.stamp = _stamp(repository.put(repository.index, orjson.dumps(given)))
    index.unsaved = 0


def _stamp(info: os.stat_result) -> Stamp:
    return info.st_ino, info.st_mtime_ns, info.st_size


def _read(repository: Repository, stamp: Stamp) -> Index:
    given = orjson.loads(repository.index.read_bytes())
    if given["version"] != VERSION:
        raise ValueError(f"this is version {given['version']} of the index, not {VERSION}")
    folders = {
        path: Folder(rules, {name: Known(*known) for name, known in files.items()}, folders, tree)
        for path, (rules, tree, folders, files) in given["folders"].items()
    }
    return Index(given["tree"], given["seen_ns"], folders, stamp)
