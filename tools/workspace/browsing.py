"""What a person sees of a workspace: its folders one at a time, a file, what there is by its name."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from artel.tools.errors import ToolRefused
from artel.tools.workspace import edit, opening, paths, text, tree
from artel.tools.workspace.change import digest
from artel.tools.workspace.paths import Place
from artel.tools.workspace.read import MAX_FILE_BYTES
from artel.tools.workspace.secrets import is_secret
from artel.tools.workspace.tree import Budget, Entry

MAX_SHOWN = 2 * 1_048_576  # bytes of a file that is shown as text
MAX_ARCHIVED = 500 * 1_048_576  # bytes of a folder that is taken away
MAX_ARCHIVED_FILES = 20_000
PICTURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)
SVG = "image/svg+xml"


class SecretFile(ToolRefused):
    """The file is kept secret, by its name."""

    code = "secret_file"
    status = 403


class TooMuch(ToolRefused):
    """It is larger than what is shown or packed at once."""

    code = "too_much"
    status = 413


@dataclass(frozen=True, slots=True)
class Standing:
    """An entry of a folder as a person sees it."""

    entry: Entry
    ignored: bool
    secret: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A file as a person reads it; `text` is None for one that is binary."""

    path: str
    text: str | None
    encoding: str
    sha256: str
    size: int
    editable: bool


def listed(root: Path, path: str) -> tuple[Place, list[Standing]]:
    """Return what stands in a folder, ignored entries too: folders first, then by name as people sort.

    Raises:
        OutsideWorkspace, DeniedPath, BadPath, NoSuchFile, WrongKind: as for every path.
    """
    place = paths.resolve(root, path or ".")
    with opening.folder(place) as handle:
        found = tree.entries(handle, place)
        ignored = tree.heeding(handle, place, tree.ignored_on_the_way(root, place))
    seen = [
        Standing(
            one,
            ignored.ignores(one.place.parts, is_folder=one.kind == "folder"),
            is_secret(one.place.relative),
        )
        for one in found
    ]
    return place, sorted(seen, key=_as_people_sort)


def found(root: Path, words: str, *, limit: int) -> tuple[list[Entry], str]:
    """Return up to `limit` files whose path holds all `words`, in any case, and why those may not be all."""
    wanted = words.casefold().split()
    budget = Budget()
    fit = (
        one
        for one in tree.walk(root, paths.resolve(root, "."), budget)
        if one.kind != "other" and all(word in one.place.shown.casefold() for word in wanted)
    )
    hits = list(islice(fit, limit + 1))
    more = f"only the first {limit} are shown" if len(hits) > limit else ""
    return hits[:limit], budget.stopped or more


def open_to_people(root: Path, path: str) -> Place:
    """Return where a path leads, if a person may see what is there on the page.

    Raises:
        SecretFile: its name says that it is secret.
        OutsideWorkspace, DeniedPath, BadPath: as for every path.
    """
    place = paths.resolve(root, path)
    if is_secret(place.relative):
        raise SecretFile(f"{place.relative} is kept secret, by its name; it is not shown here")
    return place


def shown(place: Place) -> Shown:
    """Return a file as text, or that it is binary.

    Raises:
        TooMuch: it has more than MAX_SHOWN bytes.
        NoSuchFile, WrongKind: there is no file at `place`.
    """
    read = _within(place, MAX_SHOWN)
    sha, size = digest(read.data) or "", len(read.data)
    writable = bool(read.mode & 0o222) and size < edit.MAX_CONTENT_BYTES
    try:
        decoded = text.decode(read.data, place.relative)
    except paths.WrongKind:
        return Shown(place.relative, None, "", sha, size, editable=False)
    return Shown(place.relative, decoded.text, decoded.label, sha, size, editable=writable)


def picture(place: Place) -> tuple[bytes, str]:
    """Return a picture and what kind it is, told by its content and not by its name.

    Raises:
        WrongKind: it is none that browsers show safely.
        TooMuch, NoSuchFile: as for a text.
    """
    data = _within(place, MAX_FILE_BYTES).data
    for begins, kind in PICTURES:
        if data.startswith(begins):
            return data, kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return data, "image/webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return data, "image/avif"
    if place.name.lower().endswith(".svg") and b"<svg" in data[:4_096]:
        return data, SVG
    raise paths.WrongKind(f"{place.relative} is no picture that is shown here")


def packed(root: Path, place: Place) -> list[Entry]:
    """Return the files of a folder that may be taken away: neither ignored nor secret, links left out.

    Raises:
        TooMuch: they are too many, or too large together.
        NoSuchFile, WrongKind: there is no folder at `place`.
    """
    budget = Budget()
    files = [one for one in tree.walk(root, place, budget) if one.kind == "file"]
    files = [one for one in files if not is_secret(one.place.relative)]
    size = sum(one.size for one in files)
    if budget.stopped or len(files) > MAX_ARCHIVED_FILES or size > MAX_ARCHIVED:
        raise TooMuch(
            f"{place.shown} has {len(files)} files of together {size >> 20} MB; at most {MAX_ARCHIVED_FILES} "
            f"of {MAX_ARCHIVED >> 20} MB are packed: take a folder below it"
        )
    return files


def contents(place: Place) -> tuple[int, Iterator[bytes]]:
    """Return how large a file is, and its content block by block.

    Raises:
        TooMuch: it is over MAX_ARCHIVED bytes.
        NoSuchFile, WrongKind: there is no file at `place`.
    """
    try:
        return opening.reader(place, limit=MAX_ARCHIVED)
    except paths.TooLarge:
        raise TooMuch(f"{place.shown} has more than {MAX_ARCHIVED >> 20} MB, so it is not sent") from None


def is_folder(place: Place) -> bool:
    """Say whether a folder stands at a place.

    Raises:
        NoSuchFile: nothing does.
    """
    try:
        with opening.folder(place):
            return True
    except paths.WrongKind:
        return False


def _within(place: Place, limit: int) -> opening.Found:
    try:
        return opening.read_bytes(place, limit=limit)
    except paths.TooLarge:
        raise TooMuch(
            f"{place.shown} has more than {limit >> 20} MB, so it is not shown; download it"
        ) from None


def _as_people_sort(one: Standing) -> tuple[bool, str, str]:
    name = one.entry.place.name
    return one.entry.kind != "folder", name.casefold(), name
