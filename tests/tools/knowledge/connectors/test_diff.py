"""What a sync does is decided by rules that need no source."""

from hypothesis import given
from hypothesis import strategies as st

from artel.tools.knowledge.connectors.diff import Difference, difference, fold
from artel.tools.knowledge.connectors.port import Change, Changed, Cursor, Gone

IDS = st.sampled_from("abcdefgh")


def doc(id: str, version: str = "1") -> Changed:  # noqa: A002
    return Changed(id, version, id, "", None, "text")


def test_the_last_word_on_a_document_counts() -> None:
    told = fold([doc("a"), Gone("a"), Gone("b"), doc("b", "2"), Cursor({}), doc("b", "3")])
    assert (set(told.changed), told.changed["b"].version, set(told.gone)) == ({"b"}, "3", {"a"})


def test_new_ones_are_added_and_others_changed_and_equal_ones_left_alone() -> None:
    known = {"a": "1", "b": "1"}
    assert difference(known, fold([doc("a"), doc("b", "2"), doc("c")])) == Difference(("c",), ("b",), ())


def test_without_a_listing_only_what_the_source_called_gone_is_deleted() -> None:
    assert difference({"a": "1", "b": "1"}, fold([Gone("a"), Gone("x")])).delete == ("a",)


def test_a_listing_deletes_what_it_lacks_and_finds_what_was_missed() -> None:
    found = difference({"a": "1", "b": "1"}, fold([]), ["b", "new", "new"])
    assert found == Difference(("new",), (), ("a",))


def test_a_document_told_meanwhile_is_not_deleted_by_an_older_listing() -> None:
    assert difference({"a": "1"}, fold([doc("a", "2")]), ["b"]).delete == ()


def test_an_empty_listing_deletes_nothing_and_says_so() -> None:
    found = difference({"a": "1"}, fold([]), [])
    assert (found.delete, found.kept) == ((), ("a",))
    assert found.refused == "the listing is empty, and 1 documents are known: none is deleted"


def test_a_listing_that_loses_more_than_half_of_twenty_deletes_nothing() -> None:
    known = {str(n): "1" for n in range(20)}
    half = difference(known, fold([]), [str(n) for n in range(10)])
    assert (len(half.delete), half.refused) == (10, "")
    more = difference(known, fold([]), [str(n) for n in range(9)])
    assert (more.delete, len(more.kept)) == ((), 11)
    assert "11 of 20" in more.refused
    allowed = difference(known, fold([]), [str(n) for n in range(9)], loss=0.9)
    assert len(allowed.delete) == 11


def test_of_a_few_documents_any_may_go_but_the_last() -> None:
    known = {str(n): "1" for n in range(19)}
    assert len(difference(known, fold([]), ["0"]).delete) == 18


def test_what_a_source_calls_gone_goes_even_when_its_listing_is_not_believed() -> None:
    found = difference({"a": "1", "b": "1"}, fold([Gone("a")]), [])
    assert (found.delete, found.kept) == (("a",), ("b",))


@given(
    st.dictionaries(IDS, st.sampled_from("12")),
    st.lists(st.one_of(st.builds(doc, IDS, st.sampled_from("12")), st.builds(Gone, IDS))),
    st.lists(IDS, min_size=1),
)
def test_after_a_sync_what_is_known_is_what_was_told_and_listed(
    known: dict[str, str], changes: list[Change], listed: list[str]
) -> None:
    told = fold(changes)
    found = difference(known, told, listed)
    parts = (*found.add, *found.change, *found.delete)
    assert len(parts) == len(set(parts))
    after = (set(known) | set(found.add)) - set(found.delete)
    assert after == (set(listed) | set(told.changed)) - told.gone
    assert all(known.get(one) != told.changed[one].version for one in found.change)
