"""What an agent may do: rules as data, and one pure function that judges a call by them."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Annotated, Literal, NamedTuple, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from artel.tools.errors import ToolRefused
from artel.tools.shell.patterns import Fit, Spelled, taken
from artel.tools.workspace import globs
from artel.tools.workspace.secrets import SECRETS

Effect = Literal["allow", "ask", "deny"]
OnTimeout = Literal["reject", "escalate", "park"]

MAX_INDEXES = 256  # of rules, remembered by their identity: to hash eighty takes as long as to judge by them

STRENGTH: dict[Effect, int] = {"allow": 0, "ask": 1, "deny": 2}
PATIENCE: dict[OnTimeout, int] = {"reject": 0, "escalate": 1, "park": 2}  # the least wins
LONGEST_WAIT_S = 604_800  # a week


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
    timeout_s: int | None = Field(
        default=None,
        ge=1,
        le=LONGEST_WAIT_S,
        description="Seconds that a question waits; empty: what other rules or the server say.",
    )
    on_timeout: OnTimeout | None = Field(
        default=None,
        description="What then: reject, park (it waits without a limit), escalate; empty: reject.",
    )
    escalate_to: tuple[Annotated[str, Field(pattern=r"^[^\x00]+$")], ...] = Field(
        default=(), max_length=100, description="Users who may see and answer it then, for escalate."
    )

    @model_validator(mode="after")
    def _asks_in_time(self) -> Self:
        if self.effect != "ask" and (self.timeout_s or self.on_timeout or self.escalate_to):
            raise ValueError("timeout_s, on_timeout and escalate_to are for rules with the effect ask")
        if bool(self.escalate_to) != (self.on_timeout == "escalate"):
            raise ValueError("on_timeout escalate and the users of escalate_to go together")
        return self

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
    timeout_s: int | None = Field(default=None, description="Seconds to wait for an answer; empty: unsaid.")
    on_timeout: OnTimeout | None = Field(default=None, description="What follows then; empty: unsaid.")
    escalate_to: tuple[str, ...] = Field(default=(), description="Who may answer then besides.")


# What text from outside may talk an agent into: to run something, to carry something out, or to hand it on
_TAKEN_IN = "the agent has read text from outside, which may have told it to"
_TAINTED = (
    *(
        Rule(id=f"tainted-{action}", effect="ask", action=action, when=When(tainted=True), reason=_TAKEN_IN)
        for action in ("exec", "exec.*", "net.*", "git.push", "mcp.*")
    ),
    Rule(
        id="tainted-conventions",
        effect="ask",
        action="fs.write",
        path=("**/AGENTS.md", "**/CLAUDE.md"),
        when=When(tainted=True),
        reason=f"{_TAKEN_IN}, and every later agent is told what stands there",
    ),
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
        Rule(
            id="artel-config",
            effect="ask",
            action="fs.write",
            path=("**/.artel", "**/.artel/**"),
            reason="configures what agents are held to",
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
        Rule(id="scratch", effect="allow", action="tmp.*", reason="the command's own /tmp, gone with it"),
        Rule(id="net", effect="ask", action="net.*", reason="tells another machine what is asked"),
        Rule(id="git-read", effect="allow", action="git.read", unless=SECRETS, reason="changes nothing"),
        Rule(id="git-secrets", effect="ask", action="git.read", path=SECRETS, reason="may hold keys"),
        Rule(id="git-write", effect="ask", action="git.write", reason="changes the repository"),
        Rule(id="git-push", effect="ask", action="git.push", reason="sends work to others"),
        Rule(id="clock", effect="allow", action="time.read", reason="changes nothing"),
        Rule(id="inner", effect="allow", action="run.*", reason="only this run's own notes"),
        Rule(id="mcp", effect="ask", action="mcp.*", reason="another program does it, and nobody sees what"),
        *(
            Rule(id=f"harmless-{name}", effect="allow", action="exec", argv=(name, "**"), reason="only looks")
            for name in HARMLESS
        ),
    ),
)

Fits: TypeAlias = Sequence[tuple[Rule, Fit]]


def judge(policy: Policy, agent: str, call: Call) -> Verdict:
    """Return what `policy` says of a `call` by `agent`.

    Deny wins over ask, ask over allow; of equals the floor; the order of the rules means nothing. So the
    floor is what a verdict cannot fall below, and lowers none. What nobody can know before it runs is never
    allowed: an unknown call, and one that may turn out to be what a rule speaks against. Of the rules that
    ask, the shortest time counts, and what is strictest after it: reject, then escalate, then park.
    """
    of_floor = [(rule, _fit(rule, agent, call)) for rule in _about(policy.floor, call)]
    others = [(rule, _fit(rule, agent, call)) for rule in _about(policy.rules, call)]
    verdict = _judged(policy, call, of_floor, others)
    if verdict.effect != "ask":
        return verdict
    fits = (*of_floor, *others)
    return _in_time(verdict, [rule for rule, fit in fits if fit is not Fit.NO and rule.effect == "ask"])


def _judged(policy: Policy, call: Call, of_floor: Fits, others: Fits) -> Verdict:
    floor = _strictest(rule for rule, fit in of_floor if fit is Fit.YES)
    rule = _strictest(rule for rule, fit in others if fit is Fit.YES)
    verdict = Verdict(effect=policy.default, rule="default", reason="no rule speaks about it")
    if rule:
        verdict = Verdict(effect=rule.effect, rule=rule.id, reason=rule.reason)
    if floor and STRENGTH[floor.effect] >= STRENGTH[verdict.effect]:
        rule, verdict = floor, Verdict(effect=floor.effect, rule=floor.id, reason=floor.reason, floor=True)
    if call.unknown and verdict.effect != "deny" and (not rule or rule.effect == "allow"):
        return Verdict(effect="ask", rule="unknown", reason=call.doubt or "nobody can say what it does")
    if verdict.effect != "allow":
        return verdict
    against = _strictest(each for each, fit in (*of_floor, *others) if fit is Fit.MAYBE)
    if against:
        reason = f"the running shell makes words of it; it may be what `{against.id}` speaks against"
        return Verdict(effect="ask", rule=against.id, reason=reason)
    return verdict


def judge_all(policy: Policy, agent: str, calls: Iterable[Call]) -> Verdict:
    """Return the strictest verdict on any of `calls`, of which there is at least one."""
    return strictest(judge(policy, agent, call) for call in calls)


def strictest(verdicts: Iterable[Verdict]) -> Verdict:
    """Return the strictest of verdicts, of which there is at least one; of equals one of the floor,
    then one of a rule.

    Of those that ask, the shortest time counts, and what is strictest after it.
    """
    given = list(verdicts)
    most = min(given, key=_order)
    return _in_time(most, given) if most.effect == "ask" else most


def _order(each: Verdict) -> tuple[int, bool, bool, str, str]:
    return -STRENGTH[each.effect], not each.floor, each.rule == "default", each.rule, each.reason


def _in_time(verdict: Verdict, asking: Iterable[Rule | Verdict]) -> Verdict:
    """Return a verdict with how long its question waits, and what follows: what all that ask agree on."""
    asking = list(asking)
    limits = [each.timeout_s for each in asking if each.timeout_s]
    endings = [each.on_timeout for each in asking if each.on_timeout]
    if not limits and not endings:
        return verdict
    then = min(endings, key=PATIENCE.__getitem__, default=None)
    named = {user for each in asking for user in each.escalate_to} if then == "escalate" else set()
    waits = {"timeout_s": min(limits, default=None), "on_timeout": then, "escalate_to": tuple(sorted(named))}
    return verdict.model_copy(update=waits)


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


class _Index(NamedTuple):
    """Rules by the command that they speak of."""

    rules: tuple[Rule, ...]
    named: Mapping[str, Sequence[Rule]]
    others: Sequence[Rule]
    "Those about any command, about several, or about none."


_indexes: dict[int, _Index] = {}


def _about(rules: tuple[Rule, ...], call: Call) -> Sequence[Rule]:
    """Return the rules that could fit a call: of those about one command, only the ones about its own."""
    forms = ((call.argv, call.unsure), *call.also)
    if any(0 in unsure for argv, unsure in forms if argv):
        return rules
    index = _indexes.get(id(rules))
    if index is None or index.rules is not rules:
        index = _indexed(rules)
    named = [index.named.get(name, ()) for name in dict.fromkeys(argv[0] for argv, _ in forms if argv)]
    return [*index.others, *(rule for some in named for rule in some)]


def _indexed(rules: tuple[Rule, ...]) -> _Index:
    named: dict[str, list[Rule]] = {}
    others: list[Rule] = []
    for rule in rules:
        about_one = rule.argv and not set("*?[").intersection(rule.argv[0])
        (named.setdefault(rule.argv[0], []) if about_one else others).append(rule)
    if len(_indexes) >= MAX_INDEXES:
        _indexes.clear()
    index = _indexes[id(rules)] = _Index(rules, named, others)  # which holds them, so the id stays theirs
    return index


def _fits(wanted: str, action: str) -> bool:
    return wanted in ("*", action) or (wanted.endswith(".*") and action.startswith(wanted[:-1]))


def _any(patterns: Iterable[str], path: str) -> bool:
    # case is ignored: on macOS and Windows `.ENV` is `.env`
    return any(_matcher(pattern)(path) for pattern in patterns)


@lru_cache(maxsize=1_024)
def _matcher(pattern: str) -> globs.Matcher:
    return globs.matcher(pattern, ignore_case=True)
