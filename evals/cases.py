"""A case: a folder, a request, what people answer, and what must be true afterwards. One YAML file each.

The files of all cases of an agent lie in `evals/<agent>/cases`; docs/howto/evals.md explains the keys.
"""

from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, TypeAlias

import yaml  # type: ignore[import-untyped]  # without stubs
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from artel.graphs.models.scripted import Reply
from artel.storage.errors import Invalid
from artel.tools.workspace.paths import DENIED

MAX_CHARS = 1_000_000  # of a case's file
MAX_DEPTH = 20
MAX_FILES = 500
MAX_PATH = 400

ModelKind: TypeAlias = Literal["scripted", "offline", "real"]


class CaseWrong(Invalid):
    """A file is no case; the message names the file, the key and what would be right."""

    code = "case_wrong"


def inside(path: str) -> str:
    """Return a path that stays in a fresh folder, as it is.

    Raises:
        ValueError: it is absolute or too long, has `..` or an empty part, or is git's or Artel's own.
    """
    parts = path.split("/")
    if not path or len(path) > MAX_PATH or "\\" in path or not path.isprintable() or ":" in parts[0]:
        raise ValueError(f"{path[:60]!r} is no path: name a file of the workspace, like 'src/app.py'")
    if PurePosixPath(path).is_absolute() or {"", ".", ".."} & set(parts):
        raise ValueError(f"{path[:60]!r} leads out of the workspace: name a file in it, like 'src/app.py'")
    if owned := DENIED & {part.lower() for part in parts}:
        raise ValueError(f"{path[:60]!r} is in {min(owned)}, which no tool may touch: leave it out")
    return path


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Answer(_Strict):
    """What a person says to a question of a run. The first that fits is given; nothing fitting: a yes."""

    to: str = Field("*", description="A tool's name, `question`, another type of interrupt, or `*`.")
    path: str = Field("*", description="Glob of the file that a tool's question is about.")
    say: str = Field("approve", description="`approve`, `reject`, or the words that answer a question.")
    message: str = Field("", description="Why it is rejected.")
    args: dict[str, Any] | None = Field(None, description="Approve with these arguments instead.")
    give: Any = Field(None, description="The whole answer, for a form of interrupt that is none of these.")


class Command(_Strict):
    """A command that is run in the folder afterwards, boxed like those of agents."""

    run: Annotated[str, Field(min_length=1)]
    exit: int = 0
    says: str = Field("", description="What its output must hold.")
    timeout_s: int = Field(60, gt=0, le=600)


class Checks(_Strict):
    """What must be true after a run; each is a mark."""

    files: dict[str, str] = Field({}, description="Path to the whole text that the file must have.")
    contains: dict[str, list[str]] = Field({}, description="Path to texts that the file must hold.")
    lacks: dict[str, list[str]] = Field({}, description="Path to texts that the file must not hold.")
    absent: list[str] = Field([], description="Paths at which there must be nothing.")
    unchanged: bool = Field(False, description="No file may be added, changed or removed.")
    changed_only: list[str] | None = Field(None, description="Paths of which alone any may differ.")
    commands: list[Command] = Field([], description="Run in the folder, in order.")
    asked: dict[str, int] = Field({}, description="Tool or type of interrupt to how often it must be asked.")
    asked_nothing: bool = Field(False, description="The run must end without a question.")
    calls: list[str] = Field([], description="Tools that must be called, in this order, others between.")
    calls_not: list[str] = Field([], description="Tools that must not be called.")
    says: list[str] = Field([], description="What the last answer must hold; case does not count.")
    says_not: list[str] = Field([], description="What the last answer must not hold.")
    cites: int = Field(0, ge=0, description="Least number of `path:line` in the answer; all must exist.")
    agent: str = Field("", description="Whom the orchestrator must have chosen.")
    max_calls: int | None = Field(None, ge=0)
    max_tokens: int | None = Field(None, ge=0, description="In and out together.")
    max_usd: float | None = Field(None, ge=0, description="Checked where prices are known.")
    max_s: float | None = Field(None, gt=0)

    @field_validator("files", "contains", "lacks")
    @classmethod
    def _keys_inside(cls, named: dict[str, Any]) -> dict[str, Any]:
        return {inside(path): value for path, value in named.items()}

    @field_validator("absent", "changed_only")
    @classmethod
    def _all_inside(cls, paths: list[str] | None) -> list[str] | None:
        return None if paths is None else [inside(path) for path in paths]


class Case(_Strict):
    """One thing that an agent must be able to do."""

    name: str
    agent: str
    about: str = Field("", description="What it is for, in a sentence.")
    request: Annotated[str, Field(min_length=1)] | Annotated[list[str], Field(min_length=1)]
    files: dict[str, str] = {}
    answers: list[Answer] = []
    models: list[ModelKind] = Field(["scripted", "real"], description="Kinds of models it stands for.")
    script: list[str | Reply] = Field([], description="What the scripted model answers.")
    checks: Checks
    floor: float = Field(1.0, ge=0, le=1, description="Least share of the checks that must pass.")
    limit_s: float = Field(120, gt=0, le=3600, description="Longest a run may take.")

    @field_validator("files")
    @classmethod
    def _files_inside(cls, files: dict[str, str]) -> dict[str, str]:
        if len(files) > MAX_FILES:
            raise ValueError(f"{len(files)} files; a case has at most {MAX_FILES}")
        for path in files:
            inside(path)
            above = {str(parent) for parent in PurePosixPath(path).parents}
            if both := above & files.keys():
                raise ValueError(f"{min(both)!r} cannot be a file and the folder of {path!r}")
        return files

    @model_validator(mode="after")
    def _complete(self) -> "Case":
        if "scripted" in self.models and not self.script:
            raise ValueError("has no script: write `script`, or leave 'scripted' out of `models`")
        if self.checks == Checks():
            raise ValueError("checks nothing: name at least one check")
        return self

    @property
    def turns(self) -> Sequence[str]:
        """What the user says, one after another."""
        return [self.request] if isinstance(self.request, str) else self.request

    @property
    def id(self) -> str:
        """`agent/name`."""
        return f"{self.agent}/{self.name}"


def load(home: Path, only: Sequence[str] = ()) -> list[Case]:
    """Return the cases below `home`, by agent and name; `only` names agents or `agent/case`.

    Raises:
        CaseWrong: a file is no case, or a name fits nothing.
    """
    files = sorted(home.glob("*/cases/*.yaml"))
    cases = [parse(file) for file in files if not only or _wanted(file, only)]
    for name in only:
        if not any(name in (case.agent, case.id) for case in cases):
            known = ", ".join(sorted({file.parent.parent.name for file in files})) or "none"
            raise CaseWrong(f"no case {name!r} in {home}: there are cases of {known}; or name agent/case")
    return cases


def parse(file: Path) -> Case:
    """Return the case of a file; its name is the file's, its agent the folder's.

    Raises:
        CaseWrong: it is none.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise CaseWrong(f"{file}: cannot be read: {error}") from error
    if len(text) > MAX_CHARS:
        raise CaseWrong(f"{file}: {len(text)} characters; a case has at most {MAX_CHARS}")
    try:
        _bounded(text, file)
        said: Any = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise CaseWrong(f"{file}: it is no YAML: {error}") from error
    if not isinstance(said, dict):
        raise CaseWrong(f"{file}: it must be keys and values: request and checks at least")
    given = {"name": file.stem, "agent": file.parent.parent.name}
    if taken := given.keys() & said.keys():
        raise CaseWrong(f"{file}: {min(taken)}: leave it out; it is told by where the file lies")
    try:
        return Case.model_validate({**given, **said})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise CaseWrong(f"{file}: {key + ': ' if key else ''}{first['msg']}") from error


def _bounded(text: str, file: Path) -> None:
    """Look at a YAML text event by event: one made to be slow or huge is refused before it is built."""
    depth = 0
    for event in yaml.parse(text):
        if isinstance(event, yaml.AliasEvent):
            raise CaseWrong(f"{file}: it has an alias (*name), which can grow without limit: write it out")
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            raise CaseWrong(f"{file}: it is nested more than {MAX_DEPTH} deep")


def _wanted(file: Path, only: Sequence[str]) -> bool:
    agent = file.parent.parent.name
    return agent in only or f"{agent}/{file.stem}" in only
