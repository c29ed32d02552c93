"""Make the folder of a thread: beside its place first, and moved there when it is whole."""

from asyncio import to_thread
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event
from uuid import uuid4

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.git.errors import GitFailed, NoRepository
from artel.tools.git.repository import Repository as Git
from artel.tools.git.repository import find
from artel.tools.snapshots.adopting import adopt
from artel.tools.snapshots.repository import Repository, SnapshotFailed, repository_of
from artel.tools.snapshots.restoring import restore
from artel.tools.snapshots.taking import take
from artel.tools.workspaces.cloning import clone
from artel.tools.workspaces.copying import copy
from artel.tools.workspaces.removing import remove

DRAFT = ".draft-"


@dataclass(frozen=True, slots=True)
class Place:
    """Where the folder of a thread goes, and where its files are kept as they were."""

    path: Path
    snapshots: Path

    @property
    def kept(self) -> Repository:
        """The repository of its snapshots."""
        return repository_of(self.snapshots, self.path)


@dataclass(frozen=True, slots=True)
class Wish:
    """What the folder is to be like."""

    max_bytes: int
    branch: str
    "Of the thread's own, where there is a repository."
    ref: str = ""
    uncommitted: bool = False
    "Whether a checkout has what is not committed in its source, too."
    files: str | None = None
    "A snapshot of the place: its files become these in the end."


@dataclass(frozen=True, slots=True)
class Made:
    """A folder as the thread gets it."""

    base_tree: str | None
    "None: there are too many files to be kept."
    base_commit: str
    bytes: int


async def copied(source: Path, place: Place, wish: Wish) -> Made:
    """Make a copy of a folder, ignored files too; of a repository with what is not committed.

    Raises:
        TooLarge: it has more bytes than wished for.
        UnsafeRepository: its `.git` leads out of it, or would run programs.
        ToolFailed: a file cannot be copied.
    """
    git = await to_thread(_repository, source)
    async with _draft(place) as draft:
        size = await _copy(source, draft, wish.max_bytes, without=(".git",) if git else ())
        commit = ""
        if git:
            made = await clone(
                git, draft, branch=wish.branch, ref=wish.ref, files=False, max_bytes=wish.max_bytes
            )
            commit = made.commit
        return await _settled(draft, place, wish, commit, size)


async def checked_out(source: Git, place: Place, wish: Wish) -> Made:
    """Make a repository with all that `source` holds, checked out on a branch of its own.

    Raises:
        TooLarge, BadName, GitFailed: as for `clone`.
    """
    async with _draft(place) as draft:
        made = await clone(source, draft, branch=wish.branch, ref=wish.ref, max_bytes=wish.max_bytes)
        if not made.commit:
            raise GitFailed(
                f"{source.root} has no commit yet, so there is nothing to check out: commit first"
            )
        if wish.uncommitted and not source.bare:
            await to_thread(_carry, repository_of(place.snapshots, source.root), draft, place)
        return await _settled(draft, place, wish, made.commit, made.bytes)


async def found(place: Place) -> Made:
    """Return what a whole folder is like in which nobody has worked yet.

    Raises:
        UnsafeRepository: its `.git` is not one that we made.
    """
    git = await to_thread(_repository, place.path)
    return Made(await to_thread(_base, place.path, place), await git.head() if git else "", 0)


async def duplicated(source: Place, place: Place, trees: tuple[str, ...], files: str | None) -> None:
    """Copy the folder of one thread for another, with these snapshots; its files become those of `files`.

    Raises:
        ToolFailed: it cannot be copied.
    """
    await to_thread(take_over, source, place, trees)
    async with _draft(place) as draft:
        await _copy(source.path, draft, 1 << 62)
        if files:
            await to_thread(_become, draft, place, files)
        await to_thread(_publish, draft, place.path)


def take_over(source: Place, place: Place, trees: tuple[str, ...]) -> None:
    """Keep those of the snapshots of one place that are still there for another, too."""
    there = tuple(tree for tree in trees if source.kept.keeps(tree))
    if there:
        adopt(source.kept, place.kept, *there)


@asynccontextmanager
async def _draft(place: Place) -> AsyncIterator[Path]:
    draft = place.path.with_name(f"{DRAFT}{place.path.name}-{uuid4().hex[:12]}")
    try:
        await to_thread(draft.mkdir, mode=0o700, parents=True)
        yield draft
    except OSError as error:
        raise ToolFailed(f"{draft.parent} cannot be written: {error.strerror or error}") from error
    finally:
        with suppress(OSError):  # a copy that was stopped may go on for a moment: what is left is tidied up
            await to_thread(remove, draft)


async def _copy(source: Path, draft: Path, max_bytes: int, without: tuple[str, ...] = ()) -> int:
    stop = Event()
    try:
        return await to_thread(copy, source, draft, max_bytes=max_bytes, stop=stop, without=without)
    finally:
        stop.set()


async def _settled(draft: Path, place: Place, wish: Wish, commit: str, size: int) -> Made:
    base = await to_thread(_base, draft, place)
    if wish.files:
        await to_thread(_become, draft, place, wish.files)
    await to_thread(_publish, draft, place.path)
    return Made(base, commit, size)


def _repository(source: Path) -> Git | None:
    try:
        return find(source)
    except NoRepository:
        return None


def _base(draft: Path, place: Place) -> str | None:
    try:
        return take(Repository(draft, place.kept.git_dir))
    except SnapshotFailed:
        return None


def _carry(source: Repository, draft: Path, place: Place) -> None:
    tree = take(source)
    adopt(source, place.kept, tree)
    _become(draft, place, tree)


def _become(draft: Path, place: Place, tree: str) -> None:
    report = restore(Repository(draft, place.kept.git_dir), tree)
    if report.conflicts:
        first = report.conflicts[0]
        raise ToolFailed(f"{first.path} could not be made what it was: {first.reason}")


def _publish(draft: Path, path: Path) -> None:
    """Move a whole folder to its place; the one of somebody who was faster is as good."""
    try:
        draft.rename(path)
    except OSError as error:
        if not path.is_dir():
            raise ToolRefused(f"{path} cannot be made: {error.strerror}") from error
