"""A question is described by what the collection knows of its words."""

from artel.storage.knowledge.lexical.index import LexicalIndex
from artel.storage.knowledge.lexical.languages import tell
from artel.storage.knowledge.lexical.terms import asked, indexed
from artel.tools.knowledge.ranking.asking import described, missing
from artel.tools.knowledge.ranking.lists import Question

TEXTS = ["The pump leaks at the seal.", "Насос течёт зимой.", "Call read_file() before close."]


def ask(text: str) -> Question:
    index = LexicalIndex()
    index.add([(place, indexed(one)) for place, one in enumerate(TEXTS)])
    weights = asked(text, tell(text).language)
    return described(text, tell(text), weights, index.snapshot.rarity(list(weights)), len(TEXTS))


def test_words_that_no_text_has_are_named_as_they_were_written() -> None:
    text = "Which Frobnicators leak at the pump's seal, frobnicators or zeppelins?"
    question = ask(text)
    assert [word for word in missing(text, question) if word[0] in "Ffz"] == [
        "Frobnicators",
        "frobnicators",
        "zeppelins",
    ]
    assert not {"leak", "pump's", "seal"} & set(missing(text, question))
    assert 0 < question.known < 1


def test_a_russian_question_finds_its_words_in_another_case() -> None:
    question = ask("Почему течёт насос на Луне?")
    assert "Луне" in missing("Почему течёт насос на Луне?", question)
    assert "насос" not in missing("Почему течёт насос на Луне?", question)
    assert question.language == "ru"


def test_names_of_a_program_are_counted_as_such() -> None:
    assert ask("read_file before asyncio.gather").identifiers == 2 / 3
    assert ask("Why does the pump leak?").identifiers == 0


def test_pairs_of_words_are_no_terms_of_their_own() -> None:
    assert not [term for term in ask("pump leaks seal").rarity if " " in term]


def test_an_empty_question_is_known_by_nobody() -> None:
    question = ask("")
    assert (question.known, question.identifiers, missing("", question)) == (0, 0, [])
