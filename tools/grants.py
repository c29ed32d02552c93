"""Grants: what a person has allowed from now on, and what is asked no more because of it."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from shlex import join
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from artel.tools.policy import Call, Policy, Verdict, judge, strictest
from artel.tools.workspace.secrets import is_secret

Scope = Literal["thread", "project", "always"]

SCOPES: tuple[Scope, ...] = ("thread", "project", "always")
RULE = "grant:"  # how the rule of a verdict begins that a grant has lifted


class Covers(BaseModel):
    """Calls that are allowed: one, or with `rest` also all that begin like it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    action: str = Field(description="What they do, as the policy names it: exec, fs.write …")
    argv: tuple[str, ...] = Field(default=(), description="The command and its arguments, word for word.")
    also: tuple[tuple[str, ...], ...] = Field(
        default=(), description="Its other spellings: with its path, in what runs it."
    )
    path: str = Field(default="", description="Where the path really leads; of a page, `host/path`.")
    rest: bool = Field(
        default=False, description="Any further arguments, or anything below the path, but for secrets."
    )


class Grant(BaseModel):
    """What a person allows from now on, and where."""

    model_config = ConfigDict(frozen=True)

    grant_id: str
    scope: Scope = Field(description="In one thread, in one project (folder), or always.")
    tool: str
    covers: tuple[Covers, ...]
    agent: str = Field(default="", description="Whose calls; empty: those of any agent.")
    thread_id: str = ""
    workspace: str = Field(default="", description="Real path of the project's folder.")
    expires_at: datetime | None = Field(default=None, description="None: it stands until it is revoked.")


def is_liftable(call: Call, verdict: Verdict) -> bool:
    """Return whether a grant may turn the verdict on a call into a yes.

    Never one of the floor (so none about a tainted call), and none on a call that nobody knows for sure.
    """
    unsure = call.unsure or any(form.unsure for form in call.also)
    return verdict.effect == "ask" and not verdict.floor and not call.unknown and not unsure


def liftable(policy: Policy, agent: str, calls: Iterable[Call]) -> list[Call]:
    """Return the calls that are asked about, if grants could lift all of them; else none."""
    judged = [(call, judge(policy, agent, call)) for call in calls]
    asked = [(call, verdict) for call, verdict in judged if verdict.effect != "allow"]
    return [call for call, _ in asked] if all(is_liftable(*each) for each in asked) else []


def judge_granted(policy: Policy, agent: str, calls: Iterable[Call], grants: Sequence[Grant]) -> Verdict:
    """Return the strictest verdict on any of `calls`, each lifted if a grant covers it by itself.

    The order of the grants means nothing. The rule of a call that is let through so is `grant:<id>`.
    """
    judged = [(call, judge(policy, agent, call)) for call in calls]
    strict = strictest(verdict for _, verdict in judged)
    if strict.effect != "ask" or not grants:
        return strict
    left, used = [], set[str]()
    for call, verdict in judged:
        able = grants if is_liftable(call, verdict) else ()
        found = [one.grant_id for one in able if _speaks(one, agent, call)]
        if found:
            used.add(min(found))
        else:
            left.append(verdict)
    lifted = Verdict(effect="allow", rule=f"{RULE}{','.join(sorted(used))}", reason="a person has granted it")
    return strictest(left) if any(one.effect != "allow" for one in left) else lifted


def grants_of(rule: str) -> list[str]:
    """Return the ids of the grants that a verdict's rule names."""
    return rule.removeprefix(RULE).split(",") if rule.startswith(RULE) else []


def said(tool: str, covers: Iterable[Covers]) -> str:
    """Return in a line what is covered, for a person; nothing in it is invisible."""
    return " and ".join(dict.fromkeys(_said(tool, one) for one in covers))


def _said(tool: str, covers: Covers) -> str:
    if covers.argv:
        command = _legible(join(max((covers.argv, *covers.also), key=lambda words: len(" ".join(words)))))
        return f"`{command}`, whatever follows" if covers.rest else f"exactly `{command}`"
    path = _legible(covers.path)
    if not path:
        return f"{tool}, whatever its arguments"
    if not covers.rest:
        return f"{tool}: {path}"
    if covers.action.startswith("fs."):
        return f"{tool}: any file {'of the project' if path == '.' else f'below {path}'}, but secrets"
    return f"{tool}: anything at {path}"


def _legible(text: str) -> str:
    return text if text.isprintable() else ascii(text)[1:-1]


def _speaks(grant: Grant, agent: str, call: Call) -> bool:
    if grant.agent not in ("", agent) or grant.tool != call.tool:
        return False
    return any(_covers(one, call) for one in grant.covers)


def _covers(covers: Covers, call: Call) -> bool:
    if covers.action != call.action:
        return False
    if call.argv or covers.argv:
        return _begins(covers, call)
    if call.action.startswith("exec"):  # of a command that is not known there is nothing to grant
        return False
    if call.path == covers.path:
        return True
    if not covers.rest or (call.action.startswith("fs.") and is_secret(call.path)):
        return False
    return call.path.startswith(f"{covers.path}/") or (covers.path == "." and call.action.startswith("fs."))


def _begins(covers: Covers, call: Call) -> bool:
    """Whether all spellings of a command begin as those that are covered, and go on alike."""
    words, tail = call.argv[: len(covers.argv)], call.argv[len(covers.argv) :]
    forms = tuple(form.argv for form in call.also)
    return (
        bool(covers.argv)
        and words == covers.argv
        and (covers.rest or not tail)
        and forms == tuple((*form, *tail) for form in covers.also)
        and call.path == covers.path
    )
