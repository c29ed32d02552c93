"""The file that names MCP servers, in the form that most clients of MCP read: `{"mcpServers": {...}}`.

Only the operator names one. A workspace has no say: a repository must not start programs.
"""

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from artel.storage.errors import ArtelError
from artel.tools.variables import filled, named

MAX_SERVERS = 32
MAX_FILE_BYTES = 1_000_000
MAX_NAME = 24  # characters: of the 64 that providers give the name of a tool, 33 are left for its own
NAME = re.compile(r"[A-Za-z0-9]([_-]?[A-Za-z0-9])*")
# Of the server's own environment a program gets these, and what its entry names.
HANDED_ON = ("PATH", "HOME", "LOGNAME", "USER", "SHELL", "TERM", "LANG", "LC_ALL", "TZ", "TMPDIR")
AGENT = r"^[a-z][a-z0-9_]{0,63}$"
MIN_SECRET = 6  # characters; what is shorter would be hidden everywhere


class McpFileWrong(ArtelError):
    """The file of MCP servers cannot be used; the message names it and the key."""

    code = "mcp_file_wrong"


class McpSettings(BaseModel):
    """Which MCP servers agents may use."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = Field(
        None, description='JSON file that names MCP servers, as `{"mcpServers": {…}}`; empty: none.'
    )


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an absolute http or https URL")
    return url


class Entry(BaseModel):
    """One server as it is written down."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, hide_input_in_errors=True)

    type: Literal["stdio", "http", "streamable-http", "streamable_http", "streamableHttp"] | None = Field(
        None, validation_alias=AliasChoices("type", "transport")
    )
    command: str = ""
    args: list[str] = []
    env: dict[str, str] = {}
    cwd: str = ""
    url: Annotated[str, AfterValidator(_http)] | None = None
    headers: dict[str, str] = {}
    disabled: bool = False
    agents: list[Annotated[str, Field(pattern=AGENT)]] = ["coder", "ask"]
    tools: list[str] = ["*"]
    disabled_tools: list[str] = Field([], alias="disabledTools")
    idempotent_tools: list[str] = Field([], alias="idempotentTools")
    startup_timeout_s: float = Field(30, gt=0, le=600)
    timeout_s: float = Field(60, gt=0, le=3_600)
    trusted: bool = False
    sandbox: bool = False

    @model_validator(mode="after")
    def _one_way(self) -> "Entry":
        if bool(self.command) == bool(self.url):
            raise ValueError("needs either `command` (a program) or `url` (a server over HTTP)")
        if self.type and (self.type == "stdio") != bool(self.command):
            raise ValueError(f"is of type {self.type}, which does not fit its command or url")
        if self.sandbox and self.url:
            raise ValueError("has `sandbox`, which is for a `command` only")
        if any("\0" in text for text in (self.command, self.cwd, *self.args, *self.env, *self.env.values())):
            raise ValueError("holds a NUL, which no command can")
        return self


class Server(BaseModel):
    """An MCP server, ready to be reached."""

    model_config = ConfigDict(frozen=True)

    name: str
    transport: Literal["stdio", "http"]
    argv: tuple[str, ...] = Field((), repr=False)
    env: Mapping[str, str] = Field({}, repr=False, description="The whole environment of its program.")
    own_env: Mapping[str, str] = Field({}, repr=False, description="What its entry names of it.")
    cwd: Path = Path()
    url: str = Field("", repr=False)
    headers: Mapping[str, str] = Field({}, repr=False)
    agents: tuple[str, ...]
    tools: tuple[str, ...]
    disabled_tools: tuple[str, ...]
    idempotent_tools: tuple[str, ...]
    startup_timeout_s: float = Field(description="From its start to its first list of tools.")
    timeout_s: float = Field(description="Of a call.")
    trusted: bool
    sandbox: bool
    secrets: tuple[str, ...] = Field((), repr=False, description="What nobody may see of it.")

    def offers(self, tool: str) -> bool:
        """Say whether agents may have one of its tools; the list of forbidden ones wins."""
        return _any(self.tools, tool) and not _any(self.disabled_tools, tool)

    def repeats(self, tool: str) -> bool:
        """Say whether the operator lets a tool be called again when nobody saw how a call ended."""
        return _any(self.idempotent_tools, tool)

    def hidden(self, text: str) -> str:
        """Return `text` without the server's secrets."""
        for secret in self.secrets:
            text = text.replace(secret, "***")
        return text


class Configured(BaseModel):
    """What a file says."""

    model_config = ConfigDict(frozen=True)

    servers: tuple[Server, ...] = ()
    ignored: tuple[str, ...] = Field((), description="Keys that mean nothing here, as `server.key`.")

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that nobody may see in a log."""
        return tuple(secret for server in self.servers for secret in server.secrets)


def read(file: Path, environment: Mapping[str, str]) -> Configured:
    """Return the servers of a file; `${NAME}` and `${NAME:-else}` in it are taken from `environment`.

    Raises:
        McpFileWrong: it cannot be read, or a key in it is not what it should be.
    """
    file = file.expanduser().absolute()
    entries = _entries(file)
    if len(entries) > MAX_SERVERS:
        raise McpFileWrong(f"{file}: mcpServers names {len(entries)} servers; at most {MAX_SERVERS} are used")
    servers, ignored = [], []
    for name, given in entries.items():
        where = f"{file}: mcpServers.{name[:80]}"
        if not NAME.fullmatch(name) or len(name) > MAX_NAME:
            raise McpFileWrong(
                f"{where}: a name has letters, digits, single - and _ between them, and {MAX_NAME} characters"
            )
        entry = _entry(where, given, environment)
        ignored += [f"{name}.{key}" for key in entry.model_extra or {}]
        if not entry.disabled:
            servers.append(_server(name, entry, given, file.parent, environment))
    return Configured(servers=tuple(servers), ignored=tuple(ignored))


def _entries(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
        content = json.loads(raw.decode())
    except OSError as error:
        raise McpFileWrong(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise McpFileWrong(f"{file} is not JSON: {error}") from None
    entries = content.get("mcpServers") if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        raise McpFileWrong(f'{file} must hold an object such as {{"mcpServers": {{"name": {{…}}}}}}')
    return entries


def _entry(where: str, given: Any, environment: Mapping[str, str]) -> Entry:
    if not isinstance(given, dict):
        raise McpFileWrong(f"{where} must be an object")
    try:
        return Entry.model_validate(filled(where, given, environment))
    except LookupError as unset:
        raise McpFileWrong(str(unset)) from None
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        path = "".join(f".{part}" for part in first["loc"])
        raise McpFileWrong(f"{where}{path} {first['msg'].removeprefix('Value error, ')}") from None


def _server(
    name: str, entry: Entry, given: Mapping[str, Any], folder: Path, environment: Mapping[str, str]
) -> Server:
    handed = {key: environment[key] for key in HANDED_ON if key in environment}
    return Server(
        name=name,
        transport="stdio" if entry.command else "http",
        argv=(entry.command, *entry.args) if entry.command else (),
        env=handed | entry.env,
        own_env=entry.env,
        cwd=folder / Path(entry.cwd).expanduser(),
        url=entry.url or "",
        headers=entry.headers,
        agents=tuple(entry.agents),
        tools=tuple(entry.tools),
        disabled_tools=tuple(entry.disabled_tools),
        idempotent_tools=tuple(entry.idempotent_tools),
        startup_timeout_s=entry.startup_timeout_s,
        timeout_s=entry.timeout_s,
        trusted=entry.trusted,
        sandbox=entry.sandbox,
        secrets=tuple(sorted(set(_secrets(entry, given, environment)), key=len, reverse=True)),
    )


def _secrets(entry: Entry, given: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[str]:
    """Yield what may be one: values of headers with and without their scheme, of env, and of variables."""
    url = urlsplit(entry.url or "")
    words = [part.partition("=")[2] for part in url.query.split("&")]
    headers = [word for value in entry.headers.values() for word in (value, *value.split())]
    own = [value for key, value in entry.env.items() if environment.get(key) != value or key not in HANDED_ON]
    taken = [environment.get(name, "") for name in named(json.dumps(dict(given)))]
    for value in (*headers, *own, *taken, *words, url.password or ""):
        if len(value) >= MIN_SECRET and value not in ("Bearer", "Basic", environment.get("HOME")):
            yield value


def _any(patterns: tuple[str, ...], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)
