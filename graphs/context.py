"""What a run is handed: public wishes in `Context`; things in `Handles`, which are never checkpointed."""

import os
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from artel.graphs.budget import AgentSettings, Budget
from artel.graphs.kinds.connections import Connections
from artel.graphs.ledgers import (
    ApprovalLedger,
    AuditLedger,
    EffectLedger,
    GrantLedger,
    LocalApprovals,
    LocalAudit,
    LocalEffects,
    LocalGrants,
    LocalSnapshots,
    Record,
    SnapshotLedger,
)
from artel.graphs.models import Models, ModelSettings
from artel.graphs.steering import NoSteering, SteeringLedger
from artel.tools.git.settings import GitSettings
from artel.tools.lsp.servers import LanguageServers
from artel.tools.mcp.servers import Servers
from artel.tools.policy import DEFAULT, Policy
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.web.internet import Internet
from artel.tools.workspace.paths import resolve_workspace
from artel.tools.workspaces.settings import WorkspaceSettings

APPROVAL_TIMEOUT_S = 300


class Context(BaseModel):
    """What a client may ask of a run: plain values with defaults, unknown ones ignored."""

    model_config = ConfigDict(extra="ignore")

    workspace: str = Field(
        "",
        description="Name of a registered workspace, or absolute path of a folder; kept for the thread.",
    )
    model: str = Field("", description="`provider:model` for this run instead of the configured one.")
    instructions: str = Field(
        "",
        max_length=20_000,
        description="What the agent is told besides its role, at the end of its prompt.",
    )
    approvals: Literal["per_call", "batched", "agent_inbox"] = Field(
        "per_call",
        description="One question per tool call; one per model turn for clients that know only that form; or "
        "one per call in the form of Agent Inbox.",
    )
    lanes: int = Field(
        1, description="Steps of a plan that may run at once, 1 to 4, where their files are surely apart."
    )
    budget: Budget = Field(
        Budget(), description="After how much the run stops and asks, instead of what its agent's role says."
    )


@dataclass(frozen=True, slots=True)
class Handles:
    """What a run needs and a client must not see."""

    models: Models
    roots: tuple[Path, ...]
    default_workspace: Path
    approvals: ApprovalLedger = field(default_factory=LocalApprovals)
    effects: EffectLedger = field(default_factory=LocalEffects)
    policy: Policy = DEFAULT
    sandbox: Sandbox = field(default_factory=Sandbox)
    approval_timeout_s: int = APPROVAL_TIMEOUT_S
    internet: Internet = field(default_factory=Internet)
    git: GitSettings = field(default_factory=GitSettings)
    snapshots: SnapshotLedger = field(default_factory=LocalSnapshots)
    snapshot_home: Path = field(default_factory=lambda: snapshot_cache())
    "Where the files of workspaces are kept as they were."
    audit: AuditLedger = field(default_factory=LocalAudit)
    grants: GrantLedger = field(default_factory=LocalGrants)
    user: str = "local"
    "On whose behalf the run goes."
    mcp: Servers = field(default_factory=Servers)
    workspaces: WorkspaceSettings = field(default_factory=WorkspaceSettings)
    thread_home: Path | None = None
    "Where folders lie that are made for threads; None: there are none."
    formerly: Mapping[str, str] = field(default_factory=dict)
    "Folder of the thread that this one is a copy of → its own."
    language_servers: LanguageServers = field(default_factory=LanguageServers)
    folder: Callable[[], Awaitable[Path]] | None = None
    "Finds the folder that the run will work in, for what is made before it begins; None: it asks by a path."
    read_only: bool = False
    "Whether commands find the workspace read-only."
    agents: AgentSettings = field(default_factory=AgentSettings)
    steering: SteeringLedger = field(default_factory=NoSteering)
    connections: Connections = field(default_factory=Connections)
    cancelled: Callable[[], bool] = lambda: True
    "Whether a run that is being stopped was cancelled; no: another worker goes on with it."
    recorded: Record | None = None
    "Whose record a run plays again; None: it is a run of its own."


_current: ContextVar[Handles] = ContextVar("artel_handles")
_settings = ModelSettings()


def handles() -> Handles:
    """Return the handles of the run we are in; outside our server, defaults that ask no database."""
    return _current.get(None) or _default()


@contextmanager
def use(given: Handles) -> Iterator[Handles]:
    """Hand `given` to every graph that runs inside."""
    token = _current.set(given)
    try:
        yield given
    finally:
        _current.reset(token)


def configure(settings: ModelSettings) -> None:
    """Choose the models of the default handles (`langgraph dev`, Studio, a script)."""
    global _settings
    _settings = settings
    _default.cache_clear()


def snapshot_cache() -> Path:
    """Return where snapshots are kept outside our server: in the user's cache; nowhere without a home."""
    try:
        return Path.home() / ".cache" / "artel" / "snapshots"
    except RuntimeError:
        return Path(os.devnull) / "snapshots"


def workspace(asked: str, given: Handles | None = None) -> Path:
    """Return the real path of the folder a run works in: the one asked for, else the default.

    Raises:
        ToolRefused: it is no absolute path of a folder below one of the allowed roots.
    """
    given = given or handles()
    return resolve_workspace(given.formerly.get(asked, asked) or given.default_workspace, given.roots)


@lru_cache(maxsize=1)
def _default() -> Handles:
    here = Path.cwd().resolve()
    return Handles(models=Models(_settings), roots=(here,), default_workspace=here)
