"""ZIP files, looked into without trust: what is in them, and one member at a time."""

import stat
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from artel.tools.knowledge.formats.errors import Unreadable
from artel.tools.knowledge.formats.records import Limits
from artel.tools.knowledge.formats.wording import shown

SMALL = 1_000_000  # bytes; what is shorter may be packed as well as it likes
BLOCK = 1 << 20
NOISE = (".DS_Store", "Thumbs.db", "desktop.ini")
DAMAGED = "it is a damaged ZIP; make it anew"


@dataclass(frozen=True, slots=True)
class Member:
    """A file in an archive."""

    index: int
    "In the directory of the archive."
    name: str
    size: int
    "Bytes unpacked, as the archive declares; more are never unpacked."
    refused: str = ""
    "Why it may not be read; else empty."


def opened(data: bytes | BinaryIO) -> ZipFile:
    """Return an archive.

    Raises:
        Unreadable: it is damaged.
    """
    try:
        return ZipFile(BytesIO(data) if isinstance(data, bytes) else data)
    except (BadZipFile, ValueError, OSError, LookupError) as error:
        raise Unreadable(f"{DAMAGED} ({shown(str(error))})") from None


def listed(archive: ZipFile, limits: Limits) -> tuple[Member, ...]:
    """Return the files of an archive in its order, each with what forbids to read it.

    Raises:
        Unreadable: there are more than may be, or none.
    """
    infos = [(index, info) for index, info in enumerate(archive.infolist()) if not info.is_dir()]
    infos = [(index, info) for index, info in infos if not _is_noise(info.filename)]
    if len(infos) > limits.members:
        raise Unreadable(f"the archive holds {len(infos)} files, at most {limits.members} are read; split it")
    if not infos:
        raise Unreadable("the archive holds no files")
    return tuple(_members(infos, limits))


def _members(infos: list[tuple[int, ZipInfo]], limits: Limits) -> Iterator[Member]:
    seen: set[str] = set()
    for index, info in infos:
        name = named(info)
        refused = forbidden(info, name, limits) or ("the archive has this name twice" if name in seen else "")
        seen.add(name)
        yield Member(index, shown(name), info.file_size, refused)


def forbidden(info: ZipInfo, name: str, limits: Limits) -> str:
    """Return why a member may not be read, or nothing."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or (len(parts[0]) > 1 and parts[0][1] == ":"):
        return "its path leads out of the archive"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "it is a symbolic link; pack the file itself"
    if (mode := stat.S_IFMT(info.external_attr >> 16)) and mode != stat.S_IFREG:
        return "it is no ordinary file"
    if info.flag_bits & 1:
        return "it is encrypted with a password; pack it without one"
    if info.file_size > limits.file_bytes:
        return f"it has {info.file_size} bytes unpacked, at most {limits.file_bytes} are read; split it"
    if info.file_size > max(SMALL, info.compress_size * limits.ratio):
        return f"it is packed more than {limits.ratio} times smaller than it is, as archives are that do harm"
    return ""


def unpacked(archive: ZipFile, info: ZipInfo, most: int) -> bytes:
    """Return a member; no more than `most` bytes are ever unpacked, whatever the archive declares.

    Raises:
        Unreadable: it is longer, damaged, or packed in a way that is not known.
    """
    got = bytearray()
    try:
        with archive.open(info) as member:
            while block := member.read(BLOCK):
                got += block
                if len(got) > most:
                    raise Unreadable(f"it has more than {most} bytes unpacked")
    except NotImplementedError:
        raise Unreadable("it is packed in a way that is not known here; use deflate") from None
    return bytes(got)


def named(info: ZipInfo) -> str:
    """Return the name of a member; old packers on Russian Windows write it in cp866 and do not say so.

    zipfile has read it as cp437 then.
    """
    if info.flag_bits & 0x800 or info.filename.isascii():
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "cp866"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _is_noise(name: str) -> bool:
    """Whether a packer of macOS or Windows put it there."""
    return name.startswith("__MACOSX/") or name.rsplit("/", 1)[-1] in (
        ".DS_Store",
        "Thumbs.db",
        "desktop.ini",
    )
