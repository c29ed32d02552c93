"""Servers are asked politely, not for ever, and told no secret that is not theirs."""

import asyncio
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from pydantic import SecretStr
from tests.fakes.rest_server import Asked, Patience, Reply, RestServer, serving

from artel.tools.knowledge.connectors.http import Client
from artel.tools.knowledge.connectors.port import ItemGone, Refused, SourceDown, TooBig
from artel.tools.web.addresses import Guard

SECRET = "s3cret-token"


class Echo(RestServer):
    def respond(self, asked: Asked) -> Reply:
        return Reply({"path": asked.path, "query": asked.query})


async def test_what_will_pass_is_asked_again() -> None:
    patience = Patience()
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply("", 503), Reply("x" * 100, cut=True), Reply("", 429, {"Retry-After": "7"})]
        answer = await patience.client(server).get("/a", {"q": "x y&z"})
    assert answer.json() == {"path": "/a", "query": {"q": "x y&z"}}
    assert len(patience.waited) == 3
    assert patience.waited[2] >= 7
    assert 0 <= patience.waited[0] <= 0.5


async def test_retry_after_may_be_a_date() -> None:
    patience = Patience()
    async with serving(Echo()) as server:
        later = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
        server.told["/a"] = [Reply("", 429, {"Retry-After": later})]
        await patience.client(server).get("/a")
    assert 90 < patience.waited[0] < 101


async def test_a_server_that_wants_a_long_pause_ends_the_sync() -> None:
    patience = Patience()
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply("", 429, {"Retry-After": "3600"})]
        with pytest.raises(SourceDown, match="3600 s"):
            await patience.client(server).get("/a")
    assert not patience.waited


async def test_patience_ends_after_five_times() -> None:
    patience = Patience()
    async with serving(Echo(busy=100)) as server:
        with pytest.raises(SourceDown, match="5 times"):
            await patience.client(server).get("/a")
        assert len(server.asked) == 5


async def test_waits_grow_and_are_not_all_alike() -> None:
    patience = Patience()
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply("", 500)]
        server.stay.add("/a")
        with pytest.raises(SourceDown):
            await patience.client(server, tries=12).get("/a")
    assert all(one <= min(0.5 * 2**n, 30) for n, one in enumerate(patience.waited))
    assert max(patience.waited) > 5
    assert len(set(patience.waited)) == 11


async def test_a_server_that_hangs_is_left() -> None:
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply(hang=True)] * 2
        with pytest.raises(SourceDown, match="did not answer within"):
            await Patience().client(server, timeout_s=0.2, tries=2).get("/a")
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("status", "error"), [(401, Refused), (403, Refused), (404, ItemGone), (410, ItemGone)]
)
async def test_what_will_not_pass_is_not_asked_again(status: int, error: type[Exception]) -> None:
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply("", status)]
        with pytest.raises(error):
            await Patience().client(server).get("/a")
        assert len(server.asked) == 1


async def test_a_refusal_names_the_setting_and_no_secret() -> None:
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply(f"wrong token {SECRET}", 401)]
        client = Patience().client(
            server, setting="wiki.token", credentials={"Authorization": SecretStr(f"Bearer {SECRET}")}
        )
        with pytest.raises(Refused, match=r"wiki\.token") as refused:
            await client.get("/a", {"key": SECRET})
        assert server.asked[0].headers["authorization"] == f"Bearer {SECRET}"
        assert SECRET not in f"{refused.value!r}{client!r}"


async def test_no_error_holds_a_query() -> None:
    async with serving(Echo(busy=100)) as server:
        with pytest.raises(SourceDown) as down:
            await Patience().client(server).get("/a", {"page_token": SECRET})
        assert SECRET not in str(down.value)


async def test_credentials_go_to_their_own_server_only() -> None:
    async with serving(Echo()) as server, serving(Echo()) as other:
        server.told["/a"] = [Reply("", 302, {"Location": f"{other.url}/b"})]
        client = Patience().client(server, credentials={"X-Token": SecretStr(SECRET)})
        with pytest.raises(Refused, match="redirects to"):
            await client.get("/a")
        assert not other.asked
        await client.get(f"{other.url}/c")
        assert "x-token" not in other.asked[0].headers


async def test_redirects_on_the_same_server_are_followed_some_times() -> None:
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply("", 301, {"Location": "/b?x=1"})]
        answer = await Patience().client(server).get("/a")
        assert (answer.json()["path"], str(answer.url)) == ("/b", f"{server.url}/b?x=1")
        server.told["/loop"] = [Reply("", 302, {"Location": "/loop"})]
        server.stay.add("/loop")
        with pytest.raises(SourceDown, match="redirects"):
            await Patience().client(server, tries=1).get("/loop")


async def test_no_more_is_read_than_there_is_room_for() -> None:
    async with serving(Echo()) as server:
        for headers in ({}, {"Content-Length": "", "Transfer-Encoding": ""}):
            server.told["/a"] = [Reply("x" * 1_001, headers=headers)]
            with pytest.raises(TooBig, match="1,000"):
                await Patience().client(server).get("/a", limit=1_000)


async def test_a_type_that_was_not_asked_for_is_not_read() -> None:
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply("x" * 10_000, headers={"Content-Type": "video/mp4"})]
        answer = await Patience().client(server).get("/a", limit=100, types={"text/html"})
    assert (answer.unread, answer.body) == (True, b"")


async def test_a_page_to_log_in_is_no_answer() -> None:
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply("<h1>Log in</h1>")]
        answer = await Patience().client(server).get("/a")
        with pytest.raises(SourceDown, match="login"):
            answer.json()


async def test_private_addresses_are_refused_unless_allowed() -> None:
    async with serving(Echo()) as server:
        for guard in (Guard(), Guard(private=True)):
            with pytest.raises(Refused):
                await Client(server.url, guard=guard).get("/a")
        assert not server.asked


async def test_a_server_that_is_not_there_is_down() -> None:
    async with serving(Echo()) as server:
        gone = Patience().client(server, tries=2)
    with pytest.raises(SourceDown, match="cannot be connected to"):
        await gone.get("/a")


async def test_a_sync_that_is_cancelled_ends_at_once() -> None:
    async with serving(Echo()) as server:
        server.told["/a"] = [Reply(hang=True)]
        asking = asyncio.create_task(Patience().client(server).get("/a"))
        await server.begun.wait()
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
