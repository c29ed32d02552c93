"""Measuring a command that a person named: how long it takes, and where a Python file spends it."""

import re
from collections.abc import Generator
from shlex import quote
from statistics import median

from artel.graphs.models.rules import files
from artel.graphs.models.rules.commands import execute, python
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.telling import block, not_done
from artel.graphs.models.rules.turn import Call, Rule, Steps, Undone
from artel.graphs.models.rules.words import QUOTE, paths, unquoted

RUNS = 5  # that count, after one to warm up
RUN = re.compile(r"^run (\d+): (\d+) us, exit (\d+)$", re.MULTILINE)
LOAD = re.compile(r"^load: (\S+)", re.MULTILINE)
COMMAND = re.compile(r"\s")
PYTHON = re.compile(
    r"^(?P<home>\S*python3?)\s+(?P<what>(?!-)\S+\.py(?:\s.*)?|-m\s+(?!cProfile)\S+(?:\s.*)?)$"
)
ROW = re.compile(r"^\s*[\d/]+\s+(?P<own>\d+\.\d+)\s+\S+\s+\S+\s+\S+\s+(?P<place>.+)$", re.MULTILINE)
SHOWN = 15  # places of a profile


def profile(request: str, say: Phrases) -> Rule:
    """Run a command six times and profile it once if it is Python; each run is asked about."""
    command = yield from _command(request)
    if not command:
        return Undone(
            say(
                "Name what to measure: a command in backticks (measure `python3 tools/build.py`) or a "
                "Python file.",
                "Назовите, что измерить: команду в обратных кавычках (измерь `python3 tools/build.py`) "
                "или файл Python.",
            )
        )
    step = yield from execute(_measuring(command), say(f"Measure {command}", f"Измерить: {command}"))
    if not step.ok:
        return not_done(step, f"`{command}`", say)
    runs = [(int(us), int(code)) for number, us, code in RUN.findall(step.text) if number != "0"]
    if not runs or any(code for _, code in runs):
        head = say(
            f"`{command}` did not succeed, so there is nothing to measure:",
            f"`{command}` завершилась ошибкой, измерять нечего:",
        )
        shown = yield from execute(command, say("See what it says", "Посмотреть, что она пишет"))
        return Undone("\n\n".join([head, block(shown.text, last=30)]))
    times = sorted(us / 1000 for us, _ in runs)
    load = LOAD.search(step.text)
    figures = say(
        f"`{command}`, wall clock, {len(times)} runs after one to warm up: median {median(times):.1f} ms, "
        "from "
        f"{times[0]:.1f} to {times[-1]:.1f} ms. Load of the machine: {load[1] if load else '?'}.",
        f"`{command}`, по часам, запусков: {len(times)} после одного для разогрева: медиана "
        f"{median(times):.1f} мс, "
        f"от {times[0]:.1f} до {times[-1]:.1f} мс. Загрузка машины: {load[1] if load else '?'}.",
    )
    told = [say("## Measurements", "## Измерения"), figures]
    places = ""
    if found := PYTHON.match(command):
        wanted = f"{found['home']} -m cProfile -s tottime {found['what']} | grep -A {SHOWN} 'tottime'"
        profiled = yield from execute(wanted, say("Profile it once", "Один раз с профилировщиком"))
        if profiled.exit_code == 0:
            body = profiled.text.partition("]\n")[2]
            head = say(
                "By own time (`cProfile`, which slows it):",
                "По собственному времени (`cProfile`, замедляет):",
            )
            told += [head, block(body)]
            first = ROW.search(body)
            places = first["place"] if first and float(first["own"]) > 0 else ""
        else:
            failed = (
                block(profiled.text, last=10) if profiled.ok else str(not_done(profiled, "cProfile", say))
            )
            told += [say("It could not be profiled:", "Профилировать не удалось:"), failed]
    spread = (times[-1] - times[0]) / median(times) if median(times) else 0.0
    told += [
        say("## Conclusions", "## Выводы"),
        say(
            f"The runs differ by {spread:.0%}; a gain smaller than that could not be seen."
            + (f" Most of its own time goes to `{places}`." if places else ""),
            f"Запуски расходятся на {spread:.0%}; меньшего выигрыша не было бы видно."
            + (f" Больше всего собственного времени у `{places}`." if places else ""),
        ),
    ]
    return "\n\n".join(told)


def _command(request: str) -> Generator[list[Call], Steps, str]:
    quoted = [unquoted(found) for found in re.findall(QUOTE, request)]
    if command := next((one.strip() for one in quoted if COMMAND.search(one.strip())), ""):
        return command
    for name in [*quoted, *paths(request)]:
        if name.endswith(".py"):
            found = yield from files.find(name)
            if len(found) == 1:
                home = yield from python()
                return f"{home} {quote(found[0])}"
    return quoted[0] if quoted else ""


def _measuring(command: str) -> str:
    """Return a script that runs a command once to warm up and RUNS times more, and says how long each "
    "took."""
    return (
        f"for n in $(seq 0 {RUNS}); do a=$(date +%s%N); ( {command} ) > /dev/null 2>&1; c=$?; b=$(date "
        "+%s%N); "
        'echo "run $n: $(( (b - a) / 1000 )) us, exit $c"; done; echo "load: $(cat /proc/loadavg)"'
    )
