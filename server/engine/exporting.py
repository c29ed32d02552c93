"""The result of a thread: which files became what, who let it happen, and what was said."""

from asyncio import to_thread
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from uuid import UUID

from artel.graphs.decisions import shown_calls
from artel.server.engine.engine import Engine
from artel.server.engine.undo import SeveralFolders, undone
from artel.storage import approvals, snapshots, workspaces
from artel.storage.approvals import Approval
from artel.storage.encoding import dumps
from artel.storage.snapshots import Change
from artel.storage.workspaces import Folder, UnknownWorkspace
from artel.tools.snapshots.index import on_disk
from artel.tools.snapshots.repository import repository_of
from artel.tools.snapshots.results import Result, result_of, result_since
from artel.tools.snapshots.taking import take
from artel.tools.snapshots.trees import LINK as LINK_MODE
from artel.tools.snapshots.trees import State, kind_of, shown
from artel.tools.snapshots.undoing import Step
from artel.tools.workspaces.archiving import LINK, Entry

BLOCK = 1_048_576


@dataclass(frozen=True, slots=True)
class Exported:
    """The result of a thread, with what leads to it."""

    result: Result | None
    "None: no file was changed, or none was kept."
    manifest: dict[str, Any]


async def export(engine: Engine, thread_id: UUID, *, owner: str, workspace: str = "") -> Exported:
    """Return what a thread has made of files; the caller has made sure that it may be seen.

    Raises:
        SeveralFolders: it was made in several folders, and `workspace` names none.
        UnknownWorkspace: `workspace` names a folder where nothing was made.
        SnapshotGone, SnapshotFailed: the files are not kept here.
    """
    async with engine.db.connection() as conn:
        changes = (await snapshots.of_thread(conn, thread_id))[::-1]
        folder = await workspaces.of_thread(conn, thread_id, owner=owner)
        runs = {change.run_id for change in changes if change.run_id}
        approved = await approvals.carried(conn, list(runs), owner=owner) if runs else []
    root = _root(changes, folder, workspace)
    here = [change for change in changes if change.workspace == root]
    result = await to_thread(_result, engine, root, here, folder) if root else None
    told = {
        "thread_id": thread_id,
        "exported_at": datetime.now(UTC),
        "workspace": root,
        "base": {"tree": result.base if result else None, "commit": folder.base_commit if folder else None},
        "changes": [_change(path, *states) for path, states in result.changed.items()] if result else [],
        "steps": _steps(here, approved),
        "left_out": [{"path": path, "reason": why} for path, why in result.left_out.items()]
        if result
        else [],
    }
    return Exported(result, told)


def patch(result: Result | None) -> Iterator[bytes]:
    """Yield the patch, block by block."""
    if result is None:
        return
    with TemporaryDirectory(prefix="artel-patch-") as folder:
        file = Path(folder).resolve() / "changes.patch"
        result.patch(file)
        with file.open("rb") as opened:
            while block := opened.read(BLOCK):
                yield block


def entries(exported: Exported, messages: Sequence[Any], *, everything: bool) -> Iterator[Entry]:
    """Yield what the archive of a result holds."""
    yield Entry("manifest.json", [dumps(exported.manifest)])
    yield Entry("conversation.json", [dumps(list(messages))])
    yield Entry("conversation.md", (text.encode("utf-8", "backslashreplace") for text in told(messages)))
    yield Entry("changes.patch", patch(exported.result))
    if exported.result:
        for path, state, content in exported.result.contents(exported.result.files(everything=everything)):
            yield Entry(f"files/{_name(path)}", [content], _mode(state))


def told(messages: Sequence[Any]) -> Iterator[str]:
    """Yield messages as Markdown: who said what, and what was called with which arguments."""
    for message in messages:
        fields = message if isinstance(message, dict) else vars(message)
        who = {"human": "User", "ai": "Agent", "tool": "Tool", "system": "System"}
        kind = str(fields.get("type") or fields.get("role") or "message")
        name = f" ({fields['name']})" if fields.get("name") else ""
        yield f"## {who.get(kind, kind)}{name}\n\n"
        content = fields.get("content")
        yield f"{content if isinstance(content, str) else dumps(content).decode()}\n\n"
        for call in fields.get("tool_calls") or ():
            yield f"- `{call.get('name')}` {dumps(call.get('args')).decode()}\n\n"


def _root(changes: Sequence[Change], folder: Folder | None, asked: str) -> str:
    roots = sorted({change.workspace for change in changes} | ({folder.path} if folder else set()))
    if asked and asked not in roots:
        raise UnknownWorkspace(
            f"this thread worked in {', '.join(roots) or 'no folder'}, not in {asked[:200]}"
        )
    if asked:
        return asked
    if folder:
        return folder.path
    if len(roots) > 1:
        raise SeveralFolders(
            f"this thread changed files in {', '.join(roots)}: name one of them by `workspace`"
        )
    return roots[0] if roots else ""


def _result(engine: Engine, root: str, changes: Sequence[Change], folder: Folder | None) -> Result | None:
    if engine.handles is None:
        return None
    repository = repository_of(engine.handles.snapshot_home, Path(root))
    if folder and folder.own and folder.base_tree and root == folder.path:
        end = take(repository) if folder.state == "ready" else folder.kept_tree
        if end:
            return result_since(repository, folder.base_tree, end)
    steps = [Step(change.before, change.after) for change in changes if change.before]
    return result_of(repository, steps) if steps else None


def _change(path: str, was: State, now: State) -> dict[str, Any]:
    """Return what happened to a file; its contents by the ids that `git hash-object` gives them."""
    return {
        "path": shown(path),
        "kind": kind_of(was, now),
        "before": was.blob if was else None,
        "after": now.blob if now else None,
        "mode": f"{now.permissions:o}" if now else None,
    }


def _steps(changes: Sequence[Change], approved: Sequence[Approval]) -> list[dict[str, Any]]:
    answers = {(one.answer_run_id, call): one for one in approved for call in _calls(one)}
    gone = undone(changes[::-1])
    return [_step(change, answers.get((change.run_id, change.tool_call_id)), gone) for change in changes]


def _calls(question: Approval) -> list[Any]:
    """Return the ids of the calls that a question was about: one, or all of a batch."""
    shown = shown_calls(question.value) if isinstance(question.value, Mapping) else []
    return [question.tool_call_id, *(call.get("tool_call_id") for call in shown)]


def _step(change: Change, answer: Approval | None, gone: set[UUID]) -> dict[str, Any]:
    named = ("change_id", "run_id", "checkpoint_id", "tool_call_id", "tool", "paths", "problem", "begun_at")
    return {
        **{name: getattr(change, name) for name in named},
        "undone": change.change_id in gone,
        "approved_by": answer.decided_by if answer else None,
        "approved_at": answer.decided_at if answer else None,
    }


def _name(path: str) -> str:
    """Return a path as any unzip can write it."""
    name = on_disk(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return shown(path)
    return name


def _mode(state: State) -> int:
    if state and state.mode == LINK_MODE:
        return LINK
    return 0o100000 | (state.permissions if state else 0o644)
