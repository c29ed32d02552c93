"""The servers that assistants may be connected with: `{"connections": {"name": {...}}}`, the operator's file.

Assistants name a connection; whoever makes one sees neither its address nor its key, and can name no other.
"""

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from threading import Lock
from typing import Annotated, Any, Literal, TypeAlias, TypeVar
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)

from artel.storage.errors import Invalid
from artel.tools.variables import filled

MAX_CONNECTIONS = 64
MAX_FILE_BYTES = 1_000_000
MIN_SECRET = 6  # characters; what is shorter would be hidden everywhere

Seen: TypeAlias = tuple[int, int]  # when a file was changed, and its size
Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class ConnectionsFileWrong(Invalid):
    """The file of connections cannot be used; the message names it and the key."""

    code = "connections_file_wrong"


class UnknownConnection(Invalid):
    """An assistant names a connection that there is not, or one of another type."""

    code = "unknown_connection"


class NotOffered(Invalid):
    """A connection does not offer what an assistant asks of it; the message says what it offers."""

    code = "not_offered"


class ConnectionSettings(BaseModel):
    """With which other servers assistants may be connected."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = Field(
        None,
        description='JSON file that names servers, as `{"connections": {…}}`; read anew whenever it changes.',
    )


def _http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an absolute http or https URL")
    return url


class _Connection(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    url: Annotated[str, AfterValidator(_http)] = Field(repr=False)
    key: str = Field("", repr=False)
    headers: dict[str, str] = Field({}, repr=False)
    description: str = ""
    timeout_s: float = Field(300, gt=0, le=3_600, description="Longest silence inside an answer.")

    @property
    def secrets(self) -> Iterable[str]:
        """The values that nobody may see."""
        for value in (self.key, *self.headers.values(), urlsplit(self.url).password or ""):
            yield from (word for word in (value, *value.split()) if len(word) >= MIN_SECRET)

    def hidden(self, text: str) -> str:
        """Return `text` without the address and the secrets of the server."""
        place = urlsplit(self.url)
        for secret in (*self.secrets, self.url, place.netloc, place.hostname or ""):
            text = text.replace(secret, "***") if secret else text
        return text


class OpenAI(_Connection):
    """A server that speaks OpenAI's Responses API."""

    type: Literal["openai"]
    url: Annotated[str, AfterValidator(_http)] = Field("https://api.openai.com/v1", repr=False)
    models: list[str] = Field(["*"], description="Which models may be asked, by patterns such as `gpt-5*`.")
    tools: dict[Name, dict[str, Any]] = Field(
        {}, repr=False, description="Tools that the server runs itself, by the names assistants know them by."
    )

    def model_post_init(self, _context: Any, /) -> None:
        """Refuse tools that we would have to run."""
        for name, tool in self.tools.items():
            if not isinstance(tool.get("type"), str) or tool["type"] in ("function", "custom"):
                raise ValueError(f"tools.{name} must have the type of a tool that the server runs itself")


class LangGraph(_Connection):
    """A LangGraph server: one of ours, or any that speaks its protocol."""

    type: Literal["langgraph"]
    assistants: list[str] = Field(["*"], description="Which of its assistants and graphs, by patterns.")


Connection: TypeAlias = OpenAI | LangGraph
Wanted = TypeVar("Wanted", OpenAI, LangGraph)
_ANY: TypeAdapter[Connection] = TypeAdapter(Annotated[Connection, Field(discriminator="type")])
_NAME = TypeAdapter(Name)


class Connections:
    """The connections of a process, as the file says now; looks at it whenever one is asked for.

    A file that has become wrong changes nothing, and `problem` says what is wrong with it.
    """

    def __init__(self, file: Path | None = None, environment: Mapping[str, str] | None = None) -> None:
        self.problem: str | None = None
        self._file = file.expanduser().absolute() if file else None
        self._environment = dict(environment or {})
        self._held: Mapping[str, Connection] = {}
        self._seen: Seen | None = None
        self._looking = Lock()

    def all(self) -> Mapping[str, Connection]:
        """Return the connections by name. Looks at the file system."""
        if self._file is not None:
            with self._looking:
                self._look(self._file)
        return self._held

    def get(self, name: str, kind: type[Wanted]) -> Wanted:
        """Return the connection of a name. Looks at the file system.

        Raises:
            UnknownConnection: there is none of that name and type; the message names those there are.
        """
        known = self.all()
        found = known.get(name)
        if isinstance(found, kind):
            return found
        fit = ", ".join(sorted(one for one, held in known.items() if isinstance(held, kind)))
        word = kind.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]
        there = f"one of {fit}" if fit else "one, but this server has none: see ARTEL_CONNECTIONS__FILE"
        raise UnknownConnection(
            f"context.connection must name a connection of type {word}, {there}; got {name[:80]!r}"
        )

    def _look(self, file: Path) -> None:
        try:
            found = file.stat()
            seen = (found.st_mtime_ns, found.st_size)
            if seen == self._seen:
                return
            self._seen = seen
            self._held = read(file, self._environment)
            self.problem = None
        except OSError as error:
            self.problem = f"{file} cannot be read: {error.strerror}"
        except ConnectionsFileWrong as wrong:
            self.problem = str(wrong)


def offers(patterns: Iterable[str], name: str) -> bool:
    """Say whether a name is among those that the operator allows."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def read(file: Path, environment: Mapping[str, str]) -> dict[str, Connection]:
    """Return the connections of a file; `${NAME}` and `${NAME:-else}` in it are taken from `environment`.

    Raises:
        ConnectionsFileWrong: it cannot be read, or a key in it is not what it should be.
    """
    entries = _entries(file)
    if len(entries) > MAX_CONNECTIONS:
        raise ConnectionsFileWrong(f"{file} names {len(entries)} connections; at most {MAX_CONNECTIONS}")
    return {name: _connection(file, name, given, environment) for name, given in entries.items()}


def secrets(connections: Mapping[str, Connection]) -> tuple[str, ...]:
    """Return the values of connections that nobody may see in a log."""
    return tuple(secret for one in connections.values() for secret in one.secrets)


def _entries(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MAX_FILE_BYTES + 1)
        content = json.loads(raw.decode())
    except OSError as error:
        raise ConnectionsFileWrong(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ConnectionsFileWrong(f"{file} is not JSON: {error}") from None
    entries = content.get("connections") if isinstance(content, dict) else None
    if not isinstance(entries, dict):
        raise ConnectionsFileWrong(f'{file} must hold an object such as {{"connections": {{"name": {{…}}}}}}')
    return entries


def _connection(file: Path, name: str, given: Any, environment: Mapping[str, str]) -> Connection:
    where = f"{file}: connections.{name[:80]}"
    try:
        _NAME.validate_python(name)
    except ValidationError:
        raise ConnectionsFileWrong(f"{where}: a name has letters, digits, - and _, at most 64") from None
    try:
        return _ANY.validate_python(filled(where, given, environment))
    except LookupError as unset:
        raise ConnectionsFileWrong(str(unset)) from None
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        path = "".join(f".{part}" for part in first["loc"] if part not in ("openai", "langgraph"))
        raise ConnectionsFileWrong(f"{where}{path}: {first['msg'].removeprefix('Value error, ')}") from None
