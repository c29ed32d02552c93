"""One change to one file: planned when asked, applied once, recognised when it is already there."""

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from artel.tools.errors import ToolFailed
from artel.tools.workspace import opening, paths
from artel.tools.workspace.opening import Found, folder, translated
from artel.tools.workspace.paths import NoSuchFile, Place
from artel.tools.workspace.read import MAX_FILE_BYTES

Applied = Literal["written", "already there"]
TEMPORARY = re.compile(r"\.artel-[0-9a-f]{16}\.tmp")
REPORTED_DIFF = 4_000  # characters: the model knows what it asked for

CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Stale(ToolFailed):
    """The file is no longer what the change was planned for."""

    code = "file_changed"


@dataclass(frozen=True, slots=True)
class Change:
    """What a file would become."""

    path: str
    before_sha: str | None
    "sha256 of the file as it was when planned; None: there was none."
    after: bytes = field(repr=False)
    diff: str = field(repr=False)
    strategy: str
    "How the place was found, in words for people."
    problems: tuple[str, ...] = ()
    "Syntax errors and invisible characters that it brings in, for the model and for the person asked."
    whole: bool = False
    "Whether the model gave the whole content, and so knows it."

    @property
    def after_sha(self) -> str:
        """Digest of the file once the change is made."""
        return hashlib.sha256(self.after).hexdigest()

    @property
    def intent(self) -> dict[str, str | None]:
        """What is noted before the change is made: enough to tell afterwards whether it was."""
        return {"path": self.path, "before_sha": self.before_sha, "after_sha": self.after_sha}


def current_sha(root: Path, path: str) -> str | None:
    """Return the sha256 of the file as it is now; None: there is none."""
    try:
        found = opening.read_bytes(paths.resolve(root, path), limit=MAX_FILE_BYTES)
    except NoSuchFile:
        return None
    return hashlib.sha256(found.data).hexdigest()


def apply(root: Path, change: Change) -> Applied:
    """Write the change durably and whole, or find that it is already there.

    The file keeps its mode, and its owner where we may give it. Missing folders are made.

    Raises:
        Stale: the file is neither as it was when planned nor as it would become; nothing is written.
        OutsideWorkspace: a folder on the way became a link.
    """
    place = paths.resolve(root, change.path)
    if place.relative != change.path:
        raise Stale(f"{change.path} now leads to {place.relative}; nothing was written")
    with folder(place.parent, make=change.before_sha is None) as parent:
        _lock(parent)
        now = _found(parent, place)
        sha = hashlib.sha256(now.data).hexdigest() if now else None
        if sha == change.after_sha:
            return "already there"
        if sha != change.before_sha:
            raise Stale(
                f"{change.path} {_became(change.before_sha, sha)}; nothing was written, read it again"
            )
        _replace(parent, place, change.after, now)
    return "written"


def report(change: Change, applied: Applied) -> str:
    """Return what the model is told."""
    shown = change.diff
    if len(shown) > REPORTED_DIFF:
        shown = (
            f"{shown[: shown.rindex(chr(10), 0, REPORTED_DIFF) + 1]}… {len(change.diff)} characters in all\n"
        )
    verb = "Created" if change.before_sha is None else "Changed"
    done = (
        f"{verb} {change.path} ({change.strategy})."
        if applied == "written"
        else f"{change.path} already is so."
    )
    noted = "".join(f"\n- {problem}" for problem in change.problems)
    warning = f"\nNew problems, unless more edits follow:{noted}" if noted else ""
    return f"{done}{warning}\n{shown}"


def _found(parent: int, place: Place) -> Found | None:
    try:
        return opening.read_entry(parent, place, limit=MAX_FILE_BYTES)
    except NoSuchFile:
        return None


def _became(before: str | None, now: str | None) -> str:
    if before is None:
        return "was created by somebody else meanwhile"
    return "was deleted meanwhile" if now is None else "was changed by somebody else meanwhile"


def _lock(parent: int) -> None:
    """Let one writer of Artel's into a folder at a time, over all processes, until it is closed.

    What a writer that was killed left there is then nobody's, and removed.
    """
    try:
        fcntl.flock(parent, fcntl.LOCK_EX)
    except OSError:
        return  # some network file systems have no locks; the sha is still compared
    with os.scandir(parent) as scanned:
        left = [entry.name for entry in scanned if TEMPORARY.fullmatch(entry.name)]
    for name in left:
        with contextlib.suppress(OSError):
            os.unlink(name, dir_fd=parent)


def _replace(parent: int, place: Place, data: bytes, now: Found | None) -> None:
    """Put `data` at `place` in one step: at every instant the file is the old one or the new one."""
    temporary = f".artel-{secrets.token_hex(8)}.tmp"
    with translated(place):
        handle = os.open(temporary, CREATE, 0o666, dir_fd=parent)
        try:
            try:
                _write(handle, data, now)
            finally:
                os.close(handle)
            if now is None:
                os.link(
                    temporary, place.name, src_dir_fd=parent, dst_dir_fd=parent
                )  # unlike rename, never over another
            else:
                os.rename(temporary, place.name, src_dir_fd=parent, dst_dir_fd=parent)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary, dir_fd=parent)
        os.fsync(parent)


def _write(handle: int, data: bytes, now: Found | None) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(handle, view) :]
    if now is not None:
        with contextlib.suppress(PermissionError):
            os.fchown(handle, now.uid, now.gid)
        os.fchmod(handle, now.mode)
    os.fsync(handle)
