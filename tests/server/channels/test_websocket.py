"""The gateway: words, answers and stops over one socket, and what it tells of the event log."""

import asyncio
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
from fastapi import FastAPI
from jsonschema_rs import Draft202012Validator
from tests.fakes.listening import listening
from tests.fakes.served import calling, serving
from tests.fakes.speaking import Stage
from tests.server.channels.conftest import Line, Open
from tests.server.engine.test_recovery import kill
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from artel.server.channels.websocket.asyncapi import document
from artel.server.channels.websocket.settings import SocketSettings
from artel.server.cli.patience import Talker
from artel.server.settings import Settings

NOBODY = "0199aaaa-bbbb-7ccc-8ddd-eeeeffff0000"  # an id that nothing has


async def test_words_are_answered_token_by_token_and_then_it_is_done(dial: Open) -> None:
    async with dial() as line:
        accepted = await line.asked("chat", message="hi", assistant="talk", message_id="w1")
        await line.until("state", "idle")
    assert line.text() == "one two three"
    assert line.types() == ["accepted", "message", "processing", *["token"] * 3, "done", "idle"]
    said = next(one for one in line.told if one["type"] == "message")
    assert said["data"] == {"role": "user", "text": "hi", "message_id": "w1"}
    assert {one["session_id"] for one in line.told} == {accepted["session_id"]}
    assert {one["run_id"] for one in line.told} == {accepted["run_id"]}
    assert {one["agent"] for one in line.told if one["type"] == "token"} == {"talk"}


async def test_a_call_of_a_tool_its_result_and_the_states_around_them_are_told(dial: Open) -> None:
    async with dial() as line:
        await line.asked("chat", message="hi", assistant="agent")
        await line.until("state", "idle")
    told = [one for one in line.types() if one != "token"][2:]
    assert told == ["processing", "tool_call", "executing", "tool_result", "processing", "done", "idle"]
    call = next(one for one in line.told if one["type"] == "tool_call")
    result = next(one for one in line.told if one["type"] == "tool_result")
    assert call["data"] == {"id": "c1", "name": "look", "args": {"at": 1}}
    assert result["data"] == {"tool_call_id": "c1", "name": "look", "status": "success", "content": "seen 1"}
    assert line.text() == "let medone now"


async def test_of_two_sockets_that_answer_a_question_at_once_one_does(dial: Open) -> None:
    async with dial() as one, dial() as two:
        session = (await one.asked("chat", message="hi", assistant="ask", context={}))["session_id"]
        question = (await one.until("approval_required"))["data"]["approval_id"]
        await one.until("state", "waiting")
        await two.asked("subscribe", session_id=session)
        assert (await two.until("approval_required"))["data"]["approval_id"] == question
        answer = {"approval_id": question, "answer": "yes"}
        told = await asyncio.gather(*(line.asked("tool_approval", **answer) for line in (one, two)))
        assert sorted(one["type"] for one in told) == ["accepted", "error"]
        late = next(one for one in told if one["type"] == "error")
        assert (late["code"], late["status"]) == ("already_decided", 409)
        for line in (one, two):
            if "approval_decided" not in line.types():
                await line.until("approval_decided")
            assert sum(name == "approval_decided" for name in line.types()) == 1
            await line.until("state", "idle")
        assert one.told[-1]["event_id"] == two.told[-1]["event_id"]


async def test_new_words_do_not_set_a_question_aside(dial: Open) -> None:
    async with dial() as line:
        session = (await line.asked("chat", message="hi", assistant="ask"))["session_id"]
        await line.until("state", "waiting")
        told = await line.asked("chat", session_id=session, message="and now?")
        assert (told["code"], told["status"]) == ("question_open", 409)


async def test_what_runs_is_stopped_within_two_seconds(dial: Open) -> None:
    async with dial() as line:
        session = (await line.asked("chat", message="hi", assistant="slow"))["session_id"]
        await line.until("token", " two")
        async with asyncio.timeout(2):
            assert (await line.asked("cancel", session_id=session))["type"] == "accepted"
            if "done" not in line.types():
                await line.until("done", {"status": "cancelled"})
        told = await line.asked("cancel", session_id=session)
        assert (told["type"], told["status"]) == ("error", 404)


async def test_a_run_goes_on_without_its_socket_and_the_next_loses_and_doubles_nothing(
    dial: Open, stage: Stage
) -> None:
    async with dial() as whole, dial() as cut:
        accepted = await cut.asked("chat", message="hi", assistant="slow")
        session = accepted["session_id"]
        await whole.asked("subscribe", session_id=session, after="0")
        last = (await cut.until("token", " two"))["event_id"]
        cut.socket.transport.abort()
        stage.gate.set()
        await whole.until("state", "idle")
        async with dial() as again:
            await again.asked("subscribe", session_id=session, after=last)
            await again.until("state", "idle")
    assert cut.text() + again.text() == whole.text() == "one two three"
    assert cut.events() + again.events() == whole.events()


async def test_words_sent_again_after_a_cut_are_not_said_twice(dial: Open) -> None:
    words = {"message": "hi", "assistant": "talk", "message_id": str(uuid4())}
    async with dial() as line:
        first = await line.asked("chat", **words)
        await line.until("state", "idle")
    async with dial() as line:
        second = await line.asked("chat", **words)
        await line.until("state", "idle")
    assert (first["session_id"], first["run_id"]) == (second["session_id"], second["run_id"])
    assert line.text() == "one two three"


async def test_what_waits_for_its_turn_is_queued(dial: Open, stage: Stage) -> None:
    async with dial() as line:
        session = (await line.asked("chat", message="hi", assistant="slow"))["session_id"]
        await line.until("token", " two")
        second = await line.asked("chat", session_id=session, message="and then?")
        assert (await line.until("state"))["data"] == "queued"
        busy = await line.asked("chat", session_id=session, message="now", if_busy="reject")
        assert (busy["code"], busy["status"]) == ("thread_busy", 409)
        stage.gate.set()
        await line.until("state", "processing", run_id=second["run_id"])
        await line.until("done", run_id=second["run_id"])


async def test_a_run_that_fails_says_why(dial: Open) -> None:
    async with dial() as line:
        await line.asked("chat", message="hi", assistant="fail")
        failed = await line.until("error")
        await line.until("state", "error")
    assert (failed["error"], failed["code"]) == ("no luck", "ValueError")
    assert line.told[-2]["data"] == {"status": "failed"}


@pytest.mark.parametrize(
    ("frame", "says"),
    [
        ("{", "must be JSON"),
        ("[1]", "[1]"),
        (b"\xff", "must be JSON"),
        ('{"type": "shout"}', "'shout'"),
        ('{"type": 7}', "got 7"),
        ('{"type": "chat"}', "message is required"),
        ('{"type": "chat", "message": 5}', "got 5"),
        ('{"type": "chat", "message": "hi", "mesage_id": "x"}', "mesage_id"),
        ('{"type": "chat", "message": "hi", "session_id": "x"}', "got 'x'"),
        (f'{{"type": "subscribe", "session_id": "{NOBODY}", "after": "last"}}', "got 'last'"),
        (f'{{"type": "tool_approval", "approval_id": "{NOBODY}"}}', "approved"),
        ('{"type": "chat", "message": "a\\u0000b"}', "NUL"),
        ('{"type": "chat", "message": "hi", "assistant": "nobody"}', "nobody"),
    ],
)
async def test_a_wrong_message_is_refused_with_its_value_and_the_socket_stays(
    dial: Open, frame: str | bytes, says: str
) -> None:
    async with dial() as line:
        await line.socket.send(frame)
        told = await line.next()
        assert told["type"] == "error"
        assert says in told["error"]
        assert (await line.asked("ping"))["type"] == "pong"


async def test_a_message_that_is_too_large_is_refused_and_the_socket_stays(dial: Open) -> None:
    async with dial() as line:
        await line.send("chat", message="x" * 2**21)
        assert (await line.next())["status"] == 413
        assert (await line.asked("ping"))["type"] == "pong"


async def test_a_session_that_nobody_has_cannot_be_listened_to(dial: Open) -> None:
    async with dial() as line:
        for type_, more in (("subscribe", {}), ("cancel", {}), ("chat", {"message": "hi"})):
            told = await line.asked(type_, session_id=str(uuid4()), **more)
            assert (told["type"], told["status"]) == ("error", 404)


async def test_one_who_comes_new_is_told_how_the_session_stands(dial: Open, stage: Stage) -> None:
    async with dial() as one, dial() as two:
        session = (await one.asked("chat", message="hi", assistant="slow"))["session_id"]
        await one.until("token", " two")
        await two.asked("subscribe", session_id=session)
        assert (await two.next())["data"] == "processing"
        stage.gate.set()
        await two.until("state", "idle")
        assert two.text() == " three"
        await two.asked("unsubscribe", session_id=session)
        await two.asked("subscribe", session_id=session)
        assert (await two.next())["data"] == "idle"


async def test_what_is_not_kept_any_more_is_told_as_a_gap(dial: Open, app: FastAPI) -> None:
    async with dial() as line:
        session = (await line.asked("chat", message="hi", assistant="talk"))["session_id"]
        last = (await line.until("state", "idle"))["event_id"]
        async with app.state.engine.db.transaction() as conn:
            await conn.execute("delete from run_events")
        await line.asked("chat", session_id=session, message="again")
        whole = await line.until("state", "idle")
    async with dial() as line:
        await line.asked("subscribe", session_id=session, after="0")
        assert (await line.next())["type"] == "gap"
        assert await line.until("state", "idle", event_id=whole["event_id"])
    assert last != whole["event_id"]


async def test_a_session_that_is_deleted_is_told_of_and_the_socket_stays(dial: Open, app: FastAPI) -> None:
    async with dial() as line, calling(app) as http:
        session = (await line.asked("chat", message="hi", assistant="talk"))["session_id"]
        await line.until("state", "idle")
        await http.delete(f"/threads/{session}")
        assert (await line.until("error"))["status"] == 404
        assert (await line.asked("ping"))["type"] == "pong"


async def test_pages_of_others_open_no_socket(dial: Open) -> None:
    for origin in ("https://evil.example", "null"):
        with pytest.raises(InvalidStatus) as refused:
            async with dial(additional_headers={"Origin": origin}):
                pass
        assert refused.value.response.status_code == 403


async def test_a_server_that_stops_says_so(dial: Open, app: FastAPI) -> None:
    async with dial() as line:
        await line.asked("chat", message="hi", assistant="talk")
        await line.until("state", "idle")
        app.state.engine.draining = True
        app.state.engine.audience.changed(UUID(line.told[0]["session_id"]))
        code, _ = await line.closing()
    assert code == 1012


def test_each_message_of_the_document_has_an_example_that_fits() -> None:
    made = document()
    for one in made["components"]["messages"].values():
        schema = {"$ref": one["payload"]["$ref"], "components": made["components"]}
        for example in one["examples"]:
            Draft202012Validator(schema).validate(example["payload"])


async def test_many_sockets_speak_at_once(dial: Open) -> None:
    async def talk(place: int) -> Line:
        async with dial() as line:
            await line.asked("chat", message="hi", assistant="talk", message_id=f"many-{place}")
            await line.until("state", "idle")
            return line

    lines = await asyncio.gather(*(talk(place) for place in range(30)))
    assert {line.text() for line in lines} == {"one two three"}
    assert len({line.told[0]["session_id"] for line in lines}) == 30


async def test_a_worker_that_dies_in_mid_stream_loses_and_doubles_nothing(
    dial: Open, app: FastAPI, stage: Stage, fresh_dsn: str
) -> None:
    async with (
        serving(fresh_dsn, catalog=stage.catalog()) as other,
        listening(other, ws=cast("Any", Talker)) as url,
        connect(f"{url.replace('http', 'ws', 1)}/api/v1/ws") as socket,
        dial() as first,
    ):
        session = (await first.asked("chat", message="hi", assistant="slow"))["session_id"]
        whole = Line(socket)
        await whole.asked("subscribe", session_id=session, after="0")
        await whole.until("token", " two")
        last = (await first.until("token", " two"))["event_id"]
        await kill(cast("Any", SimpleNamespace(engine=app.state.engine, db=app.state.engine.db)))
        stage.gate.set()
        await whole.until("state", "idle")
        again = Line(socket)
        await again.asked("subscribe", session_id=session, after=last)
        await again.until("state", "idle")
    assert "retracted" in whole.types()
    assert whole.text() == "one two three"
    assert first.events() + again.events() == whole.events()


SMALL = Settings(sockets=SocketSettings(rate=1, burst=3, most=2, idle_s=0.3, stall_s=0.3, threads=1))


@pytest.mark.parametrize("settings", [SMALL])
async def test_a_socket_that_says_too_much_is_told_and_then_closed(dial: Open) -> None:
    async with dial() as line:
        told = [await line.asked("ping") for _ in range(4)]
        assert [one["type"] for one in told] == ["pong", "pong", "pong", "error"]
        assert (told[-1]["code"], told[-1]["status"]) == ("too_many_messages", 429)
        for _ in range(200):
            await line.send("ping")
        assert (await line.closing())[0] == 4429


@pytest.mark.parametrize("settings", [SMALL])
async def test_a_user_has_so_many_sockets_and_no_more(dial: Open) -> None:
    async with dial() as one:
        async with dial(), dial() as third:
            assert (await third.next())["code"] == "too_many_sockets"
            assert (await third.closing())[0] == 4429
        async with dial() as again:
            assert (await again.asked("ping"))["type"] == "pong"
        assert (await one.asked("ping"))["type"] == "pong"


@pytest.mark.parametrize("settings", [SMALL])
async def test_a_socket_that_says_nothing_is_closed_and_one_that_listens_is_not(dial: Open) -> None:
    async with dial() as silent, dial() as listens:
        session = (await listens.asked("chat", message="hi", assistant="talk"))["session_id"]
        await listens.until("state", "idle")
        assert (await silent.closing())[0] == 4408
        more = await listens.asked("chat", message="hi", assistant="talk")
        assert (more["code"], more["status"]) == ("too_many_sockets", 429)
        assert (await listens.asked("unsubscribe", session_id=session))["type"] == "accepted"


SLOW = Settings(sockets=SocketSettings(stall_s=2, max_bytes=2**24))


@pytest.mark.parametrize("settings", [SLOW])
async def test_one_who_takes_nothing_is_cut_and_holds_nobody_up(dial: Open, app: FastAPI) -> None:
    async with dial(compression=None) as slow, dial(max_size=None) as quick:
        session = (await quick.asked("chat", message="x" * 12_000_000, assistant="talk"))["session_id"]
        await quick.until("state", "idle")
        slow.socket.transport.pause_reading()
        await slow.send("subscribe", session_id=session, after="0")
        async with asyncio.timeout(20):
            while app.state.sockets.open["local"] > 1:
                await quick.asked("ping")
                await asyncio.sleep(0.05)
        slow.socket.transport.abort()
        with pytest.raises(ConnectionClosed) as closed:
            await slow.rest()
        assert closed.value.rcvd is None
        assert (await quick.asked("ping"))["type"] == "pong"
