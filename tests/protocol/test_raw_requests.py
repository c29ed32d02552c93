"""Bytes that no client library would send: refused with a reason, at once, and the server lives on."""

import asyncio
import contextlib
import gzip
import json
import re
from uuid import uuid4

import httpx
import pytest

HEAD = b"HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
POST = b"POST /threads " + HEAD
ANSWER_WITHIN_S = 5.0
MANY = b"&".join(b"a%d=1" % number for number in range(10_000))
ID = str(uuid4()).encode()


def posted(body: bytes, more: bytes = b"") -> bytes:
    return POST + more + b"Content-Length: %d\r\n\r\n" % len(body) + body


async def answer(url: str, sent: bytes) -> bytes:
    """Send bytes on a connection of their own and read until the server closes it."""
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        writer.write(sent)
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await everything(reader)
    finally:
        writer.close()


async def everything(reader: asyncio.StreamReader) -> bytes:
    """Return what the server says until it closes, politely or not."""
    said = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := await reader.read(65536):
            said += piece
    return said


REFUSED = {
    "a body that says it is too large": (POST + b"Content-Length: 999999999\r\n\r\n{", 413),
    "a negative length": (POST + b"Content-Length: -5\r\n\r\n{}", 400),
    "two lengths": (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", 400),
    "a length and chunks": (POST + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "chunks without a size": (POST + b"Transfer-Encoding: chunked\r\n\r\nZZ\r\n{}\r\n", 400),
    "no HTTP": (b"\x16\x03\x01\x02\x00garbage\r\n\r\n", 400),
    "NUL in a path": (b"GET /thr\0eads " + HEAD + b"\r\n", 400),
    "NUL in a path, encoded": (b"GET /threads/%00 " + HEAD + b"\r\n", 422),
    "a way out of a folder": (b"GET /assets/..%2f..%2fpyproject.toml " + HEAD + b"\r\n", 404),
    "a way out of all folders": (b"GET /../../../etc/passwd " + HEAD + b"\r\n", 404),
    "a way out of a bundle": (b"GET /ui/..%2f..%2fetc/passwd " + HEAD + b"\r\n", 404),
    "no host": (b"GET /ok HTTP/1.0\r\n\r\n", 403),
    "a megabyte of a header": (b"GET /ok " + HEAD + b"X-A: " + b"a" * 1_000_000 + b"\r\n\r\n", 431),
    "a megabyte of headers": (
        b"GET /ok " + HEAD + b"X-A: aaaaaaaaaaaaaaaaaaaaaa\r\n" * 40_000 + b"\r\n",
        431,
    ),
    "ten thousand names in a query": (b"GET /threads/" + ID + b"?" + MANY + b" " + HEAD + b"\r\n", 400),
    "a compressed body": (posted(gzip.compress(b"{}"), b"Content-Encoding: gzip\r\n"), 422),
    "a number with 400 digits": (posted(b'{"metadata": {"a": ' + b"1" * 400 + b"}}"), 422),
    "a number that is infinite": (posted(b'{"metadata": {"a": 1e400}}'), 422),
    "a lone surrogate": (posted(b'{"metadata": {"a": "\\ud83d"}}'), 422),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_it_is_refused_with_a_reason(url: str, name: str) -> None:
    sent, status = REFUSED[name]

    said = await answer(url, sent)

    head, _, body = said.partition(b"\r\n\r\n")
    assert head.split()[1] == b"%d" % status, said[:300]
    told = json.loads(body)
    assert isinstance(told["detail"], str)
    assert isinstance(told["code"], str)


async def test_headers_without_end_are_refused_before_they_fill_the_memory(url: str) -> None:
    address = httpx.URL(url)
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(b"GET /ok " + HEAD)
    sent = 0
    with contextlib.suppress(OSError):  # a reset, or a pipe that is broken
        async with asyncio.timeout(ANSWER_WITHIN_S):
            while sent < 50_000_000:
                writer.write(b"X-A: " + b"a" * 10_000 + b"\r\n")
                sent += 10_007
                await writer.drain()
    writer.close()
    assert sent < 10_000_000  # what the system keeps in its buffers


async def test_requests_in_one_go_are_answered_in_order(url: str) -> None:
    one = b"GET /%b HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    said = await answer(url, (one % b"ok" + b"\r\n") * 3 + one % b"info" + b"Connection: close\r\n\r\n")

    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"200"] * 4
    assert said.index(b'"services"') < said.index(b'"langgraph_py_version"')


async def test_a_client_of_http_1_0_is_answered(url: str) -> None:
    assert (await answer(url, b"GET /ok HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")).startswith(b"HTTP/1.1 200")


async def test_what_comes_after_the_length_that_was_said_is_not_read(url: str) -> None:
    said = await answer(url, POST + b"Content-Length: 2\r\n\r\n{}{}garbage")

    assert re.findall(rb"HTTP/1.1 (\d+)", said) == [b"200"]


async def test_a_client_that_goes_amid_its_body_leaves_no_thread(url: str) -> None:
    mark = uuid4().hex
    address = httpx.URL(url)
    _, writer = await asyncio.open_connection(address.host, address.port)
    writer.write(POST + b'Content-Length: 200\r\n\r\n{"metadata": {"mark": "%b"}}' % mark.encode())
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    async with httpx.AsyncClient(base_url=url) as http:
        assert (await http.post("/threads/search", json={"metadata": {"mark": mark}})).json() == []


UPGRADE = (
    b"GET /threads/%b/stream/events HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
FRAMES = {
    "no frame": (b"\xff" * 200, 1002),
    "no mask": (b"\x81\x05hello", 1002),
    "no UTF-8": (b"\x81\x82\0\0\0\0\xff\xfe", 1007),
    "too large": (b"\x82\xff\0\0\0\0\x7f\xff\xff\xff\0\0\0\0", 1009),
}


@pytest.mark.parametrize("name", FRAMES)
async def test_a_socket_that_sends_garbage_is_closed_with_a_code(url: str, name: str) -> None:
    frame, code = FRAMES[name]
    address = httpx.URL(url)
    reader, writer = await asyncio.open_connection(address.host, address.port)
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            writer.write(UPGRADE % ID)
            assert b" 101 " in await reader.readuntil(b"\r\n\r\n")
            writer.write(frame)
            said = await reader.read()
    finally:
        writer.close()
    assert said[0] == 0x88
    assert int.from_bytes(said[2:4], "big") == code
