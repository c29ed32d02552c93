"""Who may open a socket of the gateway, and how a client that cannot set headers says who it is."""

from base64 import urlsafe_b64encode
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, cast

import pytest
from tests.fakes.listening import listening
from tests.server.auth.conftest import AUTH
from tests.server.channels.conftest import Line
from tests.server.conftest import Open
from websockets.asyncio.client import connect

from artel.server.channels.websocket.settings import SocketSettings
from artel.server.cli.patience import Talker
from artel.server.settings import Settings

Dial = Callable[..., AbstractAsyncContextManager[Line]]


@pytest.fixture
async def dial(folder: Open) -> AsyncIterator[Dial]:
    settings = Settings(sockets=SocketSettings(auth_s=0.3))
    async with (
        folder({"auth.py": AUTH}, settings, auth={"path": "./auth.py:auth"}) as wire,
        listening(wire.app, ws=cast("Any", Talker)) as url,
    ):

        @asynccontextmanager
        async def opened(key: str = "", **options: Any) -> AsyncIterator[Line]:
            if key:
                options["additional_headers"] = {"Authorization": f"Bearer {key}"}
            async with connect(f"{url.replace('http', 'ws', 1)}/api/v1/ws", **options) as socket:
                yield Line(socket)

        yield opened


def offered(key: str) -> list[Any]:
    return ["artel.v1", "artel.key." + urlsafe_b64encode(key.encode()).decode().rstrip("=")]


async def test_a_key_comes_in_a_header_in_a_subprotocol_or_first(dial: Dial) -> None:
    async with dial("ada") as line:
        session = (await line.asked("chat", message="hi", assistant="flow"))["session_id"]
        await line.until("state", "idle")
    async with dial(subprotocols=offered("ada")) as line:
        assert line.socket.subprotocol == "artel.v1"
        assert (await line.asked("subscribe", session_id=session))["type"] == "accepted"
    async with dial() as line:
        assert (await line.asked("auth", token="ada"))["type"] == "accepted"
        assert (await line.asked("subscribe", session_id=session))["type"] == "accepted"
        assert (await line.asked("auth", token="bob"))["code"] == "bad_request"


async def test_a_session_of_somebody_else_is_none(dial: Dial) -> None:
    async with dial("ada") as ada, dial(subprotocols=offered("bob")) as bob:
        session = (await ada.asked("chat", message="hi", assistant="asks"))["session_id"]
        question = (await ada.until("approval_required"))["data"]["approval_id"]
        for type_, fields in (
            ("subscribe", {"session_id": session}),
            ("subscribe", {"session_id": session, "after": "0"}),
            ("chat", {"session_id": session, "message": "hi"}),
            ("cancel", {"session_id": session}),
            ("tool_approval", {"approval_id": question, "answer": "yes"}),
        ):
            told = await bob.asked(type_, **fields)
            assert (told["type"], told["status"]) == ("error", 404), type_
        assert (await ada.asked("tool_approval", approval_id=question, answer="yes"))["type"] == "accepted"


@pytest.mark.parametrize("frame", ['{"type": "ping"}', "{", '{"type": "auth", "token": "€"}', "[" * 100_000])
async def test_who_does_not_say_who_they_are_is_let_do_nothing(dial: Dial, frame: str) -> None:
    async with dial() as line:
        await line.socket.send(frame)
        assert (await line.next())["status"] == 401
        assert (await line.closing())[0] == 4401


async def test_who_says_nothing_at_all_is_not_waited_for(dial: Dial) -> None:
    async with dial() as line:
        assert (await line.closing())[0] == 4408


async def test_a_call_is_allowed_changed_or_refused_by_its_id(dial: Dial) -> None:
    other = {"path": "y", "content": "z"}
    async with dial("ada") as line:
        for answer, decided in (
            ({"approved": True}, {"type": "approve"}),
            ({"approved": False, "reason": "no"}, {"type": "reject", "message": "no"}),
            (
                {"approved": True, "args": other},
                {
                    "type": "edit",
                    "edited_action": {"name": "write_file", "args": other},
                },
            ),
        ):
            session = (await line.asked("chat", message="hi", assistant="gated"))["session_id"]
            asked = await line.until("approval_required", session_id=session)
            assert (asked["data"]["tool"], asked["data"]["args"]) == ("write_file", {"path": "x"})
            await line.until("state", "waiting")
            said = {"session_id": session, "tool_call_id": "c1", **answer}
            accepted = await line.asked("tool_approval", **said)
            assert accepted["type"] == "accepted", accepted
            told = await line.until("approval_decided", session_id=session)
            assert (told["data"]["decision"], told["data"]["by"]) == (decided, "ada")
            await line.until("state", "idle")
            assert (await line.asked("tool_approval", **said))["code"] == "already_decided"
            wrong = await line.asked("tool_approval", session_id=session, tool_call_id="c9", approved=True)
            assert wrong["status"] == 404
