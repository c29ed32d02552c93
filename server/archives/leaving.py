"""A thread as an archive: its state with all of its history, and beside it what a person wants to read."""

import json
from asyncio import to_thread
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import asdict
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

from langgraph.checkpoint.base import CheckpointTuple

from artel.server.archives.hiding import Keys
from artel.server.catalog import Catalog
from artel.server.engine import Engine, exporting
from artel.server.engine.undo import SeveralFolders
from artel.server.protocol import snapshots
from artel.storage import approvals, audit, checkpoints, imports, runs, usage
from artel.storage.approvals import Approval
from artel.storage.archives import FORMAT, VERSION
from artel.storage.archives.checkpoints import Writer, of_thread
from artel.storage.archives.opening import BLOCK, CHECKPOINTS, MANIFEST
from artel.storage.archives.values import NotPortable, moment, portable
from artel.storage.encoding import dumps, loads
from artel.storage.errors import NotFound
from artel.storage.runs import Run
from artel.storage.threads import Thread
from artel.tools.errors import ToolFailed

PAGE = 500  # rows that are read at once
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can name
ORDERED = ("input", "command", "context", "checkpoint_id", "checkpoint")
"""Of what a run was ordered with: what another place can do something with; no keys, no address of a hook."""
NOT_TOLD = ("owner", "sealed_with", "escalate_to")


class _Zip:
    """A zip that is being written, with the hashes of what is in it."""

    def __init__(self, file: Path) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED)
        self.members: dict[str, dict[str, Any]] = {}

    def add(self, name: str, blocks: Iterable[bytes]) -> None:
        digest, length = sha256(), 0
        with self._zip.open(_info(name), "w", force_zip64=True) as opened:
            for block in blocks:
                digest.update(block)
                length += len(block)
                opened.write(block)
        self.members[name] = {"sha256": digest.hexdigest(), "bytes": length}

    def close(self, manifest: Mapping[str, Any]) -> None:
        told = {**manifest, "members": self.members}
        self._zip.writestr(_info(MANIFEST), json.dumps(told, indent=1).encode())
        self._zip.close()


async def export(
    engine: Engine, catalog: Catalog, thread: Thread, file: Path, *, owner: str, user: str, keys: Keys
) -> None:
    """Write the archive of a thread into a file; the caller has made sure that it may be seen.

    A state that no archive can hold is left out, and the manifest says why: the rest leaves all the same.
    """
    values: Any = (await snapshots.values_of(engine, catalog, [thread]))[thread.thread_id] or {}
    zip_ = await to_thread(_Zip, file)
    history, missing = "none", ""
    with TemporaryFile() as lines:
        try:
            count = await _write(engine, thread.thread_id, lines, keys)
            history = "full" if count else "none"
        except NotPortable as why:
            missing = str(why)
        else:
            await to_thread(zip_.add, CHECKPOINTS, _blocks(lines))
    await to_thread(_add_words, zip_, values, keys)
    async for name, told in _rows(engine, thread, owner=owner, user=user):
        await to_thread(zip_.add, name, _json(told, keys))
    changes, patch = await _changes(engine, thread.thread_id, owner=owner)
    await to_thread(zip_.add, "changes.json", _json(changes, keys))
    await to_thread(zip_.add, "changes.patch", _hidden(patch, keys))
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "made_by": version("artel"),
        "made_at": moment(),
        "thread_id": str(thread.thread_id),
        "graph_id": snapshots.graph_of(thread),
        "history": history,
        "missing": missing[:2_000],
        "hidden": keys.hidden,
    }
    await to_thread(zip_.close, manifest)


async def _write(engine: Engine, thread_id: UUID, to: IO[bytes], keys: Keys) -> int:
    saver, writer, count = checkpoints.reader(engine.db), Writer(keys), 0
    async for found in of_thread(saver, thread_id):
        await to_thread(_lined, to, writer, found)
        count += 1
    return count


def _lined(to: IO[bytes], writer: Writer, found: CheckpointTuple) -> None:
    to.writelines(writer.lines(found))


def _add_words(zip_: _Zip, values: Mapping[str, Any], keys: Keys) -> None:
    messages = values.get("messages")
    said = loads(dumps(messages if isinstance(messages, list) else []))
    shown: Any = portable(said, keys)
    zip_.add("conversation.json", [dumps(shown)])
    zip_.add("conversation.md", (text.encode("utf-8", "replace") for text in exporting.told(shown)))
    zip_.add("plan.json", _json(values.get("plan"), keys))
    zip_.add("decisions.json", _json(values.get("resolved_context") or {}, keys))


async def _rows(engine: Engine, thread: Thread, *, owner: str, user: str) -> AsyncIterator[tuple[str, Any]]:
    """Yield the files that are made of rows."""
    id_ = thread.thread_id
    kept = ("metadata", "status", "created_at", "updated_at", "ttl_minutes", "ttl_strategy")
    yield "thread.json", {"thread_id": id_, **{name: getattr(thread, name) for name in kept}}
    async with engine.db.connection() as conn:
        ran, asked = list[Run](), list[Approval]()
        while page := await runs.of_thread(conn, id_, owner=owner, limit=PAGE, offset=len(ran)):
            ran += page
        while more := await approvals.search(conn, owner=owner, thread_id=id_, limit=PAGE, offset=len(asked)):
            asked += more
        used = [
            {"by": by, **asdict(one)}
            for by in ("run", "model", "agent")
            for one in await usage.sums(conn, owner=owner, thread_id=id_, by=by, limit=usage.MOST_GROUPS)
        ]
        try:
            earlier: Any = await imports.of(conn, id_, owner=owner)
        except NotFound:
            earlier = None
    yield "runs.json", [_run(one) for one in reversed(ran)]
    yield "approvals.json", [_approval(one) for one in reversed(asked)]
    yield "usage.json", used
    yield "audit.json", [one async for one in _audited(engine, id_, owner=owner)]
    if earlier:
        yield (
            "earlier.json",
            {"source": earlier.source, "imported_at": earlier.imported_at, **earlier.history},
        )
    if engine.handles is not None:
        ruled = await engine.policies.of(engine.handles.policy, owner=owner, user_id=user)
        yield "policy.json", ruled.policy.model_dump(mode="json", exclude_defaults=True)


async def _audited(engine: Engine, thread_id: UUID, *, owner: str) -> AsyncIterator[dict[str, Any]]:
    before = None
    while True:
        async with engine.db.connection() as conn:
            page = await audit.search(conn, owner=owner, thread_id=thread_id, before=before, limit=PAGE)
        for link in page:
            yield {
                "seq": link.seq,
                "written_at": link.written_at,
                **await audit.opened(engine.db.sealer, link),
            }
        if len(page) < PAGE:
            return
        before = page[-1].seq


async def _changes(engine: Engine, thread_id: UUID, *, owner: str) -> tuple[Any, Iterable[bytes]]:
    """Return what became of files, and the patch; of files that are kept no more, why not."""
    try:
        exported = await exporting.export(engine, thread_id, owner=owner)
    except (SeveralFolders, ToolFailed, NotFound) as why:
        return {"missing": str(why)}, ()
    return exported.manifest, exporting.patch(exported.result)


def _run(run: Run) -> dict[str, Any]:
    named = ("run_id", "assistant_id", "graph_id", "status", "created_at", "started_at", "ended_at", "error")
    ordered = {name: run.kwargs[name] for name in ORDERED if run.kwargs.get(name) is not None}
    return {**{name: getattr(run, name, None) for name in named}, **ordered}


def _approval(one: Approval) -> dict[str, Any]:
    return {name: value for name, value in asdict(one).items() if name not in NOT_TOLD}


def _json(told: Any, keys: Keys) -> Iterator[bytes]:
    plain: Any = loads(dumps(told))
    if isinstance(plain, list):
        yield b"["
        for place, one in enumerate(plain):
            yield (b",\n" if place else b"\n") + dumps(portable(one, keys))
        yield b"]\n"
    else:
        yield dumps(portable(plain, keys)) + b"\n"


def _hidden(patch: Iterable[bytes], keys: Keys) -> Iterator[bytes]:
    """Yield a patch without keys; bytes that are no text stay as they are."""
    for block in patch:
        yield keys(block.decode("utf-8", "surrogateescape"), "").encode("utf-8", "surrogateescape")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    file.seek(0)
    while block := file.read(BLOCK):
        yield block


def _info(name: str) -> ZipInfo:
    info = ZipInfo(name, EARLIEST)
    info.compress_type = ZIP_DEFLATED
    info.external_attr = 0o100644 << 16
    return info
