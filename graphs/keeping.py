"""Keep the files of a workspace as a call finds them and as it leaves them, so that it can be undone."""

from asyncio import to_thread
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from artel.graphs.context import handles
from artel.graphs.ledgers import EffectCall, Noted
from artel.tools.errors import ToolFailed
from artel.tools.snapshots import trees
from artel.tools.snapshots.grafting import graft, is_heeded
from artel.tools.snapshots.index import raw
from artel.tools.snapshots.repository import Repository, repository_of
from artel.tools.snapshots.taking import take

_NOT_KEPT = "what it may have changed is ignored, so it is not kept and cannot be undone"


@asynccontextmanager
async def kept(call: EffectCall, root: Path, paths: Sequence[str] | None = None) -> AsyncIterator[None]:
    """Note what the files are before and after what is done inside, also when that fails or is cancelled.

    `paths` are the only files that it changes: what others change meanwhile is not put down to it. None: any
    may change. A workspace that cannot be kept stops nothing; the note says why.
    """
    if paths is not None and not paths:
        yield
        return
    repository = repository_of(handles().snapshot_home, root)
    noted = await _begin(call, repository)
    try:
        yield
    finally:
        await _finish(noted, repository, paths)


async def _begin(call: EffectCall, repository: Repository) -> Noted:
    before, problem = None, ""
    try:
        before = await to_thread(take, repository)
    except ToolFailed as error:
        problem = str(error)
    return await handles().snapshots.begin(call, str(repository.root), before, problem)


async def _finish(noted: Noted, repository: Repository, paths: Sequence[str] | None) -> None:
    ledger = handles().snapshots
    if noted.before is None:
        return
    try:
        after, changed = await to_thread(_compare, repository, noted.before, paths)
    except ToolFailed as error:
        await ledger.finish(noted, None, (), str(error))
        return
    if changed:
        await ledger.finish(noted, after, changed)
    elif paths and not await to_thread(_are_heeded, repository, paths):
        await ledger.finish(noted, after, (), _NOT_KEPT)
    else:
        await ledger.forget(noted)


def _compare(
    repository: Repository, before: str, paths: Sequence[str] | None
) -> tuple[str, list[Mapping[str, str]]]:
    after = take(repository) if paths is None else graft(repository, before, map(raw, paths))
    found = trees.changed(repository, before, after)
    return after, [{"path": one.path, "kind": one.kind} for one in found]


def _are_heeded(repository: Repository, paths: Sequence[str]) -> bool:
    return all(is_heeded(repository, raw(path)) for path in paths)
