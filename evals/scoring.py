"""Marks: what must be true after a case, checked by code. No model judges another."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.sandbox.job import Order
from artel.tools.sandbox.output import legible
from evals.cases import Case, Checks
from evals.cases import Command as Ordered
from evals.configurations import Configuration
from evals.running import Outcome, digests

MAX_BYTES = 10_000_000  # of a file that is compared
MAX_OUTPUT = 100_000
SHOWN = 200  # characters of what was found instead
CITED = re.compile(r"(?<![\w/.:])((?:[\w.-]+/)*[\w.-]*\w\.\w+):(\d+)(?:[-–](\d+))?")


@dataclass(frozen=True, slots=True)
class Mark:
    """One check, and whether it holds; None: it could not be judged on this machine."""

    name: str
    passed: bool | None
    said: str = ""
    "What was found instead."


@dataclass(frozen=True, slots=True)
class Score:
    """The marks of a case under a configuration."""

    marks: tuple[Mark, ...]
    usd: float | None

    @property
    def value(self) -> float:
        """The share of the checks that hold, of those that could be judged; 0 to 1."""
        judged = [mark for mark in self.marks if mark.passed is not None]
        return sum(bool(mark.passed) for mark in judged) / len(judged) if judged else 0.0


async def score(case: Case, configuration: Configuration, outcome: Outcome) -> Score:
    """Look at the folder, the answer and the meter of a case that has run."""
    usd = _cost(configuration, outcome)
    marks = [Mark("it ends", not outcome.error, outcome.error)]
    marks += _of_files(case.checks, outcome)
    marks += _of_answer(case.checks, outcome)
    marks += _of_limits(case.checks, outcome, usd)
    marks += [mark async for mark in _of_commands(case.checks.commands, outcome)]
    return Score(tuple(marks), usd)


def _cost(configuration: Configuration, outcome: Outcome) -> float | None:
    price, meter = configuration.price, outcome.meter
    if price is None:
        return None
    return (meter.tokens_in * price.input + meter.tokens_out * price.output) / 1_000_000


def _of_files(checks: Checks, outcome: Outcome) -> Iterator[Mark]:
    for path, text in checks.files.items():
        held = _held(outcome.folder, path)
        yield Mark(f"{path} is as it should be", held == text, _instead(held))
    for path, texts in checks.contains.items():
        held = _held(outcome.folder, path)
        for text in texts:
            yield Mark(f"{path} holds {text!r}", held is not None and text in held, _instead(held))
    for path, texts in checks.lacks.items():
        held = _held(outcome.folder, path)
        for text in texts:
            yield Mark(f"{path} lacks {text!r}", held is not None and text not in held, _instead(held))
    for path in checks.absent:
        there = outcome.folder / path
        yield Mark(f"nothing is at {path}", not (there.exists() or there.is_symlink()))
    if checks.unchanged or checks.changed_only is not None:
        now, before = digests(outcome.folder), outcome.before
        differ = sorted(path for path in {*now, *before} if now.get(path) != before.get(path))
        strange = [path for path in differ if path not in (checks.changed_only or ())]
        yield Mark("nothing else changed", not strange, ", ".join(strange)[:SHOWN])


def _of_answer(checks: Checks, outcome: Outcome) -> Iterator[Mark]:
    said = outcome.said.lower()
    for text in checks.says:
        yield Mark(f"it says {text!r}", text.lower() in said, _instead(outcome.said))
    for text in checks.says_not:
        yield Mark(f"it does not say {text!r}", text.lower() not in said, _instead(outcome.said))
    if checks.cites:
        cited = list(dict.fromkeys(CITED.findall(outcome.said)))
        wrong = [f"{path}:{start}" for path, start, end in cited if not _exists(outcome, path, start, end)]
        yield Mark(f"it cites at least {checks.cites}", len(cited) >= checks.cites, f"{len(cited)} cited")
        yield Mark("what it cites is there", not wrong, ", ".join(wrong)[:SHOWN])
    if checks.agent:
        yield Mark(f"{checks.agent} works", outcome.agent == checks.agent, outcome.agent or "nobody")


def _of_limits(checks: Checks, outcome: Outcome, usd: float | None) -> Iterator[Mark]:
    meter = outcome.meter
    for kind, times in checks.asked.items():
        asked = outcome.asked.count(kind)
        yield Mark(f"it asks about {kind} {times}×", asked == times, f"{asked}×")
    if checks.asked_nothing:
        yield Mark("it asks nothing", not outcome.asked, ", ".join(outcome.asked)[:SHOWN])
    if checks.calls:
        yield Mark(
            f"it calls {', '.join(checks.calls)}",
            _in_order(checks.calls, meter.calls),
            ", ".join(meter.calls)[:SHOWN] or "nothing",
        )
    for name in checks.calls_not:
        yield Mark(f"it does not call {name}", name not in meter.calls)
    tokens = meter.tokens_in + meter.tokens_out
    for name, most, used in (
        ("calls of tools", checks.max_calls, len(meter.calls)),
        ("tokens", checks.max_tokens, tokens),
        ("seconds", checks.max_s, outcome.seconds),
    ):
        if most is not None:
            yield Mark(f"at most {most:g} {name}", used <= most, f"{used:g}")
    if checks.max_usd is not None:
        passed = None if usd is None else usd <= checks.max_usd
        yield Mark(f"at most {checks.max_usd:g} USD", passed, "no price" if usd is None else f"{usd:g}")


async def _of_commands(commands: list[Ordered], outcome: Outcome) -> AsyncIterator[Mark]:
    """Run what a case orders, in the box that commands of agents have: they may have written what runs."""
    for command in commands:
        place = outcome.sandbox.place(outcome.folder, outcome.folder)
        try:
            job = await outcome.sandbox.run(Order(command.run, place, "eval", command.timeout_s))
        except (ToolRefused, ToolFailed) as error:
            yield Mark(f"`{command.run}`", None, f"cannot be run here: {error}"[:SHOWN])
            continue
        output = legible(job.output.read(0, MAX_OUTPUT)[1])
        ends = job.code == command.exit
        yield Mark(f"`{command.run}` ends with {command.exit}", ends, f"{job.state}: {output[-SHOWN:]}")
        if command.says:
            yield Mark(f"`{command.run}` says {command.says!r}", command.says in output, output[-SHOWN:])


def _held(folder: Path, path: str) -> str | None:
    """Return the text of a file that really lies in the folder, None where there is none."""
    file = (folder / path).resolve()
    if not file.is_relative_to(folder) or not file.is_file() or file.stat().st_size > MAX_BYTES:
        return None
    return file.read_bytes().decode("utf-8", "replace")


def _exists(outcome: Outcome, path: str, start: str, end: str) -> bool:
    held = _held(outcome.folder, path)
    if held is None or len(start) > 9 or len(end) > 9:
        return False
    first, last = int(start), int(end or start)
    return 1 <= first <= last <= len(held.splitlines())


def _instead(held: str | None) -> str:
    return "there is no such file" if held is None else held[:SHOWN]


def _in_order(wanted: list[str], called: list[str]) -> bool:
    left = iter(called)
    return all(name in left for name in wanted)
