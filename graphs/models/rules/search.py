"""Where the words of a question stand: files ranked by how rare the words are that they hold."""

import re
from collections.abc import Mapping
from math import log

from artel.graphs.models.rules import files
from artel.graphs.models.rules.outline import quoted
from artel.graphs.models.rules.phrases import Phrases
from artel.graphs.models.rules.turn import Call, Rule, Step, Undone
from artel.graphs.models.rules.words import terms

MAX_TERMS = 5
CUT = re.compile(r"stopped|only the first|not searched")  # in what grep notes of a search
MAX_FILES = 4
AROUND = 12  # lines shown from the best place on

TESTS = re.compile(r"(?:^|/)(?:tests?|fixtures|evals)/|(?:^|/)test_|_test\.|\.spec\.|\.test\.")
PROSE = re.compile(r"\.(?:md|rst|txt|json|lock|csv|svg)$|(?:^|/)(?:docs|node_modules|static)/")
OPENS = re.compile(
    r"^\s*(?:export\s+)?(?:async\s+)?(?:def|class|function|func|fn|interface|type|create)\b", re.IGNORECASE
)
IMPORTS = re.compile(r"^\s*(?:import|from|export \*|use|#include|require|>>>)\b|__all__")
SAYS = re.compile(r'^\s*(?:[rR]?"""|#|//|--|/?\*)')


def search(question: str, say: Phrases) -> Rule:
    """Answer a question with the lines where most of its words, and the rarest, stand together."""
    wanted = dict(list(terms(question).items())[:MAX_TERMS])
    if not wanted:
        return Undone(say("Name a word that stands in the code.", "Назовите слово, которое есть в коде."))
    found = yield [
        Call("grep", {"pattern": pattern, "output_mode": "count", "ignore_case": True})
        for pattern in wanted.values()
    ]
    ranked = _ranked(question, wanted, found)
    if not ranked:
        return say.nothing.format(words=", ".join(f"“{word}”" for word in wanted))
    anything = "|".join(wanted.values())
    hits = yield [
        Call("grep", {"pattern": anything, "path": path, "output_mode": "content", "ignore_case": True})
        for path in ranked[:MAX_FILES]
    ]
    rarity = _rarity(wanted, found)
    best = [_best(step, wanted, rarity) for step in hits]
    places = [(path, line, text) for path, (line, text) in zip(ranked, best, strict=False) if line]
    if not places:
        return say.nothing.format(words=", ".join(wanted))
    path, line, _ = places[0]
    (step,) = yield [Call("read_file", {"file_path": path, "offset": max(0, line - 3), "limit": AROUND + 3})]
    shown = [text for _, text in files.numbered(step)]
    opening = say.here if _holds(path, wanted, found) > len(wanted) / 2 else say.near
    told = [opening.format(place=f"{path}:{line}"), "", quoted(path, shown)]
    if len(places) > 1:
        told += ["", say.also, *(f"- `{p}:{n}` {_short(text)}" for p, n, text in places[1:])]
    if partial := [note for step in found if step.lines for note in step.notes if CUT.search(note)]:
        told += ["", say("The search was not whole: ", "Поиск был неполным: ") + partial[0]]
    return "\n".join(told)


def _ranked(question: str, wanted: Mapping[str, str], found: list[Step]) -> list[str]:
    rarity = _rarity(wanted, found)
    scores: dict[str, float] = {}
    held: dict[str, int] = {}
    for (word, pattern), step in zip(wanted.items(), found, strict=True):
        for path, count in files.counts(step).items():
            named = _named(pattern, path)
            held[path] = held.get(path, 0) + 1
            scores[path] = scores.get(path, 0) + rarity[word] * (1 + log(1 + count) / 2 + named)
    asks_tests = re.search(r"\btests?\b|тест", question, re.IGNORECASE)
    weighed = {
        path: score * (held[path] / len(wanted)) ** 2 * _weight(path, asks_tests=bool(asks_tests))
        for path, score in scores.items()
    }
    return sorted(weighed, key=lambda path: (-weighed[path], path))


def _named(pattern: str, path: str) -> float:
    """A file that is called like a word is about it, the more so the less else its name says."""
    stem = path.rpartition("/")[2].partition(".")[0]
    if found := re.search(pattern, stem, re.IGNORECASE):
        return 2.0 * (len(found[0]) / len(stem)) ** 2
    return 0.5 if re.search(pattern, path, re.IGNORECASE) else 0.0


def _holds(path: str, wanted: Mapping[str, str], found: list[Step]) -> int:
    return sum(path in files.counts(step) for _, step in zip(wanted, found, strict=True))


def _rarity(wanted: Mapping[str, str], found: list[Step]) -> dict[str, float]:
    """A word that stands in few files says more about them."""
    return {word: 1 / (1 + log(1 + len(step.lines))) for word, step in zip(wanted, found, strict=True)}


def _weight(path: str, *, asks_tests: bool) -> float:
    tests = (1.3 if asks_tests else 0.4) if TESTS.search(path) else 1.0
    return tests * (0.5 if PROSE.search(path) else 1.0)


def _best(step: Step, wanted: Mapping[str, str], rarity: Mapping[str, float]) -> tuple[int, str]:
    """Return the line with the rarest words, definitions and what they say of themselves first."""
    best, top = (0, ""), 0.0
    for _, number, text in files.hits(step):
        score = sum(rarity[w] for w, pattern in wanted.items() if re.search(pattern, text, re.IGNORECASE))
        score *= (
            0.3 if IMPORTS.match(text) else 1.6 if OPENS.match(text) else 1.3 if SAYS.match(text) else 1.0
        )
        if score > top:
            best, top = (number, text), score
    return best


def _short(text: str) -> str:
    text = text.strip()
    return text if len(text) <= 120 else f"{text[:120]}…"
