"""Prose is cut where its structure lets it."""

from itertools import pairwise

from artel.tools.knowledge.chunking import Chunk, chunks
from artel.tools.knowledge.chunking.prose import FENCE, TARGET
from artel.tools.knowledge.chunking.ruler import tokens

WORDS = "The pump is checked every morning before the line starts. "


def texts(text: str, found: list[Chunk]) -> list[str]:
    return [text[one.start : one.end] for one in found]


def test_a_chunk_knows_the_headings_above_it() -> None:
    text = f"# Guide\n\n## Pumps\n\n{WORDS * 8}\n\n### Daily\n\n{WORDS * 12}\n\n## Valves\n\n{WORDS * 8}\n"
    found = chunks(text, path="guide.md")
    assert [one.header for one in found] == [
        "guide.md",
        "guide.md\nGuide > Pumps",
        "guide.md\nGuide",
    ]
    assert texts(text, found)[1].startswith("### Daily")


def test_a_heading_is_never_left_behind() -> None:
    text = "".join(f"## Part {at}\n\n{WORDS * 14}\n\n" for at in range(5))
    assert all(not said.rstrip().splitlines()[-1].startswith("#") for said in texts(text, chunks(text)))
    assert len(chunks(text)) == 5


def test_short_sections_share_a_chunk() -> None:
    text = "# Words\n\n## Pump\n\nMoves water.\n\n## Valve\n\nStops water.\n"
    assert texts(text, chunks(text)) == [text.strip()]


def test_russian_is_cut_at_sentences_and_not_at_shortenings() -> None:
    sentence = "Насос НБ-50, т. е. главный, проверил в 2024 г. инженер А. С. Петров и др. сотрудники цеха. "
    text = sentence * 30
    found = chunks(text)
    assert len(found) > 3
    assert all(said.startswith("Насос") and said.endswith("цеха.") for said in texts(text, found))


def test_english_is_cut_at_sentences_and_not_at_shortenings() -> None:
    sentence = 'Dr. Smith et al. saw it (see Fig. 3, e.g. the U.S. case): "It works." '
    text = sentence * 40
    assert all(said.startswith("Dr. Smith") for said in texts(text, chunks(text)))


def test_prose_fits_an_embedder() -> None:
    text = f"# Title\n\n{(WORDS * 40 + chr(10) * 2) * 3}"
    assert all(one.tokens <= TARGET + 60 for one in chunks(text, path="a/long/name/of/a/file.md", title="T"))


def test_a_block_of_code_is_kept_whole() -> None:
    block = "```python\n" + "value = compute(value)\n\n" * 40 + "```"
    text = f"{WORDS * 14}\n\n{block}\n\n{WORDS * 14}\n"
    assert TARGET < tokens(block) <= FENCE
    assert block in texts(text, chunks(text))


def test_rows_of_a_table_keep_its_head() -> None:
    table = "| part | pressure |\n|---|---|\n" + "".join(
        f"| pump number {at} | {at} bar |\n" for at in range(90)
    )
    first, *others = chunks(f"# Parts\n\n{table}")
    assert others
    assert "| part | pressure |" not in first.header
    assert all(one.header == "Parts\n| part | pressure |" for one in others)


def test_text_without_structure_is_cut_in_windows_that_overlap() -> None:
    text = "word " * 4000
    found = chunks(text)
    assert all(one.tokens <= 512 for one in found)
    for one, other in pairwise(found):
        assert 30 <= tokens(text[other.start : one.end]) <= 51


def test_titles_without_signs_are_headings_too() -> None:
    text = f"1. Introduction\n\n{WORDS * 14}\n\n1.2 Terms\n\n{WORDS * 25}\n\nГлава 2\n\n{WORDS * 25}\n"
    headers = [one.header for one in chunks(text)]
    assert "1. Introduction > 1.2 Terms" in headers
    assert headers[-1] == "Глава 2"


def test_an_empty_text_has_no_chunks() -> None:
    assert chunks("") == chunks(" \n\t\r\n ") == []
