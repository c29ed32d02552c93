"""A case: a folder, a request, what people answer, and what must be true afterwards. One YAML file each.

The files of all cases of an agent lie in `evals/<agent>/cases`; docs/howto/evals.md explains the keys.
"""

import re
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


class PlanShape(_Strict):
    """What the orchestrator's plan must look like, and what must have come of it."""

    agents: list[str] = Field([], description="Each of them has a step at least.")
    others: list[str] | None = Field(None, description="None but these and `agents` has a step.")
    after: dict[str, str] = Field(
        {}, description="Agent to the agent on one of whose steps each of its steps depends, however far."
    )
    max_steps: int = Field(20, ge=1, le=20)
    scoped: list[str] = Field([], description="Agents whose every step names the paths that it may change.")
    checked: bool = Field(False, description="A step names a command that is run when all is done.")
    status: str = Field("", description="What came of it: `done`, `failed`, `rejected`, `cancelled`.")


class Checks(_Strict):
    """What must be true after a run; each is a mark."""

    files: dict[str, str] = Field({}, description="Path to the whole text that the file must have.")
    contains: dict[str, list[str]] = Field(
        {}, description="Path to texts that the file must hold; of a glob, some file that fits."
    )
    lacks: dict[str, list[str]] = Field(
        {}, description="Path to texts that the file must not hold; of a glob, any file that fits."
    )
    absent: list[str] = Field([], description="Paths at which there must be nothing.")
    unchanged: bool = Field(False, description="No file may be added, changed or removed.")
    changed_only: list[str] | None = Field(None, description="Paths or globs of what alone may differ.")
    commands: list[Command] = Field([], description="Run in the folder, in order.")
    asked: dict[str, int] = Field({}, description="Tool or type of interrupt to how often it must be asked.")
    asked_nothing: bool = Field(False, description="The run must end without a question.")
    calls: list[str] = Field([], description="Tools that must be called, in this order, others between.")
    calls_not: list[str] = Field([], description="Tools that must not be called.")
    says: list[str] = Field([], description="What the last answer must hold; case does not count.")
    says_not: list[str] = Field([], description="What the last answer must not hold.")
    cites: int = Field(0, ge=0, description="Least number of `path:line` in the answer; all must exist.")
    points_to: list[str] = Field(
        [], description="`path:line` or `path:first-last`, into each of which a citation must point."
    )
    headings: bool = Field(False, description="The answer has the headings that its role must write.")
    language: Literal["", "en", "ru"] = Field("", description="Which the answer must be in.")
    measured: int = Field(
        0, ge=0, description="Least number of figures with a unit; commands must have shown every one."
    )
    agent: str = Field("", description="Whom the orchestrator must have chosen.")
    plan: PlanShape | None = None
    max_calls: int | None = Field(None, ge=0)
    max_tokens: int | None = Field(None, ge=0, description="In and out together.")
    max_usd: float | None = Field(None, ge=0, description="Checked where prices are known.")
    max_s: float | None = Field(None, gt=0)

    @field_validator("files", "contains", "lacks")
    @classmethod
    def _keys_inside(cls, named: dict[str, Any]) -> dict[str, Any]:
        return {inside(path): value for path, value in named.items()}

    @field_validator("points_to")
    @classmethod
    def _places(cls, places: list[str]) -> list[str]:
        for place in places:
            path, _, lines = place.rpartition(":")
            if not re.fullmatch(r"[1-9]\d{0,8}(-[1-9]\d{0,8})?", lines):
                raise ValueError(f"{place[:60]!r} is no place: write 'path:line' or 'path:first-last'")
            inside(path)
        return places

    @field_validator("absent", "changed_only")
    @classmethod
    def _all_inside(cls, paths: list[str] | None) -> list[str] | None:
        return None if paths is None else [inside(path) for path in paths]


class Wrong(_Strict):
    """Replies of a model that does it wrong; played to see that the case notices."""

    how: Annotated[str, Field(min_length=1, description="What it does wrong, in a few words.")]
    script: list[str | Reply] = []
    scripts: dict[str, list[str | Reply]] = Field({}, description="Instead of those of the case.")
    fails: Annotated[list[str], Field(min_length=1)] = Field(
        description="How the names of the checks begin that must fail."
    )


class Case(_Strict):
    """One thing that an agent must be able to do."""

    name: str
    agent: str
    about: str = Field("", description="What it is for, in a sentence.")
    request: Annotated[str, Field(min_length=1)] | Annotated[list[str], Field(min_length=1)]
    committed: dict[str, str] = Field({}, description="Files of a commit, over which `files` are laid.")
    files: dict[str, str] = {}
    answers: list[Answer] = []
    models: list[ModelKind] = Field(["scripted", "real"], description="Kinds of models it stands for.")
    script: list[str | Reply] = Field([], description="What the scripted model answers.")
    scripts: dict[str, list[str | Reply]] = Field(
        {}, description="Agent, or a step of it such as `orchestrator.plan`, to its replies instead."
    )
    wrong: list[Wrong] = Field([], description="Other scripts, with which the case must fail.")
    checks: Checks
    floor: float = Field(1.0, ge=0, le=1, description="Least share of the checks that must pass.")
    limit_s: float = Field(120, gt=0, le=3600, description="Longest a run may take.")

    @field_validator("files", "committed")
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
        if "scripted" in self.models and not (self.script or self.scripts):
            raise ValueError("has no script: write `script`, or leave 'scripted' out of `models`")
        if self.wrong and "scripted" not in self.models:
            raise ValueError("wrong: nobody plays it: add 'scripted' to `models`")
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

    def played(self, wrong: Wrong) -> "Case":
        """Return the same case with the replies of one that does it wrong."""
        scripts = {**self.scripts, **wrong.scripts}
        return self.model_copy(
            update={"script": wrong.script or self.script, "scripts": scripts, "wrong": []}
        )


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
