"""Messages of the Language Server Protocol as bytes: a header that tells the length, and JSON.

Source: Language Server Protocol 3.17, Base Protocol.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

MAX_HEAD = 4_096  # bytes
MAX_BODY = 4 << 20  # bytes; a parse takes some 40 ms


class Garbled(Exception):
    """What came is no message."""


class Incoming:
    """Cuts what comes in pieces into messages."""

    def __init__(self) -> None:
        self._got = bytearray()
        self._length: int | None = None

    def feed(self, piece: bytes) -> Iterator[Mapping[str, Any]]:
        """Yield the messages that are whole with this piece.

        Raises:
            Garbled: the rest can never be understood.
        """
        self._got += piece
        while True:
            if self._length is None:
                end = self._got.find(b"\r\n\r\n", 0, MAX_HEAD)
                if end < 0:
                    if len(self._got) >= MAX_HEAD:
                        raise Garbled(f"no header ends within {MAX_HEAD} bytes")
                    return
                self._length = _length(bytes(self._got[:end]))
                del self._got[: end + 4]
            if len(self._got) < self._length:
                return
            body = bytes(self._got[: self._length])
            del self._got[: self._length]
            self._length = None
            yield _parsed(body)


def written(message: Mapping[str, Any]) -> bytes:
    r"""Return a message as it is sent.

    >>> written({"id": 1})
    b'Content-Length: 24\r\n\r\n{"jsonrpc":"2.0","id":1}'
    """
    body = json.dumps({"jsonrpc": "2.0", **message}, separators=(",", ":")).encode()
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length" and value.strip().isdigit():
            length = int(value.strip()[:20])
            if length > MAX_BODY:
                raise Garbled(f"a message of {length} bytes is over the limit of {MAX_BODY}")
            return length
    raise Garbled("a header names no length")


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Garbled("a message is no JSON") from None
    if not isinstance(said, dict):
        raise Garbled("a message is no object")
    return said
