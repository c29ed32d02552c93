"""How long the lexical index takes: to be made, to take one file more, to answer.

    python evals/bench/lexical.py

Chunks are of 120 words, of which few are common and most are rare, as in language. Figures of one run are to
be compared with each other; time of the processor is said too, for other work on the machine changes it less.
"""

import statistics
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from artel.storage.knowledge.lexical.index import LexicalIndex
from artel.storage.knowledge.lexical.languages import tell
from artel.storage.knowledge.lexical.saving import load, save
from artel.storage.knowledge.lexical.terms import asked, indexed, terms

WORDS = 120
VOCABULARY = 60_000
PER_FILE = 8  # chunks
QUESTIONS = 200

Took = tuple[float, float]
"""Milliseconds: waited, and of the processor."""


def main() -> None:
    """Print a table for texts, then one for an index of each size."""
    chance = np.random.default_rng(7)
    _print_texts(chance)
    for chunks in (10_000, 100_000):
        print()
        _print_index(chunks, chance)


def _print_texts(chance: np.random.Generator) -> None:
    text = _texts(20_000, chance)
    prose = "\n".join(text)
    began = time.process_time()
    for one in text:
        terms(one)
    took = time.process_time() - began
    question = "how does the parser of http_date in email.utils treat a missing time zone"
    print(f"terms of prose: {len(prose.encode()) / took / 1e6:.1f} MB a CPU-second")
    print(f"terms of a question: {_median(lambda: asked(question)) * 1000:.0f} µs")
    print(f"what a question is: {_median(lambda: tell(question)) * 1000:.0f} µs")


def _print_index(chunks: int, chance: np.random.Generator) -> None:
    words = [indexed(text) for text in _texts(chunks, chance)]
    index = LexicalIndex()
    began, of_processor = time.perf_counter(), time.process_time()
    for first in range(0, chunks, 5_000):
        index.add(list(enumerate(words[first : first + 5_000], first)))
    index.settle()
    took, worked = time.perf_counter() - began, time.process_time() - of_processor
    size = index.size
    print(f"{chunks:,} chunks, in {size.segments} segments: {size.nbytes / size.chunks:.0f} bytes a chunk")
    print(f"{'made':36}{took:10.2f} s{worked:10.2f} s of the processor")
    _row("one file of 8 chunks more", _added(index, chunks, words))
    questions = [
        asked(" ".join(one[place] for place in chance.integers(0, WORDS, 10)))
        for one in (words[number] for number in chance.integers(0, chunks, QUESTIONS))
    ]
    _row("search", [_took(partial(index.search, q, limit=100)) for q in questions])
    for share in (0.5, 0.01):
        within = np.flatnonzero(chance.random(chunks) < share)
        rows = [_took(partial(index.search, q, limit=100, within=within)) for q in questions]
        _row(f"search within {share:.0%} of the chunks", rows)
    index.merge()
    _row("search, all in one segment", [_took(partial(index.search, q, limit=100)) for q in questions])
    ids = index.ids()[:100]
    _row(
        "what each term adds to 100 hits",
        [_took(partial(index.snapshot.shares, ids, list(q))) for q in questions],
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "index")
        print(f"{'saved':36}{_took(lambda: save(index.snapshot, path, stamp=''))[0]:10.1f} ms")
        print(f"{'loaded':36}{_took(lambda: load(path, stamp=''))[0]:10.1f} ms")


def _add(index: LexicalIndex, file: list[tuple[int, list[str]]]) -> None:
    index.add(file)
    index.search(file[0][1][:3], limit=1)


def _added(index: LexicalIndex, chunks: int, words: list[list[str]]) -> list[Took]:
    took = []
    for file in range(100):
        one = [
            (chunks + file * PER_FILE + number, words[file * PER_FILE + number]) for number in range(PER_FILE)
        ]
        took.append(_took(partial(_add, index, one)))
    return took


def _texts(count: int, chance: np.random.Generator) -> list[str]:
    vocabulary = np.array([f"{_word(number)}" for number in range(VOCABULARY)])
    ranks = np.minimum(chance.zipf(1.15, (count, WORDS)), VOCABULARY) - 1
    return [" ".join(row) for row in vocabulary[ranks].tolist()]


def _word(number: int) -> str:
    """A word of its own for each number, the shorter the commoner."""
    letters = ""
    number += 26
    while number:
        number, letter = divmod(number, 26)
        letters += chr(ord("a") + letter)
    return letters


def _took(work: Callable[[], object]) -> Took:
    began, of_processor = time.perf_counter(), time.thread_time()
    work()
    return (time.perf_counter() - began) * 1000, (time.thread_time() - of_processor) * 1000


def _median(work: Callable[[], object]) -> float:
    return statistics.median(_took(work)[1] for _ in range(1_000))


def _row(name: str, took: list[Took]) -> None:
    waited, worked = zip(*took, strict=True)
    p95 = statistics.quantiles(waited, n=20)[-1]
    print(
        f"{name:36}{statistics.median(waited):10.2f} ms median{p95:10.2f} ms p95"
        f"{statistics.median(worked):10.2f} ms of the processor"
    )


if __name__ == "__main__":
    main()
