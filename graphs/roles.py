"""Roles: who an agent is, as data. One Markdown file each: front matter, then the prompt."""

import os
import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Self

import yaml  # type: ignore[import-untyped]  # without stubs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)

from artel import prompts
from artel.graphs.budget import Budget
from artel.graphs.errors import RoleWrong as RoleWrong
from artel.graphs.errors import UnknownRole as UnknownRole
from artel.tools import registry
from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.workspace import globs, opening
from artel.tools.workspace.paths import NoSuchFile, Place, TooLarge, printable

FENCE = "---"
MAX_CHARS = 64_000  # of a file
MAX_HEAD = 8_000  # characters of its front matter
NAME = r"^[a-z][a-z0-9_]{0,63}$"
ANY = "**"
UNNAMED = "custom"  # the name of a role that is given as text and names itself not
TAKEN = frozenset(  # by agents that are no role
    {"agent", "orchestrator", "publish", "openai_responses", "remote_graph"}
)
FOLDER = (".artel", "agents")  # of a workspace: the roles of its users
MAX_ROLES = 100  # of a workspace
CHANGING = ("git.write", "git.push")  # actions of tools that change whatever they come upon


class Role(BaseModel):
    """An agent as data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=NAME)]
    title: Annotated[str, Field(min_length=1, max_length=60)]
    description: Annotated[str, Field(min_length=1, max_length=400)]
    tools: Annotated[tuple[str, ...], Field(max_length=200)] = Field(
        (), description="Names of tools and of groups of them."
    )
    writes: Annotated[tuple[str, ...], Field(max_length=50)] = Field(
        (ANY,), description="Globs of the files that it may change; `**`: any; none: it changes nothing."
    )
    output: Annotated[tuple[str, ...], Field(max_length=10)] = Field(
        (), description="Headings that the answer to a piece of work must have; `a | b`: one of them."
    )
    model: Annotated[str, Field(max_length=200)] = Field(
        "", description="`provider:name`; empty: as the server is set."
    )
    budget: Budget = Budget()
    prompt: Annotated[str, Field(min_length=1)]

    @field_validator("tools")
    @classmethod
    def _known(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        try:
            return registry.named(names)
        except KeyError as unknown:
            groups, tools = ", ".join(registry.GROUPS), ", ".join(registry.TOOLS)
            raise ValueError(
                f"there is no tool {unknown.args[0]!r}; there are the groups {groups} and the tools {tools}"
            ) from None

    @field_validator("writes")
    @classmethod
    def _can_match(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for pattern in patterns:
                globs.matcher(pattern)
        except ToolRefused as error:
            raise ValueError(str(error)) from None
        return patterns

    @field_validator("title", "description", "output")
    @classmethod
    def _is_legible(cls, value: str | tuple[str, ...], told: ValidationInfo) -> str | tuple[str, ...]:
        for text in (value,) if isinstance(value, str) else value:
            if not text.strip() or not text.isprintable():
                raise ValueError(f"{told.field_name} must be words in one line, got {text[:60]!r}")
        return value

    @model_validator(mode="after")
    def _keeps_to_it(self) -> Self:
        """Refuse tools that the role's own `writes` would never let it use."""
        tools = [registry.TOOLS[name] for name in self.tools]
        if not self.is_free and (loose := [tool.name for tool in tools if tool.action in CHANGING]):
            raise ValueError(
                f"writes holds it to some files, and {', '.join(loose)} could change any: leave these tools "
                "out, or say no `writes`"
            )
        if not self.writes and (idle := [tool.name for tool in tools if tool.action == "fs.write"]):
            raise ValueError(
                f"writes is empty, so it changes nothing: leave out {', '.join(idle)}, or name the files"
            )
        return self

    @property
    def is_free(self) -> bool:
        """Whether it may change any file, as far as the policy lets it."""
        return ANY in self.writes

    @property
    def identity(self) -> str:
        """What grants and the audit log know its agent by: a role of a user is another once it changes."""
        if self.name in TAKEN or built_in().get(self.name) == self:
            return self.name
        return f"{self.name}@{sha256(self.model_dump_json().encode('utf-8', 'replace')).hexdigest()[:12]}"

    def system(self, root: Path) -> str:
        """Return the prompt of an agent in this role that works in `root`."""
        parts = [prompts.render("shared/workspace", workspace=root)]
        if "question" in self.tools:
            parts.append(prompts.render("shared/asking"))
        if not self.is_free:
            parts.append(prompts.render("shared/held", writes=self.writes, runs=self._runs))
        if self.output:
            parts.append(prompts.render("shared/output", headings=self.output))
        parts.append(prompts.render("shared/language"))
        return "\n".join((f"{self.prompt.strip()}\n", *parts))

    @property
    def _runs(self) -> bool:
        return any(registry.TOOLS[name].action == "exec" for name in self.tools)


def parse(text: str, *, name: str = "", where: str) -> Role:
    """Return the role that a Markdown text with front matter describes.

    `name` is that of its file; without one the front matter may say it. `where` says in errors where the
    text stands. Nothing in it is a template.

    Raises:
        RoleWrong: it has no front matter, a key is unknown, a value is wrong, or there is no prompt.
    """
    if len(text) > MAX_CHARS:
        raise RoleWrong(f"{where} has {len(text)} characters; a role has at most {MAX_CHARS}")
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != FENCE or FENCE not in [line.rstrip() for line in lines[1:]]:
        raise RoleWrong(f"{where} must begin with its front matter: YAML between two lines of {FENCE}")
    end = [line.rstrip() for line in lines].index(FENCE, 1)
    said = _front_matter("\n".join(lines[1:end]), where)
    if name and said.get("name", name) != name:
        raise RoleWrong(f"{where}: name: it is {name}, as the file says; leave it out, or call the file so")
    if "prompt" in said:
        raise RoleWrong(f"{where}: prompt: it is the text below the front matter; leave it out there")
    whole = {"name": name or UNNAMED, **said, "prompt": "\n".join(lines[end + 1 :]).strip()}
    try:
        return Role.model_validate(whole)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = first["msg"].removeprefix("Value error, ")
        raise RoleWrong(": ".join(part for part in (where, printable(key), message) if part)) from error


def own(text: str, *, name: str = "", where: str) -> Role:
    """Return the role in a text that a user wrote: it takes no name, and names no file, of the server's.

    Raises:
        RoleWrong: as `parse`, or it does.
    """
    role = parse(text, name=name, where=where)
    if role.name in built_in() or role.name in TAKEN:
        raise RoleWrong(f"{where}: {role.name} is the name of an agent that is built in; choose another")
    if re.match(r"\s*[./~\\]", role.model.partition(":")[2]) or role.model.startswith("scripted"):
        raise RoleWrong(f"{where}: model: it must be `provider:name`, and no file of the server")
    return role


@lru_cache(maxsize=1)
def built_in() -> dict[str, Role]:
    """Return the roles that come with Artel, by name."""
    return {
        name: parse(prompts.read(f"{name}/role"), name=name, where=f"prompts/{name}/role.md")
        for name in prompts.having("role")
    }


def find(name: str, root: Path | None = None) -> Role:
    """Return a role by its name: a built-in one, else `.artel/agents/<name>.md` of the workspace `root`.

    Reads a file, so it belongs into a thread.

    Raises:
        UnknownRole: there is none.
        RoleWrong: the file is no role, or cannot be read.
    """
    if role := built_in().get(name):
        return role
    if root is not None and re.fullmatch(NAME, name):
        try:
            return _read(root, f"{name}.md")
        except NoSuchFile:
            pass
    known = [*built_in(), *(of_workspace(root) if root else ())]
    place = f" in {root}" if root else ""
    raise UnknownRole(f"there is no role {name[:80]!r}{place}; there are {', '.join(known)}")


def of_workspace(root: Path) -> Mapping[str, Role | RoleWrong]:
    """Return the roles that the users of a workspace wrote, by the names of their files, sorted.

    Of a file that is no role what is wrong with it. Reads files, so it belongs into a thread.
    """
    shown = "/".join(FOLDER)
    try:
        with opening.folder(Place(root, FOLDER)) as folder:
            files = sorted(name for name in os.listdir(folder) if name.endswith(".md"))  # noqa: PTH208 - of what is open
    except NoSuchFile:
        return {}
    except (ToolRefused, ToolFailed, OSError) as error:
        return {shown: RoleWrong(f"{shown}: {error}")}
    found = {printable(file.removesuffix(".md")): _tried(root, file) for file in files[:MAX_ROLES]}
    if len(files) > MAX_ROLES:
        found[shown] = RoleWrong(f"{shown} has {len(files)} files; the first {MAX_ROLES} are looked at")
    return found


def _tried(root: Path, file: str) -> Role | RoleWrong:
    try:
        return _read(root, file)
    except RoleWrong as wrong:
        return wrong
    except NoSuchFile:  # gone meanwhile
        return RoleWrong(f"{printable(file)} is gone")


def _read(root: Path, file: str) -> Role:
    """Read a role of a workspace, through no link; `.artel` is closed to the tools of agents."""
    place = Place(root, (*FOLDER, file))
    try:
        data = opening.read_bytes(place, limit=MAX_CHARS * 4).data
        text = data.decode("utf-8")
    except NoSuchFile:
        raise
    except TooLarge as error:
        raise RoleWrong(f"{place.shown} is too large; a role has at most {MAX_CHARS} characters") from error
    except UnicodeDecodeError as error:
        raise RoleWrong(f"{place.shown} is no UTF-8: {error}") from error
    except (ToolRefused, ToolFailed) as error:
        raise RoleWrong(printable(str(error))) from error
    return own(text, name=file.removesuffix(".md"), where=place.shown)


def _front_matter(text: str, where: str) -> dict[Any, Any]:
    if len(text) > MAX_HEAD:
        raise RoleWrong(f"{where}: its front matter has {len(text)} characters; it has at most {MAX_HEAD}")
    try:
        said: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # a date of month 13, brackets without end
        why = printable(" ".join(str(error).split())[:500])
        raise RoleWrong(f"{where}: its front matter is no YAML: {why}") from error
    if not isinstance(said, dict):
        raise RoleWrong(f"{where}: its front matter must be keys and values, title and description at least")
    return said
