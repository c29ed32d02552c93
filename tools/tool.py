"""A tool as the rest of the house sees it: what it does, how dangerous it is, what it says of itself."""

from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from artel.prompts import render
from artel.tools.errors import ToolFailed as ToolFailed
from artel.tools.errors import ToolRefused as ToolRefused
from artel.tools.git.settings import GitSettings
from artel.tools.policy import Call
from artel.tools.sandbox.sandbox import Sandbox
from artel.tools.web.internet import Internet, InternetSettings
from artel.tools.workspace import changeset, paths
from artel.tools.workspace.changeset import ChangeSet

MAX_SUMMARY = 300  # characters
MAX_GOT = 60  # characters of a wrong argument that are said

Seen = Mapping[str, str]


class Risk(StrEnum):
    """What can go wrong, from nothing to anything."""

    READ = "read"
    WRITE = "write"
    EXECUTE = "execute"
    NETWORK = "network"


class Arguments(BaseModel):
    """The arguments of a tool; the model is told of any it may not have."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a tool answers."""

    text: str
    "For the model."
    seen: Seen = field(default_factory=dict)
    "Path → sha256 of each file that the model has now read, as it was then."
    untrusted: bool = False
    "Whether it holds text from outside: whoever reads it may have been told to do harm."
    failed: bool = False
    "Whether it says why the tool could not do it."
    known: Mapping[str, str | int] = field(default_factory=dict)
    "What else is known of it, for programs and the audit log."


@dataclass(frozen=True, slots=True)
class Work:
    """Where a tool acts, and for whom."""

    root: Path
    "The workspace."
    thread_id: str
    tool_call_id: str
    agent: str = ""
    key: str = ""
    "Of this very call, the same in every attempt at it; nothing where nobody tells attempts apart."
    roots: tuple[Path, ...] = ()
    "Folders below which agents may work."
    sandbox: Sandbox = field(default_factory=Sandbox)
    "Where commands run."
    internet: Internet = field(default_factory=Internet)
    "What may be reached of it."
    git: GitSettings = field(default_factory=GitSettings)
    leads: tuple[str, ...] | None = None
    "Where else the call leads as the person who said yes was shown it; None: nobody was asked."
    read_only: bool = False
    "Whether commands find the workspace read-only."


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing an agent can do."""

    name: str
    risk: Risk
    action: str
    "What the policy calls it: fs.read, fs.list, fs.search, fs.write, exec, job.kill, net.fetch, …"
    arguments: type[Arguments]
    sums_up: Callable[[Any], str]
    "The call in one line, for the person asked."
    limits: Mapping[str, object]
    "The numbers that the description names."
    paths_of: Callable[[Any], Sequence[str]] | None = None
    "The paths among the arguments: the policy judges where each really leads. None: there are none."
    leads_to: Callable[[Path, Any], Sequence[str]] | None = None
    "Where else it leads, for the person asked: the address of a remote."
    amounts_to: Callable[[Any, Call], Sequence[Call]] | None = None
    """The calls it amounts to, if not one a path; made of a plain one: each command of a line of shell, say.
    Their paths are as given: the policy judges where each really leads."""
    shows: Callable[[Path, Any], Mapping[str, Any]] | None = None
    "What else the person asked is shown, by name."
    reaches: Callable[[Sandbox], Sequence[str]] | None = None
    "The hosts that it may carry something to, for the person asked."
    look: Callable[[Path, Any], Outcome] | None = None
    "What a tool that changes nothing does."
    plan: Callable[[Path, Any, Seen], ChangeSet] | None = None
    "What a tool that changes files would do."
    plan_rest: Callable[[Path, Any, Collection[str]], ChangeSet] | None = None
    "What is left of it when the changes of some paths are made; None: it is planned as if none were."
    act: Callable[[Work, Any], Awaitable[Outcome]] | None = None
    "What a tool does whose effect cannot be worked out before nor looked up after; cancelled, it stops."
    inner: bool = False
    "Whether it concerns the run itself, its todos say: then `artel.graphs.inner` does it."
    repeatable: bool = False
    "Whether to `act` twice does no harm; otherwise a call whose end nobody saw is not made again."
    offered: Callable[[InternetSettings], bool] | None = None
    "Whether agents have it under these settings. None: always."
    version: str = ""
    "What tells it from another tool that took its name; nothing: its name is enough."

    @property
    def description(self) -> str:
        """What the model reads about it, with the numbers from the code."""
        return render(f"tools/{self.name}", **self.limits)

    @property
    def args_schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, by the names that models know; what says nothing is left out."""
        return deepcopy(_schema_of(self.arguments))

    def parse(self, args: Mapping[str, Any]) -> Arguments:
        """Return the arguments, checked.

        Raises:
            ToolRefused: one is missing, unknown or of a wrong type; the message names it.
        """
        try:
            return self.arguments.model_validate(dict(args))
        except ValidationError as error:
            wrong = error.errors(include_url=False, include_context=False)
            said = "; ".join(f"{'.'.join(map(str, one['loc']))}: {_wrong(one)}" for one in wrong)
            unknown = any(one["type"] == "extra_forbidden" for one in wrong)
            takes = f". It takes {', '.join(self.args_schema['properties'])}" if unknown else ""
            raise ToolRefused(f"{self.name}: {said}{takes}") from None

    def summary(self, args: Mapping[str, Any], workspace: Path) -> str:
        """Return the call in one line for the person asked, with the path it really leads to.

        Nothing in it is invisible, so that no name can pose as another.
        """
        parsed = self.parse(args)
        asked = [(path, paths.resolve(workspace, path).relative) for path in self._paths(parsed)]
        leads = [real for path, real in asked if path.removeprefix("./") != real]
        leads += self.leads_to(workspace, parsed) if self.leads_to else ()
        line = paths.printable(" → ".join([self.sums_up(parsed), *leads]))
        return line if len(line) <= MAX_SUMMARY else f"{line[:MAX_SUMMARY]}…"

    def shown(self, args: Mapping[str, Any], workspace: Path) -> Mapping[str, Any]:
        """Return what the person asked is shown besides the one line.

        Raises:
            ToolRefused: the arguments are wrong, or a path leads out of the workspace.
        """
        return self.shows(workspace, self.parse(args)) if self.shows else {}

    def calls(
        self,
        args: Mapping[str, Any],
        workspace: Path,
        *,
        user: str = "local",
        tainted: bool = False,
        boxed: bool = True,
    ) -> list[Call]:
        """Return the call as the policy judges it, at least once: all of it must be allowed.

        `tainted`: the agent has read text from outside before. `boxed`: commands have a /tmp of their own.

        Raises:
            ToolRefused: the arguments are wrong, or a path leads out of the workspace.
        """
        parsed = self.parse(args)
        plain = Call(tool=self.name, action=self.action, user=user, tainted=tainted)
        leads = {path: paths.resolve(workspace, path).relative for path in self._paths(parsed)}
        if self.amounts_to:
            return [_placed(call, workspace, leads, boxed=boxed) for call in self.amounts_to(parsed, plain)]
        return [plain.model_copy(update={"path": path}) for path in leads.values()] or [plain]

    def change(self, args: Mapping[str, Any], workspace: Path, seen: Seen | None = None) -> ChangeSet | None:
        """Return what the call would change, touching nothing; None for a tool that only looks.

        Raises:
            ToolRefused, ToolFailed: the call cannot be done; nobody needs to be asked.
        """
        return self.plan(workspace, self.parse(args), seen or {}) if self.plan else None

    def rest(
        self, args: Mapping[str, Any], workspace: Path, seen: Seen, made: Collection[str]
    ) -> ChangeSet | None:
        """Return what is left of a call's change when the paths in `made` are as it would make them.

        Raises:
            ToolRefused, ToolFailed: it cannot be told, as the other files are not as they were.
        """
        if self.plan_rest is None:
            return self.change(args, workspace, seen)
        return self.plan_rest(workspace, self.parse(args), made)

    def function(self, workspace: Path, args: Mapping[str, Any], seen: Seen | None = None) -> Outcome:
        """Do it. Who calls this has asked the policy, and the person if the policy said so."""
        planned = self.change(args, workspace, seen)
        if planned is not None:
            return perform(workspace, planned, seen or {})
        if self.look is None:
            raise AssertionError(f"{self.name} neither looks nor plans")
        return self.look(workspace, self.parse(args))

    def _paths(self, parsed: Arguments) -> Sequence[str]:
        return self.paths_of(parsed) if self.paths_of else ()


def _wrong(error: Any) -> str:
    """Say what is wrong with one argument, and what came; an unknown one is named already."""
    if error["type"] in ("missing", "extra_forbidden"):
        return str(error["msg"])
    got = repr(error["input"])
    return f"{error['msg']}, got {got if len(got) <= MAX_GOT else got[:MAX_GOT] + '…'}"


# What a call is checked for all the same: models are sent the schemas with every request
UNSAID = {
    *("title", "additionalProperties", "pattern"),
    *("minLength", "maxLength", "minItems", "maxItems", "minimum", "maximum"),
}


@lru_cache(maxsize=256)
def _schema_of(arguments: type[Arguments]) -> dict[str, Any]:
    return _terse(arguments.model_json_schema())


def _terse(schema: dict[str, Any]) -> dict[str, Any]:
    """Leave out of an object's schema what repeats names, docstrings, limits, and what may be null."""
    kept = {key: value for key, value in schema.items() if key not in UNSAID | {"description"}}
    kept["properties"] = {name: _of_field(field) for name, field in schema.get("properties", {}).items()}
    return _inlined(kept, kept.pop("$defs")) if "$defs" in kept else kept


def _inlined(part: Any, named: Mapping[str, Any]) -> Any:
    """Put each named part of a schema where it is referred to: that is shorter, and simpler to read."""
    match part:
        case {"$ref": str(ref), **rest}:
            found = named[ref.rpartition("/")[2]]
            return {**rest, **_inlined(_terse(found) if "properties" in found else found, named)}
        case dict():
            return {name: _inlined(one, named) for name, one in part.items()}
        case list():
            return [_inlined(one, named) for one in part]
    return part


def _of_field(field: dict[str, Any]) -> dict[str, Any]:
    kept = {key: value for key, value in field.items() if key not in UNSAID}
    if kept.get("default", True) in (False, ""):
        del kept["default"]
    choices = kept.get("anyOf", [])
    if field.get("default", "") is None and len(choices) == 2 and {"type": "null"} in choices:
        del kept["anyOf"], kept["default"]
        kept = next(choice for choice in choices if choice != {"type": "null"}) | kept
    return kept


def _placed(call: Call, workspace: Path, leads: Mapping[str, str], *, boxed: bool) -> Call:
    """Return a call with its path as it leads from the workspace; `leads` are those that are known."""
    action, path = call.action, call.path
    if action.startswith("tmp."):
        if boxed and not PurePosixPath(path).is_relative_to(workspace):
            return call
        action = action.replace("tmp.", "fs.")
    if not path or not action.startswith("fs."):
        return call
    real = leads.get(path) or paths.resolve(workspace, path).relative
    return call.model_copy(update={"action": action, "path": real})


def perform(workspace: Path, planned: ChangeSet, seen: Seen) -> Outcome:
    """Make a planned change and report it; what is already there is left as it is.

    A model that knew a file before knows it afterwards, also at its new path; one that edited it unseen
    still does not, and no model knows a file of which a person left parts out.
    """
    applied = changeset.apply(workspace, planned)
    knows = {} if planned.left_out else dict(_known(planned, seen))
    return Outcome(changeset.report(planned, applied), knows)


def _known(planned: ChangeSet, seen: Seen) -> Iterator[tuple[str, str]]:
    for change in planned.changes:
        if (after := change.after_sha) is None:
            continue
        before = planned.files.get(change.pair or change.path)
        if change.whole or seen.get(change.pair or change.path, "") in (before, after):
            yield change.path, after
