"""What an agent may do: rules as data, and one pure function that judges a call by them."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from artel.tools.errors import ToolRefused
from artel.tools.shell.patterns import Fit, Spelled, taken
from artel.tools.workspace import globs
from artel.tools.workspace.secrets import SECRETS

Effect = Literal["allow", "ask", "deny"]

STRENGTH: dict[Effect, int] = {"allow": 0, "ask": 1, "deny": 2}


class Call(BaseModel):
    """A call as it is judged."""

    model_config = ConfigDict(frozen=True)

    tool: str = Field(description="Name of the tool.")
    action: str = Field(
        description="What it does: fs.read, fs.list, fs.search, fs.write, exec, job.kill, net.fetch, …"
    )
    path: str = Field(
        default="",
        description="Where its path really leads, from the workspace, with `/`; of a page, `host/path`.",
    )
    user: str = Field(default="local", description="On whose behalf.")
    tainted: bool = Field(default=False, description="Whether the agent has read text from outside before.")
    argv: tuple[str, ...] = Field(default=(), description="The command that it runs, and its arguments.")
    unsure: tuple[int, ...] = Field(
        default=(), description="Places in argv of words that the running shell makes."
    )
    also: tuple[Spelled, ...] = Field(
        default=(), description="Other ways to see the command: with its path, in what runs it."
    )
    unknown: bool = Field(default=False, description="Nobody can say what it does: it is asked about.")
    doubt: str = Field(default="", description="Why it is unknown.")


class When(BaseModel):
    """What must hold besides, at the moment of the call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    tainted: bool = Field(description="Whether the agent has read text from outside before.")


class Rule(BaseModel):
    """One rule; it speaks about a call that fits all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    id: str = Field(min_length=1, description="Name shown with each verdict.")
    effect: Effect = Field(description="allow, ask or deny.")
    action: str = Field(default="*", description="Action, or a group of them: `fs.*`.")
    path: tuple[str, ...] = Field(default=(), description="Glob patterns, one must fit; empty: any path.")
    unless: tuple[str, ...] = Field(
        default=(), alias="except", description="Glob patterns of paths it does not speak about."
    )
    argv: tuple[str, ...] = Field(
        default=(),
        max_length=100,
        description="Patterns of a command and of each argument; `**`: any further ones; empty: any call.",
    )
    tools: tuple[str, ...] = Field(default=(), description="Names of tools; empty: any.")
    agents: tuple[str, ...] = Field(default=(), description="Names of agents; empty: any.")
    users: tuple[str, ...] = Field(default=(), description="Names of users; empty: any.")
    when: When | None = Field(default=None, description="What must hold besides; empty: nothing.")
    reason: str = Field(default="", description="Why, for the person asked.")

    @field_validator("path", "unless")
    @classmethod
    def _can_match(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        try:
            for pattern in patterns:
                globs.matcher(pattern)
        except ToolRefused as error:
            raise ValueError(str(error)) from None
        return patterns


class Policy(BaseModel):
    """Rules, in no order: what one denies no other allows, what one asks about no other waves through."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = Field(default=1, description="Of this format.")
    default: Effect = Field(default="ask", description="For calls that no rule speaks about.")
    floor: tuple[Rule, ...] = Field(
        default=(), description="Rules that no other rule and no grant softens; a stricter one still wins."
    )
    rules: tuple[Rule, ...] = Field(default=(), description="The other rules.")


class Verdict(BaseModel):
    """What was decided about a call, and by which rule."""

    model_config = ConfigDict(frozen=True)

    effect: Effect
    rule: str = Field(description="Id of the rule, or `default`, or `unknown`.")
    reason: str
    floor: bool = Field(default=False, description="Whether the rule is of the floor: no grant lifts it.")


# What text from outside may talk an agent into: to run something, or to carry something out
_TAKEN_IN = "the agent has read text from outside, which may have told it to"
_TAINTED = tuple(
    Rule(id=f"tainted-{action}", effect="ask", action=action, when=When(tainted=True), reason=_TAKEN_IN)
    for action in ("exec", "exec.*", "net.*", "git.push", "mcp.*")
)
# Builtins without a way to write a file or to run another program, and programs that only look at what
# `artel.tools.shell.calls` has judged for each path by itself. git is not here: what a repository configures
# (core.fsmonitor, diff.external, an alias, a pager) runs, and `git diff --output` writes.
HARMLESS = ("pwd", "true", "false", "echo", "cd", "cat", "head", "tail", "ls")
NEVER = ("sudo", "doas", "su", "mkfs*", "shutdown", "reboot", "halt", "poweroff", "mount", "umount")

DEFAULT = Policy(
    floor=(
        Rule(
            id="git", effect="deny", action="fs.*", path=("**/.git", "**/.git/**"), reason="git's own files"
        ),
        *_TAINTED,
        *(
            Rule(id=f"never-{name}", effect="deny", action="exec", argv=(name, "**"), reason=f"runs {name}")
            for name in NEVER
        ),
        Rule(
            id="never-dd",
            effect="deny",
            action="exec",
            argv=("dd", "**", "of=/dev/*", "**"),
            reason="writes to a device",
        ),
    ),
    rules=(
        Rule(id="look", effect="allow", action="fs.list", reason="names only"),
        Rule(id="search", effect="allow", action="fs.search", unless=SECRETS, reason="changes nothing"),
        Rule(id="read", effect="allow", action="fs.read", unless=SECRETS, reason="changes nothing"),
        Rule(id="secrets", effect="ask", action="fs.read", path=SECRETS, reason="may hold passwords or keys"),
        Rule(id="secret-search", effect="ask", action="fs.search", path=SECRETS, reason="may hold keys"),
        Rule(id="write", effect="ask", action="fs.write", reason="changes a file"),
        Rule(id="jobs", effect="allow", action="job.*", reason="only what this thread began"),
        Rule(id="net", effect="ask", action="net.*", reason="tells another machine what is asked"),
        Rule(id="git-read", effect="allow", action="git.read", unless=SECRETS, reason="changes nothing"),
        Rule(id="git-secrets", effect="ask", action="git.read", path=SECRETS, reason="may hold keys"),
        Rule(id="git-write", effect="ask", action="git.write", reason="changes the repository"),
        Rule(id="git-push", effect="ask", action="git.push", reason="sends work to others"),
        Rule(id="clock", effect="allow", action="time.read", reason="changes nothing"),
        Rule(id="mcp", effect="ask", action="mcp.*", reason="another program does it, and nobody sees what"),
        *(
            Rule(id=f"harmless-{name}", effect="allow", action="exec", argv=(name, "**"), reason="only looks")
            for name in HARMLESS
        ),
    ),
)


def judge(policy: Policy, agent: str, call: Call) -> Verdict:
    """Return what `policy` says of a `call` by `agent`.

    Deny wins over ask, ask over allow; of equals the floor; the order of the rules means nothing. So the
    floor is what a verdict cannot fall below, and lowers none. What nobody can know before it runs is never
    allowed: an unknown call, and one that may turn out to be what a rule speaks against.
    """
    fits = [(rule, _fit(rule, agent, call)) for rule in (*policy.floor, *policy.rules)]
    floor = _strictest(rule for rule, fit in fits[: len(policy.floor)] if fit is Fit.YES)
    rule = _strictest(rule for rule, fit in fits[len(policy.floor) :] if fit is Fit.YES)
    verdict = Verdict(effect=policy.default, rule="default", reason="no rule speaks about it")
    if rule:
        verdict = Verdict(effect=rule.effect, rule=rule.id, reason=rule.reason)
    if floor and STRENGTH[floor.effect] >= STRENGTH[verdict.effect]:
        rule, verdict = floor, Verdict(effect=floor.effect, rule=floor.id, reason=floor.reason, floor=True)
    if call.unknown and verdict.effect != "deny" and (not rule or rule.effect == "allow"):
        return Verdict(effect="ask", rule="unknown", reason=call.doubt or "nobody can say what it does")
    if verdict.effect != "allow":
        return verdict
    against = _strictest(each for each, fit in fits if fit is Fit.MAYBE)
    if against:
        reason = f"the running shell makes words of it; it may be what `{against.id}` speaks against"
        return Verdict(effect="ask", rule=against.id, reason=reason)
    return verdict


def judge_all(policy: Policy, agent: str, calls: Iterable[Call]) -> Verdict:
    """Return the strictest verdict on any of `calls`, of which there is at least one."""
    verdicts = (judge(policy, agent, call) for call in calls)
    return min(verdicts, key=lambda each: (-STRENGTH[each.effect], not each.floor, each.rule, each.reason))


def _strictest(rules: Iterable[Rule]) -> Rule | None:
    return min(rules, key=lambda each: (-STRENGTH[each.effect], each.id, each.reason), default=None)


def _fit(rule: Rule, agent: str, call: Call) -> Fit:
    speaks = (
        _fits(rule.action, call.action)
        and (not rule.tools or call.tool in rule.tools)
        and (not rule.agents or agent in rule.agents)
        and (not rule.users or call.user in rule.users)
        and (rule.when is None or rule.when.tainted == call.tainted)
        and (not rule.path or _any(rule.path, call.path))
        and not (rule.unless and _any(rule.unless, call.path))
    )
    if not speaks or not rule.argv:
        return Fit.YES if speaks else Fit.NO
    if rule.effect == "allow":
        surely = not call.unknown and taken(rule.argv, call.argv, call.unsure) is Fit.YES
        return Fit.YES if surely else Fit.NO
    return max(taken(rule.argv, *form) for form in ((call.argv, call.unsure), *call.also))


def _fits(wanted: str, action: str) -> bool:
    return wanted in ("*", action) or (wanted.endswith(".*") and action.startswith(wanted[:-1]))


def _any(patterns: Iterable[str], path: str) -> bool:
    # case is ignored: on macOS and Windows `.ENV` is `.env`
    return any(_matcher(pattern)(path) for pattern in patterns)


@lru_cache(maxsize=1_024)
def _matcher(pattern: str) -> globs.Matcher:
    return globs.matcher(pattern, ignore_case=True)
