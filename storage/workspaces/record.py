"""What a registered workspace is, and what a thread gets of one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias
from uuid import UUID

from artel.storage.errors import Conflict, NotFound

Kind: TypeAlias = Literal["folder", "git"]
Mode: TypeAlias = Literal["shared", "copy", "worktree"]
State: TypeAlias = Literal["preparing", "ready", "failed", "gone"]


class UnknownWorkspace(NotFound):
    """This user has registered no such workspace."""

    code = "unknown_workspace"


class NameTaken(Conflict):
    """This user has a workspace of that name already."""

    code = "name_taken"


class WorkspaceInUse(Conflict):
    """Threads work in it."""

    code = "workspace_in_use"


@dataclass(frozen=True, slots=True)
class Whose:
    """Whose workspaces: those of one user of an owner."""

    owner: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Workspace:
    """A folder or a repository that was registered."""

    workspace_id: UUID
    owner: str
    user_id: str
    name: str
    kind: Kind
    source: str
    ref: str
    mode: Mode
    uncommitted: bool
    max_mb: int | None
    created_at: datetime
    threads: int = 0
    "How many work in it."


@dataclass(frozen=True, slots=True)
class Folder:
    """What a thread got of a workspace."""

    thread_id: UUID
    workspace_id: UUID
    path: str
    own: bool
    "Whether we made it for the thread."
    state: State
    problem: str | None
    base_tree: str | None
    base_commit: str | None
    kept_tree: str | None
    formerly: list[str]
    bytes: int | None
    created_at: datetime
    last_used_at: datetime
