"""Roles: who an agent is, as data. One Markdown file each: front matter, then the prompt."""

from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any

import yaml  # type: ignore[import-untyped]  # without stubs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from artel import prompts
from artel.storage.errors import Invalid
from artel.tools import registry

FENCE = "---"
MAX_CHARS = 64_000  # of a file
NAME = r"^[a-z][a-z0-9_]{0,63}$"


class RoleWrong(Invalid):
    """A file is no role; the message names the place and what would be right."""

    code = "role_wrong"


class Budget(BaseModel):
    """The most that a run in a role may use before it stops and says so; None: as the server is set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tokens: int | None = Field(None, gt=0, description="Of models, in and out together.")
    usd: float | None = Field(None, gt=0, description="By the prices that are known.")
    minutes: float | None = Field(None, gt=0, description="Of work, without the time that people think.")
    steps: int | None = Field(None, gt=0, description="Calls of a model.")


class Role(BaseModel):
    """An agent as data."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(pattern=NAME)]
    title: Annotated[str, Field(min_length=1, max_length=60)]
    description: Annotated[str, Field(min_length=1, max_length=400)]
    tools: tuple[str, ...] = Field((), description="Names of tools and of groups of them.")
    writes: tuple[str, ...] = Field((), description="Globs of the files that it may change; empty: any.")
    model: str = Field("", description="`provider:name`; empty: as the server is set.")
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

    def system(self, root: Path) -> str:
        """Return the prompt of an agent in this role that works in `root`."""
        where = prompts.render("shared/workspace", workspace=root)
        asking = f"\n{prompts.render('shared/asking')}" if "question" in self.tools else ""
        return f"{self.prompt.strip()}\n{asking}\n{where}\n{prompts.render('shared/language')}"


def parse(text: str, *, name: str, where: str) -> Role:
    """Return the role that a Markdown text with front matter describes.

    `name` is that of its file, `where` says in errors where it stands. Nothing in it is a template.

    Raises:
        RoleWrong: it has no front matter, a key is unknown, a value is wrong, or there is no prompt.
    """
    if len(text) > MAX_CHARS:
        raise RoleWrong(f"{where} has {len(text)} characters; a role has at most {MAX_CHARS}")
    lines = text.lstrip("\ufeff").replace("\r\n", "\n").split("\n")
    if lines[0].rstrip() != FENCE or FENCE not in [line.rstrip() for line in lines[1:]]:
        raise RoleWrong(f"{where} must begin with its front matter: YAML between two lines of {FENCE}")
    end = [line.rstrip() for line in lines].index(FENCE, 1)
    try:
        said: Any = yaml.safe_load("\n".join(lines[1:end]))
    except yaml.YAMLError as error:
        raise RoleWrong(f"{where}: its front matter is no YAML: {error}") from error
    if not isinstance(said, dict):
        raise RoleWrong(f"{where}: its front matter must be keys and values, title and description at least")
    try:
        return Role.model_validate({"name": name, **said, "prompt": "\n".join(lines[end + 1 :]).strip()})
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise RoleWrong(f"{where}: {key}: {first['msg']}") from error


@lru_cache(maxsize=1)
def built_in() -> dict[str, Role]:
    """Return the roles that come with Artel, by name."""
    return {
        name: parse(prompts.read(f"{name}/role"), name=name, where=f"prompts/{name}/role.md")
        for name in prompts.having("role")
    }
