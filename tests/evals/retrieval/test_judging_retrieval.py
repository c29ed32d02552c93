"""A set is indexed, asked and judged as the product would, and taught from on one part only."""

import asyncio
import json
from argparse import ArgumentParser
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from evals.retrieval import command, qualification, teaching
from evals.retrieval.chunking import SIZE, paragraphs
from evals.retrieval.halves import Cut, Indexed, cut
from evals.retrieval.judging import judge, parts, table
from evals.retrieval.sets import Document, LabelledSet, Question, groups
from evals.retrieval.vectors import cached

from artel.storage.knowledge.hits import Vectors
from artel.tools.knowledge.ranking.answering import Fitted
from artel.tools.knowledge.ranking.confidence import FEATURES, LEXICAL
from artel.tools.knowledge.ranking.fusion import read
from artel.tools.knowledge.ranking.grouping import Bonus

THINGS = ["pump", "boiler", "crane", "winch", "ladder", "saw", "drill", "lamp", "kettle", "engine"]
PLACES = ["harbour", "attic", "garage", "kitchen", "tower", "cellar", "garden", "bridge", "depot", "office"]


class Words:
    """Vectors by words, a place for each; counts how many texts it was given."""

    name = "words@1"
    dimension = 64
    languages = frozenset({"en"})

    def __init__(self) -> None:
        self.embedded = 0

    async def embed(self, texts: Sequence[str], *, query: bool = False) -> Vectors:
        del query
        self.embedded += len(texts)
        made = np.full((len(texts), self.dimension), 1e-3, np.float32)
        for row, text in enumerate(texts):
            for word in text.lower().replace("?", " ").replace(".", " ").split():
                made[row, int.from_bytes(sha256(word.encode()).digest()[:2]) % self.dimension] += 1
        vectors: Vectors = made / np.linalg.norm(made, axis=1, keepdims=True)
        return vectors


def a_set(*, articles: int = 10) -> LabelledSet:
    """Ten articles of ten paragraphs each; each is asked for once, with words that many share."""
    documents = [
        Document(f"{a}-{p}", "", f"The {thing} {a} in the {place} is kept dry.", f"article {a}")
        for a in range(articles)
        for p, (thing, place) in enumerate(zip(THINGS, PLACES[a:] + PLACES[:a], strict=True))
    ]
    asked = [
        Question(
            f"q{one.id}",
            f"Where is the {' '.join(one.text.split()[1:3])} in the {one.text.split()[5]}?",
            {one.id: 1},
            frozenset(),
            True,
        )
        for one in documents
    ]
    return LabelledSet("tiny", documents, asked)


@pytest.fixture
def tiny() -> Cut:
    return asyncio.run(cut(a_set(), Words()))


def test_vectors_are_computed_once_and_never_taken_for_those_of_another_text(tmp_path: Path) -> None:
    async def twice() -> int:
        words = Words()
        first = await cached(tmp_path, words, ["a pump", "a lamp"])
        again = await cached(tmp_path, words, ["a pump", "a lamp"])
        assert (first == again).all()
        await cached(tmp_path, words, ["a pump", "a saw"])
        await cached(tmp_path, words, ["a pump", "a lamp"], query=True)
        return words.embedded

    assert asyncio.run(twice()) == 6


def test_long_texts_are_cut_between_paragraphs_and_nothing_is_lost() -> None:
    text = "\n\n".join(f"{n} " + "word " * 60 for n in range(30)) + "\n\n" + "endless " * 600
    pieces = paragraphs(text)
    assert max(map(len, pieces)) <= SIZE * 3 // 2 + 2
    assert " ".join(pieces).split() == text.split()
    assert paragraphs("") == [""]


def test_a_question_is_asked_of_both_halves(tiny: Cut) -> None:
    indexed = Indexed(tiny)
    one = indexed.ask(tiny.labelled.questions[12], tiny.questions[12])
    assert tiny.owners[one.lists.lexical[0].chunk_id] == "1-2"
    assert one.lists.vector
    assert one.seen.language == "en"


def test_what_a_question_excludes_is_as_if_it_were_not_there(tiny: Cut) -> None:
    asked = tiny.labelled.questions[12]
    other = Question(asked.id, asked.text, asked.relevant, frozenset({"1-2"}), True)
    one = Indexed(tiny).ask(other, tiny.questions[12], depth=100)
    found = {
        tiny.owners[hit.chunk_id] for hits in (one.lists.lexical, one.lists.vector, one.alone) for hit in hits
    }
    assert "1-2" not in found
    assert len(one.lists.vector) == 99


def test_an_embedder_that_does_not_know_the_language_has_no_vote(tiny: Cut) -> None:
    russian = Question("r", "Где стоит насос 3?", {"3-0": 1}, frozenset(), True)
    one = Indexed(tiny).ask(russian, tiny.questions[0])
    assert one.lists.vector == []
    assert one.alone


def test_parts_share_no_article(tiny: Cut) -> None:
    of, its_part = groups(tiny.labelled), parts(tiny.labelled)
    by_part = [{of[one] for one, which in its_part.items() if which == name} for name in ("fit", "check")]
    assert not by_part[0] & by_part[1]
    assert [len(one) for one in by_part] == [5, 5]


def test_each_way_is_judged_on_each_part(tiny: Cut) -> None:
    indexed = Indexed(tiny)
    marks = judge(indexed, indexed.ask_all(), Fitted(), parts(tiny.labelled))
    assert {(one.way, one.part) for one in marks} == {
        (way, part) for way in ("lexical", "vector", "RRF", "ours") for part in ("fit", "check", "all")
    }
    ours = next(one for one in marks if (one.way, one.part) == ("ours", "all"))
    assert ours.questions == 100
    assert ours.marks["first"] > 0.9
    assert "tiny      ours         100" in table(marks, "all")


def test_each_article_is_absent_in_just_one_round(tiny: Cut) -> None:
    away = [absent for _, absent in qualification.rounds(tiny)]
    assert sorted(one for absent in away for one in absent) == sorted(
        one.id for one in tiny.labelled.questions
    )
    for kept, absent in qualification.rounds(tiny):
        gone = {doc for one in tiny.labelled.questions if one.id in absent for doc in one.relevant}
        assert not gone & kept
        assert len(gone) + len(kept) == 100


def answered(
    confidence: float, *, right: bool = True, absent: bool = False, in_ten: bool = True
) -> qualification.Answered:
    return qualification.Answered("q", "g", "check", absent, right, in_ten, confidence, np.zeros(1), 0.1)


def test_the_figures_are_those_of_the_definition() -> None:
    made = [
        *[answered(0.9)] * 6,
        *[answered(0.9, right=False)] * 2,
        *[answered(0.1)] * 2,
        answered(0.2, right=False, in_ten=False),
        *[answered(0.2, right=False, absent=True, in_ten=False)] * 3,
        answered(0.9, right=False, absent=True, in_ten=False),
    ]
    got = qualification.qualify("s", "check", made)
    assert got.precision == pytest.approx(6 / 9)
    assert got.right_share == pytest.approx(6 / 11)
    assert got.recall_at_10 == pytest.approx(10 / 11)
    assert got.asked_back_when_absent == pytest.approx(3 / 4)
    assert got.asked_back_when_right == pytest.approx(2 / 8)
    assert not got.holds
    assert qualification.qualify(
        "s", "check", [answered(1.0)] * 9 + [answered(0.0, right=False, absent=True)]
    ).holds


def test_silence_does_not_pass() -> None:
    quiet = qualification.qualify(
        "s", "check", [answered(0.5)] * 10 + [answered(0.1, right=False, absent=True)]
    )
    assert (quiet.precision, quiet.right_share, quiet.holds) == (0, 0, False)


def test_what_is_taught_can_be_read_by_what_ships_and_holds_no_text(tiny: Cut, tmp_path: Path) -> None:
    taught = teaching.teach_fusion([teaching.Lesson(tiny)])
    models, made = teaching.teach_confidence([tiny], "words@1", taught[0], taught[1])
    teaching.write(tmp_path, taught, models)
    said = json.loads((tmp_path / "fusion.json").read_text())
    assert read(said["weights"]).bias == pytest.approx(taught[0].bias, rel=1e-4)
    assert Bonus(**said["bonus"]) == taught[1]
    assert set(models) == {"words", "any embedder", LEXICAL}
    written = (tmp_path / "fusion.json").read_text() + (tmp_path / "confidence.json").read_text()
    assert not [word for word in (*THINGS, *PLACES) if word in written]
    assert len(made["tiny"]) == 4 * 100
    assert all(len(one.described) == len(FEATURES) for one in made["tiny"])


def test_answers_that_are_there_are_surer_than_those_that_are_not(tiny: Cut) -> None:
    taught = teaching.teach_fusion([teaching.Lesson(tiny)])
    _, made = teaching.teach_confidence([tiny], "words@1", taught[0], taught[1])
    own = [one for one in made["tiny"] if one.part == "check"]
    there, away = ([one.confidence for one in own if one.absent is absent] for absent in (False, True))
    assert np.mean(there) > np.mean(away) + 0.3


def test_fewer_questions_are_always_the_same_ones() -> None:
    few = command.sampled(a_set(), 7)
    assert len(few.questions) == 7
    assert command.sampled(a_set(), 7) == few
    assert command.sampled(a_set(), 0) == command.sampled(a_set(), 1_000) == a_set()


def test_the_command_takes_what_it_says() -> None:
    parser = ArgumentParser()
    command.add_to(parser.add_subparsers(dest="command"))
    given = parser.parse_args(
        ["retrieval", "--sets", "somewhere", "--set", "a", "--set", "b", "--questions", "9"]
    )
    assert (given.sets, given.set, given.questions, given.qualify) == (
        Path("somewhere"),
        ["a", "b"],
        9,
        False,
    )
