"""What is asked back is drawn from the results, in the language of who asks."""

import pytest

from artel.tools.knowledge.ranking.clarifying import Asking, Result, clarify


def result(title: str, score: float = 1.0, **facets: str) -> Result:
    return Result(score, title, facets)  # type: ignore[arg-type]


PUMPS = [
    result("Changing the seal", 1.0, source="Workshop wiki", version="2.1"),
    result("Changing the seal", 0.9, source="Workshop wiki", version="1.4"),
    result("Changing the seal", 0.9, source="Supplier manual", version="2.1"),
    result("Changing the seal", 0.8, source="Supplier manual", version="1.4"),
]


def one(asked: list[Asking]) -> Asking:
    assert len(asked) == 1
    return asked[0]


def test_sources_that_part_the_results_are_asked_about_with_their_names() -> None:
    results = [result("Seal", 1, source="Wiki"), result("Seal", 0.9, source="Manual")]
    asking = one(clarify("How do I change the seal?", results, language="en"))
    assert asking.about == "source"
    assert asking.options == ("Wiki", "Manual")
    assert "“How do I change the seal”" in asking.text
    assert asking.text.endswith("Wiki or Manual?")


def test_a_second_question_is_asked_when_it_parts_further() -> None:
    both = clarify("seal", PUMPS, language="en")
    assert {asking.about for asking in both} == {"source", "version"}
    assert all(2 <= len(asking.options) <= 4 for asking in both)


def test_a_second_question_that_tells_nothing_more_is_not_asked() -> None:
    results = [
        result("Seal", 1, source="Wiki", product="North pump"),
        result("Seal", 0.9, source="Manual", product="South pump"),
    ]
    assert len(clarify("seal", results, language="en")) == 1


def test_a_russian_question_is_asked_back_in_russian() -> None:
    results = [result("Уплотнение", 1, version="1.4"), result("Уплотнение", 0.9, version="2.1")]
    asking = one(clarify("Как заменить уплотнение?", results, language="ru"))
    assert asking.text == "О какой версии вопрос «Как заменить уплотнение»: 1.4 или 2.1?"


def test_titles_are_told_apart_by_the_words_they_do_not_share() -> None:
    results = [result(f"Installing Artel on {system}") for system in ("Linux", "Windows", "macOS")]
    asking = one(clarify("install", results, language="en"))
    assert (asking.about, asking.options) == ("title", ("Linux", "Windows", "macOS"))


def test_a_property_that_few_results_have_is_not_asked_about() -> None:
    results = [result("a", source="Wiki"), result("b", source="Manual"), *map(result, "cdefgh")]
    assert one(clarify("seal", results, language="en")).about == "title"


def test_at_most_four_options_are_offered_the_weightiest_first() -> None:
    results = [result("Seal", 1 - n / 20, product=f"P{n}") for n in range(8)]
    assert one(clarify("seal", results, language="en")).options == ("P0", "P1", "P2", "P3")


def test_when_nothing_parts_the_results_the_missing_word_is_asked_about() -> None:
    asking = one(clarify("seal of the frobnicator", [result("Seal")], ["frobnicator"], language="en"))
    assert (asking.about, asking.options) == ("word", ())
    assert "“frobnicator”" in asking.text


def test_a_weighty_word_that_nothing_has_is_asked_about_first() -> None:
    first, second = clarify("frobnicator seal", PUMPS, ["frobnicator"], language="en", vague=True)
    assert (first.about, second.about) == ("word", "source")
    assert "frobnicator" in first.text


def test_near_titles_are_offered_in_place_of_the_missing_word() -> None:
    results = [result("North pump"), result("South pump")]
    first = clarify("насос Ромашка", results, ["Ромашка"], language="ru", vague=True)[0]
    assert "«Ромашка»" in first.text
    assert first.options == ("North pump", "South pump")


@pytest.mark.parametrize("language", ["en", "ru", "de", ""])
def test_with_no_result_at_all_something_of_the_question_is_still_named(language: str) -> None:
    asking = one(clarify("zeppelin mooring", [], ["zeppelin", "mooring"], language=language))
    assert "zeppelin" in asking.text
    assert "mooring" in asking.text
    assert asking.options == ()


def test_two_questions_are_never_asked_back_in_the_same_words() -> None:
    said = {one(clarify(asked, [], [asked], language="en")).text for asked in ("zeppelin", "submarine")}
    assert len(said) == 2


def test_long_titles_and_braces_do_no_harm() -> None:
    results = [result("{x} " * 60 + "one"), result("other {0}")]
    asking = one(clarify("what is {asked}? " * 30, results, language="en"))
    assert all(len(option) <= 60 for option in asking.options)
    assert len(asking.text) < 400
