"""Files of the folder that a thread works in, as a person looks at them and changes them on the page."""

from asyncio import to_thread
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from artel.server.engine import redaction
from artel.server.engine.engine import Engine
from artel.server.engine.undo import quiet
from artel.server.telemetry import carried
from artel.storage import audit, snapshots
from artel.storage.chains import said
from artel.storage.errors import NotFound
from artel.storage.ids import new_id
from artel.storage.snapshots import EDIT, Change
from artel.storage.workspaces import Folder
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.policy import Call, Policy, judge
from artel.tools.snapshots import trees
from artel.tools.snapshots.grafting import graft, is_heeded
from artel.tools.snapshots.index import raw
from artel.tools.snapshots.looking import content_in
from artel.tools.snapshots.repository import Repository, SnapshotFailed, repository_of
from artel.tools.snapshots.taking import take
from artel.tools.snapshots.trees import Changed
from artel.tools.workspace import browsing, changeset, text, write
from artel.tools.workspace import change as changing
from artel.tools.workspace.changeset import ChangeSet
from artel.tools.workspace.paths import DeniedPath, Place, WrongKind
from artel.tools.workspace.tree import Entry
from artel.tools.workspaces import archiving

PERSON = "person"  # the agent that a person is, to rules
NOT_KEPT = "the file is ignored, so it is not kept and cannot be undone"
TOOLS = {"fs.read": "read_file", "fs.write": "write_file"}


class NothingEarlier(NotFound):
    """No change says what the files were before."""

    code = "nothing_earlier"


class ForbiddenByPolicy(DeniedPath):
    """The policy denies this file to everybody."""

    code = "denied_by_policy"


@dataclass(frozen=True, slots=True)
class Ground:
    """The folder of a thread, and for whom it is looked at."""

    thread_id: UUID
    root: Path
    folder: Folder | None
    repository: Repository
    policy: Policy
    user: str

    def denies(self, path: str, action: str) -> str:
        """Return why the policy denies something to be done with a file; empty: it does not."""
        call = Call(tool=TOOLS[action], action=action, path=path, user=self.user)
        verdict = judge(self.policy, PERSON, call)
        return (verdict.reason or verdict.rule) if verdict.effect == "deny" else ""

    def place(self, path: str, action: str = "fs.read") -> Place:
        """Return where a path leads, if the person may do that there.

        Raises:
            SecretFile, ForbiddenByPolicy: they may not.
            OutsideWorkspace, DeniedPath, BadPath: as for every path.
        """
        place = browsing.open_to_people(self.root, path)
        if why := self.denies(place.relative, action):
            raise ForbiddenByPolicy(f"the policy denies {place.relative}: {why}")
        return place


@dataclass(frozen=True, slots=True)
class Written:
    """What came of writing a file."""

    path: str
    sha256: str
    change_id: UUID | None = None
    "None: nothing changed."
    problems: tuple[str, ...] = ()
    "What it brings in that is likely wrong, and why it cannot be undone."


@dataclass(frozen=True, slots=True)
class Clash:
    """The file is not what the person had read."""

    path: str
    sha256: str | None
    "Of the file as it is; None: there is none."


def ground_of(
    engine: Engine, thread_id: UUID, root: Path, folder: Folder | None, policy: Policy, user: str
) -> Ground:
    """Return the ground on which files of a thread are looked at."""
    return Ground(thread_id, root, folder, repository_of(engine.handles.snapshot_home, root), policy, user)


async def changed(engine: Engine, ground: Ground) -> list[Changed]:
    """Return what the thread has made of files by now: those that differ from what it found.

    Raises:
        SnapshotGone, SnapshotFailed: the files are not kept here.
    """
    known = await _changes(engine, ground)
    return await to_thread(_changed, ground, known)


async def earlier(
    engine: Engine, ground: Ground, path: str, *, change_id: UUID | None, checkpoint_id: str
) -> tuple[Place, bytes | None]:
    """Return a file as it was before a change, at a checkpoint, or before the first change of the thread.

    Raises:
        NothingEarlier: no change tells.
        SnapshotGone: the files as they were are kept no longer.
    """
    place = await to_thread(ground.place, path)
    tree = await _tree(engine, ground, change_id, checkpoint_id)
    return place, await to_thread(content_in, ground.repository, tree, raw(place.relative))


async def put(
    engine: Engine,
    ground: Ground,
    path: str,
    content: str,
    known: str | None,
    *,
    owner: str,
    allowed: str | None,
) -> Written | Clash:
    """Write a text file that is as the person knows it, as a change of the thread that can be undone.

    Raises:
        ThreadBusy: a run is pending or running on the thread.
        ToolRefused: nobody may write that there.
    """
    async with quiet(engine, ground.thread_id, owner=owner, allowed=allowed):
        try:
            planned = await to_thread(_planned, ground, path, content, known)
            if isinstance(planned, Written):
                return planned
            return await _made(engine, ground, planned, owner=owner)
        except (changing.Stale, write.NotRead):
            place = await to_thread(ground.place, path)
            return Clash(place.relative, await to_thread(changing.current_sha, ground.root, path))


def packed(ground: Ground, place: Place) -> Iterator[bytes]:
    """Yield a folder as a zip; what vanishes meanwhile, or the policy denies, is named at its end.

    Raises:
        TooMuch: it is too large to be packed.
    """
    files = browsing.packed(ground.root, place)
    return archiving.archived(_entries(ground, place, files))


def _entries(ground: Ground, top: Place, files: Sequence[Entry]) -> Iterator[archiving.Entry]:
    left: list[str] = []
    for one in files:
        try:
            _, blocks = browsing.contents(ground.place(one.place.relative))
        except (ToolRefused, ToolFailed) as error:
            left.append(f"{one.place.shown}: {error}\n")
            continue
        yield archiving.Entry("/".join(one.place.parts[len(top.parts) :]), blocks)
    if left:
        yield archiving.Entry("LEFT-OUT.txt", (line.encode("utf-8", "backslashreplace") for line in left))


def _planned(ground: Ground, path: str, content: str, known: str | None) -> changing.Change | Written:
    place = ground.place(path, "fs.write")
    now = changing.current_sha(ground.root, path)
    if now is None and known:
        raise changing.Stale(f"{place.relative} was deleted meanwhile")
    if now is not None and now == known:
        with suppress(WrongKind):
            was = browsing.shown(place)
            if was.text == content or was.text == content.replace("\n", "\r\n"):
                return Written(place.relative, now)
    return write.plan(ground.root, path, content, seen={place.relative: known} if known else {})


async def _made(engine: Engine, ground: Ground, planned: changing.Change, *, owner: str) -> Written:
    before, problem = await to_thread(_kept, ground.repository)
    async with engine.db.connection() as conn:
        change_id = await snapshots.add(
            conn, ground.thread_id, tool=EDIT, workspace=str(ground.root), before=before
        )
    try:
        await to_thread(changeset.apply, ground.root, ChangeSet((planned,)))
    except (ToolRefused, ToolFailed):
        async with engine.db.connection() as conn:
            await snapshots.forget(conn, change_id)
        raise
    kind = "added" if planned.before is None else "changed"
    after: str | None = None
    if before:
        after, problem = await to_thread(_after, ground.repository, before, planned.path)
    async with engine.db.transaction() as conn:
        paths = [{"path": Place(ground.root, tuple(planned.path.split("/"))).shown, "kind": kind}]
        await snapshots.finish(conn, change_id, after, paths, problem=problem or None)
        await audit.add(conn, [_entry(ground, planned, owner=owner)])
    noted = (*planned.problems, *([problem] if problem else []))
    return Written(planned.path, planned.after_sha or "", change_id, noted)


def _kept(repository: Repository) -> tuple[str | None, str]:
    try:
        return take(repository), ""
    except SnapshotFailed as error:
        return None, str(error)


def _after(repository: Repository, before: str, path: str) -> tuple[str | None, str]:
    if not is_heeded(repository, raw(path)):
        return before, NOT_KEPT
    try:
        return graft(repository, before, [raw(path)]), ""
    except ToolFailed as error:
        return None, str(error)


def _entry(ground: Ground, planned: changing.Change, *, owner: str) -> dict[str, Any]:
    named = {"path": planned.path, "before_sha": planned.before_sha, "after_sha": planned.after_sha}
    return {
        "id": str(new_id()),
        "kind": "edit",
        "at": said(datetime.now(UTC)),
        "owner": owner,
        "user": ground.user,
        **carried.origin(),
        "thread_id": str(ground.thread_id),
        "said": {
            "summary": redaction.text(f"{planned.path}: +{planned.added} −{planned.removed}"),
            **{name: value for name, value in named.items() if value},
        },
    }


async def _changes(engine: Engine, ground: Ground) -> list[Change]:
    """Return the changes of the thread in its folder, the oldest first."""
    async with engine.db.connection() as conn:
        found = await snapshots.of_thread(conn, ground.thread_id)
    return [one for one in found[::-1] if one.workspace == str(ground.root) and one.before]


def _changed(ground: Ground, known: Sequence[Change]) -> list[Changed]:
    folder = ground.folder
    if folder and folder.own and folder.base_tree:
        return trees.changed(ground.repository, folder.base_tree, take(ground.repository))
    ended = [one for one in known if one.after]
    if not ended:
        return []
    touched = {each["path"] for one in ended for each in one.paths}
    every = any(one.files > len(one.paths) for one in ended)
    found = trees.changed(ground.repository, str(ended[0].before), str(ended[-1].after))
    return [one for one in found if every or one.path in touched]


async def _tree(engine: Engine, ground: Ground, change_id: UUID | None, checkpoint_id: str) -> str:
    async with engine.db.connection() as conn:
        if change_id:
            change = await snapshots.get(conn, ground.thread_id, change_id)
            tree = change.before if change.workspace == str(ground.root) else None
        elif checkpoint_id:
            there = await snapshots.at(conn, ground.thread_id, checkpoint_id)
            tree = there[1] if there and there[0].workspace == str(ground.root) else None
        elif ground.folder and ground.folder.own:
            tree = ground.folder.base_tree
        else:
            known = (one for one in (await snapshots.of_thread(conn, ground.thread_id))[::-1] if one.before)
            tree = next((one.before for one in known if one.workspace == str(ground.root)), None)
    if not tree:
        raise NothingEarlier("no change of this thread says what the files were before")
    return tree


def text_of(data: bytes, name: str) -> str | None:
    """Return the text of a file as it was; None: it is binary, or too large to be shown."""
    if len(data) > browsing.MAX_SHOWN:
        return None
    try:
        return text.decode(data, name).text
    except WrongKind:
        return None
