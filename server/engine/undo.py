"""Undo: files become what they were before one change, a run, or all since; that is itself a change."""

import asyncio
from asyncio import to_thread
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias
from uuid import UUID

import structlog

from artel.server.engine.dispatch import ThreadBusy
from artel.server.engine.engine import Engine
from artel.server.engine.retention import FIRST_S
from artel.storage import runs, snapshots, threads, workspaces
from artel.storage.errors import Conflict, Invalid, Unavailable
from artel.storage.postgres import Connection
from artel.storage.snapshots import RESTORE, UNDO, Change, UnknownChange
from artel.storage.threads import UnknownThread
from artel.tools.snapshots import retention, trees
from artel.tools.snapshots.index import Index
from artel.tools.snapshots.repository import Repository, repository_of
from artel.tools.snapshots.restoring import Report, Revert, put_back
from artel.tools.snapshots.taking import look
from artel.tools.snapshots.trees import shown
from artel.tools.snapshots.undoing import Step, reverts_of, reverts_to
from artel.tools.workspace.paths import resolve_workspace

PRUNE_S = 3_600.0
MAX_SHOWN = 20  # paths in an error

log = structlog.get_logger(__name__)


class NotKept(Conflict):
    """The files before the change could not be kept, so it cannot be undone."""

    code = "not_kept"


class SeveralFolders(Conflict):
    """The changes were made in several folders; they are undone one by one."""

    code = "several_folders"


@dataclass(frozen=True, slots=True)
class Since:
    """A change and all after it."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class Only:
    """One change."""

    change_id: UUID


@dataclass(frozen=True, slots=True)
class OfRun:
    """All changes of a run."""

    run_id: UUID


Choice: TypeAlias = Since | Only | OfRun


@dataclass(frozen=True, slots=True)
class Undone:
    """What came of an undo; `change_id` is that of the undo itself, None when it changed nothing."""

    change_id: UUID | None
    report: Report
    problems: tuple[str, ...] = ()
    "Why some of the changes could not be kept, and so not be undone."


async def undo(
    engine: Engine,
    thread_id: UUID,
    choice: Choice,
    *,
    paths: Collection[str] = (),
    owner: str,
    allowed: str | None,
    force: bool,
) -> Undone:
    """Make the files what they were before the chosen changes, as far as nobody else has changed them.

    With `paths` only those of them; the changes themselves then stand.

    Raises:
        UnknownThread, UnknownChange: there is none.
        Invalid: the changes have not touched one of `paths`.
        ThreadBusy: a run is pending or running on the thread.
        NotKept, SeveralFolders, SnapshotGone: it cannot be undone; nothing was changed.
    """
    async with quiet(engine, thread_id, owner=owner, allowed=allowed) as conn:
        found = await _chosen(conn, thread_id, choice)
        chosen = _undoable(found)
        repository = await to_thread(_repository, engine, chosen, await _own(conn, thread_id, owner))
        steps = [Step(str(change.before), change.after) for change in chosen]
        done = [] if paths else [change.change_id for change in chosen]

        def reverts(now: Index) -> list[Revert]:
            return _only(reverts_of(repository, steps, now.tree), paths)

        undone = await _put_back(
            engine, thread_id, repository, reverts, steps[0].before, tool=UNDO, undoes=done, force=force
        )
    return replace(undone, problems=tuple(change.problem for change in found if change.problem))


async def restore_at(
    engine: Engine, thread_id: UUID, checkpoint_id: str, *, owner: str, allowed: str | None, force: bool
) -> Undone | None:
    """Make the files what they were at a checkpoint of the thread; None when no change tells.

    Raises:
        UnknownThread: there is none.
        ThreadBusy: a run is pending or running on the thread.
        SnapshotGone: the files as they were then are kept no longer.
    """
    async with quiet(engine, thread_id, owner=owner, allowed=allowed) as conn:
        found = await snapshots.at(conn, thread_id, checkpoint_id)
        if found is None:
            return None
        change, tree = found
        repository = await to_thread(_repository, engine, [change], await _own(conn, thread_id, owner))
        later = await snapshots.since(conn, change.workspace, change.change_id, owner=owner)
        steps = [Step(str(one.before), one.after) for one in later]

        def reverts(now: Index) -> list[Revert]:
            return reverts_to(repository, tree, steps, now.tree)

        return await _put_back(engine, thread_id, repository, reverts, tree, tool=RESTORE, force=force)


async def difference(engine: Engine, change: Change) -> str:
    """Return the unified diff of a change; empty while it has no end.

    Raises:
        SnapshotGone: its files are kept no longer.
    """
    if change.before is None or change.after is None:
        return ""
    repository = repository_of(_home(engine), Path(change.workspace))
    return await to_thread(trees.diff, repository, change.before, change.after)


def undone(changes: Sequence[Change]) -> set[UUID]:
    """Return which of `changes`, newest first, stand undone; an undo that was undone counts for nothing."""
    found: set[UUID] = set()
    for change in changes:
        if change.change_id not in found and change.after is not None:
            found.update(change.undoes)
    return found


async def keep_pruning(engine: Engine) -> None:
    """Let go of snapshots whose time is over, again and again, until cancelled."""
    older_than_s = engine.settings.snapshot_ttl_h * 3_600
    await asyncio.sleep(FIRST_S)
    while not engine.draining:
        try:
            async with engine.db.connection() as conn:
                await snapshots.prune(conn, older_than_s)
            if engine.handles is not None and (gone := await to_thread(_prune, engine, older_than_s)):
                log.info("let go of old snapshots", trees=gone)
        except Unavailable as away:
            log.debug("cannot let go of old snapshots", reason=str(away))
        await asyncio.sleep(PRUNE_S)


def _prune(engine: Engine, older_than_s: float) -> int:
    return retention.prune(_home(engine), older_than_s)


@asynccontextmanager
async def quiet(
    engine: Engine, thread_id: UUID, *, owner: str, allowed: str | None
) -> AsyncIterator[Connection]:
    """Hold a thread on which nothing runs: no run begins there until this ends."""
    async with engine.db.transaction() as conn:
        if await threads.lock(conn, thread_id, owner=owner, allowed=allowed) is None:
            raise UnknownThread(f"no thread {thread_id}")
        if await runs.active(conn, thread_id):
            raise ThreadBusy(f"a run is pending or running on thread {thread_id}: wait for it, or cancel it")
        yield conn


async def _chosen(conn: Connection, thread_id: UUID, choice: Choice) -> list[Change]:
    """Return what was chosen, the oldest first."""
    match choice:
        case Only(change_id):
            return [await snapshots.get(conn, thread_id, change_id)]
        case Since(change_id):
            await snapshots.get(conn, thread_id, change_id)
            return (await snapshots.of_thread(conn, thread_id, since=change_id))[::-1]
        case OfRun(run_id):
            found = _of_run(await snapshots.of_thread(conn, thread_id), run_id)
            if not found:
                raise UnknownChange(f"run {run_id} changed no files on thread {thread_id}")
            return found[::-1]


def _undoable(changes: Sequence[Change]) -> list[Change]:
    """Return those before which the files were kept; an undo of ours that was broken off left no doubt."""
    found = [one for one in changes if one.before and (one.after or not one.is_ours)]
    if not found:
        raise NotKept(f"the files before it were not kept: {changes[0].problem or 'it was broken off'}")
    return found


def _only(reverts: list[Revert], paths: Collection[str]) -> list[Revert]:
    """Return those of the named files; all without a name."""
    touched = {shown(one.path) for one in reverts}
    if strange := [path for path in paths if path not in touched]:
        known = ", ".join(sorted(touched)[:MAX_SHOWN]) or "none"
        raise Invalid(f"paths: these changes did not touch {strange[0][:200]!r}; they touched {known}")
    return [one for one in reverts if not paths or shown(one.path) in paths]


def _of_run(changes: Sequence[Change], run_id: UUID) -> list[Change]:
    """Return the changes of a run, and what took only those back."""
    own = {change.change_id for change in changes if change.run_id == run_id}
    while True:
        more = {one.change_id for one in changes if one.undoes and own >= set(one.undoes)} - own
        if not more:
            return [change for change in changes if change.change_id in own]
        own |= more


async def _own(conn: Connection, thread_id: UUID, owner: str) -> tuple[Path, ...]:
    """Return the folder that was made for a thread, if one was: no allowed root leads there."""
    folder = await workspaces.of_thread(conn, thread_id, owner=owner)
    return (Path(folder.path),) if folder and folder.own else ()


def _repository(engine: Engine, changes: Sequence[Change], own: tuple[Path, ...]) -> Repository:
    folders = sorted({change.workspace for change in changes})
    if len(folders) > 1:
        raise SeveralFolders(f"these changes were made in {', '.join(folders)}: undo them one by one")
    home = _home(engine)
    return repository_of(home, resolve_workspace(folders[0], (*engine.handles.roots, *own)))


def _home(engine: Engine) -> Path:
    if engine.handles is None:
        raise NotKept("this server keeps no files: it does not run our agents")
    home: Path = engine.handles.snapshot_home
    return home


async def _put_back(
    engine: Engine,
    thread_id: UUID,
    repository: Repository,
    reverts: Callable[[Index], list[Revert]],
    target: str,
    *,
    tool: str,
    undoes: Sequence[UUID] = (),
    force: bool,
) -> Undone:
    """Put files back, as a change of its own that is written before it begins."""
    now = await to_thread(look, repository)
    wanted = await to_thread(reverts, now)
    async with engine.db.connection() as conn:
        change_id = await snapshots.add(
            conn, thread_id, tool=tool, workspace=str(repository.root), before=now.tree, undoes=undoes
        )
    report = await to_thread(put_back, repository, wanted, target, force=force, now=now)
    async with engine.db.connection() as conn:
        if not report.changed:
            await snapshots.forget(conn, change_id)
            return Undone(None, report)
        changed = [{"path": one.path, "kind": one.kind} for one in report.changed]
        await snapshots.finish(conn, change_id, report.after, changed)
    return Undone(change_id, report)
