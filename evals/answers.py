"""Marks of what an agent said last: words, language, headings, places and figures."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from artel.graphs.contract import lacks
from artel.graphs.roles import built_in
from artel.graphs.routing import is_russian
from evals.cases import CaseWrong, Checks
from evals.marks import SHOWN, Mark
from evals.running import Outcome

MAX_BYTES = 10_000_000  # of a file that is looked at
CITED = re.compile(r"(?<![\w/.:])((?:[\w.-]+/)*[\w.-]*\w\.\w+):(\d+)(?:[-–](\d+))?")
GAP = "[,\u00a0\u202f]"  # between the thousands
NUMBER = rf"\d{{1,3}}(?:{GAP}\d{{3}})+(?:\.\d+)?|\d+(?:[.,]\d+)?"
FIGURE = re.compile(
    rf"(?<![\w.,:-])({NUMBER})[ \u00a0\u202f]?(?:[nµμum]?s|[KMG]i?B|kB|bytes?|calls?|comparisons?|rows?"
    r"|нс|мкс|мс|с|сек\w*|[КМГ]и?Б|байт\w*|вызов\w*|сравнени\w*|строк\w*)(?!\w)"
)
PLAIN = re.compile(r"\d+(?:\.\d+)?(?:[eE][-+]?\d+)?")
SCALES = [base**power for base in (1000, 1024) for power in range(-3, 4)]


def marks(checks: Checks, agent: str, outcome: Outcome) -> Iterator[Mark]:
    """Look at the last answer of a case of `agent`."""
    said = outcome.said.lower()
    for text in checks.says:
        yield Mark(f"it says {text!r}", text.lower() in said, outcome.said[:SHOWN])
    for text in checks.says_not:
        yield Mark(f"it does not say {text!r}", text.lower() not in said, outcome.said[:SHOWN])
    cited = list(dict.fromkeys(CITED.findall(outcome.said)))
    if checks.cites:
        wrong = [f"{path}:{start}" for path, start, end in cited if not _exists(outcome, path, start, end)]
        yield Mark(f"it cites at least {checks.cites}", len(cited) >= checks.cites, f"{len(cited)} cited")
        yield Mark("what it cites is there", not wrong, ", ".join(wrong)[:SHOWN])
    for place in checks.points_to:
        named = ", ".join(f"{path}:{start}" for path, start, _ in cited)
        yield Mark(f"it points to {place}", _meets(place, cited), named[:SHOWN] or "nothing cited")
    if checks.headings:
        if agent not in built_in():
            raise CaseWrong(f"headings: {agent} is no role, so nothing asks it for any: leave it out")
        lacking = lacks(built_in()[agent], outcome.said)
        yield Mark("it has its headings", not lacking, ", ".join(lacking))
    if checks.language:
        fits = bool(said.strip()) and is_russian(outcome.said) == (checks.language == "ru")
        yield Mark(f"it answers in {checks.language}", fits, outcome.said[:SHOWN])
    if checks.measured:
        yield from _of_figures(checks.measured, outcome)


def text_of(folder: Path, path: str) -> str | None:
    """Return the text of a file that really lies in the folder, None where there is none."""
    file = (folder / path).resolve()
    if not file.is_relative_to(folder) or not file.is_file() or file.stat().st_size > MAX_BYTES:
        return None
    return file.read_bytes().decode("utf-8", "replace")


def _exists(outcome: Outcome, path: str, start: str, end: str) -> bool:
    text = text_of(outcome.folder, path)
    if text is None or len(start) > 9 or len(end) > 9:
        return False
    first, last = int(start), int(end or start)
    return 1 <= first <= last <= len(text.splitlines())


def _meets(place: str, cited: Sequence[tuple[str, str, str]]) -> bool:
    wanted, _, lines = place.rpartition(":")
    first, _, last = lines.partition("-")
    return any(
        path == wanted and int(start) <= int(last or first) and int(end or start) >= int(first)
        for path, start, end in cited
    )


def _of_figures(least: int, outcome: Outcome) -> Iterator[Mark]:
    figures = list(dict.fromkeys(FIGURE.findall(outcome.said)))
    shown = [float(one) for text in outcome.meter.shown for one in PLAIN.findall(text)]
    wrong = [one for one in figures if not _is_shown(one, shown)]
    yield Mark(f"it gives at least {least} figures", len(figures) >= least, ", ".join(figures)[:SHOWN])
    yield Mark("its figures were measured", not wrong, ", ".join(wrong)[:SHOWN])


def _is_shown(figure: str, shown: Sequence[float]) -> bool:
    """Whether a figure is one that was shown, in another unit or with fewer digits perhaps."""
    grouped = re.sub(rf"{GAP}(?=\d{{3}}(?!\d))", "", figure)
    plain = grouped.replace(",", ".")
    digits = len(plain.partition(".")[2])
    return any(round(one * scale, digits) == float(plain) for one in shown for scale in SCALES)
