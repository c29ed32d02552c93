"""Give files back as they were: path by path, only those that differ, and none that somebody else changed."""

import stat
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.snapshots import disk
from artel.tools.snapshots.grafting import graft
from artel.tools.snapshots.index import Index
from artel.tools.snapshots.repository import Repository, opened
from artel.tools.snapshots.taking import look
from artel.tools.snapshots.trees import (
    LINK,
    PLAIN,
    Changed,
    Entry,
    State,
    about_of,
    differences,
    git_mode,
    kind_of,
    shown,
)
from artel.tools.workspace.ignore import NAME
from artel.tools.workspace.paths import Place

AT_ONCE = 16  # files whose content is held in memory

SOMEBODY = "somebody else has changed it since"


@dataclass(frozen=True, slots=True)
class Revert:
    """What a file is to become again."""

    path: str
    to: State
    known: frozenset[State]
    "What it may be now; anything else is somebody else's work."
    doubt: str = ""
    "Why it is left alone unless forced."
    never: str = ""
    "Why it is left alone even then."


@dataclass(frozen=True, slots=True)
class Conflict:
    """A file that was left alone, and why."""

    path: str
    reason: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a restore did."""

    before: str
    after: str
    "Trees; the same when nothing was changed."
    changed: tuple[Changed, ...] = ()
    conflicts: tuple[Conflict, ...] = ()


@dataclass(slots=True)
class _Work:
    repository: Repository
    folders: Collection[str]
    "Those that the tree we go back to has: they stay, even empty."
    done: dict[str, Changed] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)

    def try_(self, path: str, was: State, to: State, act: Callable[[Place], None]) -> None:
        """Do something with a file, or note why it was left alone."""
        try:
            act(disk.place_of(Place(self.repository.root, ()), path))
        except (ToolFailed, ToolRefused) as error:
            self.conflicts.append(Conflict(shown(path), str(error)))
        except OSError as error:
            self.conflicts.append(Conflict(shown(path), error.strerror or str(error)))
        else:
            self.done[path] = Changed(shown(path), kind_of(was, to))


def restore(repository: Repository, tree: str, paths: Collection[str] | None = None) -> Report:
    """Make the files what they are in `tree`: all of them, or those at `paths`.

    A snapshot is taken first: `Report.before` leads back. Files that are ignored or too large to be kept are
    never touched.

    Raises:
        SnapshotGone: the tree is not here any more.
        SnapshotFailed: the files as they are now cannot be kept, so nothing was changed.
    """
    now = look(repository)
    (about,) = about_of(repository, tree)
    reverts = [
        Revert(path, to, frozenset({was}), never=_never(path, to, about.unkept))
        for path, (was, to) in differences(repository, now.tree, tree).items()
        if paths is None or path in paths
    ]
    return put_back(repository, reverts, tree, now=now)


def put_back(
    repository: Repository,
    reverts: Sequence[Revert],
    target: str,
    *,
    force: bool = False,
    now: Index | None = None,
) -> Report:
    """Make each file what it is to become again, and name those that were left alone.

    `target` is the tree that says which folders were there: others are removed when they become empty.
    `force` overwrites the work of others; what stood there is in `Report.before` all the same.

    Raises:
        SnapshotGone: the target is not here any more.
        SnapshotFailed: the files as they are now cannot be kept, so nothing was changed.
    """
    now = now or look(repository)
    with opened(repository):
        repository.check(target)
        work = _Work(repository, _folders_of(repository, target))
        todo = list(_due(work, reverts, now, force=force))
        rules = [one for one in todo if one[0].to and _is_rules(one[0].path, now)]
        _write(work, rules)  # first, so that what was ignored is seen to be so
        for revert, was in sorted(todo, key=lambda one: one[0].path, reverse=True):
            if revert.to is None and was is not None:
                work.try_(revert.path, was, None, lambda place, was=was: disk.remove(place, was))  # type: ignore[misc]
        _sweep(work)
        _write(work, [one for one in todo if one[0].to and one not in rules])
        after = graft(repository, now.tree, work.done) if work.done else now.tree
    return Report(now.tree, after, tuple(work.done.values()), tuple(work.conflicts))


def state_of(index: Index, path: str) -> State:
    """Return a file as it was seen."""
    known = index.file(path)
    if known is None:
        return None
    if stat.S_ISLNK(known.mode):
        return Entry(LINK, known.blob, PLAIN[LINK])
    return Entry(git_mode(known.mode), known.blob, known.mode & 0o777)


def _never(path: str, to: State, unkept: Collection[str]) -> str:
    return "it was there, but too large to be kept" if to is None and path in unkept else ""


def _due(
    work: _Work, reverts: Sequence[Revert], now: Index, *, force: bool
) -> Iterator[tuple[Revert, State]]:
    for revert in reverts:
        was = state_of(now, revert.path)
        if was == revert.to:
            continue
        doubt = revert.doubt or ("" if was in revert.known else SOMEBODY)
        if reason := revert.never or ("" if force else doubt):
            work.conflicts.append(Conflict(shown(revert.path), reason))
        else:
            yield revert, was


def _is_rules(path: str, now: Index) -> bool:
    """Say whether it is an ignore file that can be written before anything is removed."""
    above, _, name = path.rpartition("/")
    return name == NAME and above in now.folders


def _write(work: _Work, todo: Sequence[tuple[Revert, State]]) -> None:
    ordered = sorted(todo, key=lambda one: one[0].path)
    for at in range(0, len(ordered), AT_ONCE):
        part = ordered[at : at + AT_ONCE]
        contents = work.repository.read([one.to.blob for one, _ in part if one.to])
        for (revert, was), content in zip(part, contents, strict=True):
            _write_one(work, revert, was, content)


def _write_one(work: _Work, revert: Revert, was: State, content: bytes) -> None:
    to = revert.to
    if to is None:
        raise AssertionError(f"{revert.path} is to be removed, not written")
    work.try_(revert.path, was, to, lambda place: disk.write(place, was, to, content))


def _sweep(work: _Work) -> None:
    """Remove the folders that have become empty, unless they were there in the tree we go back to."""
    above = {path[:at] for path in work.done for at, char in enumerate(path) if char == "/"}
    root = Place(work.repository.root, ())
    for folder in sorted(above, reverse=True):
        if folder not in work.folders:
            disk.remove_folder(disk.place_of(root, folder))


def _folders_of(repository: Repository, tree: str) -> set[str]:
    (about,) = about_of(repository, tree)
    listed = repository.git("ls-tree", "-r", "-d", "-z", "--name-only", f"{tree}:files").decode("latin-1")
    return {*filter(None, listed.split("\0")), *about.bare}
