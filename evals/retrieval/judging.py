"""How well each half finds, how well both do naively, and how well ours does: per set, beside the goal."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from artel.storage.knowledge.hits import Hit
from artel.tools.knowledge.ranking.answering import Fitted
from artel.tools.knowledge.ranking.fusion import fuse, reciprocal
from artel.tools.knowledge.ranking.grouping import Bonus, group
from artel.tools.knowledge.ranking.lists import Lists
from evals.retrieval.halves import Asked, Indexed
from evals.retrieval.metrics import ndcg, recall, reciprocal_rank
from evals.retrieval.sets import LabelledSet, evenly, groups, part

PARTS = ("fit", "check")
FEW = 100  # groups: with fewer, parts are made even by size, since chance would not be fair

GOALS: Mapping[str, Mapping[str, float]] = {  # issue 7, research on retrieval §8
    "scifact": {"ndcg@10": 0.728, "recall@100": 0.955},
    "cosqa": {"ndcg@10": 0.605, "mrr@10": 0.535, "recall@100": 0.985},
    "xquad_ru": {"ndcg@10": 0.955, "recall@10": 0.985},
    "squad2": {"ndcg@10": 0.905, "recall@10": 0.975},
    "peps": {"ndcg@10": 0.450, "recall@100": 0.860},
}

Way = Callable[[Indexed, Asked], list[str]]
"""From what was found to documents, best first."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Means over questions, 0 to 1."""

    set: str
    way: str
    part: str
    "`fit`, `check`, or `all`."
    questions: int
    marks: Mapping[str, float]


def parts(labelled: LabelledSet) -> dict[str, str]:
    """Return for each question whether it is of the part that is fitted to or of the one that is checked.

    Questions about documents of one group are of one part.
    """
    of = groups(labelled)
    sizes: dict[str, int] = {}
    for group_name in of.values():
        sizes[group_name] = sizes.get(group_name, 0) + 1
    chosen = evenly(sizes, 2) if len(sizes) < FEW else {one: part(one, 2) for one in sizes}
    return {question: PARTS[chosen[one]] for question, one in of.items()}


def ways(fitted: Fitted) -> dict[str, Way]:
    """Return the ways that are compared; all go from chunks to documents by the best chunk."""
    plain = Bonus(0.0)

    def by(hits: Callable[[Indexed, Asked], Sequence[Hit]], bonus: Bonus | None) -> Way:
        return lambda indexed, one: [g.document for g in group(hits(indexed, one), indexed.documents, bonus)]

    return {
        "lexical": by(lambda _, one: one.lists.lexical, plain),
        "vector": by(lambda _, one: one.alone, plain),
        "RRF": by(lambda _, one: reciprocal(Lists(one.lists.lexical, one.alone)), plain),
        "ours": by(
            lambda indexed, one: fuse(one.lists, one.seen, indexed.collection, fitted.weights), fitted.bonus
        ),
    }


def judge(indexed: Indexed, asked: Sequence[Asked], fitted: Fitted, of: Mapping[str, str]) -> list[Marks]:
    """Return the marks of each way on all questions and on each part."""
    made = []
    for name, way in ways(fitted).items():
        rows = [(of[one.question.id], _marks(way(indexed, one), one.question.relevant)) for one in asked]
        for which in (*PARTS, "all"):
            own = [marks for its, marks in rows if which in (its, "all")]
            if own:
                means = {mark: fmean(row[mark] for row in own) for mark in own[0]}
                made.append(Marks(indexed.cut.labelled.name, name, which, len(own), means))
    return made


def table(marks: Sequence[Marks], which: str) -> str:
    """Return the marks of one part as text: a line a set and way, and the goal below."""
    names = ["ndcg@10", "recall@10", "recall@100", "mrr@10", "first"]
    lines = [f"{which:28}{''.join(name.rjust(12) for name in names)}"]
    shown = [one for one in marks if one.part == which]
    for name in dict.fromkeys(one.set for one in shown):
        for one in (one for one in shown if one.set == name):
            cells = "".join(f"{one.marks[mark]:12.4f}" for mark in names)
            lines.append(f"{one.set:10}{one.way:8}{one.questions:8}  {cells}")
        if goal := GOALS.get(name):
            cells = "".join(f"{goal[mark]:12.4f}" if mark in goal else " " * 12 for mark in names)
            lines.append(f"{name:10}{'goal':18}{cells}")
    return "\n".join(lines)


def _marks(ranking: Sequence[str], relevant: Mapping[str, int]) -> dict[str, float]:
    return {
        "ndcg@10": ndcg(ranking, relevant, 10),
        "recall@10": recall(ranking, relevant, 10),
        "recall@100": recall(ranking, relevant, 100),
        "mrr@10": reciprocal_rank(ranking, relevant, 10),
        "first": reciprocal_rank(ranking, relevant, 1),
    }
