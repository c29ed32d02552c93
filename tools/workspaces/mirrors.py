"""Mirrors: what a remote holds, fetched once and then only what is new, for all threads of a user."""

import asyncio
import fcntl
import os
from asyncio import to_thread
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TypeVar

from artel.tools.errors import ToolFailed
from artel.tools.git import names
from artel.tools.git.configuration import Configuration
from artel.tools.git.errors import BadName, GitFailed
from artel.tools.git.remotes import Remote
from artel.tools.git.repository import Repository, complaint, find_bare
from artel.tools.git.settings import GitSettings
from artel.tools.workspace.paths import TooLarge
from artel.tools.workspaces.removing import remove

LOOK_S = 0.25
THEIRS = "refs/remotes/origin/"
T = TypeVar("T")


async def mirror(remote: Remote, folder: Path, settings: GitSettings, *, max_bytes: int) -> Repository:
    """Bring the mirror of `remote` at `folder` up to date, and return it; nothing of it is run.

    Raises:
        TooLarge: it has more than `max_bytes`; it is removed.
        GitFailed: the remote cannot be reached, or does not answer in time.
    """
    async with _alone(folder):
        known = await to_thread((folder / "HEAD").is_file)
        if not known:
            await to_thread(_begin_anew, folder)
            await _made(folder, remote)
        elif await to_thread(_is_locked, folder):  # a git that was killed; nobody else is at work here
            await to_thread(remove, folder)
            await _made(folder, remote)
        found = await to_thread(find_bare, folder)
        try:
            await _limited(_fetched(found, remote, settings), folder, max_bytes)
        except TooLarge:
            await to_thread(remove, folder)
            raise
        return found


async def commit(found: Repository, ref: str) -> str:
    """Return the commit of a branch of the remote, of a tag or of any other name; of nothing its own.

    Raises:
        BadName: there is none.
    """
    try:
        return await names.commit(found, f"{THEIRS}{ref}" if ref else "HEAD")
    except BadName:
        if not ref:
            raise GitFailed("the repository has no commit yet, so there is nothing to check out") from None
        return await names.commit(found, ref)


async def _made(folder: Path, remote: Remote) -> None:
    made = Repository(folder, folder, Configuration(()), bare=True)
    await to_thread(folder.mkdir, mode=0o700, parents=True, exist_ok=True)
    await made.git("init", "--quiet", "--bare", "--template=", writes=True)
    for key, value in (("url", remote.url), ("fetch", f"+refs/heads/*:{THEIRS}*")):
        await made.git("config", "--file", str(folder / "config"), f"remote.origin.{key}", value, writes=True)


async def _fetched(found: Repository, remote: Remote, settings: GitSettings) -> None:
    asked = await found.git(
        *("ls-remote", "--symref", *remote.program("upload-pack"), remote.url, "HEAD"),
        timeout_s=settings.timeout_s,
        protocol=remote.protocol,
        config=remote.access(settings),
        ok=(0, 128),
    )
    if asked.code:
        raise GitFailed(f"{remote.shown} cannot be read: {complaint(asked, 'ls-remote')}")
    ran = await found.git(
        *("fetch", "--quiet", "--prune", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance"),
        *("--no-write-fetch-head", "--no-progress", "--refmap=", *remote.program("upload-pack")),
        *(remote.url, f"+refs/heads/*:{THEIRS}*", "+refs/tags/*:refs/tags/*"),
        timeout_s=settings.timeout_s,
        protocol=remote.protocol,
        config=remote.access(settings),
        writes=True,
        ok=(0, 1, 128),
    )
    if ran.code:
        raise GitFailed(f"{remote.shown} cannot be fetched: {complaint(ran, 'fetch')}")
    first, _, _ = asked.text.partition("\t")
    if first.startswith("ref: refs/heads/"):
        head = f"{THEIRS}{first.removeprefix('ref: refs/heads/')}"
        await found.git("symbolic-ref", "HEAD", head, writes=True)


async def _limited(work: Awaitable[T], folder: Path, max_bytes: int) -> T:
    """Await something that fills a folder, and stop it when that is too full."""
    task = asyncio.ensure_future(work)
    try:
        while True:
            done, _ = await asyncio.wait({task}, timeout=LOOK_S)
            if await to_thread(_size, folder) > max_bytes:
                raise TooLarge(
                    f"the repository has more than {max_bytes >> 20} MB, so it was not fetched: raise "
                    "max_mb of the workspace or ARTEL_WORKSPACES__MAX_MB"
                )
            if done:
                return task.result()
    finally:
        task.cancel()
        await asyncio.wait({task})


@asynccontextmanager
async def _alone(folder: Path) -> AsyncIterator[None]:
    """Hold a mirror that nobody else fetches into meanwhile."""
    handle = await to_thread(_open_lock, folder.with_suffix(".lock"))
    try:
        while True:
            if _locks(handle):
                break
            await asyncio.sleep(LOOK_S)
        yield
    finally:
        os.close(handle)


def _open_lock(file: Path) -> int:
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ToolFailed(f"{file.parent} cannot be written: {error.strerror}") from error


def _locks(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _begin_anew(folder: Path) -> None:
    with suppress(FileNotFoundError):
        remove(folder)


def _is_locked(folder: Path) -> bool:
    return any(file.suffix == ".lock" for file in _files(folder))


def _size(folder: Path) -> int:
    size = 0
    for file in _files(folder):
        with suppress(FileNotFoundError):
            size += file.lstat().st_size
    return size


def _files(folder: Path) -> Iterator[Path]:
    for above, _, files in os.walk(folder):
        yield from (Path(above, name) for name in files)
