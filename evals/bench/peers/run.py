"""Measure all that are here, in turns, and print the tables.

    python -m evals.bench peers [--quick] [--only artel floor] [--rounds 3] [--aegra PYTHON]

Every server is started anew each round, alone, and stopped before the next one starts. Figures are medians
over the rounds. Compare figures of one run with each other, not with those of another machine or hour.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

import psycopg
import uvloop

from evals.bench.peers import report, stored
from evals.bench.peers.databases import Databases, open_databases
from evals.bench.peers.gauges import Gauges
from evals.bench.peers.load import SMOKE, Bench, Size
from evals.bench.peers.measures import Figures, measures
from evals.bench.peers.servers import PEERS, Kind, kinds, started, version
from evals.bench.peers.wire import Client, Refused

NAMES = ["artel", "dev", "aegra", "floor", "raw"]
WHOLE_S, QUICK_S, STORED_S = 22 * 60, 90, 120  # nothing is started after that
MEASURE_S, LATE_S = 90.0, 60.0  # the longest of one measure; of all that began in time


def main(arguments: Sequence[str] = ()) -> None:
    """Measure and print."""
    asked = _parser().parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is stopped on the way out
    here, missing = kinds(asked.only, asked.aegra)
    for sentence in missing:
        print(f"{sentence}.")
    with tempfile.TemporaryDirectory(prefix="artel-bench-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)  # the embedded Postgres may run as another user
        with open_databases(Path(folder)) as databases:
            found = report.medians(_rounds(here, databases, Path(folder), asked))
    print(_heading(here, asked))
    print(report.figures_table(found))
    if report.OURS in found:
        print(f"\n{report.goals_table(found)}")
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1))


def _rounds(here: list[Kind], databases: Databases, folder: Path, asked: Any) -> dict[str, list[Figures]]:
    deadline = time.monotonic() + (QUICK_S if asked.quick else WHOLE_S)
    rounds: dict[str, list[Figures]] = {kind.name: [] for kind in here}
    size = SMOKE if asked.quick else Size()
    for number in range(asked.rounds or (1 if asked.quick else 3)):
        for kind in here:
            if time.monotonic() > deadline:
                print(f"Out of time before round {number + 1} of {kind.name}.")
                break
            try:
                figures = _measured(kind, databases, folder, size, first=number == 0, until=deadline + LATE_S)
            except RuntimeError as failed:
                print(failed, file=sys.stderr)
            else:
                rounds[kind.name].append(figures)
    ours = [kind for kind in here if kind.name == report.OURS]
    if ours and not asked.quick and time.monotonic() < deadline + STORED_S:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                figures = runner.run(stored.after_many(ours[0], databases, folder / "stored", size))
        except (RuntimeError, Refused, OSError, psycopg.Error) as failed:
            print(f"stored runs: {failed}", file=sys.stderr)
        else:
            rounds[report.OURS].append(figures)
    return rounds


def _measured(
    kind: Kind, databases: Databases, folder: Path, size: Size, *, first: bool, until: float
) -> Figures:
    """Return one round of one server; what it cannot do is told and left out."""
    home = folder / kind.name
    home.mkdir(exist_ok=True)
    dsn, url = databases.make(kind.name)
    if first and size.whole:
        with started(kind, home, dsn, url):
            pass  # makes its tables and its bytecode: starts are compared with both there
    figures: Figures = {}
    with started(kind, home, dsn, url) as server:
        gauges = Gauges(server.process, dsn, databases.log)
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(_all(Bench(server, Client(server.port), gauges, size, first), figures, until))
        finally:
            gauges.close()
    return figures


async def _all(bench: Bench, figures: Figures, until: float) -> None:
    for measure in measures(bench):
        begun = time.perf_counter()
        try:
            figures |= await asyncio.wait_for(measure(bench), min(MEASURE_S, until - time.monotonic()))
        except (Refused, RuntimeError, OSError, TimeoutError, KeyError) as failed:
            name = bench.server.kind.name
            print(f"{name}, {measure.__name__}: {type(failed).__name__}: {failed}", file=sys.stderr)
        took_s = time.perf_counter() - begun
        print(f"{bench.server.kind.name}: {measure.__name__} took {took_s:.1f} s", file=sys.stderr)
    bench.client.close()


def _heading(here: list[Kind], asked: Any) -> str:
    versions = ", ".join(filter(None, (version(kind, asked.aegra) for kind in here)))
    load = " / ".join(f"{one:.1f}" for one in os.getloadavg())
    return f"{date.today():%d %b %Y}, {os.cpu_count()} cores, load {load}; {versions or 'no peers'}\n"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m evals.bench peers")
    parser.add_argument("--quick", action="store_true", help="a smoke run of at most two minutes")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="servers to measure")
    parser.add_argument("--rounds", type=int, default=0, help="rounds of each server (3; quick: 1)")
    parser.add_argument("--aegra", type=Path, default=PEERS, help="a Python that has aegra-api")
    parser.add_argument("--json", type=Path, help="where to write the medians too")
    return parser
