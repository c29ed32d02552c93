"""What people think of what agents did: one word each, gone with its thread."""

import pytest
from tests.fakes.begun import begin, end

from artel.storage import feedback, threads
from artel.storage.feedback import Feedback, Score, TooMuchFeedback, UnknownFeedback
from artel.storage.ids import new_id
from artel.storage.postgres import Connection
from artel.storage.runs import Run


async def say(
    conn: Connection,
    run: Run,
    score: Score = 1,
    *,
    message: str | None = "m1",
    user: str = "ada",
    comment: str | None = None,
) -> Feedback:
    return await feedback.put(
        conn,
        owner="local",
        user_id=user,
        thread_id=run.thread_id,
        run_id=run.run_id,
        message_id=message,
        score=score,
        comment=comment,
    )


async def said(conn: Connection, user: str = "ada", **more: object) -> list[Feedback]:
    return await feedback.search(conn, owner="local", user_id=user, **more)  # type: ignore[arg-type]


async def test_a_second_word_takes_the_place_of_the_first(conn: Connection) -> None:
    run = await begin(conn)
    first = await say(conn, run, 1, comment="good")
    second = await say(conn, run, -1)
    assert (second.feedback_id, second.score, second.comment) == (first.feedback_id, -1, None)
    assert second.updated_at > first.updated_at
    assert await said(conn) == [second]


async def test_a_message_and_its_run_are_judged_apart(conn: Connection) -> None:
    run = await begin(conn)
    await say(conn, run, 1)
    await say(conn, run, -1, message=None)
    await say(conn, run, 1, message=f"run:{run.run_id}")
    assert [(one.message_id, one.score) for one in await said(conn)] == [
        (f"run:{run.run_id}", 1),
        (None, -1),
        ("m1", 1),
    ]
    assert len(await said(conn, score=-1)) == 1


async def test_everybody_has_their_own_word_and_sees_no_other(conn: Connection) -> None:
    run = await begin(conn)
    of_ada = await say(conn, run, 1)
    await say(conn, run, -1, user="bob")
    assert await said(conn) == [of_ada]
    with pytest.raises(UnknownFeedback, match=str(of_ada.feedback_id)):
        await feedback.delete(conn, of_ada.feedback_id, owner="local", user_id="bob")
    await feedback.delete(conn, of_ada.feedback_id, owner="local", user_id="ada")
    assert await said(conn) == []


async def test_a_thread_takes_what_was_said_of_it_along(conn: Connection) -> None:
    run = await begin(conn)
    await say(conn, run)
    await end(conn, run)
    await threads.delete(conn, run.thread_id)
    assert await said(conn) == []


async def test_nothing_is_said_of_a_run_of_another_thread_and_not_without_end(
    conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await begin(conn)
    with pytest.raises(TooMuchFeedback):
        await feedback.put(
            conn,
            owner="local",
            user_id="ada",
            thread_id=new_id(),
            run_id=run.run_id,
            message_id=None,
            score=1,
        )
    monkeypatch.setattr(feedback, "MOST", 1)
    await say(conn, run)
    with pytest.raises(TooMuchFeedback, match="1 words"):
        await say(conn, run, message="m2")
