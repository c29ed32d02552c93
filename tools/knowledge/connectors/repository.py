"""A git repository: the files of one commit as documents, and between two commits only what differs."""

import os
import re
from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.git.errors import GitFailed
from artel.tools.git.remotes import remote_at
from artel.tools.git.repository import Repository, find, find_bare
from artel.tools.git.settings import GitSettings
from artel.tools.knowledge.connectors import documents
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
from artel.tools.workspace.paths import TooLarge, printable
from artel.tools.workspaces import mirrors

MAX_MIRROR = 2 * 1_073_741_824  # bytes
MAX_LIST = 64 * 1_048_576  # bytes of what git lists: half a million paths
MAX_DATED = 5_000  # commits that are asked when a file last changed; older files have no date
PIECE = 16 * 1_048_576  # bytes of contents that are looked at together
CHECKED = 5_000  # objects that are asked about together
GIT_S = 600.0
PLAIN = ("100644", "100755")
COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
ENTRY = re.compile(r":(\d+) (\d+) [0-9a-f]+ ([0-9a-f]+) ([A-Z])\d*")


@dataclass(frozen=True, slots=True)
class File:
    """A file of a commit."""

    path: str
    blob: str
    was: str = ""
    "Its path before, if it was renamed."


@dataclass(frozen=True, slots=True)
class GitRepository:
    """What a branch of a repository holds, by address or by folder.

    An address is fetched into `mirror`, a folder that is kept; a work tree on this machine is read where it
    is, and only what is committed of it. Nothing of a repository is ever run.
    """

    name: str
    at: str
    "URL or absolute folder."
    mirror: Path
    "Where what was fetched is kept; made if need be."
    ref: str = ""
    "Branch, tag or commit; empty: the branch that the remote is on."
    within: str = ""
    "Only files below this folder."
    page: str = ""
    "Address of a file for people, with {path} in it."
    settings: GitSettings = field(default_factory=GitSettings)
    roots: Sequence[Path] = ()
    "Folders below which repositories of this machine may lie."
    max_bytes: int = MAX_ITEM
    max_mirror: int = MAX_MIRROR

    async def changes(self, cursor: Json | None) -> AsyncIterator[Change]:
        """Yield what differs from the commit of the cursor; all, if that commit was never here.

        History that was rewritten makes no difference: the two commits are compared, wherever they stand.
        """
        with _told(self.name):
            found, commit = await self._fetched()
            old = await self._known(found, (cursor or {}).get("commit"))
            if old != commit:
                files, gone = await self._differing(found, old, commit) if old else ([], [])
                files = files if old else await self._all(found, commit)
                dates = await self._dates(found, old, commit)
                fit = {file.path async for file in self._fit(found, files)}
                unfit = [file.path for file in files if file.path not in fit] if old else []
                for path in dict.fromkeys((*gone, *unfit)):
                    if path not in fit:  # another file may have taken its name
                        yield Gone(path)
                for file in files:
                    if file.path in fit:
                        yield self._changed(file, commit, dates)
            yield Cursor({"commit": commit})

    async def listing(self) -> AsyncIterator[str]:
        """Yield the path of each document of the newest commit."""
        with _told(self.name):
            found, commit = await self._fetched()
            async for file in self._fit(found, await self._all(found, commit)):
                yield file.path

    async def fetch(self, id: str) -> Fetched:  # noqa: A002 - the word of the port
        """Return a file of the commit that was fetched last."""
        with _told(self.name):
            found = await to_thread(self._here)
            commit = await self._commit(found)
            ran = await found.git("ls-tree", "-z", "-l", "--full-tree", commit, "--", id, ok=(0, 128))
            for line in ran.out.split(b"\0"):
                about, _, path = os.fsdecode(line).partition("\t")
                if path == id and about.startswith(PLAIN) and not documents.why_not(id):
                    blob, size = about.split()[2:4]
                    return await self._content(found, commit, id, blob, int(size))
        raise ItemGone(f"{self.name} has no file {printable(id)} at {commit[:10]}")

    async def _content(self, found: Repository, commit: str, path: str, blob: str, size: int) -> Fetched:
        if size > self.max_bytes:
            raise TooBig(
                f"{self.name}: {printable(path)} has {size:,} bytes; at most {self.max_bytes:,} are read"
            )
        ran = await found.git("cat-file", "blob", blob, at_most=size)
        about = {"path": path, "commit": commit}
        return Fetched(ran.out, path.rpartition("/")[2], documents.media_type(path), self._page(path), about)

    async def _fetched(self) -> tuple[Repository, str]:
        if await to_thread(self._is_tree):
            found = await to_thread(self._here)
        else:
            remote = await to_thread(remote_at, self.at, self.settings, self.roots)
            found = await mirrors.mirror(remote, self.mirror, self.settings, max_bytes=self.max_mirror)
        return found, await self._commit(found)

    def _is_tree(self) -> bool:
        return Path(self.at).is_absolute() and (Path(self.at) / ".git").exists()

    def _here(self) -> Repository:
        if not self._is_tree():
            return find_bare(self.mirror)
        folder = Path(os.path.realpath(self.at))
        if not any(folder.is_relative_to(os.path.realpath(root)) for root in self.roots):
            raise Refused(f"{self.name}: {folder} is not below a folder where repositories may lie")
        return find(folder)

    async def _commit(self, found: Repository) -> str:
        return await mirrors.commit(found, self.ref)

    async def _known(self, found: Repository, commit: object) -> str:
        if not isinstance(commit, str) or not COMMIT.fullmatch(commit):
            return ""
        return await found.line("rev-parse", "--verify", "--quiet", f"{commit}^{{commit}}", ok=(0, 1, 128))

    async def _all(self, found: Repository, commit: str) -> list[File]:
        ran = await self._list(found, "ls-tree", "-r", "-z", "--full-tree", commit)
        files = []
        for line in ran.split(b"\0"):
            about, _, path = os.fsdecode(line).partition("\t")
            if about.startswith(PLAIN) and self._may_be(path):
                files.append(File(path, about.split()[2]))
        return files

    async def _differing(self, found: Repository, old: str, new: str) -> tuple[list[File], list[str]]:
        """Return the files that are new or other, and the paths at which there is none any more."""
        ran = await self._list(
            *(found, "diff", "--raw", "-z", "--no-abbrev", "--no-ext-diff", "--no-textconv"),
            *("--find-renames", "-l1000", "--ignore-submodules=all", old, new, "--"),
        )
        files, gone = [], []
        parts = iter(os.fsdecode(ran).split("\0"))
        for part in parts:
            if not (entry := ENTRY.fullmatch(part)):
                continue
            _, mode, blob, what = entry.groups()
            path = was = next(parts)
            if what in "RC":
                path = next(parts)
            if what == "R" and self._may_be(was):
                gone.append(was)
            if what != "D" and mode in PLAIN and self._may_be(path):
                files.append(File(path, blob, was if what == "R" else ""))
            elif self._may_be(path):
                gone.append(path)
        return files, gone

    async def _fit(self, found: Repository, files: Sequence[File]) -> AsyncIterator[File]:
        """Yield the files that are documents, by how they begin; too large ones are, for whoever reports."""
        for start in range(0, len(files), CHECKED):
            some = files[start : start + CHECKED]
            asked = "".join(f"{file.blob}\n" for file in some).encode()
            ran = await self._list(found, "cat-file", "--batch-check=%(objectsize)", stdin=asked)
            sizes = [int(line) for line in ran.split()]
            for piece in _pieces(some, sizes, self.max_bytes):
                heads = await self._heads(found, [file for file, size in piece if size <= self.max_bytes])
                for file, _ in piece:
                    if not documents.why_not_by(file.path, heads.get(file.blob, b"x")):
                        yield file

    async def _heads(self, found: Repository, files: Sequence[File]) -> Mapping[str, bytes]:
        asked = "".join(f"{blob}\n" for blob in {file.blob for file in files}).encode()
        if not asked:
            return {}
        out = await self._list(found, "cat-file", "--batch", stdin=asked)
        heads, at = {}, 0
        while at < len(out):
            end = out.index(b"\n", at)
            blob, _, size = out[at:end].decode().split()
            heads[blob] = out[end + 1 : end + 1 + min(int(size), documents.HEAD)]
            at = end + int(size) + 2
        return heads

    async def _dates(self, found: Repository, old: str, new: str) -> Mapping[str, datetime]:
        """Return when each file last changed, as far as the newest commits say."""
        ran = await found.git(
            *("log", "--format=%x00%x00%ct", "--name-only", "-z", "--no-renames", f"--max-count={MAX_DATED}"),
            *("--diff-merges=first-parent", "--end-of-options", f"{old}..{new}" if old else new, "--"),
            at_most=MAX_LIST,
            timeout_s=GIT_S,
        )
        dates: dict[str, datetime] = {}
        for commit in os.fsdecode(ran.out).split("\0\0"):
            when, *paths = commit.replace("\n", "\0", 1).split("\0")
            if when.strip().isdecimal():
                at = datetime.fromtimestamp(int(when), UTC)
                for path in paths:
                    dates.setdefault(path, at)
        return dates

    async def _list(self, found: Repository, *args: str, stdin: bytes = b"") -> bytes:
        ran = await found.git(*args, stdin=stdin, at_most=MAX_LIST, timeout_s=GIT_S)
        if ran.cut:
            raise Incomplete(f"{self.name} has more files than are listed")
        return ran.out

    def _may_be(self, path: str) -> bool:
        within = self.within.strip("/")
        below = not within or path.startswith(f"{within}/")
        return below and documents.can_be_said(path) and not documents.why_not(path)

    def _changed(self, file: File, commit: str, dates: Mapping[str, datetime]) -> Changed:
        about = {"path": file.path, "commit": commit} | ({"renamed_from": file.was} if file.was else {})
        url, kind = self._page(file.path), documents.kind(file.path)
        return Changed(file.path, file.blob, file.path, url, dates.get(file.path), kind, about)

    def _page(self, path: str) -> str:
        return self.page.replace("{path}", quote(path)) if self.page else ""


def _pieces(files: Sequence[File], sizes: Sequence[int], max_bytes: int) -> Iterator[list[tuple[File, int]]]:
    """Yield files with their sizes, so many at a time as may be held together."""
    piece: list[tuple[File, int]] = []
    held = 0
    for file, size in zip(files, sizes, strict=True):
        read = size if size <= max_bytes else 0
        if piece and held + read > PIECE:
            yield piece
            piece, held = [], 0
        piece.append((file, size))
        held += read
    if piece:
        yield piece


@contextmanager
def _told(name: str) -> Iterator[None]:
    """Say what an error of git means for a sync; its words are already without passwords."""
    try:
        yield
    except TooLarge as error:
        raise TooBig(f"{name}: {error}") from None
    except (GitFailed, ToolFailed) as error:
        raise SourceDown(f"{name}: {error}") from None
    except ToolRefused as error:
        raise Refused(f"{name}: {error}") from None
