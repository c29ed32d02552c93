"""`auth` of a configuration: who may use the server, read and checked."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from langgraph_sdk import Auth
from pydantic import Field

from artel.server import loading
from artel.server.sections import NamedIn, Section, parse
from artel.server.served import ConfigWrong, Served

TOLD = (
    "request",
    "body",
    "path",
    "method",
    "path_params",
    "query_params",
    "headers",
    "authorization",
    "scope",
)


class CacheSection(Section):
    """How long a user who was let in is remembered, by which headers."""

    cache_keys: Annotated[list[str], Field(min_length=1)]
    ttl_seconds: Annotated[float, Field(gt=0)] = 60.0
    max_size: Annotated[int, Field(ge=1)] = 1000


class OpenApiSection(Section):
    """What the document says about keys."""

    schemes: Annotated[dict[str, dict[str, Any]], Field(alias="securitySchemes")] = Field(
        default_factory=dict
    )
    security: list[dict[str, list[str]]] = Field(default_factory=list)
    paths: dict[str, dict[str, list[dict[str, list[str]]]]] = Field(default_factory=dict)


class AuthSection(Section):
    """`auth` as it is written."""

    path: NamedIn
    disable_studio_auth: bool = False
    openapi: OpenApiSection = OpenApiSection()
    cache: CacheSection | None = None


def read(config: Served | None) -> tuple[AuthSection, Auth] | None:
    """Return `auth` of a configuration and the `Auth` that it names; None where there is none.

    Raises:
        ConfigWrong: a key is not what it should be, or what it names cannot be used.
    """
    section = parse(config, "auth", AuthSection)
    if config is None or section is None:
        return None
    source, _, name = section.path.rpartition(":")
    auth = loading.load_named(config, "auth.path", source, name)
    where = f"{config.file}: auth.path"
    if not isinstance(auth, Auth):
        raise ConfigWrong(f'{where}: "{name}" in {source} must be an Auth, not {type(auth).__name__}')
    if auth._authenticate_handler is None:
        raise ConfigWrong(f'{where}: "{name}" has no @{name}.authenticate: nobody could be let in')
    wanted(auth._authenticate_handler, where)
    return section, auth


def wanted(handler: Callable[..., Any], where: str) -> tuple[str, ...]:
    """Return which parts of a request a handler asks for, by the names of its parameters.

    Raises:
        ConfigWrong: it needs something that a request does not have.
    """
    parameters = inspect.signature(handler).parameters.values()
    named = [one for one in parameters if one.kind is not one.VAR_POSITIONAL]
    if any(one.kind is one.VAR_KEYWORD for one in named):
        return TOLD
    for one in named:
        if one.name not in TOLD and one.default is one.empty:
            raise ConfigWrong(f"{where}: @authenticate may take {', '.join(TOLD)}; it asks for {one.name!r}")
    return tuple(one.name for one in named if one.name in TOLD)
