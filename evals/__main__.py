"""Run cases, compare configurations, and show how they went over time.

python -m evals run [AGENT | AGENT/CASE …] [--model [NAME=]PROVIDER:NAME …] [--accept]
python -m evals compare CONFIGURATION CONFIGURATION
python -m evals accept [RUN]
python -m evals report [--to FILE]
python -m evals routing
python -m evals retrieval --sets FOLDER [--set NAME …] [--questions N] [--qualify]
"""

import asyncio
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path

from artel.graphs.models import ModelSettings
from artel.server.settings import load_settings
from artel.storage.errors import ArtelError
from artel.storage.ids import new_id
from evals import history
from evals.cases import Case, CaseWrong, load
from evals.configurations import USUAL, Configuration, configured, named, read
from evals.history import Marked, Result
from evals.judgement import fallen
from evals.judging import judge
from evals.report import page
from evals.retrieval import command as retrieval
from evals.routing.judging import table as routing_table
from evals.table import table, troubles
from evals.versions import version

FOLDER = Path(__file__).parent
FINE, FELL, WRONG = 0, 1, 2


def main(argv: Sequence[str] | None = None) -> int:
    """Return 0 if all is well, 1 if a case fell below its floor or the accepted run, 2 for a wrong order."""
    given = _parser().parse_args(argv)
    try:
        return int(COMMANDS[given.command](given))
    except ArtelError as error:
        print(error, file=sys.stderr)
        return WRONG


def _run(given: Namespace) -> int:
    cases = load(given.cases, given.names)
    configurations = read(given.configurations) if given.configurations else []
    configurations += named(given.model)
    if given.real:
        configurations.append(configured(load_settings().models))
    results = asyncio.run(_results(cases, configurations or list(USUAL)))
    if not results:
        raise CaseWrong("no case stands for these models: see `models` in the cases")
    known = history.read(given.data)
    falls = fallen(results, known.of(known.accepted))
    history.record(given.data, results)
    print(table(results))
    if said := troubles(results, falls):
        print(f"\n{said}")
    run_id = results[0].run
    if given.accept and not falls:
        history.accept(given.data, run_id)
    print(f"\nrun {run_id}{', accepted' if given.accept and not falls else ''}")
    return FELL if falls else FINE


def _compare(given: Namespace) -> int:
    latest = history.read(given.data).latest().values()
    known = sorted({one.configuration for one in latest})
    if missing := set(given.names) - set(known):
        raise CaseWrong(f"no result of {min(missing)!r}: there are those of {', '.join(known) or 'nobody'}")
    cases = [{one.case for one in latest if one.configuration == name} for name in given.names]
    shared = set.intersection(*cases)
    if not shared:
        raise CaseWrong(f"{' and '.join(given.names)} have no case in common: run both over the same cases")
    of = {(one.configuration, one.case): one for one in latest}
    print(table([of[name, case] for name in given.names for case in sorted(shared)]))
    return FINE


def _accept(given: Namespace) -> int:
    runs = history.read(given.data).runs
    run_id = given.run or (runs[-1] if runs else "")
    if run_id not in runs:
        raise CaseWrong(f"no run {run_id!r} in {given.data}: the newest is {runs[-1] if runs else 'none'}")
    history.accept(given.data, run_id)
    print(f"run {run_id}, accepted")
    return FINE


def _report(given: Namespace) -> int:
    to: Path = given.to or given.data / "report.html"
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(page(history.read(given.data)), encoding="utf-8")
    print(to)
    return FINE


def _routing(given: Namespace) -> int:
    del given
    print(routing_table())
    return FINE


COMMANDS = {
    "run": _run,
    "compare": _compare,
    "accept": _accept,
    "report": _report,
    "routing": _routing,
    "retrieval": retrieval.run,
}


async def _results(cases: Sequence[Case], configurations: Sequence[Configuration]) -> list[Result]:
    """Run each case under each configuration that it stands for, one after the other."""
    run_id, at, commit = new_id().hex[-12:], history.now(), history.commit(FOLDER)
    real = any(one.kind == "real" for one in configurations)
    settings = load_settings().models if real else ModelSettings()
    made = []
    for configuration in configurations:
        for case in cases:
            if configuration.kind not in case.models:
                continue
            outcome, marks = await judge(case, configuration, settings)
            made.append(
                Result(
                    run=run_id,
                    at=at,
                    commit=commit,
                    configuration=configuration.name,
                    model=configuration.model,
                    case=case.id,
                    score=marks.value,
                    floor=1.0 if configuration.kind == "scripted" else case.floor,
                    marks=tuple(Marked(name=m.name, passed=m.passed, said=m.said) for m in marks.marks),
                    calls=len(outcome.meter.calls),
                    tokens_in=outcome.meter.tokens_in,
                    tokens_out=outcome.meter.tokens_out,
                    cached=outcome.meter.cached,
                    usd=outcome.usd,
                    seconds=round(outcome.seconds, 3),
                    prompt=version(case.agent),
                )
            )
    return made


def _parser() -> ArgumentParser:
    parser = ArgumentParser(prog="python -m evals", description="Cases of agents, judged by code.")
    commands = parser.add_subparsers(dest="command", required=True)
    running = commands.add_parser("run", help="run cases; exits with 1 when one fell")
    running.add_argument("names", nargs="*", help="agents, or agent/case; all if none is named")
    running.add_argument("--model", action="append", default=[], help="[NAME=]PROVIDER:NAME; may repeat")
    running.add_argument("--real", action="store_true", help="run the model that the settings name")
    running.add_argument("--configurations", type=Path, help="YAML file with a list of configurations")
    running.add_argument("--cases", type=Path, default=FOLDER, help="folder with <agent>/cases")
    running.add_argument("--accept", action="store_true", help="later runs may not fall below this one")
    comparing = commands.add_parser("compare", help="the newest results of configurations, side by side")
    comparing.add_argument("names", nargs="+")
    accepting = commands.add_parser("accept", help="make a run what later ones may not fall below")
    accepting.add_argument("run", nargs="?", default="")
    reporting = commands.add_parser("report", help="write the history as an HTML page")
    reporting.add_argument("--to", type=Path)
    commands.add_parser("routing", help="judge the routing rules")
    retrieval.add_to(commands)
    for one in (running, comparing, accepting, reporting):
        one.add_argument("--data", type=Path, default=history.HOME, help="folder of the history")
    return parser


if __name__ == "__main__":
    sys.exit(main())
