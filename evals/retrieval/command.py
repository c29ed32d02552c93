"""`python -m evals retrieval`: how well search finds, and whether it knows when it does not."""

import asyncio
import json
import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from artel.storage.knowledge.embedders.minilm import open_minilm
from artel.storage.knowledge.hits import Embedder
from artel.tools.knowledge.ranking.answering import Fitted
from evals import history
from evals.retrieval import qualification, sets, teaching
from evals.retrieval.halves import Cut, Indexed, cut
from evals.retrieval.judging import GOALS, Marks, judge, parts, table
from evals.retrieval.qualification import Qualified

REACHED, MISSED = 0, 1
SLACK = 5e-5  # figures are told by four digits


def add_to(commands: Any) -> None:
    """Add the command and what it takes to a parser's commands."""
    parser: ArgumentParser = commands.add_parser("retrieval", help="judge search on labelled sets")
    parser.add_argument("--sets", type=Path, required=True, help="folder with a folder for each set")
    parser.add_argument(
        "--set", action="append", default=[], help="a set's name; may repeat; all if none is named"
    )
    parser.add_argument("--questions", type=int, default=0, help="of each set at most so many; all if 0")
    parser.add_argument("--vectors", type=Path, help="folder that keeps vectors from one run to the next")
    parser.add_argument("--models", type=Path, default=Path(".artel/models"), help="folder of the embedder")
    parser.add_argument(
        "--qualify", action="store_true", help="leave groups out and count what is asked back"
    )
    parser.add_argument("--threshold", type=float, default=qualification.THRESHOLD)
    parser.add_argument("--history", type=Path, help="file to which the figures are added, a JSON line a run")
    parser.add_argument(
        "--teach", type=Path, help="folder for weights and confidence learned on the fit parts"
    )


def run(given: Namespace) -> int:
    """Return 0 if all goals are reached on the check parts, and the qualification if asked for; else 1."""
    cuts, embedder = asyncio.run(_cuts(given))
    if given.teach:
        return _teach(cuts, embedder, given)
    fitted = Fitted()
    marks = [mark for one in cuts for mark in _judged(one, fitted)]
    print("\n\n".join(table(marks, which) for which in ("all", "check")))
    qualified = _qualified(cuts, embedder, fitted, given.threshold) if given.qualify else []
    if given.history:
        _record(given.history, embedder, marks, qualified)
    missed = misses(marks) + [f"{one.set} {one.part}: qualification" for one in qualified if not one.holds]
    print("\n" + ("\n".join(f"MISSED  {one}" for one in missed) if missed else "all goals are reached"))
    return MISSED if missed else REACHED


def misses(marks: Sequence[Marks]) -> list[str]:
    """Return what ours misses of the goals, on all questions of a set: goals were measured on whole sets."""
    return [
        f"{one.set} {name}: {one.marks[name]:.4f} of {goal}"
        for one in marks
        if one.way == "ours" and one.part == "all"
        for name, goal in GOALS.get(one.set, {}).items()
        if one.marks[name] < goal - SLACK
    ]


def sampled(labelled: sets.LabelledSet, most: int) -> sets.LabelledSet:
    """Return a set with at most `most` of its questions, always the same ones; all if 0."""
    if not most or most >= len(labelled.questions):
        return labelled
    drawn = sorted(labelled.questions, key=lambda one: sha256(one.id.encode()).digest())[:most]
    kept = {one.id for one in drawn}
    return replace(labelled, questions=[one for one in labelled.questions if one.id in kept])


async def _cuts(given: Namespace) -> tuple[list[Cut], str]:
    embedder = await asyncio.to_thread(open_minilm, given.models)
    try:
        return [
            await _cut(given, name, embedder) for name in given.set or sets.names(given.sets)
        ], embedder.name
    finally:
        await embedder.close()


async def _cut(given: Namespace, name: str, embedder: Embedder) -> Cut:
    labelled = sampled(sets.load(given.sets, name), given.questions)
    print(
        f"{name}: {len(labelled.documents)} documents, {len(labelled.questions)} questions", file=sys.stderr
    )
    return await cut(labelled, embedder, given.vectors)


def _judged(one: Cut, fitted: Fitted) -> list[Marks]:
    indexed = Indexed(one)
    return judge(indexed, indexed.ask_all(), fitted, parts(one.labelled))


def _qualified(cuts: Sequence[Cut], embedder: str, fitted: Fitted, threshold: float) -> list[Qualified]:
    made = []
    for one in cuts:
        answered = qualification.ask(one, fitted, embedder)
        name = one.labelled.name
        own = [given for given in answered if given.part == "check"]
        made += [
            qualification.qualify(name, which, some, threshold=threshold)
            for which, some in (("check", own), ("all", answered))
        ]
    print(f"\n{told(made)}")
    return made


def told(made: Sequence[Qualified]) -> str:
    """Return the figures of the qualification as text, a line a set and part."""
    names = {
        "precision": "precision",
        "right_share": "right share",
        "recall_at_10": "recall@10",
        "asked_back_when_absent": "back: absent",
        "asked_back_when_right": "back: right",
        "calibration_error": "calibration",
        "ranked_above": "AUROC",
        "slowest_s": "slowest s",
    }
    lines = ["qualification".ljust(28) + "".join(name.rjust(14) for name in names.values()) + "  holds"]
    for one in made:
        cells = "".join(f"{getattr(one, key):14.4f}" for key in names)
        lines.append(f"{one.set:10}{one.part:8}{one.questions:8}  {cells}  {'yes' if one.holds else 'no'}")
    return "\n".join(lines)


def _teach(cuts: Sequence[Cut], embedder: str, given: Namespace) -> int:
    taught = teaching.teach_fusion([teaching.Lesson(one) for one in cuts])
    print(json.dumps(taught[2], indent=1))
    weights, bonus, _ = taught
    models, answered = teaching.teach_confidence(cuts, embedder, weights, bonus)
    made = [
        qualification.qualify(
            name, which, [one for one in own if which in (one.part, "all")], threshold=given.threshold
        )
        for name, own in answered.items()
        for which in ("check", "all")
    ]
    print(told(made))
    given.teach.mkdir(parents=True, exist_ok=True)
    teaching.write(given.teach, taught, models)
    return REACHED


def _record(file: Path, embedder: str, marks: Sequence[Marks], qualified: Sequence[Qualified]) -> None:
    line: Mapping[str, Any] = {
        "at": history.now(),
        "commit": history.commit(Path(__file__).parent),
        "embedder": embedder,
        "marks": [asdict(one) for one in marks],
        "qualified": [one.as_json() for one in qualified],
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as kept:
        kept.write(f"{json.dumps(line)}\n")
