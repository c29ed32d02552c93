"""Settings: the one place that reads the environment, and where names in it become typed values."""

import os
import re
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from dotenv import dotenv_values
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
)

from artel.graphs.budget import AgentSettings
from artel.graphs.kinds import connections
from artel.graphs.kinds.connections import ConnectionSettings, ConnectionsFileWrong
from artel.graphs.models.settings import ModelSettings
from artel.server.channels.websocket.settings import SocketSettings
from artel.server.engine.settings import EngineSettings, WebhookSettings
from artel.server.telemetry.settings import LogSettings, TelemetrySettings
from artel.storage.errors import Invalid
from artel.tools.git.settings import GitSettings
from artel.tools.knowledge.settings import KnowledgeSettings
from artel.tools.lsp.settings import LanguageServerSettings
from artel.tools.mcp.configuration import Configured, McpFileWrong, McpSettings
from artel.tools.mcp.configuration import read as read_mcp
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.web.internet import InternetSettings
from artel.tools.workspaces.settings import WorkspaceSettings

ENV_FILES = (
    ".env",
    ".env.local",
)  # in the folder of the start; the later file wins, the environment over both

# Names that other tools have made common, and short ones of ours; the long name of the same setting wins.
COMMON_NAMES: Mapping[str, tuple[str, ...]] = {
    "PORT": ("port",),
    "ARTEL_MODEL": ("models", "model"),
    "LLM_PROVIDER": ("models", "provider"),
    "OPENAI_BASE_URL": ("models", "openai_base_url"),
    "OPENAI_API_KEY": ("models", "openai_api_key"),
    "ANTHROPIC_API_KEY": ("models", "anthropic_api_key"),
    "LANGSMITH_API_KEY": ("web", "studio_key"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": ("telemetry", "otlp_endpoint"),
    "MISTRAL_API_KEY": ("models", "mistral_api_key"),
}


_PASSWORD = re.compile(r"""://[^\s:/@]*:([^\s/]+)@|password\s*=\s*(?:'([^']+)'|([^\s'&]+))""")


class SettingsWrong(Invalid):
    """A setting has a value that cannot be used; the message names it."""

    code = "settings_wrong"


class StorageSettings(BaseModel):
    """Where things are kept."""

    model_config = ConfigDict(frozen=True)

    postgres: str = Field("", description="PostgreSQL 14 or later by DSN; empty: the embedded one in `data`.")
    postgres_direct: str = Field("", description="Its DSN past a pooler: for wake-ups, locks and migrations.")
    pooled: bool | None = Field(
        None,
        description="Whether a PgBouncer in transaction mode answers at `postgres`; by default found out.",
    )
    redis: str = Field(
        "", description="Redis that carries wake-ups, as redis://host:6379/0; rows stay the truth."
    )
    pool_size: int | None = Field(None, ge=2, description="Connections for requests; by default 4 a core.")
    pipeline: bool = Field(True, description="Send statements in pipelines; off behind some PgBouncers.")


class WebSettings(BaseModel):
    """Who may talk to the server."""

    model_config = ConfigDict(frozen=True)

    origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Origins of other pages that may call, comma-separated; localhost always may."
    )
    hosts: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="Host names the server also answers to, comma-separated; loopback names always."
    )
    studio: bool = Field(False, description="Let LangGraph Studio's page (smith.langchain.com) call.")
    studio_key: str = Field(
        "",
        description="The LangSmith key by which Studio passes a configured `auth`; empty: it has to log in.",
    )

    @field_validator("origins", "hosts", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _parts(value, ",")


class Settings(BaseSettings):
    """All settings of a process; each is `ARTEL_` and its name, parts joined by `__`."""

    model_config = SettingsConfigDict(
        env_prefix="ARTEL_",
        env_nested_delimiter="__",
        env_file=ENV_FILES,
        env_ignore_empty=True,
        frozen=True,
        extra="ignore",
    )

    host: str = Field(
        "127.0.0.1", description="Address to listen on; only loopback while there are no accounts."
    )
    port: int = Field(8123, ge=0, le=65535, description="Port to listen on; the default moves on when taken.")
    data: Path = Field(Path(".artel"), description="Folder of the embedded database and the workspaces.")
    config: Path | None = Field(None, description="The `langgraph.json` to serve, or its folder.")
    workspace_roots: Annotated[tuple[Path, ...], NoDecode] = Field(
        (),
        description="Folders below which agents may work, separated as in PATH; "
        "by default the folder of the start and `workspaces` in `data`.",
    )
    storage: StorageSettings = Field(StorageSettings(), description="Where things are kept.")
    engine: EngineSettings = Field(EngineSettings(), description="How runs are run.")
    webhooks: WebhookSettings = Field(
        WebhookSettings(), description="How the ends of runs are told to others."
    )
    models: ModelSettings = Field(ModelSettings(), description="Which chat models answer.")
    sandbox: SandboxSettings = Field(
        SandboxSettings(), description="What commands of agents may see and use."
    )
    internet: InternetSettings = Field(
        InternetSettings(), description="What agents may reach of the internet."
    )
    web: WebSettings = Field(WebSettings(), description="Who may talk to the server.")
    sockets: SocketSettings = Field(SocketSettings(), description="How much one WebSocket may ask.")
    log: LogSettings = Field(LogSettings(), description="What is logged, and how.")
    telemetry: TelemetrySettings = Field(TelemetrySettings(), description="What is told to those who watch.")
    git: GitSettings = Field(GitSettings(), description="Where git may push to and pull from.")
    mcp: McpSettings = Field(McpSettings(), description="Which MCP servers agents may use.")
    workspaces: WorkspaceSettings = Field(
        WorkspaceSettings(), description="Folders that are made for threads."
    )
    lsp: LanguageServerSettings = Field(
        LanguageServerSettings(), description="Language servers that look at files after an edit."
    )
    knowledge: KnowledgeSettings = Field(KnowledgeSettings(), description="How knowledge is searched.")
    policy: Path | None = Field(
        None, description="The server's policy, a YAML or JSON file; without it the built-in one holds."
    )

    agents: AgentSettings = Field(AgentSettings(), description="What agents may use for one request.")
    connections: ConnectionSettings = Field(
        ConnectionSettings(), description="With which other servers assistants may be connected."
    )
    kinds: Path | None = Field(
        None, description="Folder of further kinds of assistants, one Python file each."
    )

    @field_validator("workspace_roots", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return _parts(value, os.pathsep)

    @property
    def port_was_asked_for(self) -> bool:
        """Say whether somebody named the port, so that no other may stand in for it."""
        return "port" in self.model_fields_set

    @property
    def is_exposed(self) -> bool:
        """Say whether others than this machine could connect."""
        try:
            return not ip_address(self.host).is_loopback
        except ValueError:
            return self.host != "localhost"

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that nobody may see in a log."""
        addresses = (self.storage.postgres, self.storage.postgres_direct, self.storage.redis)
        passwords = (found for address in addresses for found in _PASSWORD.findall(address))
        keys = (*self.models.keys, self.web.studio_key)
        values = ("".join(parts) for parts in passwords)
        hidden = (
            self.webhooks.secret,
            self.internet.search_key,
            self.git.github_token,
            self.git.gitlab_token,
        )
        named = (
            *values,
            *keys,
            *(secret.get_secret_value() for secret in hidden),
            *mcp_servers(self).secrets,
            *connections.secrets(connected(self)),
        )
        return tuple(filter(None, named))

    @property
    def roots(self) -> tuple[Path, ...]:
        """The real folders below which agents may work; the first is where they work unless told."""
        given = self.workspace_roots or (Path.cwd(), self.data / "workspaces")
        return tuple(root.expanduser().resolve() for root in given)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the common names last: flag, then long name, then common name."""
        return init_settings, env_settings, dotenv_settings, _CommonNames(settings_cls)


class _CommonNames(PydanticBaseSettingsSource):
    def get_field_value(self, field: Any, field_name: str) -> tuple[Any, str, bool]:
        return None, field_name, False

    def __call__(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for file in (*ENV_FILES, None):
            values = dotenv_values(file) if file else os.environ
            for name, path in COMMON_NAMES.items():
                if value := values.get(name):
                    _put(found, path, value)
        return found


def load_settings(**flags: Any) -> Settings:
    """Read the settings; `flags` that are not None win over the environment.

    Raises:
        SettingsWrong: a value cannot be used; the message names the setting and says what would be right.
    """
    try:
        return Settings(**{name: value for name, value in flags.items() if value is not None})
    except ValidationError as wrong:
        raise SettingsWrong(_told(wrong)) from wrong
    except SettingsError as wrong:
        raise SettingsWrong(f"{wrong}: {wrong.__cause__}") from wrong


def provide(env: Mapping[str, str]) -> None:
    """Put names of a served configuration where its graphs look for them; what is set already stays."""
    for name, value in env.items():
        os.environ.setdefault(name, value)


def environment() -> Mapping[str, str]:
    """Return what graphs and headers of webhooks may take values from."""
    return dict(os.environ)


def mcp_servers(settings: Settings) -> Configured:
    """Read the file of MCP servers, with what it takes from the environment; no file: no servers.

    Raises:
        SettingsWrong: it cannot be used; the message names the file and the key.
    """
    if settings.mcp.file is None:
        return Configured()
    try:
        return read_mcp(settings.mcp.file, environment())
    except McpFileWrong as wrong:
        raise SettingsWrong(f"ARTEL_MCP__FILE: {wrong}") from wrong


def connected(settings: Settings) -> Mapping[str, connections.Connection]:
    """Read the file of connections, with what it takes from the environment; no file: none.

    Raises:
        SettingsWrong: it cannot be used; the message names the file and the key.
    """
    if settings.connections.file is None:
        return {}
    try:
        return connections.read(settings.connections.file.expanduser(), environment())
    except ConnectionsFileWrong as wrong:
        raise SettingsWrong(f"ARTEL_CONNECTIONS__FILE: {wrong}") from wrong


def _told(wrong: ValidationError) -> str:
    first = wrong.errors(include_url=False)[0]
    path = tuple(str(part) for part in first["loc"])
    name = next((n for n, p in COMMON_NAMES.items() if p == path), f"ARTEL_{'__'.join(path).upper()}")
    return f"{name} cannot be {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"


def _parts(value: object, separator: str) -> object:
    return (
        [part.strip() for part in value.split(separator) if part.strip()] if isinstance(value, str) else value
    )


def _put(found: dict[str, Any], path: tuple[str, ...], value: str) -> None:
    for part in path[:-1]:
        found = found.setdefault(part, {})
    found[path[-1]] = value
