"""A zip that is written while it is read: no more of it is held than one of its files."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, cast
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

LINK = 0o120777
EARLIEST = (1980, 1, 1, 0, 0, 0)  # that a zip can name: the same files make the same bytes


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of the archive, or a link to what it holds."""

    name: str
    blocks: Iterable[bytes]
    mode: int = 0o100644
    "As lstat(2) tells it."


class _Sink:
    """Takes what is written and gives it away; nobody can go back in it."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, block: bytes) -> int:
        self._blocks.append(bytes(block))
        return len(block)

    def flush(self) -> None:
        pass

    def take(self) -> bytes:
        taken = b"".join(self._blocks)
        self._blocks.clear()
        return taken


def archived(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the bytes of a zip with these entries; names are relative, with `/`."""
    sink = _Sink()
    with ZipFile(cast("IO[bytes]", sink), "w", ZIP_DEFLATED) as archive:
        for entry in entries:
            info = ZipInfo(entry.name, EARLIEST)
            info.compress_type = ZIP_DEFLATED
            info.external_attr = entry.mode << 16
            with archive.open(info, "w", force_zip64=True) as opened:
                for block in entry.blocks:
                    opened.write(block)
                    if written := sink.take():
                        yield written
            yield sink.take()
    yield sink.take()
