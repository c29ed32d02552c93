"""Run a case and score it; a case with wrong scripts is doubted too: it must notice each of them."""

from asyncio import to_thread

from artel.graphs.models import ModelSettings
from evals.cases import Case, Wrong
from evals.configurations import Configuration
from evals.marks import Mark, Score
from evals.running import Home, Outcome, run
from evals.scoring import score


async def judge(
    case: Case, configuration: Configuration, settings: ModelSettings | None = None
) -> tuple[Outcome, Score]:
    """Run a case in a fresh folder, and look at what came of it; the folder is gone afterwards.

    Raises:
        CaseWrong: there is no agent of its name.
    """
    with await to_thread(Home, case) as home:
        outcome = await run(case, configuration, home, settings)
        try:
            marks = (await score(case, outcome)).marks
        finally:
            await outcome.sandbox.aclose()
    if configuration.kind == "scripted":
        marks = (*marks, *[await _doubt(case, wrong, configuration) for wrong in case.wrong])
    return outcome, Score(marks)


async def _doubt(case: Case, wrong: Wrong, configuration: Configuration) -> Mark:
    """Play replies that are wrong: the checks that they name must fail."""
    name = f"it notices: {wrong.how}"
    _, found = await judge(case.played(wrong), configuration)
    blind = [one for one in wrong.fails if not any(mark.startswith(one) for mark in found.failed)]
    if blind and any(mark.passed is None for mark in found.marks):
        return Mark(name, None, "some checks cannot be judged here")
    return Mark(name, not blind, f"these hold all the same: {', '.join(blind)}" if blind else "")
