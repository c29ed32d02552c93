"""Judge the routing rules by phrases that people labelled.

`cases/tuning.jsonl` is what the rules were written with; `cases/held_out.jsonl` is every third phrase, which
nobody looked at while writing rules. A phrase is `{"say", "agent"}`; the agent `unclear` is for what nobody
can tell: there the rules must not speak.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from json import loads
from pathlib import Path
from time import perf_counter

from artel.graphs.routing import choose

CASES = Path(__file__).with_name("cases")
PARTS = ("tuning", "held_out")
UNCLEAR = "unclear"


@dataclass(frozen=True, slots=True)
class Phrase:
    """What somebody asks, and who should work on it."""

    say: str
    agent: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the rules said of a phrase."""

    phrase: Phrase
    chosen: str | None
    word: str
    ms: float

    @property
    def right(self) -> bool:
        """Whether the rules spoke and named the right agent."""
        return self.chosen == self.phrase.agent

    @property
    def silent(self) -> bool:
        """Whether the rules left it to the model."""
        return self.chosen is None


@dataclass(frozen=True, slots=True)
class Marks:
    """How good the rules are on some phrases."""

    verdicts: Sequence[Verdict]

    @property
    def accuracy(self) -> float:
        """The share that is right of all on which the rules spoke, those that nobody can tell included."""
        spoken = [one for one in self.verdicts if not one.silent]
        return sum(one.right for one in spoken) / len(spoken) if spoken else 0.0

    @property
    def silence(self) -> float:
        """The share of the clear phrases on which the rules said nothing."""
        clear = [one for one in self.verdicts if one.phrase.agent != UNCLEAR]
        return sum(one.silent for one in clear) / len(clear) if clear else 0.0

    @property
    def wrong(self) -> Sequence[Verdict]:
        """Those on which the rules spoke and were wrong."""
        return [one for one in self.verdicts if not one.silent and not one.right]

    def by_agent(self) -> dict[str, tuple[int, int, int]]:
        """Return right, wrong and silent for each label."""
        counts: dict[str, Counter[str]] = {}
        for one in self.verdicts:
            kind = "silent" if one.silent else "right" if one.right else "wrong"
            counts.setdefault(one.phrase.agent, Counter())[kind] += 1
        return {name: (of["right"], of["wrong"], of["silent"]) for name, of in sorted(counts.items())}


def phrases(part: str) -> list[Phrase]:
    """Return the phrases of `tuning` or `held_out`."""
    lines = (CASES / f"{part}.jsonl").read_text(encoding="utf-8").splitlines()
    return [Phrase(**loads(line)) for line in lines]


def judge(some: Sequence[Phrase]) -> Marks:
    """Ask the rules about each phrase."""
    return Marks([_verdict(one) for one in some])


def table(*, shown: Sequence[str] = ("tuning",)) -> str:
    """Return the figures of both parts, and the errors of those in `shown`."""
    lines = ["| phrases | number | right where the rules speak | silent |", "|---|---|---|---|"]
    errors: list[str] = []
    for part in PARTS:
        marks = judge(phrases(part))
        lines.append(f"| {part} | {len(marks.verdicts)} | {marks.accuracy:.1%} | {marks.silence:.1%} |")
        if part in shown:
            errors += [
                f"{one.phrase.agent}, not {one.chosen} ({one.word}): {one.phrase.say!r}"
                for one in marks.wrong
            ]
    return "\n".join([*lines, *errors])


def _verdict(phrase: Phrase) -> Verdict:
    began = perf_counter()
    choice = choose(phrase.say)
    ms = (perf_counter() - began) * 1000
    return Verdict(phrase, choice.agent if choice else None, choice.word if choice else "", ms)
