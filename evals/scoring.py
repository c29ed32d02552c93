"""The score of a case: what must be true after it, checked by code. No model judges another."""

from collections.abc import AsyncIterator, Iterator
from fnmatch import fnmatchcase
from pathlib import Path

from artel.tools.errors import ToolFailed, ToolRefused
from artel.tools.sandbox.job import Order
from artel.tools.sandbox.output import legible
from evals import answers, plans
from evals.answers import text_of
from evals.cases import Case, Checks
from evals.cases import Command as Ordered
from evals.marks import SHOWN, Mark, Score
from evals.running import Outcome, digests

MAX_OUTPUT = 100_000


async def score(case: Case, outcome: Outcome) -> Score:
    """Look at the folder, the answer, the plan and the meter of a case that has run."""
    marks = [Mark("it ends", not outcome.error, outcome.error)]
    marks += _of_files(case.checks, outcome)
    marks += answers.marks(case.checks, case.agent, outcome)
    marks += _of_choice(case.checks, outcome)
    marks += _of_limits(case.checks, outcome)
    marks += [mark async for mark in _of_commands(case.checks.commands, outcome)]
    return Score(tuple(marks))


def _of_files(checks: Checks, outcome: Outcome) -> Iterator[Mark]:
    for path, text in checks.files.items():
        held = text_of(outcome.folder, path)
        yield Mark(f"{path} is as it should be", held == text, _instead(held))
    for path, texts in checks.contains.items():
        found = _texts(outcome.folder, path)
        for text in texts:
            yield Mark(f"{path} holds {text!r}", any(text in one for one in found), _first(found))
    for path, texts in checks.lacks.items():
        found = _texts(outcome.folder, path)
        for text in texts:
            lacks = bool(found) and not any(text in one for one in found)
            yield Mark(f"{path} lacks {text!r}", lacks, _first(found))
    for path in checks.absent:
        there = outcome.folder / path
        yield Mark(f"nothing is at {path}", not (there.exists() or there.is_symlink()))
    if checks.unchanged or checks.changed_only is not None:
        now, before = digests(outcome.folder), outcome.before
        differ = sorted(path for path in {*now, *before} if now.get(path) != before.get(path))
        may = checks.changed_only or []
        strange = [path for path in differ if not any(fnmatchcase(path, one) for one in may)]
        yield Mark("nothing else changed", not strange, ", ".join(strange)[:SHOWN])


def _of_choice(checks: Checks, outcome: Outcome) -> Iterator[Mark]:
    if checks.agent:
        yield Mark(f"{checks.agent} works", outcome.agent == checks.agent, outcome.agent or "nobody")
    if checks.plan:
        yield from plans.marks(checks.plan, outcome)


def _of_limits(checks: Checks, outcome: Outcome) -> Iterator[Mark]:
    meter, usd = outcome.meter, outcome.usd
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


def _texts(folder: Path, pattern: str) -> list[str]:
    """The texts of the files that fit a path or a glob of it."""
    paths = sorted(path for path in digests(folder) if fnmatchcase(path, pattern))
    return [text for path in paths if (text := text_of(folder, path)) is not None]


def _first(found: list[str]) -> str:
    return _instead(found[0] if found else None)


def _instead(held: str | None) -> str:
    return "there is no such file" if held is None else held[:SHOWN]


def _in_order(wanted: list[str], called: list[str]) -> bool:
    left = iter(called)
    return all(name in left for name in wanted)
