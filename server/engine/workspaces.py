"""The folder that a thread chose by name: made before its first step, and removed when nobody needs it."""

from asyncio import to_thread
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID, uuid4

import structlog
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver

from artel.graphs.context import Handles, handles, use
from artel.graphs.context import workspace as workspace_of_run
from artel.server.engine.engine import Engine
from artel.storage import workspaces
from artel.storage.errors import Conflict
from artel.storage.postgres import Connection
from artel.storage.runs import Run
from artel.storage.threads import UnknownThread
from artel.storage.workspaces import Folder, Whose, Workspace
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.git.remotes import remote_at
from artel.tools.git.repository import find
from artel.tools.workspace.paths import resolve_workspace
from artel.tools.workspaces import making, mirrors
from artel.tools.workspaces.making import Made, Place, Wish

FOLDER_OF = "folder_of"  # of a run: the thread in whose folder it works, if that is not its own

log = structlog.get_logger(__name__)


class OtherWorkspace(Conflict):
    """The thread works in another workspace already."""

    code = "other_workspace"


class WorkspaceNotReady(Conflict):
    """The folder of the thread could not be made, or is not here."""

    code = "workspace_not_ready"


class Asks(Protocol):
    """What wants to work in the folder of a thread: a run, or a person who puts a file there before one."""

    @property
    def thread_id(self) -> UUID:
        """The thread."""

    @property
    def owner(self) -> str:
        """Whose it is."""

    @property
    def user_id(self) -> str:
        """Who asks."""

    @property
    def new_thread(self) -> bool:
        """Whether nothing was ever put down on it."""

    @property
    def kwargs(self) -> Mapping[str, Any]:
        """As of a run: its `context` names a workspace."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who puts something into the folder of a thread without running anything."""

    thread_id: UUID
    owner: str
    user_id: str
    kwargs: Mapping[str, Any]
    new_thread: bool = False


@dataclass(frozen=True, slots=True)
class Settled:
    """The folder in which a run works."""

    path: Path
    own: bool
    formerly: tuple[str, ...]
    "Where the threads worked that this one is a copy of: what they say of their folder is said of this one."


async def settle(engine: Engine, run: Asks) -> Settled | None:
    """Return the folder that the thread of a run chose by name; made if it is not there. None: it chose none.

    A run that says FOLDER_OF works in the folder of that thread: only the server says so, and has asked
    whether its caller may.

    Raises:
        UnknownWorkspace: nothing of that name is registered.
        OtherWorkspace: it asks for another one than before.
        WorkspaceNotReady: it cannot be made; the message says why.
    """
    asked = _asked(run)
    named = bool(asked) and "/" not in asked
    lent = run.kwargs.get(FOLDER_OF)
    if run.new_thread and not named and not lent:
        return None
    thread_id = UUID(lent) if lent else run.thread_id
    async with engine.db.connection() as conn:
        folder = await workspaces.of_thread(conn, thread_id, owner=run.owner)
        if folder is None and not named:
            return None
        workspace = await _workspace(conn, run, folder, asked if named else "")
        if folder is None:
            folder = await _chosen(conn, engine.handles, run, workspace)
        elif asked and not named and asked != folder.path:
            raise OtherWorkspace(
                f"the thread works in the workspace {workspace.name} at {folder.path}, not in {asked}: begin "
                "another thread there"
            )
        await workspaces.used(conn, thread_id)
    path = Path(folder.path)
    if folder.base_tree:  # what the thread began from stays kept while it goes on
        await to_thread(_keep, engine.handles, folder)
    if folder.own and folder.state != "ready":
        await _prepare(engine, folder, workspace)
    elif not await to_thread(path.is_dir):
        raise WorkspaceNotReady(f"the thread's folder {path} is not on this machine, or somebody removed it")
    return Settled(path, folder.own, tuple(folder.formerly))


def working_in(settled: Settled | None) -> AbstractContextManager[object]:
    """Let the graphs that run inside work in that folder; one of a thread's own is open to no other."""
    if settled is None:
        return nullcontext()
    given = handles()
    roots = (*given.roots, settled.path) if settled.own else given.roots
    formerly = dict.fromkeys(settled.formerly, str(settled.path))
    return use(replace(given, roots=roots, default_workspace=settled.path, formerly=formerly))


def found_by(engine: Engine, run: Run, saver: BaseCheckpointSaver[Any]) -> AbstractContextManager[object]:
    """Let functions that make graphs find the folder that a run will work in."""
    if engine.handles is None:
        return nullcontext()
    return use(replace(handles(), folder=partial(_found, engine, run, saver)))


async def _found(engine: Engine, run: Run, saver: BaseCheckpointSaver[Any]) -> Path:
    """Return the folder that a run's thread chose by name, else that it asks for, else that it remembers."""
    if settled := await settle(engine, run):
        return settled.path
    asked = _asked(run)
    if not asked and not run.new_thread:
        thread: RunnableConfig = {"configurable": {"thread_id": str(run.thread_id), "checkpoint_ns": ""}}
        head = await saver.aget_tuple(thread)
        asked = str((head.checkpoint["channel_values"].get("workspace") if head else "") or "")
    return await to_thread(workspace_of_run, asked)


async def visited(engine: Engine, visitor: Visitor) -> Path:
    """Return the folder in which the next run of a thread will work; made if it is not there.

    Raises:
        UnknownWorkspace, OtherWorkspace, WorkspaceNotReady: as of `settle`.
        ToolRefused: it is no folder below an allowed root.
    """
    if settled := await settle(engine, visitor):
        return settled.path
    return await to_thread(workspace_of_run, _asked(visitor), engine.handles)


async def reaching(engine: Engine, thread_id: UUID, *, owner: str) -> Handles:
    """Return the server's handles for what looks at the folder of a thread, also one of the thread's own."""
    given: Handles = engine.handles
    async with engine.db.connection() as conn:
        folder = await workspaces.of_thread(conn, thread_id, owner=owner)
    if folder is None or not folder.own or folder.state != "ready":
        return given
    return replace(given, roots=(*given.roots, Path(folder.path)))


def in_folder(run: Run, settled: Settled | None) -> Run:
    """Return the run, asking for the path of its folder instead of a name."""
    if settled is None:
        return run
    asked = {**(run.kwargs.get("context") or {}), "workspace": str(settled.path)}
    return replace(run, kwargs={**run.kwargs, "context": asked})


async def copy_folder(
    engine: Engine, conn: Connection, source_id: UUID, target_id: UUID, *, owner: str, tree: str | None
) -> tuple[str, str] | None:
    """Give the copy of a thread its own folder; with `tree`, its files are those.

    Returns where the one works and where the other: the same for a folder that is shared; None for a thread
    that chose no registered workspace.

    Raises:
        ToolFailed: the folder cannot be copied.
    """
    folder = await workspaces.of_thread(conn, source_id, owner=owner)
    if folder is None:
        return None
    path = str(_new_path(engine.handles, owner)) if folder.own else folder.path
    await workspaces.copy(conn, source_id, target_id, path)
    if folder.own:
        trees = tuple(
            filter(None, (folder.base_tree, folder.kept_tree, *await workspaces.trees(conn, source_id)))
        )
        source, target = (Place(Path(one), engine.handles.snapshot_home) for one in (folder.path, path))
        if folder.state == "ready":
            await making.duplicated(source, target, trees, tree)
        else:
            await to_thread(making.take_over, source, target, trees)
    return folder.path, path


def _keep(given: Handles, folder: Folder) -> None:
    repository = Place(Path(folder.path), given.snapshot_home).kept
    if folder.base_tree and repository.keeps(folder.base_tree):
        repository.keep(folder.base_tree)


def mirror_home(thread_home: Path) -> Path:
    """Return where mirrors lie: beside the folders of threads, for none of them to reach."""
    return thread_home.with_name("mirrors")


def mirror_name(workspace: Workspace) -> str:
    """Return what the mirror of a workspace is called: one for each user and address."""
    whose = (workspace.owner, workspace.user_id, workspace.source)
    return sha256("\0".join(whose).encode()).hexdigest()[:32]


def _asked(run: Asks) -> str:
    context = run.kwargs.get("context")
    asked = context.get("workspace") if isinstance(context, Mapping) else None
    return asked if isinstance(asked, str) else ""


async def _workspace(conn: Connection, run: Asks, folder: Folder | None, name: str) -> Workspace:
    if folder is None:
        return await workspaces.get(conn, Whose(run.owner, run.user_id), name)
    workspace = await workspaces.of_folder(conn, folder)
    if name and name not in (workspace.name, str(workspace.workspace_id)):
        raise OtherWorkspace(
            f"the thread works in the workspace {workspace.name}, not in {name[:80]}: "
            "begin another thread there"
        )
    return workspace


async def _chosen(conn: Connection, given: Handles, run: Asks, workspace: Workspace) -> Folder:
    own = workspace.mode != "shared"
    path = _new_path(given, run.owner) if own else await to_thread(_shared, workspace, given)
    folder = await workspaces.choose(conn, run.thread_id, workspace.workspace_id, str(path), own=own)
    if folder is None:
        raise UnknownThread(f"the thread {run.thread_id} went away")
    return folder


def _shared(workspace: Workspace, given: Handles) -> Path:
    return resolve_workspace(workspace.source, given.roots)


def _new_path(given: Handles, owner: str) -> Path:
    """Return a place that no folder has had: what is removed meanwhile is never a later one."""
    if given.thread_home is None:
        raise WorkspaceNotReady("this server has no place for folders of threads")
    home: Path = given.thread_home
    return home / sha256(owner.encode()).hexdigest()[:16] / uuid4().hex


async def _prepare(engine: Engine, folder: Folder, workspace: Workspace) -> None:
    try:
        made = await _made(engine.handles, folder, workspace)
    except (ToolRefused, ToolFailed) as error:
        async with engine.db.connection() as conn:
            await workspaces.note(conn, folder.thread_id, "failed", problem=str(error))
        raise WorkspaceNotReady(f"the workspace {workspace.name} could not be prepared: {error}") from error
    async with engine.db.connection() as conn:
        await workspaces.note(
            conn,
            folder.thread_id,
            "ready",
            base_tree=made.base_tree,
            base_commit=made.base_commit,
            size=made.bytes,
        )
    log.info("made a folder for a thread", thread_id=str(folder.thread_id), workspace=workspace.name)


async def _made(given: Handles, folder: Folder, workspace: Workspace) -> Made:
    place = Place(Path(folder.path), given.snapshot_home)
    if await to_thread(place.path.is_dir):  # whoever made it died before saying so
        return await making.found(place)
    wish = Wish(
        max_bytes=(workspace.max_mb or given.workspaces.max_mb) << 20,
        branch=f"artel/{folder.thread_id}",
        ref=folder.base_commit or workspace.ref,
        uncommitted=workspace.uncommitted,
        files=folder.kept_tree,
    )
    if workspace.kind == "git":
        return await _of_remote(given, workspace, place, wish)
    source = await to_thread(resolve_workspace, workspace.source, given.roots)
    if workspace.mode == "copy":
        return await making.copied(source, place, wish)
    return await making.checked_out(await to_thread(find, source), place, wish)


async def _of_remote(given: Handles, workspace: Workspace, place: Place, wish: Wish) -> Made:
    remote = await to_thread(remote_at, workspace.source, given.git, given.roots)
    folder = mirror_home(place.path.parent.parent) / mirror_name(workspace)
    source = await mirrors.mirror(remote, folder, given.git, max_bytes=wish.max_bytes)
    return await making.checked_out(source, place, replace(wish, ref=await mirrors.commit(source, wish.ref)))
