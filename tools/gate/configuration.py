"""What a project asks of its gate: `.artel/gate.toml` as the base commit has it."""

import re
import tomllib
from collections.abc import Callable
from fnmatch import fnmatchcase
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from artel.tools.errors import ToolRefused
from artel.tools.gate.errors import GateMisconfigured
from artel.tools.workspace import globs

FILE = ".artel/gate.toml"
MAX_BYTES = 200_000
TIMEOUT_S = 300.0

BuiltIn = Literal["syntax", "secrets", "calls", "imports", "silencing"]
Program = Literal["lint", "format", "types"]
Parse = Literal["ruff", "eslint", "lines", "none"]
Step = Literal["commit", "push", "pr"]

BUILT_IN: tuple[BuiltIn, ...] = ("syntax", "secrets", "calls", "imports", "silencing")
PROGRAMS: tuple[Program, ...] = ("lint", "format", "types")


def _pattern(text: str) -> str:
    try:
        globs.matcher(text)
    except ToolRefused as error:
        raise ValueError(str(error)) from None
    return text


def _expression(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"{text!r} is no regular expression: {error}") from None
    return text


Glob = Annotated[str, AfterValidator(_pattern)]
Expression = Annotated[str, AfterValidator(_expression)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Forbidden(_Part):
    """A call that no file may make."""

    call: str = Field(min_length=1, description="Its whole name, with `*`: `os.system`, `requests.*`.")
    language: Literal["python", "typescript", ""] = Field(default="", description="Empty: both.")
    files: tuple[Glob, ...] = Field(default=(), description="Where; empty: everywhere.")
    unless: tuple[Glob, ...] = Field(default=(), alias="except", description="Where it may.")
    message: str = Field(default="", description="What to do instead.")

    def covers(self, path: str, language: str) -> bool:
        """Whether it is about a file."""
        return self.language in ("", language) and fits(path, self.files) and not any_fits(path, self.unless)

    def matches(self, name: str) -> bool:
        """Whether it is about what is called `name`."""
        return fnmatchcase(name, self.call)


class Imports(_Part):
    """What some files may import."""

    files: tuple[Glob, ...] = Field(default=(), description="Which; empty: all. The first that fits counts.")
    allowed: tuple[str, ...] | None = Field(
        default=None, description="Modules or packages, with all below; without it what the project declares."
    )
    denied: tuple[str, ...] = Field(default=(), description="Wins over all else, the standard library too.")
    builtin: bool = Field(default=True, description="Whether the standard library or Node's own is allowed.")


class Secrets(_Part):
    """What looks like a secret and is none."""

    allow: tuple[Expression, ...] = Field(default=(), description="Expressions of values, to fit whole.")
    unless: tuple[Glob, ...] = Field(default=(), alias="except", description="Files that are not searched.")


class Check(_Part):
    """A command of the project's own."""

    name: str = Field(min_length=1, max_length=60)
    run: tuple[str, ...] = Field(min_length=1, description="`{files}` stands for the changed files.")
    files: tuple[Glob, ...] = Field(default=(), description="Run only if such files changed; empty: any.")
    parse: Parse = Field(default="none", description="What its output is.")
    timeout_s: float = Field(default=TIMEOUT_S, gt=0, le=3_600)


class Gate(_Part):
    """The whole of it."""

    guard: tuple[Step, ...] = Field(default=(), description="Steps of an agent that are judged before.")
    checks: tuple[BuiltIn | Program, ...] | None = Field(
        default=None, description="Those that are asked for; without it all, as far as there are programs."
    )
    exclude: tuple[Glob, ...] = Field(default=(), description="Files that are not judged.")
    protected: tuple[Glob, ...] = Field(default=(), description="Files that only a person may change.")
    allow_config_change: bool = Field(default=False, description="Whether the gate may be changed, too.")
    own_programs: bool = Field(
        default=True, description="Whether programs are looked for in .venv and node_modules first."
    )
    timeout_s: float = Field(default=TIMEOUT_S, gt=0, le=3_600, description="Of each lint, format and types.")
    default_calls: bool = Field(default=True, description="Whether the built-in list of calls counts.")
    allowed_calls: tuple[str, ...] = Field(default=(), description="What of that list may be called.")
    forbidden: tuple[Forbidden, ...] = ()
    imports: tuple[Imports, ...] = ()
    secrets: Secrets = Secrets()
    check: tuple[Check, ...] = ()

    @model_validator(mode="after")
    def _names_differ(self) -> "Gate":
        names = [one.name for one in self.check]
        known = {*BUILT_IN, *PROGRAMS, "gate-config", "unread"}
        if twice := next((name for name in names if names.count(name) > 1 or name in known), None):
            raise ValueError(f"a check of one's own needs a name that no other has, not {twice!r}")
        return self

    def wants(self, check: str) -> bool:
        """Whether a check is to run."""
        return self.checks is None or check in self.checks

    def insists_on(self, check: str) -> bool:
        """Whether a check must run: the project asks for it by name."""
        return self.checks is not None and check in self.checks


class Configured(_Part):
    """A gate, and where it came from."""

    gate: Gate
    source: str


def read(data: bytes | None, commit: str) -> Configured:
    """Return the configuration in the file of a base commit; without one the defaults.

    Raises:
        GateMisconfigured: it is no such configuration.
    """
    if data is None:
        return Configured(gate=Gate(), source=f"defaults, as the base has no {FILE}")
    where = f"{FILE} at {commit[:10]}, sha256 {sha256(data).hexdigest()[:12]}"
    if len(data) > MAX_BYTES:
        raise GateMisconfigured(f"{where}: it has {len(data)} bytes, at most {MAX_BYTES} are read")
    try:
        return Configured(gate=Gate.model_validate(tomllib.loads(data.decode())), source=where)
    except ValidationError as error:
        said = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        said = str(error)
    raise GateMisconfigured(f"{where}: {said}. A person has to mend it and commit it")


def fits(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of `patterns` fits; no pattern at all fits everything."""
    return not patterns or any_fits(path, patterns)


def any_fits(path: str, patterns: tuple[str, ...]) -> bool:
    """Whether one of `patterns` fits."""
    return any(_matcher(pattern)(path) for pattern in patterns)


@lru_cache(maxsize=1_024)
def _matcher(pattern: str) -> Callable[[str], Any]:
    return globs.matcher(pattern)
