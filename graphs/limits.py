"""What a run has used, and whether that is all it may: read from its messages, so that no state repeats it.

Each answer of a model carries the sum of its turn (`response_metadata["spent"]`): it survives restarts and
the removal of messages before it, and costs no row of its own. A turn begins with what a person asks for;
what they say to a run that is on belongs to the same turn.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal, TypeAlias, get_args

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage
from langchain_core.messages.utils import count_tokens_approximately

from artel.graphs.budget import AgentSettings, Budget
from artel.graphs.models.link import KEY as MODEL
from artel.graphs.models.prices import cost_of
from artel.graphs.turns import begins

Kind: TypeAlias = Literal["steps", "tokens", "usd", "minutes"]
KINDS: tuple[Kind, ...] = get_args(Kind)

SPENT = "spent"  # in the `response_metadata` of an answer: what its turn has used so far
TOOK = "took_ms"  # in that of a tool's answer: how long the tool worked


@dataclass(frozen=True, slots=True)
class Spent:
    """What a turn has used."""

    steps: int = 0
    tokens: int = 0
    usd: float = 0.0
    ms: int = 0
    "Of work: the time that people think does not count."
    more: Mapping[str, int] = field(default_factory=dict)
    "By kind how often a person said that it may go on with as much again."

    def of(self, kind: Kind) -> float:
        """Return how much of one kind was used."""
        return self.ms / 60_000 if kind == "minutes" else getattr(self, kind)

    def again(self, kind: Kind) -> "Spent":
        """Return the same, with as much again allowed of one kind."""
        return replace(self, more={**self.more, kind: self.more.get(kind, 0) + 1})

    def and_for(self, answer: AIMessage, shown: Sequence[AnyMessage], ms: int) -> "Spent":
        """Return what was used with one more answer to what was `shown`, which took `ms`.

        Tokens that its model did not count are counted by letters, four a token.
        """
        usage = answer.usage_metadata
        tokens = usage["total_tokens"] if usage else count_tokens_approximately([*shown, answer])
        usd = cost_of(str(answer.response_metadata.get(MODEL, "")), usage) if usage else None
        return replace(
            self,
            steps=self.steps + 1,
            tokens=self.tokens + tokens,
            usd=self.usd + (usd or 0.0),
            ms=self.ms + ms,
        )

    @property
    def noted(self) -> dict[str, Any]:
        """The same as an answer carries it: what is nothing is left out."""
        known = {name: getattr(self, name) for name in ("steps", "tokens", "usd", "ms", "more")}
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that a turn has come to."""

    kind: Kind
    used: float
    most: float
    final: bool
    "Whether nobody may say that it goes on."


def budget_of(settings: AgentSettings, role: Budget, wish: Budget, step: Budget | None = None) -> Budget:
    """Return what holds: the wish of a run, else what its role says, else the server.

    Never more than the step of a plan may use, and never more than the server's ceiling.
    """
    found: dict[str, Any] = {}
    for kind in KINDS:
        asked = (getattr(one, kind) for one in (wish, role, settings))
        usual = next((most for most in asked if most is not None), None)
        bounds = (usual, getattr(step, kind, None), getattr(settings.most, kind))
        found[kind] = min((bound for bound in bounds if bound is not None), default=None)
    return Budget(**found)


def spent(messages: Sequence[AnyMessage]) -> Spent:
    """Return what the turn that is on has used until now, the work of its last tools included."""
    total, tools = Spent(), 0
    start = next((i for i in range(len(messages) - 1, -1, -1) if _counts(messages[i])), 0)
    for message in messages[start:]:
        if isinstance(message, AIMessage):
            total = _noted(message) or total.and_for(message, (), tools)
            tools = 0
        elif isinstance(message, ToolMessage):  # those of one step work side by side
            took = message.response_metadata.get(TOOK)
            tools = max(tools, took if isinstance(took, int) else 0)
    return replace(total, ms=total.ms + tools)


def _counts(message: AnyMessage) -> bool:
    """Whether all before it is in its sum, or of no account."""
    return begins(message) or (isinstance(message, AIMessage) and _noted(message) is not None)


def reached(budget: Budget, most: Budget, used: Spent) -> Reached | None:
    """Return the first limit that is used up; `most` holds however often a person lets it go on."""
    for kind in KINDS:
        one, ceiling = getattr(budget, kind), getattr(most, kind)
        if one is None:
            continue
        allowed = one * (1 + used.more.get(kind, 0))
        final = ceiling is not None and allowed >= ceiling
        allowed = ceiling if final else allowed
        if used.of(kind) >= allowed:
            return Reached(kind, used.of(kind), allowed, final)
    return None


def left(budget: Budget, used: Spent) -> Budget:
    """Return what remains of a budget, a crumb where nothing does: what a part of the work may use."""
    found = {}
    for kind in KINDS:
        if (one := getattr(budget, kind)) is not None:
            rest = one * (1 + used.more.get(kind, 0)) - used.of(kind)
            found[kind] = max(rest, 1 if kind in ("steps", "tokens") else 0.01)
    return Budget(**found)


def _noted(message: AIMessage) -> Spent | None:
    """Return what an answer carries; None if that is nothing of ours: clients put messages into threads."""
    match message.response_metadata.get(SPENT):
        case {"steps": int(steps), **rest}:
            more = rest.get("more")
            known = more if isinstance(more, Mapping) else {}
            return Spent(
                steps,
                int(_number(rest.get("tokens"))),
                _number(rest.get("usd")),
                int(_number(rest.get("ms"))),
                {kind: int(_number(known.get(kind))) for kind in KINDS if kind in known},
            )
    return None


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and isfinite(value) and value > 0 else 0


def timed(message: ToolMessage, ms: int) -> ToolMessage:
    """Return a tool's answer with how long the tool worked."""
    return message.model_copy(update={"response_metadata": {**message.response_metadata, TOOK: ms}})
