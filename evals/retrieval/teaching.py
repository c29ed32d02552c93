"""Makes what ships: weights and confidence learned on the fit parts of all sets, judged on the check parts.

The figures stay beside the numbers that they justify: `fusion.json` and `confidence.json`. No text of a set
does.

The check parts were looked at while features, depth and the weight of sets were chosen: their figures lean to
the bright side, and sets that nobody has looked at decide.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np

from artel.tools.knowledge.ranking import confidence, fusion
from artel.tools.knowledge.ranking.answering import Fitted
from artel.tools.knowledge.ranking.calibrating import Logistic, calibration_error
from artel.tools.knowledge.ranking.confidence import Confidence
from artel.tools.knowledge.ranking.fusion import Weights, fuse, share_of
from artel.tools.knowledge.ranking.grouping import Bonus, group
from artel.tools.knowledge.ranking.learning import Labelled, learn
from evals.retrieval.halves import Asked, Cut, Indexed
from evals.retrieval.judging import PARTS, parts
from evals.retrieval.metrics import ndcg, ranked_above
from evals.retrieval.qualification import Answered, ask

FIT, CHECK = PARTS
MOSTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.5)
DECAYS = (0.3, 0.6, 0.8)
_SIZE = 2 * len(confidence.FEATURES)
UNSURE = Confidence(Logistic(0.0, np.zeros(_SIZE), np.zeros(_SIZE), np.ones(_SIZE)))
"Of everything 1/2: while answers are gathered from which a model is to be fitted."


class Lesson:
    """A set, asked: its labelled questions by part."""

    def __init__(self, cut: Cut) -> None:
        self.name = cut.labelled.name
        self.indexed = Indexed(cut)
        self.asked = self.indexed.ask_all()
        self.of = parts(cut.labelled)
        self._chunks: dict[str, list[int]] = {}
        for chunk, document in self.indexed.documents.items():
            self._chunks.setdefault(document, []).append(chunk)

    @property
    def long(self) -> bool:
        """Whether documents have several chunks."""
        return len(self.indexed.documents) > len(self._chunks)

    def labelled(self, part: str) -> list[Labelled]:
        """Return the questions of a part for learning, together of weight 1."""
        own = [one for one in self.asked if self.of[one.question.id] == part and one.lists.vector]
        return [self._labelled(one, 1 / len(own)) for one in own]

    def mean(self, part: str, weights: Weights, bonus: Bonus) -> float:
        """Return nDCG@10 of a part."""
        return fmean(
            ndcg(self._ranking(one, weights, bonus), one.question.relevant, 10)
            for one in self.asked
            if self.of[one.question.id] == part
        )

    def share(self, weights: Weights) -> float:
        """Return the mean share of the vectors over the check part."""
        own = self.labelled(CHECK)
        return (
            fmean(share_of(one.lists, one.question, one.collection, weights) for one in own) if own else 0.0
        )

    def _ranking(self, one: Asked, weights: Weights, bonus: Bonus) -> list[str]:
        fused = fuse(one.lists, one.seen, self.indexed.collection, weights)
        return [found.document for found in group(fused, self.indexed.documents, bonus)]

    def _labelled(self, one: Asked, weight: float) -> Labelled:
        right = {
            chunk: gain / len(self._chunks[document])
            for document, gain in one.question.relevant.items()
            for chunk in self._chunks[document]
        }
        return Labelled(one.lists, one.seen, self.indexed.collection, right, weight)


def teach_fusion(lessons: Sequence[Lesson]) -> tuple[Weights, Bonus, dict[str, Any]]:
    """Return weights, the bonus of further chunks, and the evidence for both."""
    taught = [one for one in lessons if one.labelled(FIT)]
    weights = _learned(taught)
    bonus = _bonus([one for one in lessons if one.long], weights)
    none = Bonus(0.0)
    evidence = {
        "learned on": {one.name: len(one.labelled(FIT)) for one in taught},
        "ndcg@10 on check parts": {one.name: _rounded(one.mean(CHECK, weights, bonus)) for one in lessons},
        "ndcg@10 on fit parts": {one.name: _rounded(one.mean(FIT, weights, bonus)) for one in lessons},
        "mean share of the vectors": {one.name: _rounded(one.share(weights)) for one in taught},
        "each left out of the learning, ndcg@10 on its check part": {
            out.name: _rounded(out.mean(CHECK, _learned([one for one in taught if one is not out]), bonus))
            for out in taught
            if len(taught) > 1
        },
        "best constant share per set, chosen on its check part": {
            one.name: _rounded(max(one.mean(CHECK, constant(share / 10), bonus) for share in range(11)))
            for one in taught
        },
        "without a bonus, ndcg@10 on check parts": {
            one.name: _rounded(one.mean(CHECK, weights, none)) for one in lessons if one.long
        },
    }
    return weights, bonus, evidence


def constant(share: float) -> Weights:
    """Return weights that give every question the same share of the vectors."""
    share = min(max(share, 1e-9), 1 - 1e-9)
    size = len(fusion.FEATURES)
    return Weights(float(np.log(share / (1 - share))), np.zeros(size), np.zeros(size), np.ones(size))


def teach_confidence(
    cuts: Sequence[Cut], embedder: str, weights: Weights, bonus: Bonus
) -> tuple[dict[str, Confidence], dict[str, list[Answered]]]:
    """Return models for the embedder, for any other and for words alone, and the answers with them."""
    fitted = Fitted(weights, bonus, UNSURE, UNSURE)
    blank = {one.labelled.name: replace(one, languages=frozenset()) for one in cuts}
    codes = {one.labelled.name: Indexed(one).collection.code for one in cuts}
    heard = {one.labelled.name: ask(one, fitted, embedder) for one in cuts if _has_a_vote(one)}
    unheard = {name: ask(cut, fitted, embedder) for name, cut in blank.items()}
    models: dict[str, Confidence] = {}
    for of_code in (0.0, 1.0):
        own, silent = (
            {
                name: made
                for name, made in answered.items()
                if (codes[name] >= confidence.MOSTLY) == bool(of_code)
            }
            for answered in (heard, unheard)
        )
        if own:
            models[confidence.known_as(embedder, of_code)] = _confidence(own)
            models[confidence.known_as(confidence.ANY, of_code)] = _confidence(
                own, without=confidence.OF_THE_EMBEDDER
            )
        if silent:
            models[confidence.known_as(confidence.LEXICAL, of_code)] = _confidence(silent)
    return models, {
        name: _sure(
            models[confidence.known_as(embedder if name in heard else confidence.LEXICAL, codes[name])], made
        )
        for name, made in (unheard | heard).items()
    }


def _sure(model: Confidence, made: Sequence[Answered]) -> list[Answered]:
    return [replace(one, confidence=model.of(one.described)) for one in made]


def write(
    folder: Path, taught: tuple[Weights, Bonus, dict[str, Any]], models: Mapping[str, Confidence]
) -> None:
    """Write `fusion.json` and `confidence.json`."""
    weights, bonus, evidence = taught
    kept = {
        "weights": weights.as_json(),
        "bonus": {"most": bonus.most, "decay": bonus.decay},
        "evidence": evidence,
    }
    for name, said in (
        ("fusion", kept),
        ("confidence", {"models": {name: model.as_json() for name, model in models.items()}}),
    ):
        text = json.dumps(_short(said), ensure_ascii=False, indent=1)
        (folder / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def _learned(lessons: Sequence[Lesson]) -> Weights:
    return learn([labelled for one in lessons for labelled in one.labelled(FIT)])


def _bonus(long: Sequence[Lesson], weights: Weights) -> Bonus:
    """The bonus that is best on the fit parts of sets with long documents; none without such a set."""
    choices = [Bonus(most, decay) for most in MOSTS for decay in (DECAYS if most else DECAYS[:1])]
    return (
        max(choices, key=lambda one: sum(lesson.mean(FIT, weights, one) for lesson in long))
        if long
        else Bonus(0.0)
    )


def _has_a_vote(cut: Cut) -> bool:
    return any(one.lists.vector for one in Indexed(cut).ask_all(frozenset([cut.labelled.questions[0].id])))


def _confidence(made: Mapping[str, Sequence[Answered]], *, without: Sequence[str] = ()) -> Confidence:
    """A model of the fit parts, with its figures on the check parts; a set weighs the root of its size."""
    rows = [(one, name) for name, own in made.items() for one in own if one.part == FIT]
    model = _fitted(rows, without)
    figures = {name: _figures(model, own) for name, own in made.items()}
    for out in made if len(made) > 1 else ():
        others = _fitted([row for row in rows if row[1] != out], without)
        figures[out] |= {f"left out: {key}": value for key, value in _figures(others, made[out]).items()}
    return Confidence(model.model, {"answers": len(rows), "on check parts": figures})


def _fitted(rows: Sequence[tuple[Answered, str]], without: Sequence[str]) -> Confidence:
    sizes: dict[str, int] = {}
    for _, name in rows:
        sizes[name] = sizes.get(name, 0) + 1
    whole = sum(size**0.5 for size in sizes.values())
    return confidence.fit(
        [one.described for one, _ in rows],
        [one.right for one, _ in rows],
        weight=[len(rows) / whole / sizes[name] ** 0.5 for _, name in rows],
        without=without,
    )


def _figures(model: Confidence, made: Sequence[Answered]) -> dict[str, float]:
    own = [one for one in made if one.part == CHECK]
    sure = np.array([model.of(one.described) for one in own])
    right = np.array([one.right for one in own], np.float64)
    return {
        "calibration error": _rounded(calibration_error(sure, right)),
        "ranked above": _rounded(ranked_above(sure, right)),
        "precision at 0.7": _rounded(right[sure >= 0.7].mean() if (sure >= 0.7).any() else 0.0),
    }


def _rounded(value: float) -> float:
    return round(float(value), 4)


def _short(said: Any) -> Any:
    """The same with numbers of 6 digits: more of them say nothing."""
    if isinstance(said, dict):
        return {key: _short(value) for key, value in said.items()}
    if isinstance(said, (list, tuple)):
        return [_short(value) for value in said]
    return float(f"{said:.6g}") if isinstance(said, float) else said
