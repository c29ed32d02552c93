"""What a client asks of a proxy: to be put through (CONNECT), or to get a page of plain HTTP for it."""

import re
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader
from dataclasses import dataclass

MAX_HEAD = 16_384  # bytes
MAX_HOST = 253  # characters

_LINE = re.compile(r"([A-Z]{1,20}) ([\x21-\x7e]+) HTTP/1\.[01]")
_AUTHORITY = r"(?P<host>[A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
_TUNNEL = re.compile(_AUTHORITY)
_PAGE = re.compile(rf"[Hh][Tt][Tt][Pp]://{_AUTHORITY}(?P<path>[/?][^#]*)?")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_OF_THE_HOP = {"connection", "host", "keep-alive", "te", "trailer", "upgrade"}


class Refused(Exception):
    """A request is not carried; the words are for whoever reads the answer."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        self.why = why


@dataclass(frozen=True, slots=True)
class Request:
    """Where to, and what to say there."""

    host: str
    "In small letters, without a dot at its end."
    port: int
    head: bytes | None
    "What to send for the client, which says nothing itself but the body; None: the client speaks for itself."
    body: int = 0
    "Bytes of the body."


async def read(reader: StreamReader) -> Request:
    """Read the head of a request.

    Raises:
        Refused: it is none for a proxy, or one that two servers could understand in two ways.
    """
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (IncompleteReadError, LimitOverrunError):
        raise Refused(431, f"a request has a head of at most {MAX_HEAD} bytes") from None
    first, *lines = head[:-4].decode("latin-1").split("\r\n")
    line = _LINE.fullmatch(first)
    if line is None:
        raise Refused(400, "this is no request of HTTP/1.1")
    method, target = line.groups()
    if method == "CONNECT":
        host, port = _place(_TUNNEL.fullmatch(target), 443)
        return Request(host, port, None)
    found = _PAGE.fullmatch(target)
    host, port = _place(found, 80)
    assert found
    headers = [_header(line) for line in lines]
    authority = host if port == 80 else f"{host}:{port}"
    path = found["path"] or "/"
    path = path if path.startswith("/") else f"/{path}"
    said = [f"{method} {path} HTTP/1.1", f"Host: {authority}", *_kept(headers), "Connection: close", "", ""]
    return Request(host, port, "\r\n".join(said).encode("latin-1"), _length(headers))


def _place(found: re.Match[str] | None, port: int) -> tuple[str, int]:
    if found is None:
        raise Refused(400, "this is a proxy: it takes CONNECT host:port, and URLs that begin with http://")
    host = found["host"].lower().removesuffix(".")
    if len(host) > MAX_HOST:
        raise Refused(400, f"a host has a name of at most {MAX_HOST} characters")
    return host, int(found["port"] or port)


def _header(line: str) -> tuple[str, str]:
    found = _HEADER.fullmatch(line)
    if found is None:
        raise Refused(400, "a line of the head is no header")
    return found[1], found[2]


def _kept(headers: list[tuple[str, str]]) -> list[str]:
    named = {
        part.strip().lower()
        for name, value in headers
        if name.lower() == "connection"
        for part in value.split(",")
    } - {"content-length"}
    return [
        f"{name}: {value}"
        for name, value in headers
        if name.lower() not in _OF_THE_HOP | named and not name.lower().startswith("proxy-")
    ]


def _length(headers: list[tuple[str, str]]) -> int:
    given = {name.lower(): value for name, value in headers}
    if "transfer-encoding" in given:
        raise Refused(411, "a body in chunks is not carried over plain HTTP: give its length, or use https")
    lengths = [value.strip() for name, value in headers if name.lower() == "content-length"]
    if len(lengths) > 1 or not all(re.fullmatch("[0-9]{1,15}", length) for length in lengths):
        raise Refused(400, "Content-Length must be one number")
    return int(lengths[0]) if lengths else 0
