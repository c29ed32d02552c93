"""The proxy of a command, spoken to from this machine: whom it calls, and what it counts."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from tests.fakes.site import Site, answered, site

from artel.tools.sandbox.network import proxy
from artel.tools.sandbox.network.ports import Ports
from artel.tools.sandbox.network.proxy import Proxy
from artel.tools.sandbox.settings import SandboxSettings
from artel.tools.web.addresses import Guard

BIG = answered(b"x" * 700_000)


class Client:
    """Says bytes to a proxy and returns all that comes back."""

    def __init__(self, proxied: Proxy, port: int) -> None:
        self.proxy = proxied
        self.port = port

    async def __call__(self, said: str) -> str:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(said.encode())
        try:
            async with asyncio.timeout(5):
                return (await reader.read(-1)).decode()
        finally:
            writer.close()

    async def get(self, opened: Site, path: str = "/a", host: str = "site.example") -> str:
        return await self(f"GET {opened.url(path, host)} HTTP/1.1\r\n\r\n")


@asynccontextmanager
async def proxied(opened: Site, guard: Guard | None = None, **settings: Any) -> AsyncIterator[Client]:
    settings = {"hosts": (f"site.example:{opened.port}", f"*.wild.example:{opened.port}"), **settings}
    made = Proxy(
        SandboxSettings.model_validate(settings),
        guard or Guard(loopback=True, resolve=opened.resolve),
        Ports(),
        thread="t",
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        await made.serve(listening.dup())
    try:
        yield Client(made, port)
    finally:
        made.close()
        await asyncio.sleep(0.01)


async def test_a_page_of_a_listed_host_is_got_by_its_name_looked_up_once() -> None:
    async with site(a=answered("hello")) as opened, proxied(opened) as client:
        assert (await client.get(opened)).endswith("\r\n\r\nhello")
        (asked,) = opened.asked
        assert asked.headers == {"host": f"site.example:{opened.port}", "connection": "close"}
        assert opened.looked_up == ["site.example"]
        assert (client.proxy.reached, client.proxy.notes) == ([f"site.example:{opened.port}"], "")
        assert "hello" in await client.get(opened, host="deep.wild.example")


async def test_a_tunnel_carries_bytes_both_ways_until_both_ends_are_done() -> None:
    async with site(a=answered("hello")) as opened, proxied(opened) as client:
        said = await client(
            f"CONNECT site.example:{opened.port} HTTP/1.1\r\n\r\nGET /a HTTP/1.1\r\nHost: inner\r\n\r\n"
        )
        assert said.startswith("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 200 ")
        assert opened.asked[0].headers["host"] == "inner"


async def test_a_body_is_sent_and_not_a_byte_of_what_follows_it() -> None:
    async with site(a=answered("got it")) as opened, proxied(opened) as client:
        url = opened.url("/a")
        said = await client(
            f"POST {url} HTTP/1.1\r\nContent-Length: 4\r\n\r\nbodyGET http://evil.example/ HTTP/1.1\r\n\r\n"
        )
        assert said.endswith("got it")
        assert [(one.method, one.body) for one in opened.asked] == [("POST", b"body")]


@pytest.mark.parametrize("host", ["evil.example", "wild.example", "127.0.0.1", "localhost", "[::1]"])
@pytest.mark.parametrize("line", ["CONNECT {host}:{port} HTTP/1.1", "GET http://{host}:{port}/a HTTP/1.1"])
async def test_a_host_that_is_not_listed_is_refused_in_words_and_not_even_looked_up(
    host: str, line: str
) -> None:
    async with site(a=answered("hello")) as opened, proxied(opened) as client:
        said = await client(line.format(host=host, port=opened.port) + "\r\n\r\n")
        assert said.startswith("HTTP/1.1 403 Forbidden\r\n")
        assert f"host {host}:{opened.port} is not among ARTEL_SANDBOX__HOSTS (site.example:" in said
        assert client.proxy.notes.startswith(f"[network: host {host}:{opened.port} is not among ")
        assert (opened.asked, opened.looked_up, client.proxy.reached) == ([], [], [])


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "168.63.129.16"]
)
async def test_a_listed_name_that_leads_inside_is_refused(address: str) -> None:
    async with site(a=answered("hello")) as opened:
        opened.names["site.example"] = [address]
        async with proxied(opened, Guard(resolve=opened.resolve)) as client:
            said = await client.get(opened)
        assert said.startswith("HTTP/1.1 403 ")
        assert "which may not be called" in said or "private or reserved range" in said
        assert opened.asked == []


async def test_a_name_that_means_something_else_a_moment_later_leads_nowhere_new() -> None:
    async with site(a=answered("hello")) as opened:
        opened.names["site.example"] = ["127.0.0.1", "169.254.169.254"]
        async with proxied(opened) as client:
            assert (await client.get(opened)).endswith("hello")
            assert opened.looked_up == ["site.example"]
            assert "private or reserved range (169.254.169.254)" in await client.get(opened)


async def test_a_host_that_is_not_there_is_told() -> None:
    async with site() as opened:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        async with proxied(opened, hosts=(f"site.example:{port}", "nowhere.example")) as client:
            said = await client(f"CONNECT site.example:{port} HTTP/1.1\r\n\r\n")
            assert said.startswith("HTTP/1.1 502 Bad Gateway\r\n")
            assert "is not known here" in await client("CONNECT nowhere.example:443 HTTP/1.1\r\n\r\n")
            assert client.proxy.summary == f"refused site.example:{port}, refused nowhere.example:443"


async def test_traffic_over_the_limit_is_broken_off_and_told() -> None:
    async with site(a=BIG) as opened, proxied(opened, traffic_mb=1) as client:
        assert len(await client.get(opened)) > 700_000
        assert len(await client.get(opened)) < 700_000
        assert "its limit of 1 MB of traffic" in client.proxy.notes
        assert (await client.get(opened)).startswith("HTTP/1.1 503 ")


async def test_connections_over_the_limit_are_refused_until_one_ends() -> None:
    async with site(a=answered("hello")) as opened, proxied(opened, connections=1) as client:
        _, held = await asyncio.open_connection("127.0.0.1", client.port)
        await asyncio.sleep(0.05)
        assert "at most 1 connections at once" in await client.get(opened)
        held.close()
        await asyncio.sleep(0.05)
        assert (await client.get(opened)).endswith("hello")


async def test_who_says_nothing_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proxy, "HEAD_S", 0.05)
    monkeypatch.setattr(proxy, "IDLE_S", 0.05)

    async def silent(writer: asyncio.StreamWriter) -> None:
        del writer
        await asyncio.sleep(1)

    async with site(a=silent) as opened, proxied(opened) as client:
        assert await client("GET ") == ""
        assert await client.get(opened) == ""


async def test_endless_names_fill_neither_the_answer_nor_the_log() -> None:
    async with site() as opened, proxied(opened) as client:
        for number in range(proxy.MAX_NAMED + 5):
            await client(f"CONNECT h{number}.example:443 HTTP/1.1\r\n\r\n")
        assert len(client.proxy.notes.splitlines()) == proxy.MAX_NAMED
