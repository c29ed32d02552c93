"""Sets are read whole or not at all, and parts of them share no subject."""

import gzip
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from evals.retrieval.sets import SetUnreadable, evenly, groups, load, names, part


def write(folder: Path, corpus: Sequence[object], queries: Sequence[object], qrels: Sequence[str]) -> None:
    folder.mkdir(parents=True)
    rows = {
        "corpus.jsonl.gz": [json.dumps(one) for one in corpus],
        "queries.jsonl.gz": [json.dumps(one) for one in queries],
        "qrels.tsv.gz": ["query-id\tcorpus-id\tscore", *qrels],
    }
    for name, lines in rows.items():
        with gzip.open(folder / name, "wt", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    documents = [
        {"id": "a", "title": "Pumps", "text": "They pump.", "group": "water"},
        {"id": "b", "text": "They leak.", "group": "water"},
        {"id": "c", "text": "They burn."},
        {"id": "d", "text": "They shine."},
    ]
    asked = [
        {"id": "1", "text": "What pumps?", "exclude": ["b"], "answerable": False},
        {"id": "2", "text": "What burns or shines?"},
        {"id": "3", "text": "What shines?"},
        {"id": "4", "text": "Of which no label speaks"},
    ]
    write(tmp_path / "tiny", documents, asked, ["1\ta\t1", "2\tc\t2", "2\td\t1", "3\td\t1", "3\ta\t0"])
    return tmp_path


def test_a_set_is_read_with_its_labels(folder: Path) -> None:
    tiny = load(folder, "tiny")
    assert names(folder) == ["tiny"]
    assert tiny.documents[0].whole == "Pumps\nThey pump."
    assert [one.id for one in tiny.questions] == ["1", "2", "3"]
    first = tiny.questions[0]
    assert (first.relevant, first.exclude, first.answerable) == ({"a": 1}, frozenset("b"), False)
    assert tiny.questions[2].relevant == {"d": 1}


def test_questions_that_share_a_right_document_are_never_parted(folder: Path) -> None:
    of = groups(load(folder, "tiny"))
    assert of["2"] == of["3"] != of["1"] == "water"


def test_a_part_is_the_same_each_time_and_another_with_another_salt() -> None:
    parts = [part(str(n), 2) for n in range(400)]
    assert parts == [part(str(n), 2) for n in range(400)]
    assert 160 < sum(parts) < 240
    assert parts != [part(str(n), 2, salt="other") for n in range(400)]


def test_few_groups_are_parted_by_their_size() -> None:
    chosen = evenly({"big": 100, "middle": 60, "small": 50}, 2)
    assert chosen["big"] != chosen["middle"] == chosen["small"]


@pytest.mark.parametrize(
    ("qrels", "said"),
    [(["1\tz\t1"], "'z'"), (["1\ta"], "whole number"), (["1\ta\tmuch"], "'1\\ta\\tmuch'")],
)
def test_a_label_that_makes_no_sense_is_told_with_its_line(
    tmp_path: Path, qrels: list[str], said: str
) -> None:
    write(tmp_path / "odd", [{"id": "a", "text": "t"}], [{"id": "1", "text": "q"}], qrels)
    with pytest.raises(SetUnreadable, match="qrels") as told:
        load(tmp_path, "odd")
    assert said in str(told.value)


def test_a_torn_or_missing_file_is_told_by_name(folder: Path) -> None:
    corpus = folder / "tiny" / "corpus.jsonl.gz"
    corpus.write_bytes(corpus.read_bytes()[:-12])
    with pytest.raises(SetUnreadable, match=r"corpus\.jsonl\.gz"):
        load(folder, "tiny")
    with pytest.raises(SetUnreadable, match="nowhere"):
        load(folder, "nowhere")


def test_lines_without_text_are_told(tmp_path: Path) -> None:
    write(tmp_path / "odd", [{"id": "a"}], [], [])
    with pytest.raises(SetUnreadable, match="no `id` and `text`"):
        load(tmp_path, "odd")
