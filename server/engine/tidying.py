"""Removes folders of threads: of those that went away, and of those that nobody has used for long.

Only what lies where we make them is looked at, so that no folder of anybody else's is ever removed.
"""

import asyncio
import time
from asyncio import to_thread
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog

from artel.server.engine.engine import Engine
from artel.server.engine.retention import FIRST_S
from artel.server.engine.workspaces import mirror_home, mirror_name
from artel.storage import workspaces
from artel.storage.errors import Unavailable
from artel.tools.snapshots.repository import SnapshotFailed, repository_of
from artel.tools.snapshots.taking import take
from artel.tools.workspaces.making import DRAFT
from artel.tools.workspaces.removing import GONE, remove, take_away

TIDY_S = 600.0
LEFT_S = 86_400.0  # drafts so old were left by somebody who was killed

log = structlog.get_logger(__name__)


async def keep_tidying(engine: Engine) -> None:
    """Tidy now and then, and soon after a thread went away, until cancelled."""
    await asyncio.sleep(FIRST_S)
    while not engine.draining:
        engine.folders_left.clear()
        try:
            if done := await tidy(engine):
                log.info("removed folders of threads", folders=done)
        except Unavailable as away:
            log.debug("cannot look for folders that nobody needs", reason=str(away))
        with suppress(TimeoutError):
            async with asyncio.timeout(TIDY_S):
                await engine.folders_left.wait()


async def tidy(engine: Engine) -> int:
    """Remove what nobody needs of the folders on this machine; return how many."""
    home: Path | None = engine.handles.thread_home if engine.handles else None
    if home is None:
        return 0
    folders, left = await to_thread(_look, home)
    done = await _each(remove, left)
    async with engine.db.connection() as conn:
        wanted = await workspaces.wanted(conn, [str(folder) for folder in folders])
    await _park(engine, wanted)
    for folder in folders:
        if str(folder) not in wanted and (gone := await _taken_away(engine, folder)):
            done += await _each(remove, [gone])
    return done + await _drop_mirrors(engine, mirror_home(home))


async def _drop_mirrors(engine: Engine, home: Path) -> int:
    """Remove mirrors of repositories that nobody has registered any more."""
    found = await to_thread(_mirrors, home)
    async with engine.db.connection() as conn:
        wanted = {mirror_name(one) for one in await workspaces.of_remotes(conn)} if found else set()
    return await _each(_remove, [folder for folder in found if folder.name not in wanted])


async def _park(engine: Engine, wanted: set[str]) -> None:
    """Give up folders that are unused for long; a snapshot keeps their files as long as any other does."""
    seconds, paths = engine.handles.workspaces.ttl_h * 3_600, set(wanted)
    while paths:
        async with engine.db.transaction() as conn:
            folder = await workspaces.unused(conn, paths, seconds)
            if folder is None:
                return
            paths.discard(folder.path)
            repository = repository_of(engine.handles.snapshot_home, Path(folder.path))
            try:
                tree = await to_thread(take, repository)
            except SnapshotFailed as error:
                log.warning("a folder stays: its files cannot be kept", folder=folder.path, reason=str(error))
                continue
            await workspaces.gone(conn, folder.thread_id, tree)
        wanted.discard(folder.path)


async def _taken_away(engine: Engine, folder: Path) -> Path | None:
    """Rename a folder that is nobody's, or was given up: not while a run is about to take it again."""
    async with engine.db.transaction() as conn:
        if await workspaces.is_free(conn, str(folder)):
            return await to_thread(take_away, folder)
    return None


async def _each(act: Callable[[Path], object], folders: list[Path]) -> int:
    done = 0
    for folder in folders:
        try:
            await to_thread(act, folder)
            done += 1
        except OSError as error:  # somebody still writes there; the next look takes it
            log.warning("a folder cannot be removed", folder=str(folder), reason=error.strerror)
    return done


def _remove(folder: Path) -> None:
    if gone := take_away(folder):
        remove(gone)


def _look(home: Path) -> tuple[list[Path], list[Path]]:
    """Return the folders of threads, and what is left of others."""
    folders: list[Path] = []
    left: list[Path] = []
    for path in home.glob("*/*"):
        if path.name.startswith(GONE) or (path.name.startswith(DRAFT) and _is_old(path)):
            left.append(path)
        elif not path.name.startswith("."):
            folders.append(path)
    return folders, left


def _mirrors(home: Path) -> list[Path]:
    return [folder for folder in home.glob("*") if folder.is_dir()]


def _is_old(draft: Path) -> bool:
    try:
        return draft.lstat().st_mtime < time.time() - LEFT_S
    except FileNotFoundError:  # it became whole
        return False
