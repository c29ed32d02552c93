"""What every process stands on: settings, configuration, database, broker, graphs, engine."""

from argparse import Namespace
from asyncio import to_thread
from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing, asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass

import structlog

from artel.graphs.context import Handles
from artel.graphs.kinds.connections import Connections
from artel.graphs.models import Models
from artel.graphs.tracing import spare_threads
from artel.server import encryption, served
from artel.server.catalog import Catalog
from artel.server.engine import Engine, open_engine
from artel.server.engine.webhook_policy import webhooks_of
from artel.server.knowledge import Knowledge, open_knowledge
from artel.server.protocol.crons import order_of
from artel.server.settings import Settings, environment, load_settings, mcp_servers, provide
from artel.server.store import open_store
from artel.server.telemetry import logs
from artel.server.telemetry.tracing import open_tracing
from artel.storage import embedded
from artel.storage.migrations import migrate
from artel.storage.opening import open_storage
from artel.tools import policies
from artel.tools.lsp.servers import LanguageServers
from artel.tools.mcp.servers import Servers
from artel.tools.policy import DEFAULT, Policy
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.web.internet import Internet
from artel.tools.workspace.paths import MARKER

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Ground:
    """The parts of a running process."""

    settings: Settings
    catalog: Catalog
    models: Models
    engine: Engine
    knowledge: Knowledge


def settle(arguments: Namespace) -> Settings:
    """Return the settings that flags, environment and the served configuration make together.

    Raises:
        ArtelError: one of them cannot be used; the message says which.
    """
    flags = {name: getattr(arguments, name, None) for name in ("host", "port", "data", "config")}
    settings = load_settings(**flags)
    if file := served.find(settings.config):
        provide(served.read(file).env)
        settings = load_settings(**flags)
    changes: dict[str, object] = {}
    if slots := getattr(arguments, "concurrency", None):
        changes["slots"] = slots
    if getattr(arguments, "no_worker", False):
        changes["worker"] = False
    return settings.model_copy(update={"engine": settings.engine.model_copy(update=changes)})


@contextmanager
def database(settings: Settings) -> Iterator[str]:
    """Yield the DSN: the one that is set, else that of the embedded PostgreSQL, kept for the context."""
    if settings.storage.postgres:
        yield settings.storage.postgres
    else:
        with embedded.start(settings.data) as dsn:
            yield dsn


def direct(settings: Settings, dsn: str) -> str:
    """Return the DSN that leads to a session of PostgreSQL itself, as migrations need it."""
    return settings.storage.postgres_direct or dsn


@asynccontextmanager
async def open_ground(settings: Settings, dsn: str) -> AsyncIterator[Ground]:
    """Open everything above the database; migrates first.

    Raises:
        ArtelError: a part cannot be opened; the message says which and why.
    """
    spare_threads()
    catalog = Catalog.load(settings.config, settings.kinds)
    models = Models(settings.models)
    models.describe()
    policy = await to_thread(policies.read, settings.policy) if settings.policy else DEFAULT
    await migrate(direct(settings, dsn))
    storage, handles = settings.storage, _handles(settings, models, policy)
    async with (
        aclosing(models),
        aclosing(handles.sandbox),
        aclosing(handles.mcp),
        aclosing(handles.language_servers),
        open_storage(
            dsn,
            direct=storage.postgres_direct,
            redis=storage.redis,
            pooled=storage.pooled,
            pool_size=storage.pool_size,
            pipeline=storage.pipeline,
            encryption=encryption.read(catalog.config),
        ) as opened,
        open_store(opened.db, catalog) as store,
        open_tracing(settings.telemetry) as tracing,
        open_engine(
            opened.db,
            opened.broker,
            catalog,
            settings=settings.engine,
            handles=handles,
            webhooks=webhooks_of(catalog.config, settings.webhooks, environment()),
            order_of=order_of(opened.db, catalog),
            store=store,
            tracing=tracing,
        ) as engine,
        open_knowledge(opened.db, opened.broker, settings.knowledge, data=settings.data) as knowledge,
    ):
        yield Ground(settings, catalog, models, engine, knowledge)


def configure_logging(settings: Settings, *, quiet: bool = False) -> None:
    """Log as the settings say; `quiet`: only what is wrong, for somebody talks to this process."""
    logs.configure(settings.log, secrets=settings.secrets, quiet=quiet)


def _handles(settings: Settings, models: Models, policy: Policy) -> Handles:
    roots = settings.roots
    own = (settings.data / "workspaces").resolve()
    if own in roots:
        with suppress(OSError):  # with a database elsewhere the folder may be read-only, and nobody miss it
            own.mkdir(parents=True, exist_ok=True)
    with suppress(OSError):
        (settings.data / MARKER).touch()  # no tool reads or writes in a folder that has it
    sandbox = Sandbox(settings.sandbox, data=settings.data.resolve(), roots=roots)
    configured = mcp_servers(settings)
    for key in configured.ignored:
        log.warning(f"{settings.mcp.file}: mcpServers.{key} is not known here, and ignored")
    return Handles(
        models=models,
        roots=roots,
        default_workspace=roots[0],
        sandbox=sandbox,
        approval_timeout_s=int(settings.engine.approval_timeout_s),
        internet=Internet(settings.internet),
        git=settings.git,
        snapshot_home=(settings.data / "snapshots").resolve(),
        policy=policy,
        mcp=Servers(configured.servers, sandbox),
        workspaces=settings.workspaces,
        thread_home=(settings.data / "threads").resolve(),
        language_servers=LanguageServers(settings.lsp, sandbox),
        agents=settings.agents,
        connections=Connections(settings.connections.file, environment()),
    )
