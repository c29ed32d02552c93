"""What people think of what was found: one mark each, and only while it is of what they saw."""

import hashlib

import numpy as np
import pytest
from psycopg import AsyncConnection
from tests.fakes.written import draft, outcomes, put

from artel.storage.errors import Invalid
from artel.storage.ids import new_id
from artel.storage.knowledge import chunks, collections, documents, marks
from artel.storage.knowledge.collections import Collection
from artel.storage.knowledge.marks import Mark, NotShown, Score, Shown, TooManyMarks, UnknownMark
from artel.storage.postgres import Connection


async def mark(
    conn: Connection,
    shelf: Collection,
    name: str = "a",
    score: Score = 1,
    *,
    query: str = "how to deploy",
    user: str = "ada",
    comment: str | None = None,
    **more: object,
) -> Mark:
    """Mark the newest text of a document."""
    found = (await documents.known(conn, shelf, [name]))[name]
    values = {
        "document_id": found.document_id,
        "document_version": found.version,
        "rank": 1,
        "results": [{"document_id": str(found.document_id), "rank": 1, "features": {"bm25": 3.5}}],
        "index_revision": 1,
        **more,
    }
    return await marks.put(conn, shelf, Shown(query, **values), score, user_id=user, comment=comment)  # type: ignore[arg-type]


async def test_a_mark_keeps_all_that_was_shown(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"))
    (chunk_id,) = (await chunks.since(conn, shelf, 0)).added.tolist()
    vector = np.array([0.6, 0.8], dtype=np.float32)
    made = await mark(
        conn, shelf, comment="just so", chunk_id=chunk_id, terms=["deploy"], vector=vector, learned_version=3
    )
    assert await marks.of_user(conn, owner="ada", user_id="ada") == [made]
    assert await marks.live(conn, shelf) == [made]
    assert (made.query, made.comment, made.query_terms, made.chunk_id) == (
        "how to deploy",
        "just so",
        ["deploy"],
        chunk_id,
    )
    assert made.shown[0]["features"] == {"bm25": 3.5}
    assert made.vector is not None
    assert np.allclose(made.vector, vector, atol=1e-3)


async def test_a_user_has_one_mark_for_a_question_and_a_document(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"), draft("b", "two"))
    first = await mark(conn, shelf, score=1)
    again = await mark(conn, shelf, score=-1, query="  How to DEPLOY?", comment="no")
    assert (again.mark_id, again.score, again.comment) == (first.mark_id, -1, "no")
    await mark(conn, shelf, "b")
    await mark(conn, shelf, query="how to run")
    await mark(conn, shelf, user="bob")
    assert len(await marks.live(conn, shelf)) == 4


async def test_what_is_undone_counts_no_more_and_can_be_said_again(
    conn: Connection, shelf: Collection
) -> None:
    await put(conn, shelf, draft("a", "one"))
    made = await mark(conn, shelf)
    with pytest.raises(UnknownMark):
        await marks.undo(conn, made.mark_id, owner="ada", user_id="bob")
    await marks.undo(conn, made.mark_id, owner="ada", user_id="ada")
    assert await marks.live(conn, shelf) == await marks.of_user(conn, owner="ada", user_id="ada") == []
    with pytest.raises(UnknownMark):
        await marks.undo(conn, made.mark_id, owner="ada", user_id="ada")
    assert (await mark(conn, shelf)).mark_id != made.mark_id


async def test_a_mark_dies_with_the_text_it_was_given(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"), draft("b", "two"), draft("c", "three"))
    for name in "abc":
        await mark(conn, shelf, name)
    await put(conn, shelf, draft("a", "another"))
    await documents.delete(conn, shelf, ["b"])
    await put(conn, shelf, draft("c", "three", title="only its title"))
    (left,) = await marks.live(conn, shelf)
    assert left.document_id == (await documents.known(conn, shelf, ["c"]))["c"].document_id
    assert len(await marks.of_user(conn, owner="ada", user_id="ada")) == 3
    old = await mark(conn, shelf, "a", document_version=1)  # a page that was open all the while
    assert old not in await marks.live(conn, shelf)


async def test_only_what_could_be_shown_can_be_marked(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"))
    theirs = await collections.make(conn, "theirs", owner="eve")
    (foreign,) = await outcomes(conn, theirs, draft("x", "secret"))
    for wrong in (
        {"document_id": foreign.document_id},
        {"document_id": new_id()},
        {"document_version": 2},
        {"document_version": 0},
        {"index_revision": 5},
    ):
        with pytest.raises(NotShown, match="'shelf' has no document"):
            await mark(conn, shelf, **wrong)
    (chunk_id,) = (await chunks.since(conn, theirs, 0)).added.tolist()
    assert (await mark(conn, shelf, chunk_id=chunk_id)).chunk_id is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"query": "nul\0"},
        {"query": "q" * 4_001},
        {"comment": "c" * 10_001},
        {"comment": "\ud800"},
        {"rank": 0},
        {"terms": ["t"] * 257},
        {"results": [{"x": "y" * 300_000}]},
    ],
)
async def test_a_mark_that_cannot_be_kept_is_refused(
    conn: Connection, shelf: Collection, wrong: dict[str, object]
) -> None:
    await put(conn, shelf, draft("a", "one"))
    with pytest.raises(Invalid):
        await mark(conn, shelf, **wrong)  # type: ignore[arg-type]
    assert await marks.live(conn, shelf) == []


async def test_nobody_marks_without_end(
    conn: Connection, shelf: Collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(marks, "MOST", 2)
    await put(conn, shelf, draft("a", "one"))
    for n in range(2):
        await mark(conn, shelf, query=f"question {n}")
    with pytest.raises(TooManyMarks, match="2 marks"):
        await mark(conn, shelf, query="question 2")
    assert (await mark(conn, shelf, score=-1, query="question 1")).score == -1


async def test_marks_are_read_page_by_page(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"))
    made = [await mark(conn, shelf, query=f"question {n}") for n in range(5)]
    first = await marks.live(conn, shelf, limit=3)
    assert [*first, *await marks.live(conn, shelf, after=first[-1], limit=3)] == made


class Glass:
    """A sealer that can be seen through."""

    async def seal(self, model: str, field: str, value: object) -> dict[str, object]:
        return {"sealed": hashlib.sha256(str(value).encode()).hexdigest(), "plain": value}

    async def open(self, row: dict[str, object]) -> dict[str, object]:
        return {name: value["plain"] if _is_sealed(value) else value for name, value in row.items()}  # type: ignore[index]


def _is_sealed(value: object) -> bool:
    return isinstance(value, dict) and "sealed" in value


async def test_what_is_asked_and_said_is_sealed(conn: Connection, shelf: Collection) -> None:
    await put(conn, shelf, draft("a", "one"))
    conn.sealer = Glass()  # type: ignore[assignment]
    made = await mark(conn, shelf, comment="just so", terms=["deploy"])
    assert (made.query, made.comment, made.query_terms) == ("how to deploy", "just so", None)
    row = await (await AsyncConnection.execute(conn, "select query, comment from marks")).fetchone()
    assert row
    assert _is_sealed(row["query"])
    assert _is_sealed(row["comment"])
