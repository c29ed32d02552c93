"""The qualification: search that knows when it does not know (research on retrieval §5).

Only a part of the article groups is indexed and the questions of all are asked, so that some have no answer
there. Each group is absent once: in round r those whose place among the groups of its part is r, counted
round ROUNDS.
"""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np

from artel.tools.knowledge.ranking.answering import Fitted, answer
from artel.tools.knowledge.ranking.calibrating import calibration_error
from artel.tools.knowledge.ranking.lists import Numbers
from evals.retrieval.halves import Cut, Indexed
from evals.retrieval.judging import FEW, PARTS, parts
from evals.retrieval.metrics import precision_at, ranked_above
from evals.retrieval.sets import groups, part

ROUNDS = 4
THRESHOLD = 0.7
COVERAGES = (0.25, 0.5, 0.75, 1.0)


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of one question in one round."""

    question: str
    group: str
    part: str
    absent: bool
    "Whether the group of its right documents was left out of the index."
    right: bool
    "Whether the first result is right."
    in_ten: bool
    confidence: float
    described: Numbers
    seconds: float


@dataclass(frozen=True, slots=True)
class Qualified:
    """The figures of the qualification; shares from 0 to 1."""

    set: str
    part: str
    questions: int
    threshold: float
    precision: float
    "Right over all answered without asking back."
    right_share: float
    "Answered right over the answerable."
    recall_at_10: float
    "Over the answerable."
    asked_back_when_absent: float
    asked_back_when_right: float
    calibration_error: float
    ranked_above: float
    precision_at: Mapping[str, float]
    "By coverage."
    slowest_s: float

    @property
    def holds(self) -> bool:
        """Whether all of the definition holds."""
        return (
            self.precision >= 0.95
            and self.right_share >= 0.60
            and self.recall_at_10 >= 0.90
            and self.asked_back_when_absent >= 0.95
            and self.calibration_error <= 0.05
            and self.slowest_s <= 5
        )

    def as_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**asdict(self), "holds": self.holds}


def rounds(cut: Cut) -> Iterator[tuple[frozenset[str], frozenset[str]]]:
    """Return for each round the documents that are indexed and the questions whose group is absent."""
    of = groups(cut.labelled)
    its_part = parts(cut.labelled)
    names: dict[str, list[str]] = {one: [] for one in PARTS}
    for question, group in sorted(of.items()):
        if group not in names[its_part[question]]:
            names[its_part[question]].append(group)
    few = len(set(of.values())) < FEW
    for turn in range(ROUNDS):
        away = {
            group
            for own in names.values()
            for place, group in enumerate(sorted(own))
            if (place % ROUNDS if few else part(group, ROUNDS, salt="absent")) == turn
        }
        absent = frozenset(question for question, group in of.items() if group in away)
        gone = {doc for one in cut.labelled.questions if one.id in absent for doc in one.relevant}
        kept = frozenset(
            doc.id for doc in cut.labelled.documents if doc.group not in away and doc.id not in gone
        )
        yield kept, absent


def ask(cut: Cut, fitted: Fitted, embedder: str) -> list[Answered]:
    """Ask all questions in every round."""
    of, its_part = groups(cut.labelled), parts(cut.labelled)
    made = []
    for kept, absent in rounds(cut):
        indexed = Indexed(cut, kept)
        for question, vector in zip(cut.labelled.questions, cut.questions, strict=True):
            began = time.perf_counter()
            one = indexed.ask(question, vector)
            got = answer(
                one.lists,
                one.seen,
                indexed.collection,
                indexed.documents,
                partial(indexed.held, one),
                indexed.texts,
                fitted=fitted,
                embedder=embedder,
            )
            took = time.perf_counter() - began
            ids = [found.document for found in got.found[:10]]
            made.append(
                Answered(
                    question.id,
                    of[question.id],
                    its_part[question.id],
                    question.id in absent,
                    bool(ids) and ids[0] in question.relevant,
                    any(doc in question.relevant for doc in ids),
                    got.confidence,
                    got.described,
                    took,
                )
            )
    return made


def qualify(
    name: str, part_name: str, made: Sequence[Answered], *, threshold: float = THRESHOLD
) -> Qualified:
    """Return the figures over what was answered; `confidence` under `threshold` asks back."""
    sure = np.array([one.confidence for one in made])
    right = np.array([one.right for one in made])
    absent = np.array([one.absent for one in made])
    in_ten = np.array([one.in_ten for one in made])
    answered = sure >= threshold
    return Qualified(
        set=name,
        part=part_name,
        questions=len(made),
        threshold=threshold,
        precision=_mean(right[answered]),
        right_share=_mean((answered & right)[~absent]),
        recall_at_10=_mean(in_ten[~absent]),
        asked_back_when_absent=_mean(~answered[absent]),
        asked_back_when_right=_mean(~answered[right]),
        calibration_error=calibration_error(sure, right.astype(np.float64)),
        ranked_above=ranked_above(sure, right),
        precision_at={f"{share:g}": precision_at(share, sure, right) for share in COVERAGES},
        slowest_s=max(one.seconds for one in made),
    )


def _mean(values: Any) -> float:
    return float(np.mean(values)) if len(values) else 0.0
