"""A tool as the rest of the house sees it: what it does, how dangerous it is, what it says of itself."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from artel.prompts import render
from artel.tools.errors import ToolFailed as ToolFailed
from artel.tools.errors import ToolRefused as ToolRefused
from artel.tools.policy import Call
from artel.tools.workspace import change, paths
from artel.tools.workspace.change import Change

MAX_SUMMARY = 300  # characters

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


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing an agent can do."""

    name: str
    risk: Risk
    action: str
    "What the policy calls it: fs.read, fs.list, fs.search, fs.write."
    arguments: type[Arguments]
    path_of: Callable[[Any], str]
    "The path among the arguments that the policy judges."
    sums_up: Callable[[Any], str]
    "The call in one line, for the person asked."
    limits: Mapping[str, object]
    "The numbers that the description names."
    look: Callable[[Path, Any], Outcome] | None = None
    "What a tool that changes nothing does."
    plan: Callable[[Path, Any, Seen], Change] | None = None
    "What a tool that changes a file would do."

    @property
    def description(self) -> str:
        """What the model reads about it, with the numbers from the code."""
        return render(f"tools/{self.name}", **self.limits)

    @property
    def args_schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments, by the names that models know."""
        return self.arguments.model_json_schema()

    def parse(self, args: Mapping[str, Any]) -> Arguments:
        """Return the arguments, checked.

        Raises:
            ToolRefused: one is missing, unknown or of a wrong type; the message names it.
        """
        try:
            return self.arguments.model_validate(dict(args))
        except ValidationError as error:
            said = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
            raise ToolRefused(f"{self.name}: {said}") from None

    def summary(self, args: Mapping[str, Any], workspace: Path) -> str:
        """Return the call in one line for the person asked, with the path it really leads to.

        Nothing in it is invisible, so that no name can pose as another.
        """
        parsed = self.parse(args)
        place = paths.resolve(workspace, self.path_of(parsed))
        asked = self.path_of(parsed)
        leads = "" if asked.removeprefix("./") == place.relative else f" → {place.relative}"
        line = paths.printable(f"{self.sums_up(parsed)}{leads}")
        return line if len(line) <= MAX_SUMMARY else f"{line[:MAX_SUMMARY]}…"

    def call(self, args: Mapping[str, Any], workspace: Path, *, user: str = "local") -> Call:
        """Return the call as the policy judges it: by where its path really leads.

        Raises:
            ToolRefused: the arguments are wrong, or the path leads out of the workspace.
        """
        place = paths.resolve(workspace, self.path_of(self.parse(args)))
        return Call(tool=self.name, action=self.action, path=place.relative, user=user)

    def change(self, args: Mapping[str, Any], workspace: Path, seen: Seen | None = None) -> Change | None:
        """Return what the call would change, touching nothing; None for a tool that only looks.

        Raises:
            ToolRefused, ToolFailed: the call cannot be done; nobody needs to be asked.
        """
        return self.plan(workspace, self.parse(args), seen or {}) if self.plan else None

    def function(self, workspace: Path, args: Mapping[str, Any], seen: Seen | None = None) -> Outcome:
        """Do it. Who calls this has asked the policy, and the person if the policy said so."""
        planned = self.change(args, workspace, seen)
        if planned is not None:
            return perform(workspace, planned, seen or {})
        if self.look is None:
            raise AssertionError(f"{self.name} neither looks nor plans")
        return self.look(workspace, self.parse(args))


def perform(workspace: Path, planned: Change, seen: Seen) -> Outcome:
    """Apply a planned change and report it; a change that is already there is left as it is.

    A model that knew the file before knows it afterwards; one that edited it unseen still does not.
    """
    applied = change.apply(workspace, planned)
    knows = planned.whole or seen.get(planned.path) in (planned.before_sha, planned.after_sha)
    return Outcome(change.report(planned, applied), {planned.path: planned.after_sha} if knows else {})
