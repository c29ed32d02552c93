"""What a command wrote: some of it in memory, more of it in a file without a name, the end always."""

import os
import re
import tempfile
import threading
from pathlib import Path
from typing import IO

IN_MEMORY = 65_536  # bytes; most outputs are smaller, and make no file
TAIL = 8_192  # bytes
SHOWN = 2 * TAIL  # bytes shown at once, some 4k tokens; longer outputs are worth keeping

_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Output:
    """The output of one command, written by one task and read by others."""

    def __init__(self, folder: Path | None, limit: int) -> None:
        self.total = 0
        "Bytes that were written."
        self.kept = 0
        "Bytes from the beginning that can still be read."
        self._folder = folder
        self._limit = limit
        self._memory = bytearray()
        self._file: IO[bytes] | None = None
        self._tail = b""
        self._lock = threading.Lock()

    def stays_in_memory(self, chunk: bytes) -> bool:
        """Say whether adding `chunk` touches no file."""
        return self.kept >= self._limit or (self._file is None and self.kept + len(chunk) <= IN_MEMORY)

    def add(self, chunk: bytes) -> None:
        """Take what came next; may write to a file. With a full disk only the end is kept from then on."""
        with self._lock:
            self.total += len(chunk)
            self._tail = (self._tail + chunk)[-TAIL:]
            keep = chunk[: max(self._limit - self.kept, 0)]
            try:
                self._keep(keep)
            except OSError:
                self._limit = self.kept
            else:
                self.kept += len(keep)

    def read(self, offset: int, size: int) -> tuple[int, bytes]:
        """Return up to `size` bytes from `offset`, and where they begin: later, if those bytes are gone."""
        with self._lock:
            if offset < self.kept:
                size = min(size, self.kept - offset)
                if self._file is None:
                    return offset, bytes(self._memory[offset : offset + size])
                return offset, os.pread(self._file.fileno(), size, offset)
            begin = max(offset, self.total - len(self._tail))
            at = len(self._tail) - (self.total - begin)
            return begin, self._tail[at : at + size]

    def close(self) -> None:
        """Forget all of it."""
        with self._lock:
            self._limit = self.kept = 0
            self._memory.clear()
            if self._file is not None:
                self._file.close()
                self._file = None

    def _keep(self, chunk: bytes) -> None:
        if self._file is None and self.kept + len(chunk) <= IN_MEMORY:
            self._memory += chunk
            return
        if self._file is None:
            if self._folder is not None:
                self._folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=self._folder, buffering=0)  # noqa: SIM115 - close() does
            self._write(bytes(self._memory), 0)
            self._memory.clear()
        self._write(chunk, self.kept)

    def _write(self, chunk: bytes, at: int) -> None:
        assert self._file is not None
        while chunk:
            written = os.pwrite(self._file.fileno(), chunk, at)
            chunk, at = chunk[written:], at + written


def legible(data: bytes) -> str:
    r"""Return bytes as text: what is no UTF-8 and what would steer a terminal is shown as U+FFFD.

    >>> legible(b"a\r\nb\x00\xff")
    'a\nb\ufffd\ufffd'
    """
    return _UNSEEN.sub("\ufffd", data.decode(errors="replace").replace("\r\n", "\n"))


def without_half(data: bytes) -> bytes:
    r"""Return `data` without the beginning of a character at its end.

    >>> without_half("aй".encode()[:-1])
    b'a'
    """
    for back in range(1, min(4, len(data)) + 1):
        byte = data[-back]
        if byte < 0x80:
            break
        if byte >= 0xC0:
            wanted = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return data[:-back] if back < wanted else data
    return data
