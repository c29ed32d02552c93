"""Confidence sees what makes a first result likely to be right."""

import json
from collections.abc import Sequence

import numpy as np
import pytest

from artel.storage.knowledge.hits import Hit, Ids
from artel.storage.knowledge.lexical.index import LexicalIndex
from artel.storage.knowledge.lexical.languages import tell
from artel.storage.knowledge.lexical.terms import asked, indexed, terms
from artel.tools.knowledge.ranking.answering import Answer, Fitted, answer
from artel.tools.knowledge.ranking.asking import described
from artel.tools.knowledge.ranking.confidence import ANY, FEATURES, Evidence, describe, fit, read, shipped
from artel.tools.knowledge.ranking.fusion import Collection
from artel.tools.knowledge.ranking.lists import Lists, Numbers, Question
from artel.tools.knowledge.ranking.nearness import together

TEXTS = [
    "The north pump is greased with lithium grease every Monday by the night shift.",
    "The south pump has a ceramic seal. Seals are ordered from the harbour depot.",
    "Invoices are paid within thirty days. The bookkeeper signs those above ten thousand.",
    "Northern winters freeze the harbour; ships then wait for the icebreaker.",
    "Grease traps in the kitchen are emptied by a contractor.",
    "The canteen opens at eleven and closes at three, also in winter.",
]


def ask(question: str, texts: Sequence[str] = TEXTS, *, vector: Sequence[Hit] = ()) -> Answer[str]:
    index = LexicalIndex()
    index.add([(place, indexed(text)) for place, text in enumerate(texts)])
    told = tell(question)
    weights = asked(question, told.language)
    snapshot = index.snapshot
    seen = described(question, told, weights, snapshot.rarity(list(weights)), len(texts))

    def held(ids: Ids) -> Numbers:
        return snapshot.shares(ids, list(seen.rarity)).astype(np.float64)

    return answer(
        Lists(snapshot.search(weights, limit=100), vector),
        seen,
        Collection(),
        {place: f"document {place}" for place in range(len(texts))},
        held,
        lambda ids: [texts[one] for one in ids.tolist()],
    )


def test_what_a_text_clearly_answers_is_surer_than_what_it_only_touches() -> None:
    clear = ask("When is the north pump greased with lithium?")
    touching = ask("Who paints the harbour pump?")
    assert clear.found[0].document == "document 0"
    assert clear.confidence > touching.confidence
    assert clear.confidence > 0.5


def test_what_nothing_speaks_of_has_no_confidence() -> None:
    nothing = ask("Kubernetes ingress certificates")
    assert (nothing.found, nothing.confidence) == ([], 0.0)


def test_halves_that_agree_are_surer_than_halves_that_do_not() -> None:
    question = "When is the north pump greased with lithium?"
    agree = ask(question, vector=[Hit(0, 0.8), Hit(1, 0.4), Hit(4, 0.3)])
    differ = ask(question, vector=[Hit(5, 0.5), Hit(2, 0.48), Hit(4, 0.47)])
    assert agree.confidence > differ.confidence


def test_the_features_are_what_their_names_say() -> None:
    evidence = Evidence(
        Question("en", rarity={"a": 2.0, "b": 1.0, "c": 1.0}, unknown=frozenset("c")),
        scores=np.array([1.0, 0.6, 0.2]),
        lexical=np.array([2.0, 1.0, 0.0]),
        vector=np.array([0.5, 0.7, 0.1]),
        held=np.array([[1.0, 1.0, 0.0], [0.5, 0.0, 0.0]]),
        together=np.array([0.5, 0.25]),
        agreement=0.5,
        heads_overlap=0.2,
    )
    said = dict(zip(FEATURES, describe(evidence).tolist(), strict=True))
    assert said["gap"] == pytest.approx(0.4)
    assert said["peak"] == pytest.approx(0.6)
    assert 0 < said["entropy"] < 1
    assert (said["lexical"], said["lexical gap"]) == (0.5, 0.25)
    assert said["vector gap"] == pytest.approx(-0.2)
    assert (said["covered"], said["covered gap"]) == (0.75, 0.25)
    assert said["rarest covered"] == pytest.approx(2 / 3)
    assert (said["together"], said["together gap"]) == (0.5, 0.25)
    assert (said["agreement"], said["heads overlap"]) == (0.5, 0.2)
    assert said["known"] == 0.75


def test_words_in_one_sentence_count_for_more_than_words_scattered() -> None:
    question = "where the ceramic seal of the south pump"
    rarity = dict.fromkeys(terms(question), 1.0)
    scattered = "Ceramic plates. A seal sleeps. The south. A pump."
    assert together(TEXTS[1], rarity, "en") > 2 * together(scattered, rarity, "en") > 0
    assert together("", rarity, "en") == together(TEXTS[1], {}, "en") == 0


def test_a_collection_learns_its_own_confidence_and_keeps_it() -> None:
    chance = np.random.default_rng(5)
    rows = chance.random((400, len(FEATURES)))
    right = rows[:, FEATURES.index("gap")] > 0.5
    own = fit(list(rows), right.tolist())
    again = read(json.loads(json.dumps(own.as_json())))
    said = [again.of(row) for row in rows]
    assert np.mean(np.array(said)[right]) > 0.8 > 0.2 > np.mean(np.array(said)[~right])
    assert said == pytest.approx([own.of(row) for row in rows])


def test_a_feature_that_is_left_out_moves_nothing() -> None:
    chance = np.random.default_rng(5)
    rows = chance.random((300, len(FEATURES)))
    own = fit(list(rows), (rows[:, FEATURES.index("gap")] > 0.5).tolist(), without=["vector"])
    other = rows[0].copy()
    other[FEATURES.index("vector")] += 3
    assert own.of(other) == own.of(rows[0])


def test_a_few_marks_are_no_ground_for_a_model() -> None:
    with pytest.raises(ValueError, match="199"):
        fit([np.zeros(len(FEATURES))] * 199, [True] * 199)


def test_an_embedder_that_is_not_known_gets_the_model_that_sees_no_cosines() -> None:
    lies = np.zeros(len(FEATURES))
    nearer = lies.copy()
    nearer[FEATURES.index("vector")] = 0.9
    stranger, own = shipped("somebody/else@1"), shipped("all-MiniLM-L6-v2@1 int8")
    assert stranger.of(lies) == stranger.of(nearer) == shipped(ANY).of(lies)
    assert own.of(lies) != own.of(nearer)


def test_a_collections_own_model_is_used_where_it_has_one() -> None:
    rows = np.random.default_rng(5).random((300, len(FEATURES)))
    own = fit(list(rows), (rows[:, 0] > 0.9).tolist())
    assert Fitted(confidence=own).confidence is own


@pytest.mark.parametrize("votes", [True, False])
@pytest.mark.parametrize("code", [0.0, 1.0])
@pytest.mark.parametrize("embedder", ["all-MiniLM-L6-v2-int8@1", "nobody's"])
def test_there_is_a_model_for_every_embedder_and_every_kind_of_collection(
    embedder: str, code: float, votes: bool
) -> None:
    assert 0 <= shipped(embedder, votes=votes, code=code).of(np.zeros(len(FEATURES))) <= 1
