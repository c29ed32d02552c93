"""A request to the proxy is read in one way only, or not at all."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from artel.tools.sandbox.network import request
from artel.tools.sandbox.network.request import Refused, Request


async def read(said: bytes) -> Request:
    reader = asyncio.StreamReader(limit=request.MAX_HEAD)
    reader.feed_data(said)
    reader.feed_eof()
    return await request.read(reader)


HEADS = st.builds(
    lambda method, target, headers: b"%b %b HTTP/1.1\r\n%b\r\n\r\n" % (method, target, b"\r\n".join(headers)),
    st.sampled_from([b"GET", b"POST", b"CONNECT"]) | st.binary(max_size=5),
    st.sampled_from([b"http://a/", b"a:443", b"/", b"http://[::1]:99999/x"]) | st.binary(max_size=40),
    st.lists(st.sampled_from([b"Host: b", b"Content-Length: 3", b"Connection: x"]) | st.binary(max_size=40)),
)


@given(HEADS | st.binary())
def test_bytes_are_a_request_or_refused_and_never_two_requests(said: bytes) -> None:
    try:
        found = asyncio.run(read(said))
    except Refused:
        return
    if found.head:
        assert found.head.count(b"\r\n\r\n") == 1
        assert found.head.lower().count(b"\r\nhost: ") == 1
        assert b"\n" not in found.head.replace(b"\r\n", b"")
        assert b"\r" not in found.head.replace(b"\r\n", b"")


async def test_a_tunnel_names_its_host_and_port() -> None:
    said = await read(b"CONNECT Index.example.:443 HTTP/1.1\r\nHost: other\r\n\r\n")
    assert said == Request("index.example", 443, None)


async def test_a_page_is_asked_for_under_the_name_in_its_url() -> None:
    said = await read(
        b"GET http://Site.example:81/a?b HTTP/1.1\r\nHost: victim\r\nProxy-Authorization: secret\r\n"
        b"Connection: close, X-Drop\r\nX-Drop: 1\r\nX-Keep: 2\r\n\r\n"
    )
    assert (said.host, said.port, said.body) == ("site.example", 81, 0)
    assert said.head == (
        b"GET /a?b HTTP/1.1\r\nHost: site.example:81\r\nX-Keep: 2\r\nConnection: close\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("target", "path"), [("http://a", "/"), ("http://a?b", "/?b"), ("HTTP://a/b#c", None)]
)
async def test_a_url_without_a_path_means_the_root(target: str, path: str | None) -> None:
    if path is None:
        with pytest.raises(Refused):
            await read(f"GET {target} HTTP/1.1\r\n\r\n".encode())
    else:
        head = (await read(f"GET {target} HTTP/1.1\r\n\r\n".encode())).head
        assert head
        assert head.startswith(f"GET {path} HTTP/1.1\r\n".encode())


@pytest.mark.parametrize(
    ("said", "status", "why"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400, "this is a proxy"),
        (b"GET https://a/ HTTP/1.1\r\n\r\n", 400, "this is a proxy"),
        (b"GET http://user@a/ HTTP/1.1\r\n\r\n", 400, "this is a proxy"),
        (b"CONNECT a:1:2 HTTP/1.1\r\n\r\n", 400, "this is a proxy"),
        (b"CONNECT " + b"a" * 300 + b":443 HTTP/1.1\r\n\r\n", 400, "at most 253 characters"),
        (b"\x16\x03\x01\r\n\r\n", 400, "no request"),
        (b"GET http://a/ HTTP/1.1\r\n Folded: 1\r\n\r\n", 400, "no header"),
        (b"GET http://a/ HTTP/1.1\r\nX: 1\nEvil: 2\r\n\r\n", 400, "no header"),
        (b"GET http://a/ HTTP/1.1\r\nX : 1\r\n\r\n", 400, "no header"),
        (b"POST http://a/ HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n", 400, "one number"),
        (b"POST http://a/ HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400, "one number"),
        (b"POST http://a/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411, "give its length"),
        (b"GET http://a/ HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n", 431, "at most 16384 bytes"),
        (b"GET http://a/", 431, "at most"),
    ],
)
async def test_what_two_servers_could_understand_in_two_ways_goes_to_none(
    said: bytes, status: int, why: str
) -> None:
    with pytest.raises(Refused, match=why) as refused:
        await read(said)
    assert refused.value.status == status
