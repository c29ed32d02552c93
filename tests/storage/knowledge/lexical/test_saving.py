from pathlib import Path

import numpy as np
import pytest

from artel.storage.knowledge.lexical import saving
from artel.storage.knowledge.lexical.index import LexicalIndex
from artel.storage.knowledge.lexical.saving import load, save


@pytest.fixture
def index() -> LexicalIndex:
    index = LexicalIndex()
    index.add([(number, [f"t{number % 7}", f"t{number % 11}", "all"]) for number in range(100)])
    index.add([(500, ["late"])])
    index.remove(np.array([3, 4]))
    return index


def test_what_was_saved_finds_the_same(index: LexicalIndex, tmp_path: Path) -> None:
    save(index.snapshot, tmp_path / "index", stamp="v1")
    segments = load(tmp_path / "index", stamp="v1")
    assert segments
    again = LexicalIndex(segments)
    question = ["t3", "t5", "late"]
    assert again.search(question, limit=50) == index.search(question, limit=50)
    assert again.size == index.size
    again.add([(3, ["late"])])
    assert [hit.chunk_id for hit in again.search(["late"], limit=5)] == [3, 500]


def test_an_empty_index_is_kept_too(tmp_path: Path) -> None:
    save(LexicalIndex().snapshot, tmp_path / "index", stamp="")
    assert load(tmp_path / "index", stamp="") == []


def test_a_snapshot_of_another_state_is_not_taken_and_stays(index: LexicalIndex, tmp_path: Path) -> None:
    save(index.snapshot, tmp_path / "index", stamp="v1")
    assert load(tmp_path / "index", stamp="v2") is None
    assert load(tmp_path / "index", stamp="v1")


def test_where_nothing_was_saved_nothing_is_loaded(tmp_path: Path) -> None:
    assert load(tmp_path / "nowhere", stamp="") is None


@pytest.mark.parametrize("where", [0, 40, 200, -1])
def test_a_byte_that_changed_drops_the_file(index: LexicalIndex, tmp_path: Path, where: int) -> None:
    path = tmp_path / "index"
    save(index.snapshot, path, stamp="v1")
    data = bytearray(path.read_bytes())
    data[where] ^= 1
    path.write_bytes(data)
    assert load(path, stamp="v1") is None
    assert not path.exists()


@pytest.mark.parametrize("length", [0, 10, 32, 100, 2_000])
def test_a_file_cut_short_is_dropped(index: LexicalIndex, tmp_path: Path, length: int) -> None:
    path = tmp_path / "index"
    save(index.snapshot, path, stamp="v1")
    path.write_bytes(path.read_bytes()[:length])
    assert load(path, stamp="v1") is None
    assert not path.exists()


@pytest.mark.parametrize("name", ["FORMAT", "RULES"])
def test_terms_by_other_rules_are_made_anew(
    index: LexicalIndex, tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index"
    save(index.snapshot, path, stamp="v1")
    monkeypatch.setattr(saving, name, 99)
    assert load(path, stamp="v1") is None
    assert not path.exists()


def test_a_save_that_fails_leaves_what_was_there(
    index: LexicalIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "index"
    save(index.snapshot, path, stamp="v1")
    index.add([(900, ["more"])])

    def full(*_: object, **__: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(np, "save", full)
    with pytest.raises(OSError, match="no space"):
        save(index.snapshot, path, stamp="v2")
    assert [file.name for file in tmp_path.iterdir()] == ["index"]
    assert load(path, stamp="v1")
