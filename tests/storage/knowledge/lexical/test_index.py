import random
from collections.abc import Sequence
from threading import Event, Thread

import bm25s  # type: ignore[import-untyped]
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from artel.storage.knowledge.hits import Hit, Ids
from artel.storage.knowledge.lexical.index import FAN, FEW, LexicalIndex
from artel.storage.knowledge.lexical.segments import build, merge

WORDS = [f"w{number}" for number in range(12)]
Chunks = Sequence[tuple[int, Sequence[str]]]


def ids(*numbers: int) -> Ids:
    return np.array(numbers, np.int64)


def made(chunks: Chunks, **numbers: float) -> LexicalIndex:
    index = LexicalIndex(**numbers)  # type: ignore[arg-type]
    index.add(chunks)
    return index


def texts(count: int, *, seed: int = 0, vocabulary: int = 300) -> list[list[str]]:
    """Texts in which few words are common and most are rare, as in language."""
    chance = random.Random(seed)
    return [
        [f"t{int(chance.paretovariate(0.7)) % vocabulary}" for _ in range(chance.randint(1, 60))]
        for _ in range(count)
    ]


def found(index: LexicalIndex, terms: Sequence[str], limit: int = 10) -> list[int]:
    return [hit.chunk_id for hit in index.search(terms, limit=limit)]


@pytest.mark.parametrize(("k1", "b"), [(1.2, 0.75), (0.9, 0.4), (2.0, 1.0), (1.5, 0.0)])
def test_scores_are_those_of_bm25s(k1: float, b: float) -> None:
    corpus = texts(400)
    theirs = bm25s.BM25(method="lucene", k1=k1, b=b)
    theirs.index(corpus, show_progress=False)
    index = LexicalIndex(k1=k1, b=b)
    for first in range(0, 400, 37):
        index.add(list(enumerate(corpus))[first : first + 37])
    for question in texts(30, seed=1):
        expected = theirs.get_scores(question)
        hits = index.search(question, limit=400)
        assert {hit.chunk_id for hit in hits} == set(np.flatnonzero(expected > 0).tolist())
        np.testing.assert_allclose(
            [hit.score for hit in hits], [expected[hit.chunk_id] for hit in hits], rtol=1e-5
        )


chunk_ids = st.integers(0, 15)
chunk = st.tuples(chunk_ids, st.lists(st.sampled_from(WORDS), max_size=8))
step = (
    st.tuples(st.just("add"), st.lists(chunk, min_size=1, max_size=5))
    | st.tuples(st.just("remove"), st.lists(chunk_ids, max_size=5))
    | st.tuples(st.just("merge"), st.none())
)


@settings(max_examples=150, deadline=None)
@given(st.lists(step, max_size=30), st.lists(st.sampled_from([*WORDS, "nowhere"]), max_size=6))
def test_after_any_changes_it_finds_what_an_index_made_anew_finds(steps: list, question: list[str]) -> None:  # type: ignore[type-arg]
    index, truth = LexicalIndex(), dict[int, list[str]]()
    for what, those in steps:
        match what:
            case "add":
                index.add(those)
                truth.update(those)
            case "remove":
                index.remove(np.unique(np.array(those, np.int64)))
                truth = {one: terms for one, terms in truth.items() if one not in those}
            case _:
                index.merge()
    anew = made(list(truth.items()))
    assert index.ids().tolist() == sorted(truth)
    assert index.search(question, limit=5) == anew.search(question, limit=5)
    within = ids(*range(0, 16, 3))
    assert index.search(question, limit=5, within=within) == anew.search(question, limit=5, within=within)
    assert (index.size.chunks, index.size.terms) == (len(truth), sum(map(len, truth.values())))
    every = np.array(sorted(truth), np.int64)
    np.testing.assert_array_equal(index.snapshot.shares(every, WORDS), anew.snapshot.shares(every, WORDS))


def test_a_chunk_that_comes_again_replaces_what_it_said() -> None:
    index = made([(1, ["old", "words"]), (2, ["old"])])
    index.add([(1, ["new"])])
    assert (found(index, ["old"]), found(index, ["new"])) == ([2], [1])


def test_what_was_removed_is_gone_at_once_and_counts_no_more() -> None:
    index = made([(1, ["cat"]), (2, ["cat", "dog"]), (3, ["dog"])])
    index.remove(ids(2, 99))
    assert (found(index, ["cat", "dog"]), index.ids().tolist()) == ([1, 3], [1, 3])
    assert index.search(["cat"], limit=9) == made([(1, ["cat"]), (3, ["dog"])]).search(["cat"], limit=9)
    index.remove(ids(1, 3))
    assert (found(index, ["cat"]), index.size.segments, index.size.nbytes) == ([], 0, 0)


def test_an_empty_index_finds_nothing() -> None:
    index = LexicalIndex()
    index.add([])
    index.merge()
    assert index.search(["any"], limit=3) == []
    assert index.search([], limit=3, within=ids(1)) == []
    assert index.explain(1, ["any"]) == {}
    assert index.ids().tolist() == []


def test_a_chunk_without_terms_stands_and_is_never_found() -> None:
    index = made([(7, []), (8, ["word"])])
    assert index.ids().tolist() == [7, 8]
    assert found(index, ["word"]) == [8]


def test_a_search_keeps_to_what_it_may_see_and_scores_as_before() -> None:
    index = made(list(enumerate(texts(200))))
    everything = {hit.chunk_id: hit.score for hit in index.search(["t1", "t2"], limit=200)}
    for within in (ids(), ids(3), ids(*range(0, 200, 7)), ids(*range(500))):
        allowed = set(within.tolist())
        hits = index.search(["t1", "t2"], limit=200, within=within)
        assert {hit.chunk_id: hit.score for hit in hits} == {
            one: score for one, score in everything.items() if one in allowed
        }


def test_chunks_of_one_score_come_by_their_ids_however_few_are_asked_for() -> None:
    index = LexicalIndex()
    for one in (9, 4, 7, 1, 8):
        index.add([(one, ["same"])])
    assert [found(index, ["same"], limit) for limit in (1, 3, 9)] == [[1], [1, 4, 7], [1, 4, 7, 8, 9]]


def test_a_weight_counts_as_that_many_times() -> None:
    index = made([(1, ["rare"]), (2, ["other", "other"])])
    assert index.search({"rare": 2.0}, limit=2) == index.search(["rare", "rare"], limit=2)
    assert index.search({"rare": 0.0}, limit=2) == []
    assert index.search({"rare": 0.1, "other": 1.0}, limit=1)[0].chunk_id == 2


def test_what_each_term_adds_sums_up_to_the_score() -> None:
    index = LexicalIndex()
    for number, text in enumerate(texts(300)):
        index.add([(number, text)])
    question = ["t1", "t2", "t9", "t40", "nowhere"]
    hits = index.search(question, limit=20)
    shares = index.snapshot.shares(ids(*(hit.chunk_id for hit in hits)), question)
    np.testing.assert_allclose(shares.sum(1), [hit.score for hit in hits], rtol=1e-5)
    explained = index.explain(hits[0].chunk_id, question)
    assert "nowhere" not in explained
    assert sum(explained.values()) == pytest.approx(hits[0].score, rel=1e-5)


def test_a_term_weighs_more_the_fewer_chunks_hold_it() -> None:
    rarity = made([(1, ["a", "b"]), (2, ["a"]), (3, ["a"])]).snapshot.rarity(["a", "b", "none"])
    assert rarity["a"] < rarity["b"] < rarity["none"]


def test_a_term_that_comes_more_often_than_can_be_counted_stands() -> None:
    assert found(made([(1, ["x"] * 70_000), (2, ["y"])]), ["x"]) == [1]


def test_many_small_changes_leave_few_segments() -> None:
    index = LexicalIndex()
    for number, text in enumerate(texts(500)):
        index.add([(number, text)])
    assert index.size.segments < 2 * FAN
    assert index.size.chunks == 500


def test_a_segment_that_is_mostly_removed_is_made_smaller() -> None:
    index = made(list(enumerate(texts(100))))
    before = index.size.nbytes
    index.remove(ids(*range(60)))
    assert index.size.nbytes < before * 0.6


def test_a_large_merge_goes_on_beside_the_work_and_loses_no_change(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, go_on = Event(), Event()

    def slowly(segments: Sequence) -> object:  # type: ignore[type-arg]
        if sum(one.size for one in segments) > 2 * FEW:
            begun.set()
            assert go_on.wait(30)
        return merge(segments)

    monkeypatch.setattr("artel.storage.knowledge.lexical.index.merge", slowly)
    index, each = LexicalIndex(), FEW + 1
    for number in range(FAN):
        index.add([(number * each + one, [f"s{number}", "all"]) for one in range(each)])
    assert begun.wait(30)
    index.remove(ids(0, 1))
    index.add([(each, ["changed", "all"])])
    assert (found(index, ["changed"]), found(index, ["s0"], 2)) == ([each], [2, 3])
    go_on.set()
    index.settle()
    assert index.size.segments < FAN
    assert index.size.chunks == FAN * each - 2
    assert (found(index, ["changed"]), found(index, ["s0"], 2)) == ([each], [2, 3])
    assert len(found(index, ["s1"], 2 * each)) == each - 1


def test_a_merge_that_fails_holds_up_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    raised: list[object] = []
    monkeypatch.setattr("threading.excepthook", raised.append)

    def full(segments: Sequence) -> object:  # type: ignore[type-arg]
        raise MemoryError("no room for a larger segment")

    index = LexicalIndex()
    with monkeypatch.context() as failing:
        failing.setattr("artel.storage.knowledge.lexical.index.merge", full)
        for number in range(FAN):
            index.add([(number * FEW + one, ["all"]) for one in range(FEW)])
        index.settle()
    assert len(raised) == 1
    index.add([(1_000_000, ["all"])])
    index.settle()
    assert (index.size.chunks, index.size.segments) == (FAN * FEW + 1, 1)


def test_readers_see_a_state_that_stood_while_a_writer_goes_on() -> None:
    index, stop, wrong = LexicalIndex(), Event(), list[list[Hit]]()

    def read() -> None:
        while not stop.is_set():
            snapshot = index.snapshot
            hits = snapshot.search(["pair"], limit=5_000)
            if len(hits) % 2 or len(hits) != snapshot.size.chunks:
                wrong.append(hits)

    readers = [Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for number in range(150):
        index.add([(2 * number, ["pair"]), (2 * number + 1, ["pair"])])
        if number % 5 == 4:
            index.remove(ids(2 * number - 4, 2 * number - 3))
    stop.set()
    for reader in readers:
        reader.join()
    assert not wrong


def test_merged_segments_keep_nothing_of_what_was_removed() -> None:
    kept, gone = build([(1, ["a", "b"])]), build([(2, ["c"]), (3, ["a"])]).without(ids(2))
    merged = merge([kept, gone])
    anew = build([(1, ["a", "b"]), (3, ["a"])])
    for name in ("chunk_ids", "lengths", "hashes", "starts", "places", "counts"):
        np.testing.assert_array_equal(getattr(merged, name), getattr(anew, name))
