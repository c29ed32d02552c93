"""What a run has used, and whether that is all it may: read from its messages, so that no state repeats it.

Each answer of a model carries the sum of its turn (`response_metadata["spent"]`): it survives restarts and
the removal of messages before it, and costs no row of its own. A turn begins with what a person asks for;
what they say to a run that is on belongs to the same turn.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import Any, Literal, TypeAlias, get_args

from langchain_core.messages import AIMessage, AnyMessage, ToolMessage

from artel.graphs.budget import AgentSettings, Budget
from artel.graphs.models.tally import Used
from artel.graphs.turns import begins

Kind: TypeAlias = Literal["steps", "tokens", "usd", "minutes"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_FIGURES = ("steps", "tokens", "output", "priced", "usd", "ms")

SPENT = "spent"  # in the `response_metadata` of an answer: what its turn has used so far
TOOK = "took_ms"  # in that of a tool's answer: how long the tool worked


@dataclass(frozen=True, slots=True)
class Spent:
    """What a turn has used."""

    steps: int = 0
    tokens: int = 0
    output: int = 0
    "Of these, said by models."
    priced: int = 0
    "Of these, with a price that is known."
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

    def and_for(self, calls: Iterable[Used], ms: int = 0) -> "Spent":
        """Return what was used with more calls of models, which took `ms` together."""
        made = list(calls)
        return replace(
            self,
            steps=self.steps + len(made),
            tokens=self.tokens + sum(one.tokens for one in made),
            output=self.output + sum(one.output for one in made),
            priced=self.priced + sum(one.tokens for one in made if one.usd is not None),
            usd=self.usd + sum(one.usd or 0.0 for one in made),
            ms=self.ms + ms,
        )

    def plus(self, other: "Spent", times: int = 1) -> "Spent":
        """Return both together, `other` so many times: -1 is without it."""
        figures = {name: max(0, getattr(self, name) + times * getattr(other, name)) for name in _FIGURES}
        more = {kind: max(0, self.more.get(kind, 0) + times * other.more.get(kind, 0)) for kind in KINDS}
        return Spent(**figures, more={kind: often for kind, often in more.items() if often})

    @property
    def noted(self) -> dict[str, Any]:
        """The same as an answer carries it: what is nothing is left out."""
        known = {name: getattr(self, name) for name in (*_FIGURES, "more")}
        return {name: value for name, value in known.items() if value}


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that a turn has come to."""

    kind: Kind
    used: float
    most: float
    final: bool
    "Whether nobody may say that it goes on."
    of_step: bool = False
    "Whether it is that of a step of a plan, and not the run's."


def budget_of(settings: AgentSettings, role: Budget, wish: Budget) -> Budget:
    """Return what holds: the wish of a run, else what its role says, else the server; at most its ceiling."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        asked = (getattr(one, kind) for one in (wish, role, settings))
        usual = next((most for most in asked if most is not None), None)
        bounds = (usual, getattr(settings.most, kind))
        found[kind] = min((bound for bound in bounds if bound is not None), default=None)
    return Budget(**found)


def spent(messages: Sequence[AnyMessage], before: Spent | None = None) -> Spent:
    """Return what the turn that is on has used until now, the work of its last tools included.

    `before`: what its run had used when these messages began.
    """
    total, tools = before or Spent(), 0
    start = next((i for i in range(len(messages) - 1, -1, -1) if _counts(messages[i])), 0)
    for message in messages[start:]:
        if isinstance(message, AIMessage):
            total = _noted(message) or total.and_for([Used.of(message, ())], tools)
            tools = 0
        elif isinstance(message, ToolMessage):  # those of one step work side by side
            took = message.response_metadata.get(TOOK)
            tools = max(tools, took if isinstance(took, int) else 0)
    return replace(total, ms=total.ms + tools)


def _counts(message: AnyMessage) -> bool:
    """Whether all before it is in its sum, or of no account."""
    return begins(message) or (isinstance(message, AIMessage) and _noted(message) is not None)


def of_run(settings: AgentSettings, wish: Budget, used: Spent) -> Reached | None:
    """Return the limit that a run of several agents has come to: what their roles say is for each of them."""
    return reached(budget_of(settings, Budget(), wish), settings.most, used)


def of_step(budget: Budget, before: Spent, used: Spent) -> Reached | None:
    """Return the limit of its own that a step has come to, which began after `before`: it ends there."""
    found = reached(budget, budget, used.plus(before, -1))
    return replace(found, of_step=True) if found else None


def foreseen(before: Spent, used: Spent, lanes: int) -> Spent:
    """Return what a run will have used if all agents that work side by side use as much as this one."""
    return before.plus(used.plus(before, -1), lanes)


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


def _noted(message: AIMessage) -> Spent | None:
    """Return what an answer carries; None if that is nothing of ours: clients put messages into threads."""
    noted = message.response_metadata.get(SPENT)
    return read(noted) if isinstance(noted, Mapping) and isinstance(noted.get("steps"), int) else None


def read(noted: Any) -> Spent:
    """Return a sum as an answer, or a state, carries it; what is none of ours is nothing."""
    known = noted if isinstance(noted, Mapping) else {}
    more = known.get("more")
    again = more if isinstance(more, Mapping) else {}
    return Spent(
        **{name: int(_number(known.get(name))) for name in _FIGURES if name != "usd"},
        usd=_number(known.get("usd")),
        more={kind: int(_number(again.get(kind))) for kind in KINDS if kind in again},
    )


def _number(value: Any) -> float:
    return value if isinstance(value, int | float) and isfinite(value) and value > 0 else 0


def timed(message: ToolMessage, ms: int) -> ToolMessage:
    """Return a tool's answer with how long the tool worked."""
    return message.model_copy(update={"response_metadata": {**message.response_metadata, TOOK: ms}})
