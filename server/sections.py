"""The parts of a `langgraph.json` as records: what is wrong is refused, what is unknown is said."""

import re
from typing import Annotated, Any, TypeVar

import structlog
from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from artel.server.served import ConfigWrong, Served

log = structlog.get_logger(__name__)


class Section(BaseModel):
    """A part of a configuration."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)


S = TypeVar("S", bound=Section)


def _named(path: str) -> str:
    source, colon, name = path.rpartition(":")
    if not colon or not source or not name.isidentifier():
        raise ValueError('must be "./file.py:name"')
    return path


def _pattern(text: str) -> str:
    try:
        re.compile(text)
    except re.error as wrong:
        raise ValueError(f"is no regular expression: {wrong}") from wrong
    return text


NamedIn = Annotated[str, AfterValidator(_named)]
Pattern = Annotated[str, AfterValidator(_pattern)]


def parse(config: Served | None, key: str, kind: type[S]) -> S | None:
    """Return a part of a configuration; None where it is not there. Keys that nobody knows are logged.

    Raises:
        ConfigWrong: a key in it is not what it should be.
    """
    given = config.sections.get(key) if config else None
    if config is None or given is None:
        return None
    if not isinstance(given, dict):
        raise ConfigWrong(f"{config.file}: {key} must be an object, got {given!r}")
    try:
        section = kind.model_validate(given)
    except ValidationError as wrong:
        raise ConfigWrong(f"{config.file}: {key}{_told(wrong)}") from wrong
    for path in _unknown(section):
        log.warning(f"{config.file}: {key}.{path} is not known here, and ignored")
    return section


def _told(wrong: ValidationError) -> str:
    first = wrong.errors(include_url=False)[0]
    path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    if first["type"] == "missing":
        return f"{path} is required"
    message = first["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"{path} {message}, got {first['input']!r}"


def _unknown(section: BaseModel, prefix: str = "") -> list[str]:
    found = [f"{prefix}{name}" for name in section.model_extra or {}]
    for name in type(section).model_fields:
        value: Any = getattr(section, name)
        if isinstance(value, Section):
            found += _unknown(value, f"{prefix}{name}.")
    return found
