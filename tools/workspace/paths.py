"""Where a path really leads: links, `..` and all resolved, then contained in the workspace or refused."""

import os
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from artel.tools.errors import ToolFailed, ToolRefused

MARKER = ".artel-data"  # the server leaves a file of this name in its data folder, wherever that is
DENIED = frozenset({".git", "git~1", ".artel", MARKER})
MAX_BYTES = 3_000  # of a path; longer ones could be made through descriptors, and never removed by name
MAX_DEPTH = 100  # folders; a walk holds a descriptor for each


class OutsideWorkspace(ToolRefused):
    """The path leads out of the workspace."""

    code = "outside_workspace"
    status = 403


class DeniedPath(ToolRefused):
    """The path belongs to git's or Artel's own bookkeeping, which no tool touches."""

    code = "denied_path"
    status = 403


class BadPath(ToolRefused):
    """No file can have that path."""

    code = "bad_path"


class WrongKind(ToolRefused):
    """There is something at the path, but not what the tool works on."""

    code = "wrong_kind"


class TooLarge(ToolRefused):
    """The file or the content is over the limit."""

    code = "too_large"


class NoSuchFile(ToolFailed):
    """There is nothing at the path."""

    code = "no_such_file"
    status = 404


@dataclass(frozen=True, slots=True)
class Place:
    """A path below a workspace, with every link resolved; there may be nothing at it yet."""

    root: Path
    parts: tuple[str, ...]

    @property
    def relative(self) -> str:
        """The path from the workspace, with `/`; `.` is the workspace itself."""
        return "/".join(self.parts) or "."

    @property
    def shown(self) -> str:
        """The path as one line for people and models, whatever the file system holds."""
        return printable(self.relative)

    @property
    def name(self) -> str:
        """The last component."""
        return self.parts[-1] if self.parts else "."

    @property
    def parent(self) -> "Place":
        """The folder that holds it."""
        return Place(self.root, self.parts[:-1])

    def child(self, name: str) -> "Place":
        """The entry `name` of this folder; the caller knows that it is no link."""
        return Place(self.root, (*self.parts, name))


def resolve_workspace(path: str | Path, roots: Sequence[Path]) -> Path:
    """Return the real folder at `path` if it is one of the allowed `roots` or lies below one.

    Raises:
        OutsideWorkspace: it lies below none of them, also when a link leads out.
        DeniedPath: it lies in a `.git` or in a data folder (other than through its own root).
        WrongKind: it is not a folder.
    """
    _check_text(str(path))
    if not Path(path).is_absolute():
        raise BadPath(f"a workspace is given by its absolute path, got {str(path)!r}")
    real = _real(str(path))
    below = [root for root in map(_real, map(str, roots)) if real.is_relative_to(root)]
    if not below:
        allowed = ", ".join(str(root) for root in roots) or "none"
        raise OutsideWorkspace(f"{path} is not below an allowed workspace root ({allowed})")
    nearest = max(below, key=lambda root: len(root.parts))
    _check_allowed(Place(nearest, real.relative_to(nearest).parts))
    if os.path.lexists(real / MARKER):
        raise DeniedPath(f"{path} is Artel's data folder, not a workspace")
    if not os.path.isdir(real):  # noqa: PTH112 - the same
        raise WrongKind(f"there is no folder {path} to work in")
    return real


def resolve(root: Path, path: str) -> Place:
    """Return where `path`, relative to `root` or absolute below it, really leads.

    `root` is what `resolve_workspace` returned. Nothing needs to exist at `path`.
    A name that differs only in its Unicode form (й as one code point or as two)
    means the file that exists.

    Raises:
        OutsideWorkspace: it leads out of `root`, also through a link in any component.
        DeniedPath: it leads into `.git` or a data folder.
        BadPath: it is empty, holds control characters or cannot be a file name.
    """
    _check_text(path)
    if path == "~" or path.startswith("~/"):
        raise BadPath(f"{path!r}: ~ is not expanded, give a path relative to the workspace")
    home = _real(str(root))
    if home != root:
        raise OutsideWorkspace(f"the workspace {root} is a link to {home}, or became one")
    place = _contained(home, os.path.join(home, path), path)  # noqa: PTH118 - `a/../b` must pass through links
    existing = _as_spelled_on_disk(place)
    if existing != place:
        place = _contained(home, str(home.joinpath(*existing.parts)), path)
    _check_allowed(place)
    if len(place.parts) > MAX_DEPTH:
        raise BadPath(f"{path[:80]!r}… is {len(place.parts)} folders deep; at most {MAX_DEPTH} are used")
    _check_text(place.relative)
    return place


def is_denied(name: str) -> bool:
    """Return whether a component of this name is out of bounds, however a file system might spell it.

    HFS+ ignores zero-width characters, Windows trailing dots and what follows a colon, both ignore case:
    each was a way into `.git` once (CVE-2014-9390).
    """
    if name.isascii() and "git" not in name.lower() and "artel" not in name.lower():
        return False
    plain = unicodedata.normalize("NFKC", name).split(":")[0]
    plain = "".join(char for char in plain if unicodedata.category(char) != "Cf")
    return plain.casefold().rstrip(". ") in DENIED


def printable(text: str) -> str:
    r"""Return `text` with everything invisible written out: line ends, colours, changes of direction.

    >>> printable("a\nb\u202e")
    'a\\nb\\u202e'
    """
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def _check_text(path: str) -> None:
    if not path:
        raise BadPath("the path is empty")
    if any(char < " " or char == "\x7f" for char in path):
        raise BadPath(f"{path[:80]!r} holds control characters")
    try:
        size = len(path.encode())
    except UnicodeEncodeError:
        raise BadPath(f"{path[:80]!r} holds half a character (a lone surrogate)") from None
    if size > MAX_BYTES:
        raise BadPath(f"{path[:80]!r}… has {size} bytes; a path has at most {MAX_BYTES}")


def _real(path: str) -> Path:
    try:
        return Path(os.path.realpath(path))
    except OSError as error:  # a link that vanished between being seen and being read
        raise ToolFailed(f"{path} changed while it was looked at: {error.strerror}") from error


def _contained(root: Path, path: str, asked: str) -> Place:
    real = _real(path)
    if not real.is_relative_to(root):
        raise OutsideWorkspace(f"{asked} leads out of the workspace {root}; give a path inside it")
    if os.path.islink(real):  # noqa: PTH114 - unlike Path's it does not raise for names that are too long
        raise BadPath(f"{asked} is a loop of links")
    return Place(root, real.relative_to(root).parts)


def _check_allowed(place: Place) -> None:
    for name in place.parts:
        if is_denied(name):
            raise DeniedPath(f"{place.relative} lies in {name}/, which no tool reads or writes")
    at = place.root
    for name in place.parts:
        at = at / name
        if os.path.lexists(at / MARKER):
            raise DeniedPath(f"{place.relative} lies in Artel's data folder, which no tool reads or writes")


def _as_spelled_on_disk(place: Place) -> Place:
    at, parts = place.root, []
    for name in place.parts:
        spelled = name if name.isascii() or os.path.lexists(at / name) else _same_in_unicode(at, name)
        parts.append(spelled)
        at = at / spelled
    return Place(place.root, tuple(parts))


def _same_in_unicode(parent: Path, name: str) -> str:
    wanted = unicodedata.normalize("NFC", name)
    try:
        twins = [
            other.name for other in parent.iterdir() if unicodedata.normalize("NFC", other.name) == wanted
        ]
    except OSError:
        return name
    return twins[0] if len(twins) == 1 else name
