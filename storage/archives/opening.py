"""Opening an archive that anybody may have made: names, sizes and hashes are checked before a byte counts.

Nothing is ever written to a disk under a name that an archive says.
"""

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile, ZipFile, ZipInfo

from pydantic import BaseModel, Field, ValidationError

from artel.storage.archives.values import ArchiveWrong

__all__ = ["FORMAT", "MEMBERS", "VERSION", "Archive", "ArchiveWrong", "Manifest", "opened"]

FORMAT = "artel.thread"
VERSION = 1
MANIFEST = "manifest.json"
CHECKPOINTS = "checkpoints.jsonl"
MEMBERS = frozenset(
    {
        MANIFEST,
        CHECKPOINTS,
        "approvals.json",
        "audit.json",
        "changes.json",
        "changes.patch",
        "conversation.json",
        "conversation.md",
        "decisions.json",
        "earlier.json",
        "plan.json",
        "policy.json",
        "runs.json",
        "thread.json",
        "usage.json",
    }
)
MAX_MANIFEST = 1024 * 1024  # bytes
MAX_MEMBER = 128 * 1024 * 1024  # bytes, unpacked
MAX_UNPACKED = 256 * 1024 * 1024  # bytes, all members together
MAX_LINE = 64 * 1024 * 1024  # bytes: the longest message that a request can bring
BLOCK = 1024 * 1024
_BROKEN = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class Member(BaseModel):
    """What a manifest says of a file."""

    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    bytes: int = Field(ge=0, le=MAX_MEMBER)


class Manifest(BaseModel):
    """What an archive says of itself."""

    format: Literal["artel.thread"]
    version: int
    made_by: str = Field(max_length=100, description="The release that made it.")
    made_at: str = Field(max_length=100)
    thread_id: str = Field(max_length=100)
    graph_id: str | None = Field(max_length=500)
    history: Literal["full", "none"] = Field(description="Whether its states are in it.")
    missing: str = Field("", max_length=2_000, description="Why the state is not in it.")
    members: dict[str, Member]


@dataclass(frozen=True, slots=True)
class Archive:
    """An archive whose files are what its manifest says."""

    manifest: Manifest
    _zip: ZipFile

    def json(self, name: str) -> Any:
        """Return a file of the archive; None: it has none of that name.

        Raises:
            ArchiveWrong: it is no JSON.
        """
        if name not in self.manifest.members:
            return None
        return _loaded(self._zip.read(name), name)

    def lines(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield the lines of a file with their lengths in bytes; none if there is no such file.

        Raises:
            ArchiveWrong: one is no JSON, or longer than MAX_LINE.
        """
        if name not in self.manifest.members:
            return
        number = 0
        with self._zip.open(name) as file:
            while line := file.readline(MAX_LINE):
                number += 1
                if len(line) == MAX_LINE:
                    raise ArchiveWrong(f"{name}, line {number}: longer than {MAX_LINE} bytes")
                yield len(line), _loaded(line, f"{name}, line {number}")

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


def opened(path: Path) -> Archive:
    """Open an archive and check all of it: reads every byte, so it belongs into a thread.

    Raises:
        ArchiveWrong: it is no zip, of an unknown format or version, has a file that it should not have or
            lacks one, or one is not as its hash says, or is too big.
    """
    try:
        archive = ZipFile(path)
    except _BROKEN as wrong:
        raise ArchiveWrong(f"this is no zip: {wrong}") from wrong
    try:
        return _checked(archive)
    except _BROKEN as wrong:
        archive.close()
        raise ArchiveWrong(f"the zip is broken: {' '.join(str(wrong).split())[:200]}") from wrong
    except ArchiveWrong:
        archive.close()
        raise


def _checked(archive: ZipFile) -> Archive:
    found = archive.infolist()
    names = [one.filename for one in found]
    if strange := [name for name in names if name not in MEMBERS]:
        raise ArchiveWrong(f"it holds {strange[0][:200]!r}, which is no file of an archive of a thread")
    if len(set(names)) < len(names):
        raise ArchiveWrong(f"it holds {max(names, key=names.count)} twice")
    if MANIFEST not in names:
        raise ArchiveWrong(f"it has no {MANIFEST}: an archive is what GET …/threads/ID/archive returns")
    if (size := sum(one.file_size for one in found)) > MAX_UNPACKED:
        raise ArchiveWrong(f"unpacked it has {size} bytes, at most {MAX_UNPACKED} are taken")
    manifest = _manifest(b"".join(_blocks(archive, archive.getinfo(MANIFEST), MAX_MANIFEST)))
    if missing := manifest.members.keys() ^ (set(names) - {MANIFEST}):
        raise ArchiveWrong(f"{min(missing)[:200]!r} is either not in the zip or not in its {MANIFEST}")
    for name, told in manifest.members.items():
        digest, length = sha256(), 0
        for block in _blocks(archive, archive.getinfo(name), told.bytes):
            digest.update(block)
            length += len(block)
        if (digest.hexdigest(), length) != (told.sha256, told.bytes):
            raise ArchiveWrong(f"{name} is not what its hash in {MANIFEST} says: it was changed or cut")
    return Archive(manifest, archive)


def _blocks(archive: ZipFile, info: ZipInfo, most: int) -> Iterator[bytes]:
    """Yield what a file holds, however long its header says it is."""
    length = 0
    with archive.open(info) as file:
        while block := file.read(BLOCK):
            length += len(block)
            if length > most:
                raise ArchiveWrong(f"{info.filename} is longer than the {most} bytes it may have")
            yield block


def _manifest(text: bytes) -> Manifest:
    told = _loaded(text, MANIFEST)
    if isinstance(told, dict) and told.get("format") == FORMAT and told.get("version") != VERSION:
        raise ArchiveWrong(
            f"its version is {str(told.get('version'))[:20]}, this release reads {VERSION}: "
            "import it with the release that made it, or a later one"
        )
    try:
        return Manifest.model_validate(told)
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(part) for part in wrong["loc"]) or "it"
        raise ArchiveWrong(f"{MANIFEST}: {where[:200]}: {wrong['msg']}") from None


def _loaded(text: bytes, where: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as wrong:
        raise ArchiveWrong(f"{where}: this is no JSON ({str(wrong)[:100]})") from None
