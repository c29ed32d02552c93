"""Take a snapshot: look at every file that is not ignored, and store what is new.

What has the stat data that it had is not read again. Ignored is what the other tools leave out of lists and
searches. Files over MAX_FILE_BYTES, and what is neither file nor link, are noted but not kept.
"""

import os
import stat
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.snapshots import index as indexes
from artel.tools.snapshots.index import Folder, Index, Known, raw
from artel.tools.snapshots.repository import Repository, SnapshotFailed, Writer, name_of, opened
from artel.tools.snapshots.trees import FILE, LINK, PLAIN, PROGRAM, About, git_mode, write_top, write_tree
from artel.tools.workspace import ignore, opening, paths, tree
from artel.tools.workspace.ignore import Ignore, Layer
from artel.tools.workspace.paths import NoSuchFile, Place
from artel.tools.workspace.read import MAX_FILE_BYTES

MAX_FILES = 100_000
MAX_NEW_BYTES = 2 * 1024**3  # read in one take
AGAIN_S = 600.0  # so long a workspace that was too large is not looked through again

_PLAIN = frozenset(PLAIN[mode] for mode in (FILE, PROGRAM))
_refused: dict[Path, tuple[float, str]] = {}


class TooManyFiles(SnapshotFailed):
    """The workspace is too large to be kept."""

    code = "too_many_files"


def take(repository: Repository) -> str:
    """Keep the files of the workspace as they are now, and return the tree: the same for the same files.

    Raises:
        SnapshotFailed: it cannot be kept; the message says why. Nothing in the workspace was touched.
    """
    return look(repository).tree


def look(repository: Repository) -> Index:
    """Keep the files as they are now, and return what was seen.

    Raises:
        SnapshotFailed: it cannot be kept; the message says why.
    """
    until, reason = _refused.get(repository.root, (0.0, ""))
    if time.monotonic() < until:
        raise TooManyFiles(reason)
    try:
        with opened(repository):
            return _look(repository)
    except TooManyFiles as error:
        _refused[repository.root] = (time.monotonic() + AGAIN_S, str(error))
        raise
    except (ToolRefused, ToolFailed) as error:
        if isinstance(error, SnapshotFailed):
            raise
        raise SnapshotFailed(f"the files of {repository.root} cannot be kept: {error}") from error


def _look(repository: Repository) -> Index:
    old = indexes.load(repository)
    taking = _Taking(repository, old, Index(seen_ns=time.time_ns()))
    place = Place(repository.root, ())
    with opening.folder(place) as handle:
        above = ignore.above(repository.root)
        top = taking.folder(handle, place, "", above, _digest("", "", above.layers))
    new = taking.new
    if top is None or not top.tree:
        new.folders[""] = top = top or Folder("")
        top.tree = write_tree(taking.writer, {}, {})
    about = About(taking.permissions, frozenset(taking.bare), frozenset(taking.unkept))
    new.tree = write_top(taking.writer, top.tree, about)
    taking.writer.flush()
    repository.keep(new.tree)
    if taking.looked or new.tree != old.tree:
        new.stamp, new.unsaved = old.stamp, old.unsaved + taking.looked
        indexes.save(repository, new)
    return new


@dataclass(slots=True)
class _Taking:
    """One look through a workspace."""

    repository: Repository
    old: Index
    new: Index
    writer: Writer = field(init=False)
    permissions: dict[str, int] = field(default_factory=dict)
    bare: set[str] = field(default_factory=set)
    unkept: set[str] = field(default_factory=set)
    files: int = 0
    looked: int = 0
    "Files that were not trusted to be as they were."
    read: int = 0
    "Bytes."

    def __post_init__(self) -> None:
        self.writer = Writer(self.repository)

    def folder(self, handle: int, place: Place, path: str, outer: Ignore, digest: str) -> Folder | None:
        """Look through an open folder; None: it is nobody's business."""
        with opening.translated(place), os.scandir(handle) as scanned:
            entries = list(scanned)
        self.files += len(entries)
        if self.files > MAX_FILES:
            raise TooManyFiles(
                f"{self.repository.root} has more than {MAX_FILES} files, so they are not kept"
                ": work in a folder below it, or name what is not yours in .gitignore"
            )
        names = {entry.name for entry in entries}
        if paths.MARKER in names:
            return None
        if ignore.NAME in names:
            outer, digest = _heeding(handle, place, path, outer, digest)
        old = self.old.folders.get(path)
        if old is not None and old.rules != digest:
            old = None
        new = self.new.folders[path] = Folder(digest)
        here = _Here(handle, place, f"{path}/" if path else "", outer, old, new)
        self._fill(here, entries)
        self._finish(path, old, new)
        return new

    def _fill(self, here: "_Here", entries: Sequence["os.DirEntry[str]"]) -> None:
        """Look at each entry; most are files that are as they were, and cost as little as can be."""
        before, after, trusted_ns = here.old.files if here.old else {}, here.new.files, self.old.trusted_ns
        for entry in entries:
            try:
                info = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone meanwhile
            name = entry.name if entry.name.isascii() else raw(entry.name)
            known = before.get(name)
            if (
                known is not None
                and known.changed_ns == info.st_ctime_ns < trusted_ns
                and known.modified_ns == info.st_mtime_ns < trusted_ns
                and (known.size, known.mode, known.inode) == (info.st_size, info.st_mode, info.st_ino)
            ):
                after[name] = known
            else:
                known = self._met(here, entry.name, name, info, known)
            if known is not None and known.mode & 0o777 not in _PLAIN and not stat.S_ISLNK(known.mode):
                self.permissions[here.prefix + name] = known.mode & 0o777

    def _met(
        self, here: "_Here", disk_name: str, name: str, info: os.stat_result, known: Known | None
    ) -> Known | None:
        """Look at what is new, or changed, or a folder; return the file that it is."""
        if paths.is_denied(disk_name):
            return None
        place, is_folder = here.place.child(disk_name), stat.S_ISDIR(info.st_mode)
        trusted = name in here.old.folders if here.old and is_folder else known is not None
        if not trusted and here.ignored.ignores(place.parts, is_folder=is_folder):
            return None
        if is_folder:
            self._enter(here, place, name)
            return None
        path, is_link = here.prefix + name, stat.S_ISLNK(info.st_mode)
        if not is_link and (not stat.S_ISREG(info.st_mode) or info.st_size > MAX_FILE_BYTES):
            self.unkept.add(path)
            return None
        content = _link(here.handle, disk_name) if is_link else self._content(here.handle, place, path)
        if content is None:
            return None
        blob = self._blob(content, known)
        self.looked += 1
        stamps = (info.st_mode, info.st_size, info.st_mtime_ns, info.st_ctime_ns, info.st_ino)
        found = here.new.files[name] = Known(*stamps, blob)
        return found

    def _enter(self, here: "_Here", place: Place, name: str) -> None:
        if len(place.parts) >= paths.MAX_DEPTH:
            return
        try:
            inner = os.open(place.name, opening.FOLDER, dir_fd=here.handle)
        except OSError:
            return  # gone meanwhile, or not ours to read
        try:
            found = self.folder(inner, place, here.prefix + name, here.ignored, here.new.rules)
        finally:
            os.close(inner)
        if found is not None and found.tree:
            here.new.folders[name] = found.tree

    def _content(self, handle: int, place: Place, path: str) -> bytes | None:
        try:
            content = opening.read_entry(handle, place, limit=MAX_FILE_BYTES).data
        except NoSuchFile:
            return None  # gone meanwhile
        except (ToolFailed, ToolRefused):
            self.unkept.add(path)  # swapped meanwhile, or not ours to read
            return None
        self.read += len(content)
        if self.read > MAX_NEW_BYTES:
            raise TooManyFiles(
                f"{self.repository.root} has more than {MAX_NEW_BYTES // 1024**3} GB of files, "
                "so they are not kept: name what is large and not yours in .gitignore"
            )
        return content

    def _blob(self, content: bytes, known: Known | None) -> str:
        if known is not None and known.blob == name_of("blob", content):
            return known.blob  # the tree of the index holds it
        return self.writer.add("blob", content)

    def _finish(self, path: str, old: Folder | None, new: Folder) -> None:
        if not new.files and not new.folders:
            if path:
                self.bare.add(path)
            return
        if old is not None and _is_same(old, new):
            new.tree = old.tree
            return
        files = {
            name: (LINK if stat.S_ISLNK(known.mode) else git_mode(known.mode), known.blob)
            for name, known in new.files.items()
        }
        new.tree = write_tree(self.writer, files, new.folders)


@dataclass(slots=True)
class _Here:
    """A folder that is looked through."""

    handle: int
    place: Place
    prefix: str
    ignored: Ignore
    old: Folder | None
    new: Folder


def _is_same(old: Folder, new: Folder) -> bool:
    if not old.tree or old.folders != new.folders or old.files.keys() != new.files.keys():
        return False
    return all(
        known is (was := old.files[name]) or (known.blob, known.mode) == (was.blob, was.mode)
        for name, known in new.files.items()
    )


def _heeding(handle: int, place: Place, path: str, outer: Ignore, digest: str) -> tuple[Ignore, str]:
    """Return what is ignored in a folder with an ignore file, and a digest of all that says so."""
    ignored = tree.heeding(handle, place, outer)
    if ignored is outer:
        return outer, digest
    return ignored, _digest(digest, path, ignored.layers[:1])


def _digest(outer: str, path: str, layers: Sequence[Layer]) -> str:
    said = [
        (
            layer.prefix,
            [(rule.pattern, rule.anchored, rule.folders_only, rule.ignored) for rule in layer.rules],
        )
        for layer in layers
    ]
    return sha256(f"{outer} {path!r} {said!r}".encode("utf-8", "backslashreplace")).hexdigest()


def _link(handle: int, name: str) -> bytes | None:
    try:
        return os.fsencode(os.readlink(name, dir_fd=handle))
    except OSError:
        return None  # gone or swapped meanwhile
